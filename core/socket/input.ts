/**
 * A socket's input buffer. What a step received lies in the thread's arena; a reader that takes all of it
 * leaves nothing to keep, and only what is left over is copied to a span of the socket's own. So a
 * connection that waits for its next line holds no buffer.
 */
import { errno } from "../errno.js"
import { binding } from "../kernel/binding.js"
import { wallTime } from "../kernel/clock.js"
import { give, type Span, take } from "../kernel/memory.js"
import { arena } from "../kernel/poller.js"
import { type Holder, holdArena } from "../loop/arena.js"
import type { Receiver } from "../loop/interest.js"

const LF = 10
const LARGEST_RECEIVE = 64 * 1024
const LARGEST_BUFFER = 2 ** 30 + LARGEST_RECEIVE
const NOWHERE = Buffer.alloc(0)

export class Input implements Receiver, Holder {
  mode: number
  maxline: number
  bufsiz: number
  /** The stream has ended, or the peer's half of it. */
  ended = false
  /** What is buffered is a whole datagram. */
  message = false
  /** The last receive's errno, until it is told. */
  error = 0
  /** Messages, or connections of a listener, taken one after the other without waiting. */
  burst = 0
  /** Bytes received in all, and when last. */
  count = 0
  time = 0

  region = -1
  bytes: Buffer = NOWHERE
  start = 0
  end = 0
  /** Up to where a reader has looked for the end of a line. */
  scanned = 0
  /** Below this many bytes no block of the size wanted can be complete. */
  enough = 0
  /** Whether the next byte begins a line. */
  atLineStart = true

  #span: Span | undefined
  #inArena = false
  #chunk = 0

  constructor(mode: number, bufsiz: number, maxline: number) {
    this.mode = mode
    this.bufsiz = bufsiz
    this.maxline = maxline
  }

  get length(): number {
    return this.end - this.start
  }

  /** Nothing will follow what is buffered. */
  get final(): boolean {
    return this.ended || this.message
  }

  /** How much to receive next, for a reader that lacks `missing` bytes: more after full receives. */
  want(missing: number): number {
    return Math.min(LARGEST_RECEIVE, Math.max(this.#chunk, this.least, missing))
  }

  /** What a receive asks for at least: the buffer's size, where -1 means no limit. */
  get least(): number {
    return this.bufsiz < 0 ? LARGEST_RECEIVE : Math.max(1, this.bufsiz)
  }

  #adapt(received: number): void {
    if (received >= Math.max(this.#chunk, this.least)) this.#chunk = Math.min(LARGEST_RECEIVE, received * 4)
    else if (received * 8 < this.#chunk) this.#chunk = 0
  }

  received(result: number, offset: number): void {
    if (!this.#account(result)) return
    if (this.start === this.end) {
      this.#release()
      this.region = arena.region
      this.bytes = arena.bytes
      this.start = this.scanned = offset
      this.end = offset + result
      this.#inArena = true
      holdArena(this)
    } else if (this.length + result > LARGEST_BUFFER) {
      this.error = errno.ENOBUFS
    } else {
      this.#reserve(result)
      arena.bytes.copy(this.bytes, this.end, offset, offset + result)
      this.end += result
    }
  }

  // Whether a receive's result is bytes; the end of the stream and errors are noted.
  #account(result: number): boolean {
    if (result > 0) {
      this.count += result
      this.time = wallTime()
      this.#adapt(result)
      return true
    }
    if (result === 0) this.ended = true
    else if (result !== -errno.EAGAIN) this.error = -result
    return false
  }

  leaveArena(): void {
    if (!this.#inArena) return
    if (this.start === this.end) this.#release()
    else this.#move(this.end - this.start)
  }

  /** One receive straight into the buffer: its result, as recv(2) has it. */
  receive(fd: number, missing: number): number {
    const size = this.want(missing)
    if (this.length + size > LARGEST_BUFFER) return -errno.ENOBUFS
    this.#reserve(size)
    const result = binding.recv(fd, this.region, this.end, size)
    if (this.#account(result)) this.end += result
    else if (this.start === this.end) this.#release()
    return result
  }

  /** Receives one datagram, cut to the buffer's size. An empty one is a message too, unless it means the end. */
  receiveMessage(fd: number, size: number, emptyIsEnd: boolean): number {
    this.#release()
    this.#reserve(Math.max(1, size))
    const result = binding.recv(fd, this.region, this.end, size)
    if (result === 0 && emptyIsEnd) {
      this.ended = true
      this.#release()
    } else if (result >= 0) {
      this.message = true
      this.end += result
      this.count += result
      this.time = wallTime()
    } else {
      if (result !== -errno.EAGAIN) this.error = -result
      this.#release()
    }
    return result
  }

  /** Takes the first `count` bytes out of the buffer. */
  consume(count: number): void {
    if (count > 0) {
      this.atLineStart = this.bytes[this.start + count - 1] === LF
      this.start += count
    }
    this.scanned = this.start
    this.enough = 0
    if (this.start !== this.end) return
    this.message = false
    this.#release()
  }

  /** Puts bytes before what is buffered. */
  unget(data: Uint8Array): void {
    if (data.length === 0) return
    const length = this.length
    if (this.#inArena || this.#span === undefined || this.start - this.#span.base < data.length) {
      this.#move(length + data.length, data.length)
    }
    this.start -= data.length
    this.bytes.set(data, this.start)
    this.scanned = this.start
    this.enough = 0
  }

  // Room for `more` bytes at the end, in memory of our own.
  #reserve(more: number): void {
    const span = this.#span
    if (span !== undefined && !this.#inArena) {
      if (this.end + more <= span.base + span.size) return
      if (this.length + more <= span.size && this.start - span.base >= span.size >> 1) {
        this.bytes.copyWithin(span.base, this.start, this.end)
        this.scanned -= this.start - span.base
        this.end -= this.start - span.base
        this.start = span.base
        return
      }
    }
    // Large buffers grow by half, so that copying stays linear.
    const needed = this.length + more
    this.#move(
      needed > LARGEST_RECEIVE ? Math.max(needed, Math.min(LARGEST_BUFFER, (span?.size ?? 0) * 2)) : needed,
    )
  }

  // Copies what is buffered to a new span, `ahead` bytes after its beginning.
  #move(size: number, ahead = 0): void {
    const before = this.#span
    const span = take(size)
    const length = this.length
    if (length > 0) this.bytes.copy(span.bytes, span.base + ahead, this.start, this.end)
    this.scanned = span.base + ahead + Math.max(0, this.scanned - this.start)
    this.region = span.region
    this.bytes = span.bytes
    this.start = span.base + ahead
    this.end = this.start + length
    this.#span = span
    this.#inArena = false
    if (before !== undefined) give(before)
  }

  #release(): void {
    if (this.#span !== undefined) give(this.#span)
    this.#span = undefined
    this.#inArena = false
    this.region = -1
    this.bytes = NOWHERE
    this.start = this.end = this.scanned = 0
  }

  /** Drops what is buffered: the socket is closed. */
  discard(): void {
    this.#release()
    this.message = false
  }
}
