/**
 * Polling: a coroutine waits for several things at once and is told which of them fired (guide section
 * 3.1.1). Objects of ours arrange their own watches through POLL; others follow the guide's protocol of
 * `pollfd`, `events` and `timeout`. Every poll arms everything anew and takes all of it back at its end.
 */
import { errno, SystemError } from "../errno.js"
import { monotime } from "../kernel/clock.js"
import { PRIORITY, READ, WRITE } from "../kernel/poller.js"
import type { Interest, Nested } from "./interest.js"
import { BaseOperation } from "./operation.js"
import { unwatchSignal, watchSignal } from "./signals.js"
import { PARKED, type Request, type Task, type Yielded } from "./task.js"
import { cannotReachNode, currentTask } from "./thread.js"
import { Timer } from "./timers.js"
import { Watch, WatchList } from "./watch.js"

/** How an object of ours arranges to be polled. */
export const POLL: unique symbol = Symbol("cqueues.poll")

export interface Pollee {
  [POLL](request: PollRequest): void
}

/** What can be polled: see guide section 3.1.1. A number is a timeout in seconds. */
export type Pollable =
  | number
  | Pollee
  | AbortSignal
  | PromiseLike<unknown>
  | {
      pollfd?: number | Pollee | (() => number | Pollee | undefined) | undefined
      events?: string | (() => string | undefined) | undefined
      timeout?: number | (() => number | undefined) | undefined
    }

type Protocol = Exclude<Pollable, number | Pollee | AbortSignal | PromiseLike<unknown>>

interface Settling {
  readonly list: WatchList
  settled: boolean
}

const promises = new WeakMap<object, Settling>()

// A promise is asked once, however often it is polled: each `then` stays with it for as long as it lives.
function settling(promise: PromiseLike<unknown>): Settling {
  let state = promises.get(promise)
  if (state === undefined) {
    const fresh: Settling = { list: new WatchList(), settled: false }
    const settle = () => {
      fresh.settled = true
      fresh.list.fireAll()
    }
    promise.then(settle, settle)
    promises.set(promise, fresh)
    state = fresh
  }
  return state
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function"
}

function isPollee(value: unknown): value is Pollee {
  return isObject(value) && POLL in value
}

/** The events of a string with the letters r, w and p. */
export function eventsOf(letters: string): number {
  return (
    (letters.includes("r") ? READ : 0) |
    (letters.includes("w") ? WRITE : 0) |
    (letters.includes("p") ? PRIORITY : 0)
  )
}

/** Checks a number of seconds: NaN is a RangeError, as a wait for it would be for ever or never. */
export function seconds(value: unknown, what: string): number {
  if (typeof value !== "number")
    throw new TypeError(`${what}: expected seconds, a number, got ${typeof value}`)
  if (Number.isNaN(value)) throw new RangeError(`${what}: NaN is no number of seconds`)
  return value
}

const DEEPEST = 3 // controllers below one another in the kernel, without the one that polls

export class PollRequest implements Request {
  private readonly objects: readonly unknown[]
  private readonly watches: Watch[] = []
  private readonly timers: Timer[] = []
  private readonly interests: Interest[] = []
  private undo: (() => void)[] = []
  private task!: Task
  private started = false
  private at = 0
  private fd: number | undefined
  private onlyNode = true // nothing so far but what Node's own loop would have to tell

  constructor(value: unknown) {
    this.objects = (Array.isArray(value) ? value : [value]).filter((object) => object !== undefined)
  }

  /** Parks until something fired, then the list of what did, in the order given. */
  next(): IteratorResult<Yielded, Pollable[]> {
    if (!this.started) {
      this.start()
      return PARKED
    }
    if (!this.watches.some((watch) => watch.fired)) return PARKED // resumed without cause
    const fired = new Set<number>()
    for (const watch of this.watches) if (watch.fired) fired.add(watch.index)
    this.cancel()
    return { done: true, value: this.objects.filter((_, i) => fired.has(i)) as Pollable[] }
  }

  cancel(): void {
    for (const watch of this.watches) watch.cancel()
    for (const timer of this.timers) {
      timer.cancel()
      timer.watch.task = undefined // a cancelled timer may stand in the heap for long, and holds nobody
    }
    for (const interest of this.interests) interest.table.lapse(interest)
    for (const undo of this.undo) undo()
    this.undo = []
  }

  private start(): void {
    this.started = true
    this.task = currentTask()
    if (this.objects.length === 0) this.watch().fire()
    try {
      for (this.at = 0; this.at < this.objects.length; this.at++) this.add(this.objects[this.at])
      if (this.objects.length > 0 && this.onlyNode) this.refuseDeadlock()
    } catch (error) {
      this.cancel()
      this.task.failed = { error, object: this.objects[this.at], fd: this.fd }
      throw error
    }
  }

  // A thread that is blocked in sync() would wait for its own event loop for ever.
  private refuseDeadlock(): void {
    if (this.watches.some((watch) => watch.fired)) return
    if (cannotReachNode()) throw new SystemError(errno.EDEADLK, "poll of a promise under sync()")
  }

