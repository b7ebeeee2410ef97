/**
 * A datagram socket: sends each datagram back to where it came from, whoever that is. The surprise: a peer
 * on a UNIX socket that does not read would hold up all others, so its answers are dropped.
 */
import { cqueues } from "../../core/cqueues.js"
import { errno, SystemError } from "../../core/errno.js"
import { AF_UNIX } from "../../core/socket/constants.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { showName } from "./address.js"
import type { BoundPath } from "./path.js"
import type { Coroutine, Part, Server } from "./server.js"

const LARGEST = 65536
/** Seconds that an answer may wait for room in the kernel. */
const PATIENCE = 1

/** What a network or a peer may do to a socket that goes on all the same. */
const PASSING = new Set<number>([
  errno.ECONNREFUSED,
  errno.ECONNRESET,
  errno.EHOSTUNREACH,
  errno.ENETUNREACH,
  errno.ENETDOWN,
])

export class Datagrams implements Part {
  readonly #server: Server
  readonly #socket: Socket
  readonly #address: string
  readonly #path: BoundPath | undefined
  readonly #patience: number
  readonly #begun = cqueues.monotime()
  #datagrams = 0
  #dropped = 0

  constructor(server: Server, bound: Socket, address: string, path?: BoundPath) {
    this.#server = server
    this.#socket = bound
    this.#address = address
    this.#path = path
    this.#patience = bound.localname()[0] === AF_UNIX ? 0 : PATIENCE
    bound.onerror((_socket: unknown, _method: string, error: number) => error)
    server.add(this, this.#run())
  }

  get #open(): boolean {
    return socket.type(this.#socket) === "socket"
  }

  *#run(): Coroutine {
    while (this.#open) {
      const error = yield* this.#answer(undefined)
      if (error === undefined || PASSING.has(error) || !this.#open) continue
      this.#server.fail(new SystemError(error, `recvfrom ${this.#address}`), { address: this.#address })
      this.end()
    }
  }

  // Answers the next datagram; the errno when none came.
  *#answer(timeout: number | undefined): Coroutine<number | undefined> {
    const [data, from, error] = yield* this.#socket.recvfrom(LARGEST, timeout)
    if (data === undefined) return error
    if (!this.#open) return undefined
    this.#datagrams++
    const [sent, failed] =
      from[1] === undefined ? [false] : yield* this.#socket.sendto(data, from, undefined, this.#patience)
    if (sent) return undefined
    this.#dropped++
    const why = failed === undefined ? "has no address" : errno.strerror(failed)
    this.#server.output.detail(`${this.#address}: no answer to ${showName(from, "dgram")}: ${why}`)
    return undefined
  }

  *finish(): Coroutine {
    while (this.#open && !this.#server.over) {
      if ((yield* this.#answer(0)) !== undefined) break
    }
    this.end()
  }

  cut(): void {
    this.end()
  }

  end(): void {
    if (!this.#open) return
    const { rcvd, sent } = this.#socket.stat()
    this.#socket.close()
    this.#path?.remove()
    this.#server.remove(this)
    this.#report(rcvd.count, sent.count)
  }

  #report(received: number, sent: number): void {
    const { output, stopping } = this.#server
    const seconds = Math.round((cqueues.monotime() - this.#begun) * 1e6) / 1e6
    output.event("close", {
      address: this.#address,
      in: received,
      out: sent,
      datagrams: this.#datagrams,
      dropped: this.#dropped,
      seconds,
      reason: stopping ? "shutdown" : "error",
    })
    output.detail(`${this.#address} closed: ${this.#datagrams} datagrams, ${this.#dropped} without an answer`)
  }
}
