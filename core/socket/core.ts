/**
 * What the text and the bytes view of one socket share: descriptor, buffers, error channels, and what has
 * still to be done before the first byte can go (connecting, binding).
 */
import { errno, type Where } from "../errno.js"
import { binding } from "../kernel/binding.js"
import { Descriptor } from "../kernel/descriptor.js"
import type { Interest } from "../loop/interest.js"
import type { Outgoing } from "../loop/outbox.js"
import type { Pollee } from "../loop/poll.js"
import type { Scheduler } from "../loop/task.js"
import type { Timer } from "../loop/timers.js"
import { Watch, WatchList } from "../loop/watch.js"
import { SOCK_SEQPACKET, SOCK_STREAM } from "./constants.js"
import { Channel, type ErrorHandler } from "./fault.js"
import { Input } from "./input.js"
import type { Defaults } from "./options.js"
import { Output } from "./output.js"

/** What a socket does before it can be used; who needs the socket drives it, whoever that is. */
export interface Establishing extends Pollee {
  /** Goes on without waiting: 0 done, an errno, or undefined when what POLL arranges has to come first. */
  advance(): number | undefined
}

/** The turn of an operation that waits for another one on its channel. */
export class Turn extends Watch {
  constructor(readonly holder: object) {
    super()
  }
}

/** Who has the turn on a channel; the others get it in the order they came. */
export class Lock {
  holder: object | undefined = undefined
  #queue: WatchList | undefined = undefined

  get queue(): WatchList {
    this.#queue ??= new WatchList()
    return this.#queue
  }

  /** Hands the channel on to the operation that has waited longest. */
  release(holder: object): void {
    if (this.holder !== holder) return
    const next = this.#queue?.head as Turn | undefined
    this.holder = next?.holder
    next?.fire()
  }

  /** The socket is closed: everybody may look. */
  open(): void {
    this.#queue?.fireAll()
  }
}

const NOWHERE: Where = Object.freeze({})

const collected = new FinalizationRegistry<Descriptor>((descriptor) => descriptor.close())

type Leftover = (core: Core, scheduler: Scheduler) => void

let leftover: Leftover = () => {}

/** What becomes of bytes that a deferred send left over: write.ts says, which stands above this file. */
export function onLeftover(how: Leftover): void {
  leftover = how
}

export class Core implements Outgoing {
  descriptor: Descriptor
  readonly input: Input
  output: Output
  readonly reading: Channel
  readonly writing: Channel
  handler: ErrorHandler<never> | undefined
  /** Seconds, or Infinity. */
  timeout: number
  establishing: Establishing | undefined
  /** Which step of establishing failed, for messages. */
  stage = "connect"
  where: Where = NOWHERE
  family: number
  type: number
  closed = false
  /** What a recv or send that could not go on was waiting for. */
  wanted = 0
  /** The operations that read and write now; later ones queue, so that none tears another's data. */
  readonly reader = new Lock()
  readonly writer = new Lock()
  #readable: Watch | undefined
  #home: Interest | undefined
  readTimer: Timer | undefined

  /** Whether stat() tells the times of the last bytes. */
  readonly timed: boolean

  constructor(family: number, type: number, fd: number, defaults: Defaults, timed = true) {
    this.timed = timed
    this.family = family
    this.type = type
    this.descriptor = new Descriptor(fd)
    this.input = new Input(defaults.inputMode, defaults.inputSize, defaults.inputLine)
    this.output = new Output(defaults.outputMode, defaults.outputSize, defaults.outputLine)
    this.output.fd = fd
    this.reading = new Channel(defaults.readErrors)
    this.writing = new Channel(defaults.writeErrors)
    this.handler = defaults.onerror
    this.timeout = defaults.timeout
    collected.register(this, this.descriptor, this.descriptor)
  }

  get fd(): number {
    return this.descriptor.fd
  }

  // What the outbox sends for us.

  get region(): number {
    return this.output.region
  }

  get offset(): number {
    return this.output.offset
  }

  get length(): number {
    return this.output.length
  }

  sent(result: number): void {
    const scheduler = this.output.queued
    this.output.queued = undefined
    if (this.output.settle(result) && scheduler !== undefined) leftover(this, scheduler)
  }

  get stream(): boolean {
    return this.type === SOCK_STREAM
  }

  /** Another descriptor takes the place of the present one, which is closed: the next address is tried. */
  replace(fd: number): void {
    collected.unregister(this.descriptor)
    this.descriptor.close()
    this.descriptor = new Descriptor(fd)
    this.output.fd = fd
    if (fd >= 0) collected.register(this, this.descriptor, this.descriptor)
  }

  /** The one watch for input: there is one reader at a time. */
  get readable(): Watch {
    this.#readable ??= new Watch()
    return this.#readable
  }

  /** Our place in a controller's table, found once for as long as the same controller waits for us. */
  interest(scheduler: Scheduler): Interest {
    const home = this.#home
    if (home !== undefined && scheduler.interests.holds(home)) return home
    const interest = scheduler.interests.of(this.descriptor.fd)
    interest.kept = true
    this.#home = interest
    return interest
  }

  /** One receive without waiting, as its result has it: bytes, 0 at the end, or -errno. */
  receiveNow(missing: number): number {
    const { input } = this
    if (this.stream) return input.receive(this.fd, missing)
    if (input.length > 0) return -errno.EAGAIN
    return input.receiveMessage(this.fd, Math.max(input.least, missing), this.type === SOCK_SEQPACKET)
  }

  stopReceiving(): void {
    const home = this.#home
    if (home !== undefined) home.table.stopReceiving(home)
  }

  /** Moves what the kernel said of a direction to its channel. */
  noteErrors(): void {
    if (this.input.error !== 0) {
      this.reading.set(this.input.error)
      this.input.error = 0
    }
    if (this.output.error !== 0) {
      this.writing.set(this.output.error)
      this.output.error = 0
    }
  }

  /** Gives the output and the descriptor to somebody else, who sends the rest and closes. */
  detach(): [Output, Descriptor] {
    const { output, descriptor } = this
    collected.unregister(descriptor)
    this.output = new Output(output.mode, output.bufsiz, output.maxline)
    this.descriptor = new Descriptor(-1)
    return [output, descriptor]
  }

  /** Closes at once; what waits for the socket is woken and finds it closed. */
  close(): number {
    if (this.closed) return 0
    this.closed = true
    this.establishing = undefined
    collected.unregister(this.descriptor)
    const result = this.descriptor.close()
    this.input.discard()
    this.output.discard()
    this.reader.open()
    this.writer.open()
    this.output.wakeWaiters()
    return result
  }

  setOption(level: number, name: number, value: number): number {
    return binding.setsockopt(this.fd, level, name, value)
  }
}
