/**
 * Iterations whose steps wait: of clients, of lines, of errors. `undefined` ends one, as nil does in Lua.
 */
import { type Operation, operation } from "./operation.js"
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

/** The base of iterations: subclasses say what a step is. */
export abstract class BaseIteration<T> implements Iteration<T> {
  abstract next(): Operation<T | undefined>

  each(body: Body<T>): Operation<void> {
    return runEach(this, body as Body<unknown>)
  }

  *sync(): Generator<T, void, unknown> {
    for (let value = this.next().sync(); value !== undefined; value = this.next().sync()) yield value
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, unknown> {
    for (let value = await this.next(); value !== undefined; value = await this.next()) yield value
  }
}

class Steps<T> extends BaseIteration<T> {
  constructor(private readonly step: () => Operation<T | undefined>) {
    super()
  }

  override next(): Operation<T | undefined> {
    return this.step()
  }
}

/** Makes an iteration of a function that makes the operation of each step. */
export function iteration<T>(step: () => Operation<T | undefined>): Iteration<T> {
  return new Steps(step)
}
