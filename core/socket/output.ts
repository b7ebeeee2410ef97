/**
 * A socket's output buffer. What is due (a line, in line mode) is queued for the end of the controller's
 * step, where one native call sends for all sockets; what the kernel does not take then, a coroutine of
 * its own sends on. The buffer's memory is given back whenever it is empty.
 */
import { errno } from "../errno.js"
import { binding } from "../kernel/binding.js"
import { wallTime } from "../kernel/clock.js"
import { give, type Span, take } from "../kernel/memory.js"
import { putText } from "../kernel/text.js"
import type { Outgoing } from "../loop/outbox.js"
import type { Scheduler } from "../loop/task.js"
import { WatchList } from "../loop/watch.js"
import { AUTOFLUSH, BUFFERING, FULL, LINE, TEXT } from "./mode.js"

const LF = 10
const CR = 13
const SMALL_PIECE = 2048
const MOST_USUAL = 4096
const PIECE = 16 * 1024 // characters of a string that are encoded at once
/** What may wait for the end of the step; more than that is sent at once. */
export const MOST_DEFERRED = 64 * 1024

export class Output {
  mode: number
  bufsiz: number
  maxline: number
  fd = -1
  /** The last send's errno, until it is told. */
  error = 0
  /** The peer will take no more. */
  ended = false
  count = 0
  time = 0
  /** System calls made since a writer last let others have their turn. */
  sends = 0
  /** The controller at whose step's end the buffer is sent, while it is queued there. */
  queued: Scheduler | undefined
  /** A coroutine is sending what the kernel did not take; others wait here. */
  draining = false
  #waiters: WatchList | undefined

  region = -1
  #span: Span | undefined
  #start = 0
  #end = 0
  #due = 0
  /** What the buffer held when it was last sent: its first size the next time. */
  #usual = 0

  constructor(mode: number, bufsiz: number, maxline: number) {
    this.mode = mode
    this.bufsiz = bufsiz
    this.maxline = maxline
  }

  get waiters(): WatchList {
    this.#waiters ??= new WatchList()
    return this.#waiters
  }

  wakeWaiters(): void {
    this.#waiters?.fireAll()
  }

  /** Bytes in the buffer. */
  get pending(): number {
    return this.#end - this.#start
  }

  /** Bytes of it that are to be sent without anyone asking. */
  get due(): number {
    return this.#due - this.#start
  }

  get offset(): number {
    return this.#start
  }

