/** A listening socket: accepts, and gives each connection a coroutine of its own. */
import { errno, SystemError } from "../../core/errno.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { Connection } from "./connection.js"
import type { BoundPath } from "./path.js"
import type { Coroutine, Part, Server } from "./server.js"

/** So many may wait in the kernel: more than that many at once are rare, and a flood is not ours to hoard. */
export const BACKLOG = 4096

/** Nothing to make a connection of: accept itself pauses after these before it looks again. */
const WANT = new Set<number>([errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
/** Seconds to wait for a descriptor at the end; before it, accept does the waiting. */
const PAUSE = 0.1
const OPTIONS = { nodelay: true }

export class Listener implements Part {
  readonly #server: Server
  readonly #socket: Socket
  readonly #address: string
  readonly #path: BoundPath | undefined

  constructor(server: Server, listening: Socket, address: string, path?: BoundPath) {
    this.#server = server
    this.#socket = listening
    this.#address = address
    this.#path = path
    listening.onerror((_socket: unknown, _method: string, error: number) => error)
    server.add(this, this.#run())
  }

  get #open(): boolean {
    return socket.type(this.#socket) === "socket"
  }

  *#run(): Coroutine {
    for (;;) {
      yield* this.#server.room()
      if (!this.#open) return
      const [con, error] = yield* this.#socket.accept(OPTIONS)
      if (con !== undefined) this.#begin(con)
      else if (!this.#open) return
      else if (WANT.has(error)) this.#server.wantOfDescriptors(errno[error] as string)
      else {
        this.#server.fail(new SystemError(error, `accept ${this.#address}`), { address: this.#address })
        this.end()
      }
    }
  }

  #begin(con: Socket): void {
    new Connection(this.#server, con, this.#address)
  }

  /** Those that the kernel has accepted already were promised an answer: they are served, then it closes. */
  *finish(): Coroutine {
    for (let count = 0; count < BACKLOG; ) {
      yield* this.#server.room()
      if (!this.#open || this.#server.over) break
      const [con, error] = yield* this.#socket.accept(OPTIONS, 0)
      if (con !== undefined) {
        this.#begin(con)
        count++
      } else if (WANT.has(error)) yield* this.#server.change(PAUSE)
      else break
    }
    this.end()
  }

  cut(): void {
    this.end()
  }

  end(): void {
    if (!this.#open) return
    this.#socket.close()
    this.#path?.remove()
    this.#server.remove(this)
  }
}
