/** Condition variables: coroutines queue for an event of the program's own (guide section 3.2.13). */
import { interposer } from "./interpose.js"
import "./loop/node-loop.js"
import { BaseOperation, type Operation, operation } from "./loop/operation.js"
import { POLL, type Pollable, type Pollee, PollOperation, type PollRequest } from "./loop/poll.js"
import { PARKED, type Yielded } from "./loop/task.js"
import { currentTask } from "./loop/thread.js"
import { Watch, WatchList } from "./loop/watch.js"

/** The wait for a condition and nothing else: one watch, and no list to make. */
class Waiting extends BaseOperation<[boolean, ...Pollable[]]> {
  private watch: Watch | undefined = undefined

  constructor(readonly waiters: WatchList) {
    super()
  }

  override next(): IteratorResult<Yielded, [boolean, ...Pollable[]]> {
    if (this.watch === undefined) {
      this.watch = new Watch()
      this.watch.rearm(currentTask())
      this.waiters.add(this.watch)
    }
    return this.watch.fired ? { done: true, value: [true] } : PARKED
  }

  protected override abandon(): void {
    this.watch?.cancel()
  }
}

const waitForAny = operation(function* (
  condition: Condition,
  objects: readonly (Pollable | undefined)[],
): Generator<Yielded, [boolean, ...Pollable[]], unknown> {
  const fired = yield* new PollOperation([condition, ...objects])
  return fired[0] === condition ? [true, ...fired.slice(1)] : [false, ...fired]
})

export class Condition implements Pollee {
  readonly #waiters = new WatchList()
  readonly #lifo: boolean

  constructor(lifo = false) {
    this.#lifo = lifo
  }

  /** Waits to be signalled, or for other pollables: whether it was signalled, then what else was ready. */
  wait(...objects: (Pollable | undefined)[]): Operation<[boolean, ...Pollable[]]> {
    return objects.length === 0 ? new Waiting(this.#waiters) : waitForAny(this, objects)
  }

  /** Wakes `n` of those that wait, the longest-waiting first (the latest, if lifo), or all; how many. */
  signal(n = Number.POSITIVE_INFINITY): number {
    if (typeof n !== "number" || Number.isNaN(n))
      throw new TypeError("signal: expected a number of coroutines")
    // Who begins to wait while others are woken waits for the next signal.
    const last = this.#lifo ? this.#waiters.head : this.#waiters.tail
    let woken = 0
    while (woken < n) {
      const watch = this.#lifo ? this.#waiters.tail : this.#waiters.head
      if (watch === undefined) break
      watch.fire()
      woken++
      if (watch === last) break
    }
    return woken
  }

  [POLL](request: PollRequest): void {
    request.list(this.#waiters)
  }
}

export const condition = {
  /** A new condition variable; `lifo` wakes the latest first. */
  new: (lifo?: boolean): Condition => new Condition(lifo),
  type: (object: unknown): "condition" | undefined => (object instanceof Condition ? "condition" : undefined),
  interpose: interposer(Condition.prototype),
}

export default condition
