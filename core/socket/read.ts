/**
 * Reading: an operation that takes what is buffered, and parks until the controller's step has received
 * more. Written out as a state machine because it is the hot path: a read that finds its data allocates
 * nothing but its result, and one that waits leaves only the socket's own watch behind.
 */
import { errno } from "../errno.js"
import { monotime } from "../kernel/clock.js"
import { READ } from "../kernel/poller.js"
import { BaseOperation } from "../loop/operation.js"
import { PARKED, type Task, type Yielded } from "../loop/task.js"
import { currentTask } from "../loop/thread.js"
import { Timer } from "../loop/timers.js"
import type { Core } from "./core.js"
import { establish } from "./establish.js"
import { extract, MISS, missing, type Value } from "./extract.js"
import type { Result } from "./fault.js"
import { type Format, PART } from "./formats.js"
import type { Socket } from "./socket.js"
import { deadlineOf, othersFirst, takeTurn } from "./waiting.js"

/** Waits until the operation `holder` may read: 0 or an errno. */
function* beginReading(core: Core, holder: object, deadline: number): Generator<Yielded, number, unknown> {
  const failed = yield* establish(core, deadline)
  if (failed !== 0) return failed
  const late = yield* takeTurn(core, core.reader, holder, deadline)
  return late !== 0 ? late : core.reading.error
}

const START = 0
const BEGINNING = 1
const READING = 2
const WAITING = 3

/** The base: waits for input until `attempt` is content. */
export abstract class Receiving<T> extends BaseOperation<T> {
  private phase = START
  private deadline = 0
  private looked = false
  private begin: Generator<Yielded, number, unknown> | undefined = undefined

  constructor(
    protected readonly socket: Socket,
    protected readonly method: string,
    protected readonly timeout: number,
  ) {
    super()
  }

  /** A value, or MISS to wait for more. */
  protected abstract attempt(): T | typeof MISS
  /** The result where an error ended the reading. */
  protected abstract failed(number: number): T
  /** How many bytes are missing at least. */
  protected abstract missing(): number

  override next(): IteratorResult<Yielded, T> {
    const core = this.socket.core
    if (this.phase === START) {
      this.socket.assertOpen(this.method)
      this.deadline = deadlineOf(this.timeout)
      if (core.reading.error !== 0) return this.fail(core.reading.repeat())
      if (core.establishing === undefined && core.reader.holder === undefined) {
        this.phase = READING
      } else {
        this.begin = beginReading(core, this, this.deadline)
        this.phase = BEGINNING
      }
    }
    if (this.phase === BEGINNING) {
      const result = (this.begin as Generator<Yielded, number, unknown>).next()
      if (result.done !== true) return PARKED
      if (result.value !== 0) return this.fail(result.value)
      this.phase = READING
    }
    if (this.phase === WAITING) {
      if (!core.readable.fired) return PARKED // resumed without cause
      this.stopWaiting()
    }
    return this.read(core)
  }

  private read(core: Core): IteratorResult<Yielded, T> {
    for (;;) {
      const value = this.attempt()
      if (value !== MISS) {
        core.reader.release(this)
        return { done: true, value }
      }
      if (core.closed) return this.fail(errno.EBADF)
      if (core.input.error !== 0) core.noteErrors()
      if (core.reading.error !== 0) return this.fail(core.reading.error)
      if (!core.stream && core.input.length === 0 && !othersFirst(core)) {
        if (core.receiveNow(this.missing()) >= 0 || core.input.error !== 0) continue
      }
      if (this.deadline === Number.POSITIVE_INFINITY || monotime() < this.deadline) break
      // A deadline that had passed before the first wait still looks once at what has arrived.
      if (this.looked) return this.fail(errno.ETIMEDOUT)
      if (othersFirst(core)) break
      this.looked = true
      core.receiveNow(this.missing())
    }
    this.wait(core, currentTask())
    return PARKED
  }

