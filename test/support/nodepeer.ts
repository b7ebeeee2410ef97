// The other end of a connection, made with node:net: what our sockets talk to must not be our own code.
// The surprise: these peers live in this process's event loop, so they say nothing while a test blocks it
// with `sync()`; such a test needs its peer in a child process.
import { once } from "node:events"
import net from "node:net"
import type { Owner } from "./owner.js"
import { within } from "./owner.js"

/** A TCP port of 127.0.0.1, the path of a UNIX socket, or a host with a port. */
export type Where = number | string | { host: string; port: number }

/** Connects and gives the peer. */
export async function connectPeer(t: Owner, where: Where): Promise<Peer> {
  const socket = net.connect({ ...address(where), allowHalfOpen: true })
  const peer = new Peer(t, socket)
  await within(5, once(socket, "connect"), () => `no connection to ${JSON.stringify(where)}`)
  return peer
}

/** Listens, on a free port of 127.0.0.1 unless told; every connection waits to be taken with `next`. */
export async function listenPeer(t: Owner, where: Where = 0): Promise<Listener> {
  const listener = new Listener(t)
  listener.server.listen(address(where))
  await within(5, once(listener.server, "listening"), () => `cannot listen on ${JSON.stringify(where)}`)
  return listener
}

export class Listener {
  readonly server = net.createServer({ allowHalfOpen: true })
  readonly #waiting: Peer[] = []
  readonly #takers: ((peer: Peer) => void)[] = []

  constructor(t: Owner) {
    this.server.on("connection", (socket) => {
      const peer = new Peer(t, socket)
      const taker = this.#takers.shift()
      if (taker) taker(peer)
      else this.#waiting.push(peer)
    })
    t.teardown(() => this.close())
  }

  /** The TCP port; 0 for a UNIX socket. */
  get port(): number {
    const where = this.server.address()
    return where && typeof where === "object" ? where.port : 0
  }

  /** The next connection, in the order they came. */
  next(timeout = 5): Promise<Peer> {
    const first = this.#waiting.shift()
    if (first) return Promise.resolve(first)
    const taken = new Promise<Peer>((resolve) => this.#takers.push(resolve))
    return within(timeout, taken, () => "nobody connected")
  }

  /** Stops listening; the connections live on. */
  async close(): Promise<void> {
    if (!this.server.listening) return
    this.server.close()
    for (const peer of this.#waiting) peer.destroy()
  }
}

export class Peer {
  readonly socket: net.Socket
  #received: Buffer[] = []
  #ended = false
  #failure: Error | undefined
  readonly #watchers = new Set<() => void>()

  constructor(t: Owner, socket: net.Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on("data", (chunk: Buffer) => {
      this.#received.push(chunk)
      this.#wake()
    })
    socket.on("end", () => {
      this.#ended = true
      this.#wake()
    })
    socket.on("error", (error) => {
      this.#failure = error
      this.#wake()
    })
    socket.on("close", () => {
      this.#ended = true
      this.#wake()
    })
    t.teardown(() => this.destroy())
  }

  /** Resolves when the kernel has the bytes. */
  send(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(data, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Sends the pieces with a pause after each, so that the reader gets them one by one. */
  async drip(pieces: Iterable<Uint8Array>, pause = 0.002): Promise<void> {
    for (const piece of pieces) {
      await this.send(piece)
      await new Promise((resolve) => setTimeout(resolve, pause * 1000))
    }
  }

  /** Sends the last of it, if any, and shuts this direction down; reading goes on. */
  end(data?: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (data === undefined) this.socket.end(() => resolve())
      else this.socket.end(data, () => resolve())
    })
  }

  /** Exactly so many bytes, or an error at the end of file or after the timeout (seconds). */
  async read(size: number, timeout = 5): Promise<Buffer> {
    await this.#until(() => this.#size() >= size, timeout, `${size} bytes`)
    const all = Buffer.concat(this.#received)
    this.#received = [all.subarray(size)]
    return all.subarray(0, size)
  }

  /** All that comes until the other side ends. */
  async collect(timeout = 5): Promise<Buffer> {
    await this.#until(() => this.#ended, timeout, "end of file")
    const all = Buffer.concat(this.#received)
    this.#received = []
    return all
  }

  /** Ends the connection with a reset instead of an end of file (TCP). */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  destroy(): void {
    this.socket.destroy()
  }

  #size(): number {
    return this.#received.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  #until(ready: () => boolean, timeout: number, what: string): Promise<void> {
    const state = () => `${this.#size()} bytes so far, ${this.#ended ? "ended" : "open"}`
    const waited = new Promise<void>((resolve, reject) => {
      const look = () => {
        if (ready()) resolve()
        else if (this.#failure) reject(this.#failure)
        else if (this.#ended) reject(new Error(`the peer ended before ${what}: ${state()}`))
        else return
        this.#watchers.delete(look)
      }
      this.#watchers.add(look)
      look()
    })
    return within(timeout, waited, () => `the peer sent no ${what}: ${state()}`)
  }

  #wake(): void {
    for (const look of [...this.#watchers]) look()
  }
}

function address(where: Where): { host: string; port: number } | { path: string } {
  if (typeof where === "number") return { host: "127.0.0.1", port: where }
  return typeof where === "string" ? { path: where } : where
}
