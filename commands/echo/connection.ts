/**
 * One connection: reads and writes back until the end of file, then half-closes. How it may end otherwise
 * (idle for too long, a signal) is up to coroutines of their own beside it, so that the echo itself stays
 * what it looks like.
 */
import { type Condition, condition } from "../../core/condition.js"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import type { Socket } from "../../core/socket/module.js"
import { showName } from "./address.js"
import { MAXLINE } from "./options.js"
import { type Coroutine, LAST_MOMENTS, type Part, type Server } from "./server.js"

/** As much as there is, and so many bytes at most. */
const PIECE = -65536

/** A connection that has been quiet for so long after a signal expects no more answers: seconds. */
const QUIET = 0.25

type Reason = "eof" | "timeout" | "shutdown" | "reset" | "error"

const RESET = new Set<number>([errno.ECONNRESET, errno.EPIPE])

/** Errors are results here, not exceptions: peers come and go. */
const returned = (_socket: unknown, _method: string, error: number) => error

export class Connection implements Part {
  readonly #server: Server
  readonly #socket: Socket
  readonly #bytes: Socket<Buffer>
  readonly #number: number
  readonly #peer: string | undefined
  readonly #begun = cqueues.monotime()
  #reason: Reason | undefined
  #answering = false
  #open = true
  #closing: Condition | undefined

  constructor(server: Server, socket: Socket, address: string) {
    this.#server = server
    this.#socket = socket
    this.#bytes = socket.bytes
    this.#number = server.number()
    const peer = showName(socket.peername())
    this.#peer = peer.endsWith(":") ? undefined : peer
    server.connections++
    socket.onerror(returned)
    // Answers are sent when there is nothing more to read at once, all together.
    socket.setmode("b", "bf")
    if (server.options.line) socket.setmaxline(server.options.maxline ?? MAXLINE)
    server.output.event("accept", { conn: this.#number, address, peer: this.#peer })
    server.output.detail(`${this.#name} connected to ${address}`)
    server.add(this, this.#run())
    const { timeout } = server.options
    if (timeout !== undefined) server.cq.attach(this.#watch(timeout))
  }

  get #name(): string {
    return `#${this.#number}${this.#peer === undefined ? "" : ` ${this.#peer}`}`
  }

  /** Bytes that have moved, in both directions. */
  get #moved(): number {
    const { rcvd, sent } = this.#socket.stat()
    return rcvd.count + sent.count
  }

  *#run(): Coroutine {
    let error = yield* this.#echo()
    if (error === errno.ECANCELED) error = yield* this.#answerRest()
    else if (error === undefined) this.#ended("eof")
    if (error === undefined) error = yield* this.#halfClose()
    this.#close(error)
  }

  // Until the end of file, or an error, which is returned.
  *#echo(): Coroutine<number | undefined> {
    const bytes = this.#bytes
    const format = this.#server.options.line ? "*L" : PIECE
    for (;;) {
      const [data, error] = yield* bytes.read(format)
      if (data === undefined) return error
      this.#answering = true
      const [, failed] = yield* bytes.write(data)
      this.#answering = false
      if (failed !== undefined) return failed
    }
  }

  // After a signal: what has come but was no whole line yet.
  *#answerRest(): Coroutine<number | undefined> {
    this.#ended("shutdown")
    this.#bytes.clearerr("r")
    do {
      const [data] = this.#bytes.recv(PIECE)
      if (data === undefined) return undefined
      const [, failed] = yield* this.#bytes.write(data)
      if (failed !== undefined) return failed
    } while (this.#bytes.pending()[0] > 0)
    return undefined
  }

  // Tells the peer that it has all its answers.
  *#halfClose(): Coroutine<number | undefined> {
    const [, failed] = yield* this.#bytes.flush()
    if (failed !== undefined) return failed
    this.#socket.shutdown("w")
    // Who still sends would get a reset if we closed now, and lose answers that are on their way.
    const deadline = cqueues.monotime() + LAST_MOMENTS
    while (this.#reason === "shutdown" && this.#open) {
      const left = deadline - cqueues.monotime()
      if (left <= 0) break
      const [data] = yield* this.#bytes.xread(PIECE, undefined, left)
      if (data === undefined) break
    }
    return undefined
  }

  // Closes the connection when nothing has moved for so many seconds.
  *#watch(limit: number): Coroutine {
    let moved = this.#moved
    let since = cqueues.monotime()
    while (this.#open) {
      const left = since + limit - cqueues.monotime()
      if (left <= 0) {
        this.#ended("timeout")
        this.#close(undefined)
        return
      }
      yield* this.#sleep(Math.min(left, limit / 8))
      if (this.#moved === moved) continue
      moved = this.#moved
      since = cqueues.monotime()
    }
  }

  *finish(): Coroutine {
    let moved = -1
    while (this.#open && (this.#answering || this.#moved !== moved)) {
      moved = this.#moved
      yield* this.#sleep(QUIET)
    }
    this.cut()
  }

  /** Wakes the reader with an error. Not with shutdown("r"): the kernel would reset a peer that still sends. */
  cut(): void {
    if (!this.#open) return
    this.#socket.seterror("r", errno.ECANCELED)
    cqueues.cancel(this.#socket)
  }

  end(): void {
    this.#ended("shutdown")
    this.#close(undefined)
  }

  // Sleeps so many seconds, or until the connection is closed.
  *#sleep(seconds: number): Coroutine {
    this.#closing ??= condition.new()
    yield* this.#closing.wait(seconds)
  }

  // Notes why it ends: the first reason holds.
  #ended(reason: Reason): void {
    this.#reason ??= reason
    if (reason !== "eof") return
    this.#server.output.event("eof", { conn: this.#number, in: this.#socket.stat().rcvd.count })
    this.#server.output.detail(`${this.#name} end of file`, 2)
  }

  #close(error: number | undefined): void {
    if (!this.#open) return
    this.#open = false
    if (error !== undefined) this.#ended(RESET.has(error) ? "reset" : "error")
    const { rcvd, sent } = this.#socket.stat()
    this.#socket.close()
    this.#closing?.signal()
    this.#server.connections--
    this.#server.remove(this)
    this.#report(rcvd.count, sent.count, error)
  }

  #report(received: number, sent: number, error: number | undefined): void {
    const { output } = this.#server
    const seconds = Math.round((cqueues.monotime() - this.#begun) * 1e6) / 1e6
    const reason = this.#reason
    const code = error === undefined ? undefined : errno[error]
    output.event("close", { conn: this.#number, in: received, out: sent, seconds, reason, code })
    const why = code === undefined ? reason : `${reason} (${code})`
    output.detail(`${this.#name} closed: ${why}, ${received} bytes in, ${sent} out, ${seconds} s`)
  }
}