  private add(object: unknown): void {
    this.fd = undefined
    if (typeof object === "number") this.after(seconds(object, "poll"))
    else if (isPollee(object)) {
      this.onlyNode = false
      object[POLL](this)
    } else if (object instanceof AbortSignal) this.signal(object)
    else if (isObject(object) && "then" in object && typeof object.then === "function") {
      this.promise(object as PromiseLike<unknown>)
    } else if (isObject(object) && ("pollfd" in object || "timeout" in object))
      this.protocol(object as Protocol)
    else throw new TypeError(`cqueues: cannot poll ${describe(object)}`)
  }

  private protocol(object: Protocol): void {
    const pollfd = typeof object.pollfd === "function" ? object.pollfd() : object.pollfd
    const timeout = typeof object.timeout === "function" ? object.timeout() : object.timeout
    if (isPollee(pollfd)) {
      this.onlyNode = false
      pollfd[POLL](this)
    } else if (pollfd !== undefined) {
      if (!Number.isInteger(pollfd))
        throw new TypeError(`cqueues: pollfd is no descriptor: ${describe(pollfd)}`)
      const letters = typeof object.events === "function" ? object.events() : object.events
      if (pollfd >= 0) this.descriptor(pollfd, letters === undefined ? 0 : eventsOf(letters), false)
    }
    if (timeout !== undefined) this.after(seconds(timeout, "timeout of a polled object"))
  }

  private signal(signal: AbortSignal): void {
    this.onlyNode = false // another coroutine may abort it
    const watch = this.watch()
    watchSignal(signal, watch)
    if (!watch.fired) this.undo.push(() => unwatchSignal(signal, watch))
  }

  private promise(promise: PromiseLike<unknown>): void {
    const { list, settled } = settling(promise)
    if (settled) this.watch().fire()
    else list.add(this.watch())
  }

  private watch(watch = new Watch()): Watch {
    watch.rearm(this.task)
    watch.index = this.at
    this.watches.push(watch)
    return watch
  }

  // What follows is for the objects that are polled.

  /** The object is ready already. */
  ready(): void {
    this.watch().fire()
  }

  /** It is ready when the list fires; with a watch of the object's own where the list means that one. */
  list(list: WatchList, own?: Watch): void {
    this.onlyNode = false
    list.add(this.watch(own))
  }

  /** It is ready at any of these events of a descriptor; `kept` when we see to it that it is cancelled. */
  descriptor(fd: number, events: number, kept: boolean): void {
    this.onlyNode = false
    this.fd = fd
    if (events === 0) return
    const table = this.task.scheduler.interests
    const interest = table.of(fd)
    if (kept) interest.kept = true
    table.watch(interest, this.watch(), events)
    this.interests.push(interest)
  }

  /**
   * It is a controller, ready when its descriptor is. The kernel takes five of these in a row, Node's own loop
   * among them; a controller with more below it is watched by all that it waits for.
   */
  nested(guest: Nested, seen = new Set<Nested>()): void {
    const host = this.task.scheduler
    if (guest.nesting < DEEPEST) {
      this.descriptor(guest.poller.fd, READ, false)
      host.interests.of(guest.poller.fd).nested = guest
      host.nesting = Math.max(host.nesting, guest.nesting + 1)
      return
    }
    seen.add(guest)
    for (const [interest, events] of guest.interests.waited()) {
      const { nested, fd, kept } = interest
      if (nested === undefined) this.descriptor(fd, events, kept)
      else if (!seen.has(nested)) this.nested(nested, seen)
    }
  }

  /** It is ready after so many seconds. */
  after(delay: number): void {
    this.onlyNode = false
    const watch = this.watch()
    if (delay <= 0) {
      watch.fire()
      return
    }
    const timer = new Timer(watch)
    this.timers.push(timer)
    this.task.scheduler.timers.set(timer, monotime() + delay)
  }
}

function describe(value: unknown): string {
  if (typeof value === "string") return `the string ${JSON.stringify(value.slice(0, 40))}`
  if (!isObject(value)) return String(value)
  return typeof value === "function" ? "a function" : `an object (${Object.prototype.toString.call(value)})`
}

export class PollOperation extends BaseOperation<Pollable[]> {
  private readonly request: PollRequest

  constructor(objects: readonly (Pollable | undefined)[]) {
    super()
    this.request = new PollRequest(objects)
  }

  override next(): IteratorResult<Yielded, Pollable[]> {
    return this.request.next()
  }

  protected override abandon(): void {
    this.request.cancel()
  }
}

const ZERO = 0
const YIELDED = -1

/** Waits for a number of seconds, never less. Of zero it yields once, which needs no timer and no watch. */
export class SleepOperation extends BaseOperation<void> {
  /** Seconds; YIELDED once a sleep of zero has had its turn. */
  private delay: number
  private timer: Timer | undefined = undefined

  constructor(delay: number) {
    super()
    this.delay = Math.max(ZERO, seconds(delay, "cqueues.sleep"))
  }

  override next(): IteratorResult<Yielded, void> {
    const { timer, delay } = this
    if (timer !== undefined) return timer.watch.fired ? { done: true, value: undefined } : PARKED
    if (delay === YIELDED) return { done: true, value: undefined }
    const task = currentTask()
    if (delay === ZERO) {
      this.delay = YIELDED
      task.ready()
    } else {
      const watch = new Watch()
      watch.rearm(task)
      this.timer = new Timer(watch)
      task.scheduler.timers.set(this.timer, monotime() + delay)
    }
    return PARKED
  }

  protected override abandon(): void {
    this.timer?.cancel()
  }
}
