/** Between operations and the promises of Node: waiting for one, and being given up for an AbortSignal. */
import { errno, SystemError } from "../errno.js"
import { BaseOperation, type Operation } from "./operation.js"
import { PARKED, type Yielded } from "./task.js"
import { cannotReachNode, currentTask } from "./thread.js"
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
      if (cannotReachNode(task)) throw new SystemError(errno.EDEADLK, "await of a promise under sync()")
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

/** Another operation, given up when a signal comes before its end. */
export class Abortable<T> extends BaseOperation<T> {
  #inner: Generator<Yielded, T, unknown> | undefined
  #watch = new Watch()
  readonly #onabort = () => this.#watch.fire()

  constructor(
    readonly operation: Operation<T>,
    readonly signal: AbortSignal,
  ) {
    super()
    if (!(signal instanceof AbortSignal)) throw new TypeError("abortable: expected an AbortSignal")
  }

  override next(value?: unknown): IteratorResult<Yielded, T> {
    if (this.#inner === undefined) {
      this.#inner = this.operation[Symbol.iterator]()
      if (this.signal.aborted) return this.#abort()
      this.#watch.rearm(currentTask())
      this.signal.addEventListener("abort", this.#onabort, { once: true })
    }
    let result: IteratorResult<Yielded, T>
    try {
      result = this.#inner.next(value)
    } catch (error) {
      this.#listenNoMore()
      throw error
    }
    // What was done before the signal came is not lost.
    if (result.done !== true) return this.signal.aborted ? this.#abort() : result
    this.#listenNoMore()
    return result
  }

  #abort(): never {
    this.#listenNoMore()
    this.#inner?.return(undefined as T)
    throw this.signal.reason
  }

  #listenNoMore(): void {
    this.signal.removeEventListener("abort", this.#onabort)
  }

  protected override abandon(): void {
    this.#listenNoMore()
    this.#inner?.return(undefined as T)
  }
}
