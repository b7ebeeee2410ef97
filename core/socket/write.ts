/**
 * Writing: what fits the buffer is put there and goes out at the end of the controller's step; only what
 * exceeds it, or must go at once, makes system calls and may have to wait. One operation writes at a time,
 * so that what one call writes is never torn by another's.
 */
import { errno } from "../errno.js"
import { WRITE } from "../kernel/poller.js"
import { mainController } from "../loop/node-loop.js"
import { BaseOperation } from "../loop/operation.js"
import { POLL, type Pollee, PollOperation } from "../loop/poll.js"
import { PARKED, type Scheduler, type Yielded } from "../loop/task.js"
import { currentTask, thread } from "../loop/thread.js"
import { SOCK_SEQPACKET } from "./constants.js"
import { type Core, onLeftover } from "./core.js"
import { establish } from "./establish.js"
import type { Result } from "./fault.js"
import { BUFFERING, FULL, UNBUFFERED } from "./mode.js"
import { MOST_DEFERRED } from "./output.js"
import type { Socket } from "./socket.js"
import { deadlineOf, takeTurn, until, waitFor } from "./waiting.js"

export type Data = string | number | Uint8Array

const LARGE = 16 * 1024 // bytes of a user's array that are sent from where they are
const MOST_SENDS = 16 // in one turn, before others have theirs

const drained = (core: Core): Pollee => ({
  [POLL](request) {
    if (core.output.draining) request.list(core.output.waiters)
    else request.ready()
  },
})

/** Sends what is due to the end, waiting as long as it takes: 0 or an errno. */
function* sendAll(core: Core, deadline: number): Generator<Yielded, number, unknown> {
  for (;;) {
    const error = core.stream ? core.output.send() : core.output.sendMessage()
    if (error !== errno.EAGAIN) return error
    const failed = yield* until(core, WRITE, deadline)
    if (failed !== 0) return failed
  }
}

function* sendArray(core: Core, data: Uint8Array, deadline: number): Generator<Yielded, number, unknown> {
  for (let at = 0; at < data.length; ) {
    const result = core.output.sendBytes(data, at)
    if (result >= 0) {
      at += result
      yield* letOthers(core)
    } else if (result !== -errno.EAGAIN) return -result
    else {
      const failed = yield* until(core, WRITE, deadline)
      if (failed !== 0) return failed
    }
    if (core.closed) return errno.EBADF
  }
  return 0
}

/** After many system calls in one turn the others have theirs. */
function* letOthers(core: Core): Generator<Yielded, void, unknown> {
  if (core.output.sends < MOST_SENDS) return
  core.output.sends = 0
  yield* new PollOperation([])
}

/** When a deferred send left something over: a coroutine of the controller sends it on. */
function* drain(core: Core, scheduler: Scheduler): Generator<Yielded, void, unknown> {
  const { output } = core
  const deadline = deadlineOf(core.timeout)
  let over = false
  try {
    const error = yield* sendAll(core, deadline)
    core.noteErrors()
    if (error !== 0 && !core.closed && core.writing.error === 0) core.writing.set(error)
    over = true
  } finally {
    output.draining = false
    // The controller has been closed: the one in Node's loop goes on.
    if (!over && !core.closed && scheduler !== mainController()) startDraining(core, mainController())
    output.wakeWaiters()
  }
}

/** Begins to drain on a controller; nobody else sends until that is done. */
export function startDraining(core: Core, scheduler: Scheduler): void {
  if (core.output.draining) return
  core.output.draining = true
  scheduler.spawn(drain(core, scheduler))
}
onLeftover(startDraining)

/** Waits until the operation `holder` may write: 0 or an errno. */
function* beginWriting(core: Core, holder: object, deadline: number): Generator<Yielded, number, unknown> {
  const failed = yield* establish(core, deadline)
  if (failed !== 0) return failed
  const late = yield* takeTurn(core, core.writer, holder, deadline)
  if (late !== 0) return late
  while (core.output.draining) {
    const failedDrain = yield* waitFor(drained(core), core, deadline)
    if (failedDrain !== 0) return failedDrain
  }
  core.noteErrors()
  return core.writing.error
}

/** The base of write and flush: a quick way that never waits, and a slow one that may. */
abstract class Sending<T> extends BaseOperation<T> {
  private running: Generator<Yielded, number, unknown> | undefined = undefined

  constructor(
    protected readonly socket: Socket,
    protected readonly method: string,
    protected readonly timeout: number,
  ) {
    super()
  }

  /** What can be done at once: 0 or an errno, or EAGAIN when the slow way has to be gone. */
  protected abstract quick(core: Core): number
  /** The rest; the operation has the channel's turn. */
  protected abstract slow(core: Core, deadline: number): Generator<Yielded, number, unknown>
  protected abstract result(number: number): T

  override next(): IteratorResult<Yielded, T> {
    const core = this.socket.core
    if (this.running === undefined) {
      this.socket.assertOpen(this.method)
      if (core.output.error !== 0) core.noteErrors()
      if (core.writing.error !== 0) return this.end(core.writing.repeat())
      const free =
        core.establishing === undefined && core.writer.holder === undefined && !core.output.draining
      if (free && core.output.sends < MOST_SENDS) {
        const error = this.quick(core)
        if (error !== errno.EAGAIN) return this.end(error)
      }
      this.running = this.run(core)
    }
    const result = this.running.next()
    return result.done === true ? this.end(result.value) : PARKED
  }

