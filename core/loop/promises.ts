/** Between operations and the promises of Node: waiting for one, and being given up for an AbortSignal. */
import { errno, SystemError } from "../errno.js"
import { BaseOperation, type Operation } from "./operation.js"
import { PollRequest } from "./poll.js"
import { unwatchSignal, watchSignal } from "./signals.js"
import { PARK, PARKED, type Yielded } from "./task.js"
import { cannotReachNode, currentTask, thread } from "./thread.js"
import { Watch } from "./watch.js"

/** Waits for a promise. */
export class Awaiting<T> extends BaseOperation<Awaited<T>> {
  #watch: Watch | undefined
  #good = false
  #value: unknown

  constructor(readonly promise: PromiseLike<T>) {
    super()
  }

  override next(): IteratorResult<Yielded, Awaited<T>> {
    if (this.#watch === undefined) {
      const task = currentTask()
      if (cannotReachNode()) throw new SystemError(errno.EDEADLK, "await of a promise under sync()")
      const watch = new Watch()
      watch.rearm(task)
      this.#watch = watch
      const settle = (good: boolean) => (value: unknown) => {
        this.#good = good
        this.#value = value
        watch.fire()
      }
      Promise.resolve(this.promise).then(settle(true), settle(false))
    }
    if (!this.#watch.fired) return PARKED
    if (!this.#good) throw this.#value
    return { done: true, value: this.#value as Awaited<T> }
  }

  protected override abandon(): void {
    if (this.#watch !== undefined) this.#watch.task = undefined
  }
}

/**
 * Another operation, given up when a signal comes before its end. A plain `yield` inside it is answered here,
 * because the signal resumes the coroutine too. What its finally blocks wait for is waited for.
 */
export class Abortable<T> extends BaseOperation<T> {
  #inner: Generator<Yielded, T, unknown> | undefined
  #request: PollRequest | undefined
  #aborting = false
  readonly #watch = new Watch()

  constructor(
    readonly operation: Operation<T>,
    readonly signal: AbortSignal,
  ) {
    super()
    if (typeof operation?.[Symbol.iterator] !== "function" || Array.isArray(operation))
      throw new TypeError("abortable: expected an operation")
    if (!(signal instanceof AbortSignal)) throw new TypeError("abortable: expected an AbortSignal")
  }

  override next(value?: unknown): IteratorResult<Yielded, T> {
    if (this.#inner === undefined) {
      this.#inner = this.operation[Symbol.iterator]()
      if (this.signal.aborted) {
        this.#inner.return(undefined as T)
        throw this.signal.reason
      }
      this.#watch.rearm(currentTask())
      watchSignal(this.signal, this.#watch)
    }
    let result: IteratorResult<Yielded, T>
    try {
      result = this.#request === undefined ? this.#run(this.#inner.next(value)) : this.#answer()
      // What was done before the signal came is not lost.
      if (result.done !== true && this.signal.aborted && !this.#aborting) {
        this.#aborting = true
        this.#forget()
        result = this.#run(this.#inner.return(undefined as T))
      }
      if (result.done !== true) return result
    } catch (error) {
      unwatchSignal(this.signal, this.#watch)
      throw error
    }
    unwatchSignal(this.signal, this.#watch)
    if (this.#aborting) throw this.signal.reason
    return result
  }

  // In a coroutine that somebody resumes (cqueues.resume), what is yielded is for that one.
  #run(result: IteratorResult<Yielded, T>): IteratorResult<Yielded, T> {
    if (result.done === true || result.value === PARK || thread.inner > 0) return result
    this.#request = new PollRequest(result.value)
    return this.#answer()
  }

  #answer(): IteratorResult<Yielded, T> {
    const inner = this.#inner as Generator<Yielded, T, unknown>
    let answer: IteratorResult<unknown, unknown> | undefined
    try {
      answer = this.#request?.next()
    } catch (error) {
      this.#request = undefined
      return this.#run(inner.throw(error))
    }
    if (answer?.done !== true) return PARKED
    this.#request = undefined
    return this.#run(inner.next(answer.value))
  }

  #forget(): void {
    this.#request?.cancel()
    this.#request = undefined
  }

  protected override abandon(): void {
    unwatchSignal(this.signal, this.#watch)
    this.#forget()
    this.#inner?.return(undefined as T)
  }
}
