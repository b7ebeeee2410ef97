/**
 * Writes that wait for the end of the step, so that one native call sends them all. An error or a short
 * write comes back to its socket with the results, one step later than the write.
 */
import { control, flushSends, MAX_SENDS, SENDS } from "../kernel/poller.js"

/** Bytes to send: `length` of them at `offset` of a region. */
export interface Outgoing {
  readonly fd: number
  readonly region: number
  readonly offset: number
  readonly length: number
  /** The result of the send: bytes taken, or a negative errno. */
  sent(result: number): void
}

export class Outbox {
  #queue: Outgoing[] = []
  #loaded: Outgoing[] = []

  get empty(): boolean {
    return this.#queue.length === 0
  }

  add(out: Outgoing): void {
    this.#queue.push(out)
  }

  /** Puts the queue into the control block, all but what has been sent or closed since; its length. */
  load(): number {
    while (this.#queue.length > MAX_SENDS) this.#flushSome()
    const queue = this.#queue
    if (queue.length === 0) return 0
    this.#queue = this.#loaded
    this.#loaded = queue
    let count = 0
    for (const out of queue) {
      if (out.fd < 0 || out.length === 0) {
        out.sent(0)
        continue
      }
      const at = SENDS + count * 4
      control[at] = out.fd
      control[at + 1] = out.region
      control[at + 2] = out.offset
      control[at + 3] = out.length
      queue[count++] = out
    }
    queue.length = count
    return count
  }

  /** Hands out the results of what was loaded. */
  settle(): void {
    const loaded = this.#loaded
    for (let i = 0; i < loaded.length; i++) (loaded[i] as Outgoing).sent(control[SENDS + i * 4 + 3] as number)
    loaded.length = 0
  }

  /** Sends everything now. */
  flush(): void {
    while (this.#queue.length > 0) {
      if (this.#queue.length > MAX_SENDS) this.#flushSome()
      else if (this.load() > 0) {
        flushSends(this.#loaded.length)
        this.settle()
      }
    }
  }

  #flushSome(): void {
    const rest = this.#queue.splice(MAX_SENDS)
    flushSends(this.load())
    this.settle()
    this.#queue = rest
  }
}
