/**
 * Which descriptors a controller watches. The kernel's registration is kept when a wait ends and is taken
 * back only when an event comes that nobody waits for: a descriptor that is polled again with the same
 * events makes no system call. The surprise is what follows from it: a registration may stand for a
 * descriptor that nobody polls any more, so closing must cancel first (see kernel/descriptor.ts).
 */
import { SystemError } from "../errno.js"
import { ALL_EVENTS, NOT_TRIED, type Poller } from "../kernel/poller.js"
import { type Watch, WatchList } from "./watch.js"

/** Who takes the bytes that a step received for a descriptor. */
export interface Receiver {
  /** `result` bytes stand at `offset` of the arena; 0 is the end of file, a negative number an errno. */
  received(result: number, offset: number): void
}

/** A controller, as another controller watches it. */
export interface Nested {
  readonly poller: { readonly fd: number }
  readonly interests: InterestTable
  /** How many controllers stand below one another, itself included, at most. */
  nesting: number
}

export class Interest {
  readonly watches = new WatchList()
  registered = 0
  receiver: Receiver | undefined = undefined
  /** Ours to close: its registration holds until then. Others' may be closed a step after their last wait. */
  kept = false
  /** The controller whose descriptor it is. */
  nested: Nested | undefined = undefined

  constructor(
    readonly table: InterestTable,
    readonly fd: number,
    readonly slot: number,
  ) {}
}

function waitedOf(interest: Interest): number {
  let events = 0
  for (let watch = interest.watches.head; watch !== undefined; watch = watch.following) events |= watch.events
  return events
}

export class InterestTable {
  #byFd = new Map<number, Interest>()
  #bySlot: (Interest | undefined)[] = []
  #lapsed: Interest[] = []
  #poller: Poller

  constructor(poller: Poller) {
    this.#poller = poller
  }

  get size(): number {
    return this.#byFd.size
  }

  find(fd: number): Interest | undefined {
    return this.#byFd.get(fd)
  }

  of(fd: number): Interest {
    let interest = this.#byFd.get(fd)
    if (interest === undefined) {
      interest = new Interest(this, fd, this.#poller.addSlot(fd))
      this.#byFd.set(fd, interest)
      this.#bySlot[interest.slot] = interest
    }
    return interest
  }

  /** Adds a watch for events; throws a SystemError where the kernel cannot watch the descriptor. */
  watch(interest: Interest, watch: Watch, events: number): void {
    if ((interest.registered & events) !== events) {
      const now = interest.registered | events
      const error = this.#poller.set(interest.slot, interest.registered, now)
      if (error < 0) {
        if (interest.registered === 0) this.#drop(interest)
        throw new SystemError(-error, "poll")
      }
      interest.registered = now
    }
    watch.events = events
    interest.watches.add(watch)
  }

  /** All that somebody waits for, each with the events. */
  *waited(): Generator<[interest: Interest, events: number]> {
    for (const interest of this.#byFd.values()) {
      const events = waitedOf(interest)
      if (events !== 0) yield [interest, events]
    }
  }

  /** Asks the next step to receive up to `bytes` for a receiver, before its watch fires. */
  receive(interest: Interest, receiver: Receiver, bytes: number): void {
    interest.receiver = receiver
    this.#poller.want(interest.slot, bytes)
  }

  stopReceiving(interest: Interest): void {
    if (interest.receiver === undefined) return
    interest.receiver = undefined
    this.#poller.want(interest.slot, 0)
  }

  /** An event of the kernel: delivers what was received and fires the watches that wait for it. */
  dispatch(slot: number, events: number, result: number, offset: number): void {
    const interest = this.#bySlot[slot]
    if (interest === undefined) return
    if (result !== NOT_TRIED) interest.receiver?.received(result, offset)
    let waited = 0
    for (let watch = interest.watches.head; watch !== undefined; ) {
      const following: Watch | undefined = watch.following
      waited |= watch.events
      if ((watch.events & events) !== 0) watch.fire()
      watch = following
    }
    if ((waited & events) === 0) this.#narrow(interest, waited)
  }

  // Nobody waits for what keeps happening: a level-triggered kernel would report it for ever.
  #narrow(interest: Interest, waited: number): void {
    if (this.#poller.set(interest.slot, interest.registered, waited) < 0) this.cancel(interest.fd)
    else if (waited === 0) this.#drop(interest)
    else interest.registered = waited
  }

  /** A wait for a descriptor that is not ours ended; unless another follows at once, it is let go. */
  lapse(interest: Interest): void {
    if (interest.kept || interest.watches.head !== undefined || !this.holds(interest)) return
    interest.nested = undefined // which may be dropped now
    this.#lapsed.push(interest)
  }

  /** Before each wait of the kernel: what was not polled again since is taken out. */
  expireLapsed(): void {
    if (this.#lapsed.length === 0) return
    for (const interest of this.#lapsed) {
      if (interest.watches.head === undefined && !interest.kept && this.holds(interest))
        this.cancel(interest.fd)
    }
    this.#lapsed.length = 0
  }

  #drop(interest: Interest): void {
    this.#byFd.delete(interest.fd)
    this.#bySlot[interest.slot] = undefined
    this.#poller.dropSlot(interest.slot)
    interest.registered = 0
    interest.receiver = undefined
  }

  /** Takes a descriptor out and fires all its watches: their objects are ready. False if it was not in. */
  cancel(fd: number): boolean {
    const interest = this.#byFd.get(fd)
    if (interest === undefined) return false
    if (interest.registered !== 0) this.#poller.set(interest.slot, interest.registered, 0)
    this.#drop(interest)
    interest.watches.fireAll()
    return true
  }

  /** Registers everything anew, in a kernel object that knows nothing; what fails there is cancelled. */
  registerAgain(): void {
    for (const interest of [...this.#byFd.values()]) {
      const events = waitedOf(interest)
      interest.registered = 0
      const good = events !== 0 && this.#poller.set(interest.slot, 0, events & ALL_EVENTS) >= 0
      if (good) interest.registered = events
      else this.cancel(interest.fd)
    }
  }

  /** Registers one descriptor anew, which has become another file under the same number. */
  renew(fd: number): void {
    const interest = this.#byFd.get(fd)
    if (interest !== undefined && this.#poller.set(interest.slot, 0, interest.registered) < 0) this.cancel(fd)
  }

  /** Whether the table still is the one that an interest belongs to and stands in. */
  holds(interest: Interest): boolean {
    return interest.table === this && this.#bySlot[interest.slot] === interest
  }
}
