/**
 * A coroutine under a controller, and how it waits: it parks, having left a watch with whatever may wake
 * it. Nothing looks at a parked coroutine until a watch fires, so waiting costs nothing however many wait.
 */
import type { InterestTable } from "./interest.js"
import type { Outbox } from "./outbox.js"
import type { TimerHeap } from "./timers.js"

/** What a coroutine yields when it has arranged its own waking. */
export const PARK: unique symbol = Symbol("cqueues.park")

/** The one result object of every operation that parks: no allocation for a wait. */
export const PARKED: IteratorYieldResult<typeof PARK> = Object.freeze({ done: false, value: PARK })

export type Yielded = unknown

/** A generator that a controller manages. */
export type Coroutine<T = unknown> = Generator<Yielded, T, unknown>

/** What a coroutine that waits needs of its controller. */
export interface Scheduler {
  readonly interests: InterestTable
  readonly timers: TimerHeap
  readonly outbox: Outbox
  /** How many controllers stand below one another, itself included, at most. */
  nesting: number
  /** Puts a task on the list of those to resume in the next step. */
  enqueue(task: Task): void
  /** Adds a coroutine. */
  spawn(coroutine: Coroutine): Task
}

/** An iterator that answers a plain `yield` of pollables: resumed in the coroutine's place until it is done. */
export interface Request {
  next(): IteratorResult<unknown, unknown>
  /** Takes back all that would wake it. */
  cancel(): void
}

export class Task {
  following: Task | undefined = undefined
  pending = false
  done = false
  /** Set while the coroutine waits in a plain `yield`. */
  request: Request | undefined = undefined
  /** Where the coroutine's end goes when not to the controller's step: an `await`, a promise. */
  settle: ((good: boolean, value: unknown) => void) | undefined = undefined
  /** What its last poll could not watch, to be told beside the error when nobody catches it. */
  failed: { error: unknown; object: unknown; fd: number | undefined } | undefined = undefined

  constructor(
    readonly scheduler: Scheduler,
    readonly coroutine: Coroutine,
  ) {}

  /** Resumes the coroutine in its controller's next step. Often more than one watch says so. */
  ready(): void {
    if (this.pending || this.done) return
    this.pending = true
    this.scheduler.enqueue(this)
  }
}
