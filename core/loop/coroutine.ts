/** Coroutines of functions: what `wrap` accepts, and what it says to a function that cannot be one. */
import { isGeneratorFunction } from "./operation.js"
import type { Coroutine } from "./task.js"

/** Whether a value is a generator, or behaves as one. An async generator does not: it never waits. */
export function isCoroutine(value: unknown): value is Coroutine {
  if (typeof value !== "object" || value === null || Symbol.asyncIterator in value) return false
  const { next, throw: fail, return: end } = value as Partial<Coroutine>
  return typeof next === "function" && typeof fail === "function" && typeof end === "function"
}

/** A coroutine for a controller, of a generator function or a plain one that runs to its end in its turn. */
export function coroutineOf<A extends unknown[]>(fn: (...args: A) => unknown, args: A): Coroutine {
  if (typeof fn !== "function") throw new TypeError("cqueues: expected a function")
  if (isGeneratorFunction(fn)) return (fn as (...args: A) => Coroutine)(...args)
  const kind = Object.prototype.toString.call(fn)
  if (kind === "[object AsyncFunction]" || kind === "[object AsyncGeneratorFunction]") {
    throw new TypeError("cqueues: an async function cannot be a coroutine of a controller; use function*")
  }
  return plain(fn, args)
}

function* plain<A extends unknown[]>(fn: (...args: A) => unknown, args: A): Coroutine {
  const result = fn(...args)
  // An arrow function that calls a generator function or makes an operation means to run it.
  if (typeof result === "object" && result !== null && Symbol.iterator in result && "next" in result) {
    return (yield* result as Coroutine) as unknown
  }
  return result
}
