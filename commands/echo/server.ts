/**
 * What the coroutines of one cq-echo share: the controller that runs them, the open sockets, and the way
 * all of it ends: each part finishes what it has begun, within the time of grace.
 */
import { condition } from "../../core/condition.js"
import { cqueues } from "../../core/cqueues.js"
import type { Yielded } from "../../core/loop/task.js"
import type { Output } from "../cli/output.js"
import type { EchoOptions } from "./options.js"

/** A coroutine of ours, and what it returns. */
export type Coroutine<T = void> = Generator<Yielded, T, unknown>

/** An open socket and the coroutines that serve it. */
export interface Part {
  /** Accepts nothing new, answers what has come, and closes. */
  finish(): Coroutine
  /** The time of grace is up: takes no more input. */
  cut(): void
  /** Closes at once. */
  end(): void
}

/** Seconds for the last answers after the time of grace, and for a peer to notice an end. */
export const LAST_MOMENTS = 0.5

export class Server {
  readonly cq = cqueues.new()
  readonly parts = new Set<Part>()
  /** Connections that are open. */
  connections = 0
  /** Whether the end has begun. */
  stopping = false
  /** Whether it has come: no more input is taken. */
  over = false
  failed = false
  readonly #changed = condition.new()
  #numbers = 0
  #toldOfWant = false

  constructor(
    readonly options: EchoOptions,
    readonly output: Output,
  ) {}

  /** A number for the next connection. */
  number(): number {
    return ++this.#numbers
  }

  add(part: Part, work: Coroutine): void {
    this.parts.add(part)
    this.cq.attach(work)
    if (this.stopping) this.cq.attach(part.finish())
  }

  remove(part: Part): void {
    if (this.parts.delete(part)) this.#changed.signal()
  }

  /** Waits until one more connection is allowed, or everything is over. */
  *room(): Coroutine {
    const most = this.options["max-conns"] ?? Number.POSITIVE_INFINITY
    while (this.connections >= most && !this.over) yield* this.#changed.wait()
  }

  /** Said once: it may last, and go on and off with every connection. */
  wantOfDescriptors(code: string): void {
    if (this.#toldOfWant) return
    this.#toldOfWant = true
    const message = `no descriptor is free for a new connection (${code}); it waits until one is`
    this.output.note(message)
    this.output.event("error", { message, code })
  }

  /** Something that cannot go on: it is told, and shows in the exit status. */
  fail(error: unknown, fields?: Readonly<Record<string, unknown>>): void {
    this.failed = true
    this.output.error(error, fields)
  }

  /** Begins the end. */
  stop(): void {
    if (this.stopping) return
    this.stopping = true
    for (const part of [...this.parts]) this.cq.attach(part.finish())
    this.cq.attach(this.#end())
  }

  *#end(): Coroutine {
    yield* this.#emptied(this.options.grace)
    this.over = true
    for (const part of [...this.parts]) part.cut()
    this.#changed.signal()
    yield* this.#emptied(LAST_MOMENTS)
    for (const part of [...this.parts]) part.end()
  }

  /** Waits until a part has ended, so many seconds at most. */
  *change(seconds: number): Coroutine {
    yield* this.#changed.wait(seconds)
  }

  // Waits until every part is gone, so many seconds at most.
  *#emptied(seconds: number): Coroutine {
    const deadline = cqueues.monotime() + seconds
    while (this.parts.size > 0) {
      const left = deadline - cqueues.monotime()
      if (left <= 0) return
      yield* this.#changed.wait(left)
    }
  }
}
