/**
 * The controller as its users see it (guide section 3.2.1): the engine, the waiting methods, and itself as
 * something that other controllers poll.
 */
import { errno, SystemError } from "../errno.js"
import { monotime } from "../kernel/clock.js"
import { coroutineOf, isCoroutine } from "./coroutine.js"
import { Engine, type StepResult } from "./engine.js"
import { type Iteration, iteration } from "./iteration.js"
import { BaseOperation, type Operation, operation } from "./operation.js"
import { POLL, type Pollable, type Pollee, PollOperation, type PollRequest, seconds } from "./poll.js"
import { cancelEverywhere } from "./registry.js"
import type { Coroutine, Yielded } from "./task.js"
import { EVERYBODY, thread } from "./thread.js"

/** The descriptor of a number or a pollable object, or undefined. */
export function descriptorOf(object: unknown): number | undefined {
  if (typeof object === "number") return object
  if (typeof object !== "object" || object === null || !("pollfd" in object)) {
    throw new TypeError("cancel: expected a descriptor or an object with a pollfd")
  }
  const pollfd = typeof object.pollfd === "function" ? object.pollfd() : object.pollfd
  return typeof pollfd === "number" ? pollfd : undefined
}

/** Cancels a descriptor on every controller of this thread (guide: cqueues.cancel). */
export function cancel(object: unknown): void {
  const fd = descriptorOf(object)
  if (fd !== undefined && fd >= 0) cancelEverywhere(fd)
}

function timeLimit(timeout: number | undefined, what: string): number {
  return timeout === undefined ? Number.POSITIVE_INFINITY : seconds(timeout, what)
}

/** A step or a loop. In a coroutine it polls the controller; `sync()` steps it directly where it can. */
class Stepping extends BaseOperation<StepResult> {
  #inner: Generator<Yielded, StepResult, unknown> | undefined

  constructor(
    readonly controller: Controller,
    readonly limit: number,
    readonly whole: boolean,
  ) {
    super()
  }

  override next(): IteratorResult<Yielded, StepResult> {
    this.#inner ??= this.whole ? this.#loop() : this.#step(this.limit)
    return this.#inner.next()
  }

  protected override abandon(): void {
    this.#inner?.return([true])
  }

  *#step(limit: number): Generator<Yielded, StepResult, unknown> {
    const controller = this.controller
    controller.assertSteppable()
    // Also when it is ready: the coroutines of the controller that this one runs in want their turns.
    if (!controller.empty()) yield* new PollOperation([controller, limit])
    return controller.turn(0, true)
  }

  *#loop(): Generator<Yielded, StepResult, unknown> {
    const controller = this.controller
    controller.assertSteppable()
    const deadline = monotime() + this.limit
    let left = this.limit
    while (!controller.empty()) {
      yield* new PollOperation([controller, Math.max(0, left)])
      const result = controller.turn(0, true)
      if (!result[0]) return result
      left = deadline - monotime()
      if (left <= 0) break
    }
    return [true]
  }

  override sync(): StepResult {
    // With nothing else to run on this thread, the kernel is waited for here and not through another controller.
    if (thread.task !== undefined || thread.driver?.idle() !== true) return super.sync()
    this[Symbol.iterator]()
    return this.controller.runBlocking(this.limit, this.whole)
  }
}

const attached = new WeakSet<Coroutine>()

export class Controller extends Engine implements Pollee {
  /** Adds a coroutine, a generator that has been made already. */
  attach(coroutine: Coroutine): this {
    if (!isCoroutine(coroutine)) {
      throw new TypeError("attach: expected a coroutine, the generator that a function* makes")
    }
    this.assertOpen()
    // Only one of two controllers would hear when it ends, and the other wait for ever.
    if (attached.has(coroutine)) throw new Error("attach: the coroutine has been attached already")
    attached.add(coroutine)
    this.spawn(coroutine)
    return this
  }

  /** Runs a function as a new coroutine: a `function*`, or an ordinary one that ends in its turn. */
  wrap<A extends unknown[]>(fn: (...args: A) => unknown, ...args: A): this {
    this.assertOpen()
    this.spawn(coroutineOf(fn, args))
    return this
  }

  /** One step; waits at most `timeout` seconds, once, and not when something is pending. */
  step(timeout?: number): Operation<StepResult> {
    return new Stepping(this, timeLimit(timeout, "step"), false)
  }

  /** Steps until an error, the timeout, or until no coroutine is left. */
  loop(timeout?: number): Operation<StepResult> {
    return new Stepping(this, timeLimit(timeout, "loop"), true)
  }

  /** The errors of coroutines, until none is left or the time for the whole iteration is up. */
  errors(timeout?: number): Iteration<unknown> {
    const deadline = monotime() + timeLimit(timeout, "errors")
    const next = operation(function* (controller: Controller): Generator<Yielded, unknown, unknown> {
      const [good, error] = yield* controller.loop(Math.max(0, deadline - monotime()))
      if (good) return undefined
      return error === undefined ? new Error("a coroutine threw undefined") : error
    })
    return iteration(() => next(this))
  }

  empty(): boolean {
    return this.tasks.size === 0
  }

  /** How many coroutines it has. */
  count(): number {
    return this.tasks.size
  }

  events(): string {
    return "r"
  }

  /** Takes a descriptor from this controller; who polls it sees it as ready. */
  cancel(object: unknown): void {
    this.assertOpen()
    const fd = descriptorOf(object)
    if (fd !== undefined && fd >= 0) this.interests.cancel(fd)
  }

  /** pselect(2): blocks the thread until the controller is ready or one of these signals comes. */
  pause(...signals: number[]): void {
    this.assertSteppable()
    for (const signal of signals) {
      if (!Number.isInteger(signal) || signal < 1)
        throw new TypeError(`pause: not a signal number: ${String(signal)}`)
    }
    this.outbox.flush()
    const result = this.poller.pause(this.timeout() ?? Number.POSITIVE_INFINITY, signals)
    if (result < 0 && result !== -errno.EINTR) throw new SystemError(-result, "pause")
  }

  assertSteppable(): void {
    this.assertOpen()
    if (this.live) throw new Error("cannot step live cqueue")
  }

  /** Steps with the thread blocked in the kernel between steps. */
  runBlocking(limit: number, whole: boolean): StepResult {
    this.assertSteppable()
    const outer = thread.blocked
    thread.blocked = EVERYBODY
    try {
      if (!whole) return this.turn(limit, true)
      const deadline = monotime() + limit
      let left = limit
      while (!this.empty()) {
        const result = this.turn(Math.max(0, left), false)
        if (!result[0]) return result
        if (limit === Number.POSITIVE_INFINITY) continue
        left = deadline - monotime()
        if (left <= 0) break
      }
      return [true]
    } finally {
      thread.blocked = outer
      if (!this.closed) this.outbox.flush()
    }
  }

  [POLL](request: PollRequest): void {
    if (this.ready) {
      request.ready()
      return
    }
    request.list(this.watchers)
    request.nested(this)
    const timeout = this.timeout()
    if (timeout !== undefined) request.after(timeout)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** `"controller"`, `"closed controller"` or undefined. */
export function typeOf(object: unknown): "controller" | "closed controller" | undefined {
  if (!(object instanceof Controller)) return undefined
  return object.closed ? "closed controller" : "controller"
}

/** Waits for pollable objects; the ones that fired, in the order given. */
export function poll(...objects: (Pollable | undefined)[]): Operation<Pollable[]> {
  return new PollOperation(objects)
}