  private *run(core: Core): Generator<Yielded, number, unknown> {
    const deadline = deadlineOf(this.timeout)
    try {
      const failed = yield* beginWriting(core, this, deadline)
      yield* letOthers(core)
      return failed !== 0 ? failed : yield* this.slow(core, deadline)
    } finally {
      core.writer.release(this)
    }
  }

  private end(error: number): IteratorResult<Yielded, T> {
    if (error === 0) return { done: true, value: this.result(0) }
    const { core } = this.socket
    core.noteErrors()
    if (core.writing.error === 0 && error !== errno.EBADF) core.writing.set(error)
    return { done: true, value: this.result(this.socket.fail(this.method, error)) }
  }

  protected override abandon(): void {
    this.running?.return(0)
  }
}

export type WriteResult<S> = [socket: S] | [socket: undefined, errno: number]

export class WriteOperation extends Sending<WriteResult<Socket>> {
  // Where the writing stands: so many items are in the buffer, and so many characters of the next.
  private item = 0
  private at = 0

  constructor(
    socket: Socket,
    readonly data: readonly Data[],
    method: string,
    timeout: number,
    readonly mode: number,
  ) {
    super(socket, method, timeout)
    for (const item of data) {
      if (typeof item !== "string" && typeof item !== "number" && !(item instanceof Uint8Array)) {
        throw new TypeError(`${method}: expected strings, numbers or Uint8Arrays, got ${describe(item)}`)
      }
    }
  }

  protected override quick(core: Core): number {
    const { output } = core
    const scheduler = thread.task?.scheduler
    if (scheduler === undefined || !core.stream) return errno.EAGAIN
    if (!this.fill(core)) return errno.EAGAIN
    if ((this.mode & BUFFERING) === UNBUFFERED) {
      output.hurry()
      return output.send()
    }
    if (output.due > 0) output.defer(scheduler, core)
    return 0
  }

  // Puts data into the buffer, until all is there (true) or something has to be sent first.
  private fill(core: Core): boolean {
    const { output } = core
    for (; this.item < this.data.length; this.item++, this.at = 0) {
      const item = this.data[this.item] as Data
      if (item instanceof Uint8Array) {
        if (item.length >= LARGE && core.stream) return false
        output.appendBytes(item, this.mode)
      } else {
        const text = typeof item === "number" ? String(item) : item
        while (this.at < text.length) {
          if (core.stream && output.due >= MOST_DEFERRED) return false
          this.at = output.appendText(text, this.at, this.mode)
        }
      }
      if (core.stream && output.due >= MOST_DEFERRED && this.item + 1 < this.data.length) {
        this.item++
        this.at = 0
        return false
      }
    }
    return !core.stream || output.due < MOST_DEFERRED
  }

  protected override *slow(core: Core, deadline: number): Generator<Yielded, number, unknown> {
    if (!core.stream) return yield* this.message(core, deadline)
    const { output } = core
    for (;;) {
      if (this.fill(core)) break
      const item = this.data[this.item]
      const large = item instanceof Uint8Array && item.length >= LARGE
      if (large) output.hurry()
      let error = yield* sendAll(core, deadline)
      if (error === 0 && large) {
        error = yield* sendArray(core, item, deadline)
        this.item++
      }
      if (error !== 0) return error
      if (this.item < this.data.length) yield* new PollOperation([])
      if (core.closed) return errno.EBADF
    }
    if ((this.mode & BUFFERING) === UNBUFFERED) {
      output.hurry()
      return yield* sendAll(core, deadline)
    }
    output.defer(currentTask().scheduler, core)
    return 0
  }

  // A write is one datagram, unless the mode is full buffering, where the flush makes it.
  private *message(core: Core, deadline: number): Generator<Yielded, number, unknown> {
    const { output } = core
    this.fill(core)
    if ((this.mode & BUFFERING) === FULL) return 0
    // An empty packet would be the end for its receiver.
    if (core.type === SOCK_SEQPACKET && output.pending === 0) return 0
    let error: number = errno.ECANCELED
    try {
      error = yield* sendAll(core, deadline)
      return error
    } finally {
      // Given up, it is lost, as datagrams may be: it must not become part of the next.
      if (error !== 0) output.forget()
    }
  }

  protected override result(number: number): WriteResult<Socket> {
    return number === 0 ? [this.socket] : [undefined, number]
  }
}

export class FlushOperation extends Sending<Result> {
  constructor(
    socket: Socket,
    readonly mode: number,
    timeout: number,
  ) {
    super(socket, "flush", timeout)
  }

  protected override quick(core: Core): number {
    if (core.output.pending === 0) return 0
    if (!core.stream) return core.output.sendMessage()
    core.output.makeDue(this.mode)
    return core.output.send()
  }

  protected override *slow(core: Core, deadline: number): Generator<Yielded, number, unknown> {
    if (core.output.pending === 0) return 0
    core.output.makeDue(this.mode)
    return yield* sendAll(core, deadline)
  }

  protected override result(number: number): Result {
    return number === 0 ? [true] : [false, number]
  }
}

function describe(value: unknown): string {
  return value === null ? "null" : typeof value
}
