/**
 * What a socket answers at once (guide section 3.2.2): its modes, buffers, errors, names and counts, how it
 * is polled and how it ends. The methods that may wait are in socket.ts.
 */
import { errno } from "../errno.js"
import { binding, constant } from "../kernel/binding.js"
import { results } from "../kernel/memory.js"
import { READ, WRITE } from "../kernel/poller.js"
import { POLL, type Pollee, type PollRequest, seconds } from "../loop/poll.js"
import { type PeerName, peerName, toPeerName } from "./address.js"
import { AF_UNIX, AF_UNSPEC } from "./constants.js"
import type { Core } from "./core.js"
import { defaultHandler, type ErrorHandler, type Result, whichChannels } from "./fault.js"
import { closeSocket, finishWriting } from "./linger.js"
import * as modes from "./mode.js"
import { bytesOf } from "./translate.js"

export interface Stat {
  sent: { count: number; eof: boolean; time: number | undefined }
  rcvd: { count: number; eof: boolean; time: number | undefined }
}

export abstract class Endpoint implements Pollee {
  readonly core: Core
  /** Whether this view reads Buffers. */
  readonly raw: boolean

  constructor(core: Core, raw = false) {
    this.core = core
    this.raw = raw
  }

  assertOpen(method: string): void {
    if (this.core.closed) throw new Error(`socket: cannot ${method}: the socket is closed`)
  }

  /** The errno that a method returns for an error, as the handler decides, or its exception. */
  fail(method: string, number: number): number {
    const { core } = this
    const handler = core.handler as ErrorHandler<this> | undefined
    if (handler !== undefined) return handler(this, method, number, 2) ?? number
    return defaultHandler(core.establishing === undefined ? method : core.stage, number, core.where)
  }

  protected limit(timeout: number | undefined, method: string): number {
    return timeout === undefined ? this.core.timeout : seconds(timeout, method)
  }

  // Establishes as far as that goes without waiting: 0, or an errno when it failed.
  protected advance(): number {
    const { core } = this
    if (core.establishing === undefined) return 0
    const result = core.establishing.advance()
    if (result === 0) core.establishing = undefined
    return result ?? 0
  }

  /** Puts data before what is buffered. */
  unget(data: string | Uint8Array): true {
    this.assertOpen("unget")
    const { input, stream } = this.core
    input.unget(bytesOf(data))
    // Where there are messages it is one, or the beginning of the one that is there.
    if (!stream && input.length > 0) input.message = true
    return true
  }

  // Buffers and modes: each returns what was set before

  setvbuf(mode: string, size?: number): [mode: string, size: number] {
    this.assertOpen("setvbuf")
    const { output } = this.core
    const before: [string, number] = [modes.bufferingName(output.mode), output.bufsiz]
    output.mode = (output.mode & ~modes.BUFFERING) | modes.bufferingOf(mode)
    if (size !== undefined) output.bufsiz = limitOf(size, "setvbuf")
    return before
  }

  setmode(input?: string, output?: string): [input: string, output: string] {
    this.assertOpen("setmode")
    const { core } = this
    const before: [string, string] = [
      modes.inputModeName(core.input.mode),
      modes.outputModeName(core.output.mode),
    ]
    const inputMode = modes.applyMode(input, core.input.mode)
    core.output.mode = modes.applyMode(output, core.output.mode)
    core.input.mode = inputMode
    return before
  }

  setbufsiz(input?: number, output?: number): [input: number, output: number] {
    this.assertOpen("setbufsiz")
    const { core } = this
    const before: [number, number] = [core.input.bufsiz, core.output.bufsiz]
    const inputSize = input === undefined ? core.input.bufsiz : limitOf(input, "setbufsiz")
    if (output !== undefined) core.output.bufsiz = limitOf(output, "setbufsiz")
    core.input.bufsiz = inputSize
    return before
  }

  setmaxline(input?: number, output?: number): [input: number, output: number] {
    this.assertOpen("setmaxline")
    const { core } = this
    const before: [number, number] = [core.input.maxline, core.output.maxline]
    const inputLine = input === undefined ? core.input.maxline : lineLimit(input)
    if (output !== undefined) core.output.maxline = limitOf(output, "setmaxline")
    core.input.maxline = inputLine
    return before
  }

  settimeout(timeout?: number): number | undefined {
    this.assertOpen("settimeout")
    const before = this.core.timeout
    this.core.timeout = timeout === undefined ? Number.POSITIVE_INFINITY : seconds(timeout, "settimeout")
    return before === Number.POSITIVE_INFINITY ? undefined : before
  }

  /** How often a sticky error may be ignored: of both channels, or of those that `which` names. */
  setmaxerrs(which?: string | number, limit?: number): [read: number, write: number] {
    this.assertOpen("setmaxerrs")
    const { reading, writing } = this.core
    const before: [number, number] = [reading.limit, writing.limit]
    const [letters, count] = typeof which === "number" ? [undefined, which] : [which, limit]
    if (count !== undefined) {
      for (const letter of whichChannels(letters)) this.#channel(letter).limit = limitOf(count, "setmaxerrs")
    }
    return before
  }

  // Errors

  onerror(...handler: [ErrorHandler<never> | undefined] | []): ErrorHandler<never> | undefined {
    this.assertOpen("onerror")
    const before = this.core.handler
    if (handler.length > 0) {
      if (handler[0] !== undefined && typeof handler[0] !== "function")
        throw new TypeError("onerror: expected a function")
      this.core.handler = handler[0]
    }
    return before
  }

