/**
 * Promises of cqueues: the result of a coroutine, or of whoever calls `set`, for any number of coroutines
 * to wait for. No JavaScript promise: nothing runs when it is settled but those that wait for it.
 */
import { interposer } from "./interpose.js"
import { coroutineOf } from "./loop/coroutine.js"
import { mainController } from "./loop/node-loop.js"
import { type Operation, operation } from "./loop/operation.js"
import { POLL, type Pollee, PollOperation, type PollRequest, seconds } from "./loop/poll.js"
import type { Yielded } from "./loop/task.js"
import { thread } from "./loop/thread.js"
import { WatchList } from "./loop/watch.js"

export type Status = "pending" | "fulfilled" | "rejected"

const PromiseType = "promise"

class CqPromise<T = unknown> implements Pollee {
  #status: Status = "pending"
  #values: unknown[] = []
  readonly #waiters = new WatchList()

  /** `pending`, `fulfilled` or `rejected`. */
  status(): Status {
    return this.#status
  }

  /** Settles it, once: fulfilled with the values, or rejected with the first of them as the reason. */
  set(good: boolean, ...values: unknown[]): void {
    if (this.#status !== "pending") throw new Error("promise: set already")
    this.#status = good ? "fulfilled" : "rejected"
    this.#values = values
    this.#waiters.fireAll()
  }

  /** Waits until it is settled: itself, or undefined when the time is up. */
  declare wait: (timeout?: number) => Operation<this | undefined>

  /** Its value, the tuple of them when it was set to several; throws the reason; undefined in time-out. */
  declare get: (timeout?: number) => Operation<T>

  value(): unknown {
    if (this.#status === "rejected") throw this.#values[0]
    return this.#values.length > 1 ? this.#values : this.#values[0]
  }

  [POLL](request: PollRequest): void {
    if (this.#status === "pending") request.list(this.#waiters)
    else request.ready()
  }

  static {
    const wait = operation(function* (
      promise: CqPromise,
      timeout?: number,
    ): Generator<Yielded, CqPromise | undefined> {
      if (timeout !== undefined) seconds(timeout, "promise.wait")
      if (promise.#status === "pending") yield* new PollOperation([promise, timeout])
      return promise.#status === "pending" ? undefined : promise
    })
    const get = operation(function* (promise: CqPromise, timeout?: number): Generator<Yielded, unknown> {
      const settled = yield* wait(promise, timeout)
      return settled?.value()
    })
    CqPromise.prototype.wait = function (timeout) {
      return wait(this, timeout) as Operation<typeof this | undefined>
    }
    CqPromise.prototype.get = function (timeout) {
      return get(this, timeout) as Operation<never>
    }
  }
}

export { CqPromise as Promise }

function make<A extends unknown[], T>(fn?: (...args: A) => T, ...args: A): CqPromise {
  const promise = new CqPromise()
  if (fn === undefined) return promise
  const coroutine = coroutineOf(fn, args)
  const controller = thread.task?.scheduler ?? mainController()
  const task = controller.spawn(coroutine)
  task.settle = (good, value) => {
    if (promise.status() === "pending") promise.set(good, value)
  }
  return promise
}

export const promise = {
  /** A new promise; of a function, that runs as a coroutine of the running controller or the main one. */
  new: make,
  type: (object: unknown): "promise" | undefined => (object instanceof CqPromise ? PromiseType : undefined),
  interpose: interposer(CqPromise.prototype),
}

export default promise
