/**
 * Iterations whose steps wait: of clients, of lines, of errors. `undefined` ends one, as nil does in Lua.
 * Ended, it stays ended: no further operation is made.
 */
import { BaseOperation, type Operation, operation } from "./operation.js"
import type { Yielded } from "./task.js"

export type Body<T> = (value: T) => Generator<Yielded, unknown, unknown> | unknown

export interface Iteration<T> extends AsyncIterable<T> {
  /** The next value; `undefined` ends the iteration. */
  next(): Operation<T | undefined>
  /** Runs the body for each value; a generator that it returns is run to its end before the next value. */
  each(body: Body<T>): Operation<void>
  /** The values, each waited for by blocking this thread. */
  sync(): Iterable<T>
}

class Ended extends BaseOperation<undefined> {
  override next(): IteratorResult<Yielded, undefined> {
    return { done: true, value: undefined }
  }
  protected override abandon(): void {}
}

export function isGenerator(value: unknown): value is Generator<Yielded, unknown, unknown> {
  return typeof value === "object" && value !== null && typeof (value as Generator).next === "function"
}

const runEach = operation(function* <T>(
  iteration: Iteration<T>,
  body: Body<T>,
): Generator<Yielded, void, unknown> {
  for (;;) {
    const value = yield* iteration.next()
    if (value === undefined) return
    const result = body(value)
    if (isGenerator(result)) yield* result
  }
})

/** Makes an iteration of a function that makes the operation of each step. */
export function iteration<T>(step: () => Operation<T | undefined>): Iteration<T> {
  return {
    next: step,
    each(body) {
      return runEach(this, body as Body<unknown>)
    },
    *sync() {
      for (let value = this.next().sync(); value !== undefined; value = this.next().sync()) yield value
    },
    async *[Symbol.asyncIterator]() {
      for (let value = await this.next(); value !== undefined; value = await this.next()) yield value
    },
  }
}

/** An operation that is over at once, for the steps after the last. */
export const ended = (): Operation<undefined> => new Ended()