  get length(): number {
    return Math.max(0, this.#due - this.#start)
  }

  /**
   * Appends a string from character `from`, a piece of it at most; where the next piece begins. The caller
   * sends what is due in between, so that a long string never stands in memory twice.
   */
  appendText(text: string, from: number, mode: number): number {
    let to = Math.min(text.length, from + PIECE)
    // Not between the halves of a surrogate pair.
    if (to < text.length && (text.charCodeAt(to - 1) & 0xfc00) === 0xd800) to--
    const piece = from === 0 && to === text.length ? text : text.slice(from, to)
    const translate = (mode & TEXT) !== 0
    this.#reserve(piece.length + 8)
    let length = putText(this.region, this.#end, this.#room(), piece, translate)
    if (length < 0) {
      this.#reserve(piece.length * (translate ? 4 : 3) + 8)
      length = putText(this.region, this.#end, this.#room(), piece, translate)
    }
    this.#appended(length, mode, piece)
    return to
  }

  appendBytes(data: Uint8Array, mode: number): void {
    if (data.length === 0) return
    this.#reserve(data.length)
    this.#span?.bytes.set(data, this.#end)
    this.#appended(data.length, mode, data)
  }

  // Finds what is now due: in line mode all lines that are whole, or longer than a line may be.
  #appended(length: number, mode: number, data: string | Uint8Array): void {
    this.#end += length
    const buffering = mode & BUFFERING
    if (buffering === LINE) {
      const { bytes } = this.#span as Span
      if (bytes[this.#end - 1] === LF) this.#due = this.#end
      else if (typeof data === "string" ? data.includes("\n") : data.includes(LF)) {
        this.#due = bytes.lastIndexOf(LF, this.#end - 1) + 1
      }
      if (this.maxline >= 0 && this.#end - Math.max(this.#due, this.#start) >= this.maxline)
        this.#due = this.#end
      if (this.bufsiz >= 0 && this.pending >= this.bufsiz) this.#due = this.#end
    } else if (buffering === FULL) {
      if (this.bufsiz >= 0 && this.pending >= this.bufsiz) this.#due = this.#end
    } else {
      this.#due = this.#end
    }
  }

  #room(): number {
    const span = this.#span as Span
    return span.base + span.size - this.#end
  }

  #reserve(more: number): void {
    const span = this.#span
    if (span !== undefined && this.#end + more <= span.base + span.size) return
    const length = this.pending
    // By half again at least, so that filling a buffer without a limit takes time in proportion.
    const larger = take(Math.max(length + more, length + (length >> 1), this.#usual))
    if (span !== undefined) {
      span.bytes.copy(larger.bytes, larger.base, this.#start, this.#end)
      give(span)
    }
    this.#due = larger.base + Math.max(0, this.#due - this.#start)
    this.#start = larger.base
    this.#end = larger.base + length
    this.#span = larger
    this.region = larger.region
  }

  /** Makes all of the buffer due. */
  hurry(): void {
    this.#due = this.#end
  }

  /** Makes due what a flush of this mode sends: whole lines, what a full buffer holds over, or all. */
  makeDue(mode: number): void {
    const buffering = mode & BUFFERING
    if (buffering === LINE) {
      const last = this.#span?.bytes.subarray(this.#start, this.#end).lastIndexOf(LF) ?? -1
      if (last >= 0) this.#due = Math.max(this.#due, this.#start + last + 1)
    } else if (buffering !== FULL) {
      this.hurry()
    }
  }

  /** What a reader that is about to wait sends first. */
  autoflush(): boolean {
    return (this.mode & AUTOFLUSH) !== 0 && this.pending > 0
  }

  /** Queues what is due for the end of the controller's step, in the name of `sender`. */
  defer(scheduler: Scheduler, sender: Outgoing): void {
    if (this.queued !== undefined || this.draining || this.length === 0) return
    this.queued = scheduler
    scheduler.outbox.add(sender)
  }

  /** The result of a deferred send; true when some of it has still to be sent. */
  settle(result: number): boolean {
    // Sent by a flush in the meantime, or the socket has been closed.
    if (this.length === 0 || this.fd < 0) return false
    this.#account(result)
    return this.length > 0 && !this.ended
  }

  /** Sends what is due, as far as the kernel takes it at once; 0, or an errno (EAGAIN: it took not all). */
  send(): number {
    while (this.length > 0) {
      this.sends++
      const result = binding.send(this.fd, this.region, this.#start, this.length)
      this.#account(result)
      if (result < 0) return -result
    }
    return 0
  }

  /** Sends all of the buffer as one datagram; 0 or an errno. */
  sendMessage(): number {
    this.#reserve(1)
    this.hurry()
    const result = binding.send(this.fd, this.region, this.#start, this.length)
    if (result === -errno.EAGAIN) return errno.EAGAIN
    this.#account(result)
    this.#release()
    return result < 0 ? -result : 0
  }

  /** Sends bytes as one message without waiting: how many of them were taken, all or none, and an errno. */
  sendMessageNow(bytes: Uint8Array, translate: boolean): [taken: number, error: number] {
    const error = this.pending > 0 ? this.sendMessage() : 0
    if (error !== 0 || bytes.length === 0) return [0, error]
    const result = this.sendBytes(translate ? crlf(bytes) : bytes, 0)
    return result < 0 ? [0, -result] : [bytes.length, 0]
  }

  /** The number of bytes of a user's own array that went out past the buffer, or a negative errno. */
  sendBytes(data: Uint8Array, offset: number): number {
    this.sends++
    const result = binding.sendBytes(this.fd, data, offset, Math.min(data.length - offset, 2 ** 30))
    if (result >= 0) this.#note(result)
    else this.#fail(-result)
    return result
  }

  /**
   * Sends bytes [from, to) without waiting: how many were taken, and 0 or the errno that stopped it. What
   * has to be translated goes through the buffer, so that little of it may stay there, taken but unsent.
   */
  sendNow(bytes: Uint8Array, from: number, to: number, translate: boolean): [taken: number, error: number] {
    this.hurry()
    let error = this.send()
    let at = from
    while (error === 0 && at < to) {
      if (translate) {
        const piece = Math.min(to, at + SMALL_PIECE)
        this.appendBytes(crlf(bytes.subarray(at, piece)), 0)
        error = this.send()
        // What the kernel has no room for stays in the buffer; after an error nothing does.
        if (error === 0 || error === errno.EAGAIN) at = piece
      } else {
        const result = this.sendBytes(bytes.subarray(0, to), at)
        if (result < 0) error = -result
        else at += result
      }
    }
    return [Math.max(0, at - from), error]
  }

  #account(result: number): void {
    if (result < 0) {
      this.#fail(-result)
      return
    }
    this.#note(result)
    this.#start += result
    if (this.#start === this.#end) this.#release()
  }

  #note(bytes: number): void {
    this.count += bytes
    this.time = wallTime()
  }

  #fail(number: number): void {
    if (number === errno.EAGAIN) return
    this.error = number
    if (number === errno.EPIPE || number === errno.ECONNRESET) this.ended = true
    this.#release()
  }

  /** Forgets what is buffered. */
  forget(): void {
    this.#release()
  }

  #release(): void {
    const span = this.#span
    if (span !== undefined) {
      this.#usual = Math.min(MOST_USUAL, this.#end - span.base)
      give(span)
    }
    this.#span = undefined
    this.region = -1
    this.#start = this.#end = this.#due = 0
  }

  discard(): void {
    this.fd = -1
    this.#release()
  }
}

function crlf(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(LF)) return bytes
  const out: number[] = []
  for (const byte of bytes) {
    if (byte === LF) out.push(CR)
    out.push(byte)
  }
  return Uint8Array.from(out)
}
