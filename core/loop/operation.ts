/**
 * Operations: what may have to wait. One object, three ways to wait for it: `yield*`, `await`, `sync()`;
 * it does nothing until then, and is waited for once. The ones made of generator functions are the
 * generators themselves, given these methods by their prototype, so that `yield*` allocates nothing more.
 */
import type { Yielded } from "./task.js"
import { thread } from "./thread.js"

export interface Operation<T> extends PromiseLike<T> {
  [Symbol.iterator](): Generator<Yielded, T, unknown>
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B>
  catch<R = never>(onrejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<T | R>
  finally(onfinally?: (() => void) | null): Promise<T>
  /** Blocks this thread until it is done: no timer and no promise of Node runs meanwhile. */
  sync(): T
}

function consumed(): Error {
  return new Error("cqueues: this operation was waited for already; make a new one for each wait")
}

function driver() {
  if (thread.driver === undefined) throw new Error("cqueues: no controller to run on")
  return thread.driver
}

function promiseOf<T>(operation: Iterable<unknown>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    driver().start(operation, (good, value) => (good ? resolve(value as T) : reject(value)))
  })
}

const FRESH = 0
const CLAIMED = 1
const OVER = 2

/** The base of operations that are their own iterator: subclasses write `next` as a small state machine. */
export abstract class BaseOperation<T> implements Operation<T>, Generator<Yielded, T, unknown> {
  private life = FRESH;

  [Symbol.iterator](): Generator<Yielded, T, unknown> {
    if (this.life !== FRESH) throw consumed()
    this.life = CLAIMED
    return this
  }

  /** Goes on: parks, or is done. Resumed without cause, it parks again. */
  abstract next(value?: unknown): IteratorResult<Yielded, T>

  /** Takes back whatever would wake it. Called once at most, when it is given up before its end. */
  protected abstract abandon(): void

  return(value?: unknown): IteratorResult<Yielded, T> {
    this.giveUp()
    return { done: true, value: value as T }
  }

  throw(error: unknown): IteratorResult<Yielded, T> {
    this.giveUp()
    throw error
  }

  private giveUp(): void {
    if (this.life === OVER) return
    this.life = OVER
    this.abandon()
  }

  // biome-ignore lint/suspicious/noThenProperty: an operation is thenable by design
  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return promiseOf<T>(this).then(onfulfilled, onrejected)
  }

  catch<R = never>(onrejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<T | R> {
    return promiseOf<T>(this).catch(onrejected)
  }

  finally(onfinally?: (() => void) | null): Promise<T> {
    return promiseOf<T>(this).finally(onfinally)
  }

  sync(): T {
    return driver().block(this) as T
  }

  get [Symbol.toStringTag](): string {
    return "Operation"
  }

  [Symbol.dispose](): void {
    this.giveUp()
  }
}

const GeneratorFunction = Object.getPrototypeOf(function* () {}) as { prototype: object }
const CLAIM: unique symbol = Symbol("cqueues.claimed")

const generatorOperation = Object.create(GeneratorFunction.prototype, {
  [Symbol.iterator]: {
    value(this: { [CLAIM]?: boolean }) {
      if (this[CLAIM]) throw consumed()
      this[CLAIM] = true
      return this
    },
  },
  // biome-ignore lint/suspicious/noThenProperty: an operation is thenable by design
  then: { value: BaseOperation.prototype.then },
  catch: { value: BaseOperation.prototype.catch },
  finally: { value: BaseOperation.prototype.finally },
  sync: { value: BaseOperation.prototype.sync },
}) as object

export function isGeneratorFunction(fn: unknown): fn is (...args: never[]) => Generator {
  return typeof fn === "function" && Object.getPrototypeOf(fn) === GeneratorFunction
}

/**
 * Makes a function that returns operations out of a generator function. Its generators are the operations:
 * the function's `prototype` is set to theirs.
 */
export function operation<This, A extends unknown[], T>(
  fn: (this: This, ...args: A) => Generator<Yielded, T, unknown>,
): (this: This, ...args: A) => Operation<T> {
  if (!isGeneratorFunction(fn)) {
    throw new TypeError("cqueues.operation: expected a generator function (function*)")
  }
  Object.defineProperty(fn, "prototype", { value: generatorOperation, writable: true })
  return fn as unknown as (this: This, ...args: A) => Operation<T>
}
