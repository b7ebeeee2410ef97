/**
 * Errors of a socket's two channels (guide: socket:onerror, error, clearerr). An error sticks to its
 * channel and is given again by every later call until it is cleared; whoever ignores it too often is
 * stopped by an exception, so that no loop runs on a dead socket for ever.
 */
import { errno, SystemError, type Where } from "../errno.js"

/** What a method without a value returns. */
export type Result = [good: true] | [good: false, errno: number]

/** Throws, or returns the errno that the method is to return. */
export type ErrorHandler<S> = (socket: S, method: string, errno: number, level: number) => number | undefined

export const DEFAULT_MAXERRS = 100

/** Returns EPIPE and ETIMEDOUT, throws everything else. */
export function defaultHandler(method: string, number: number, where: Where): number {
  if (number === errno.EPIPE || number === errno.ETIMEDOUT) return number
  throw new SystemError(number, method, where)
}

export class Channel {
  /** The sticky error, or 0. */
  error = 0
  repeats = 0
  limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  set(number: number): void {
    this.error = number
    this.repeats = 0
  }

  /** The error, told once more. */
  repeat(): number {
    if (this.error !== 0 && ++this.repeats > this.limit) {
      throw new Error(
        `socket: an error was ignored ${this.limit} times: ${new SystemError(this.error, "socket").message}`,
      )
    }
    return this.error
  }

  clear(): number | undefined {
    const error = this.error
    this.set(0)
    return error === 0 ? undefined : error
  }
}

/** The channels that a string of the letters r and w names, in its order. */
export function whichChannels(which: string | undefined): string[] {
  if (which === undefined) return ["r", "w"]
  const letters = [...which]
  if (typeof which !== "string" || letters.some((letter) => letter !== "r" && letter !== "w")) {
    throw new TypeError(`expected a string of the letters r and w, got ${JSON.stringify(which)}`)
  }
  return letters
}