  #channel(letter: string): Core["reading"] {
    return letter === "r" ? this.core.reading : this.core.writing
  }

  error(which?: string): (number | undefined)[] {
    this.assertOpen("error")
    this.core.noteErrors()
    return whichChannels(which).map((letter) => this.#channel(letter).error || undefined)
  }

  clearerr(which?: string): (number | undefined)[] {
    this.assertOpen("clearerr")
    this.core.noteErrors()
    return whichChannels(which).map((letter) => this.#channel(letter).clear())
  }

  seterror(which: string, number?: number): void {
    this.assertOpen("seterror")
    for (const letter of whichChannels(which)) this.#channel(letter).set(number ?? 0)
  }

  /** Whether the input has ended and nothing of it is left, and whether the peer takes no more. */
  eof(which?: string): boolean[] {
    this.assertOpen("eof")
    const { input, output } = this.core
    return whichChannels(which).map((letter) =>
      letter === "r" ? input.ended && input.length === 0 : output.ended,
    )
  }

  /** Bytes buffered here, in and out. */
  pending(): [input: number, output: number] {
    this.assertOpen("pending")
    return [this.core.input.length, this.core.output.pending]
  }

  // State of the connection

  peername(): PeerName {
    this.assertOpen("peername")
    return this.core.fd < 0 ? [AF_UNSPEC] : peerName(this.core.fd)
  }

  localname(): PeerName {
    this.assertOpen("localname")
    const failed = this.advance()
    if (failed !== 0) return [undefined, failed]
    return this.core.fd < 0 ? [AF_UNSPEC] : toPeerName(binding.sockname(this.core.fd))
  }

  /** User and group of a UNIX peer, as the kernel noted them when the connection was made. */
  peereid(): [uid: number, gid: number] | [undefined, errno: number] {
    const failed = this.#credentials("peereid")
    return failed !== 0 ? [undefined, failed] : [(results[1] as number) >>> 0, (results[2] as number) >>> 0]
  }

  /** The process of a UNIX peer. */
  peerpid(): number | [undefined, errno: number] {
    const failed = this.#credentials("peerpid")
    return failed !== 0 ? [undefined, failed] : (results[0] as number)
  }

  // 0 with pid, uid and gid in the results, or an errno. Of what has no such peer the kernel gives uid -1.
  #credentials(method: string): number {
    this.assertOpen(method)
    if (this.core.family !== AF_UNIX) return errno.EOPNOTSUPP
    const result = binding.peercred(this.core.fd)
    if (result < 0) return -result
    return results[1] === -1 ? errno.ENOTCONN : 0
  }

  stat(): Stat {
    this.assertOpen("stat")
    const { input, output, timed } = this.core
    const time = (at: number): number | undefined => (at === 0 || !timed ? undefined : at / 1000)
    return {
      sent: { count: output.count, eof: output.ended, time: time(output.time) },
      rcvd: { count: input.count, eof: input.ended, time: time(input.time) },
    }
  }

  /** shutdown(2) of "r", "w" or both; what was written goes out before. */
  shutdown(how: string): Result {
    this.assertOpen("shutdown")
    const letters = whichChannels(how ?? "")
    if (letters.length === 0) throw new TypeError('shutdown: expected "r", "w" or both')
    const writes = letters.includes("w")
    if (writes && !finishWriting(this.core)) return [true]
    const name = writes ? (letters.includes("r") ? "SHUT_RDWR" : "SHUT_WR") : "SHUT_RD"
    return resultOf(binding.shutdown(this.core.fd, constant(name)))
  }

  /** Ends TCP_CORK: what was held back to fill packets is sent. */
  uncork(): Result {
    this.assertOpen("uncork")
    return resultOf(this.core.setOption(constant("IPPROTO_TCP"), constant("TCP_CORK"), 0))
  }

  /** Closes; whoever waits for the socket is woken. Written bytes that the peer has yet to take still go out. */
  close(): Result {
    return resultOf(closeSocket(this.core))
  }

  // Polling

  /** The descriptor; undefined once closed, and while a host name is being looked up. */
  pollfd(): number | undefined {
    return this.core.fd < 0 ? undefined : this.core.fd
  }

  /** What the last recv or send waited for, else "r". */
  events(): string {
    const { establishing, wanted } = this.core
    if (establishing !== undefined) return "w"
    return (wanted & READ || wanted === 0 ? "r" : "") + (wanted & WRITE ? "w" : "")
  }

  timeout(): number | undefined {
    return this.core.timeout === Number.POSITIVE_INFINITY ? undefined : this.core.timeout
  }

  /** Forgets what recv and send were waiting for. */
  clear(): void {
    this.core.wanted = 0
  }

  [POLL](request: PollRequest): void {
    const { core } = this
    if (!core.closed) this.advance()
    if (core.closed) request.ready()
    else if (core.establishing !== undefined) core.establishing[POLL](request)
    else if (core.wanted === 0 && core.input.length > 0) request.ready()
    else request.descriptor(core.fd, core.wanted === 0 ? READ : core.wanted, true)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function resultOf(result: number): Result {
  return result < 0 ? [false, -result] : [true]
}

/** A buffer size or line limit; -1 means none. */
export function limitOf(value: number, what: string): number {
  if (!Number.isInteger(value) || value < -1) throw new RangeError(`${what}: not a size: ${String(value)}`)
  return value
}

/** The limit of lines that are read: of zero, reading would give empty pieces for ever. */
export function lineLimit(value: number): number {
  if (value === 0) throw new RangeError("setmaxline: a line that is read may not be limited to nothing")
  return limitOf(value, "setmaxline")
}