  private wait(core: Core, task: Task): void {
    const scheduler = task.scheduler
    this.looked = true
    this.phase = WAITING
    core.input.burst = 0
    core.reader.holder = this
    if (core.output.autoflush()) {
      core.output.hurry()
      core.output.defer(scheduler, core)
    }
    const interest = core.interest(scheduler)
    const watch = core.readable
    watch.rearm(task)
    scheduler.interests.watch(interest, watch, READ)
    if (core.stream) scheduler.interests.receive(interest, core.input, core.input.want(this.missing()))
    if (this.deadline !== Number.POSITIVE_INFINITY) {
      core.readTimer ??= new Timer(watch)
      scheduler.timers.set(core.readTimer, this.deadline)
    }
  }

  private stopWaiting(): void {
    const core = this.socket.core
    this.phase = READING
    core.readTimer?.cancel()
    core.readable.cancel()
    core.readable.task = undefined
    core.stopReceiving()
  }

  private fail(number: number): IteratorResult<Yielded, T> {
    const { core } = this.socket
    core.reader.release(this)
    if (core.reading.error === 0 && number !== errno.EBADF) core.reading.set(number)
    return { done: true, value: this.failed(number) }
  }

  protected override abandon(): void {
    this.begin?.return(0)
    if (this.phase === WAITING) this.stopWaiting()
    this.socket.core.reader.release(this)
  }
}

/** The values of the formats, `undefined` from the first that failed, then the errno if there is one. */
export type ReadResult = (Value | number)[]

/** `read`: the values of all formats, then an errno if one failed. */
export class ReadOperation extends Receiving<ReadResult> {
  private values: Value[] = []

  constructor(
    socket: Socket,
    readonly formats: readonly Format[],
    method: string,
    timeout: number,
    readonly mode: number,
  ) {
    super(socket, method, timeout)
  }

  protected override attempt(): ReadResult | typeof MISS {
    const { core, raw } = this.socket
    const formats = this.formats
    if (formats.length === 1) {
      const value = extract(core.input, formats[0] as Format, this.mode, raw)
      return value === MISS ? MISS : value === undefined ? this.rest(this.endError()) : [value]
    }
    for (let i = this.values.length; i < formats.length; i++) {
      const value = extract(core.input, formats[i] as Format, this.mode, raw)
      if (value === MISS) return MISS
      if (value === undefined) return this.rest(this.endError())
      this.values.push(value)
    }
    return this.values
  }

  // The end of the stream is no error, but for a MIME part, which only its boundary ends.
  private endError(): number | undefined {
    const { input } = this.socket.core
    const format = this.formats[this.values.length]
    return format?.kind === PART && input.length === 0 ? errno.EPIPE : undefined
  }

  private rest(error: number | undefined): ReadResult {
    const values = this.values as (Value | number)[]
    while (values.length < this.formats.length) values.push(undefined)
    if (error !== undefined) values.push(error)
    return values
  }

  protected override failed(number: number): ReadResult {
    return this.rest(this.socket.fail(this.method, number))
  }

  protected override missing(): number {
    const format = this.formats[Math.min(this.values.length, this.formats.length - 1)] as Format
    return missing(this.socket.core.input, format)
  }
}

/** One step of `lines`: the bare value of a single format. */
export class LineOperation extends Receiving<Value> {
  constructor(
    socket: Socket,
    readonly format: Format,
    timeout: number,
    readonly mode: number,
  ) {
    super(socket, "lines", timeout)
  }

  protected override attempt(): Value | typeof MISS {
    return extract(this.socket.core.input, this.format, this.mode, this.socket.raw)
  }

  protected override failed(number: number): Value {
    this.socket.fail("lines", number)
    return undefined
  }

  protected override missing(): number {
    return missing(this.socket.core.input, this.format)
  }
}

/** `fill`: until so many bytes are buffered. */
export class FillOperation extends Receiving<Result> {
  constructor(
    socket: Socket,
    readonly size: number,
    timeout: number,
  ) {
    super(socket, "fill", timeout)
  }

  protected override attempt(): Result | typeof MISS {
    const { input } = this.socket.core
    if (input.length >= this.size) return [true]
    return input.final ? [false, errno.EPIPE] : MISS
  }

  protected override failed(number: number): Result {
    return [false, this.socket.fail("fill", number)]
  }

  protected override missing(): number {
    return this.size - this.socket.core.input.length
  }
}
