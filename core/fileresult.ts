/** What becomes of a result with an error number in it: an exception, or Lua's (value, text, number). */
import { errno, SystemError, strerror } from "./errno.js"

type Result = readonly unknown[]

/** The first value of a result, or its error thrown: the last defined value, a number by its text. */
export function assertResult<T>(
  result: readonly [T, ...unknown[]] | readonly unknown[],
): Exclude<T, undefined | false> {
  if (!Array.isArray(result)) throw new TypeError("assert: expected a result, [value, error]")
  const [value, ...rest] = result as Result
  if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>
  const error = rest.find((each) => each !== undefined && each !== false)
  if (typeof error === "number") throw new SystemError(error, "assertion failed")
  if (error instanceof Error) throw error
  throw new Error(error === undefined ? "assertion failed" : String(error), { cause: error })
}

/** `[value, text, number]`, as Lua's file functions return it. */
export function fileResult(result: Result): [value: unknown, message?: string, errno?: number] {
  const [value, ...rest] = result
  if (value !== undefined && value !== false) return [value]
  const error = rest.findLast((each) => each !== undefined && each !== false)
  if (typeof error === "number") return [value, strerror(error), error]
  if (error instanceof SystemError) return [value, error.message, error.errno]
  return [value, error === undefined ? strerror(errno.EIO) : String(error)]
}
