// What the tests of the scheduler share: descriptors to poll, the three ways to wait for an operation, and
// small coroutines. Descriptors are bare numbers, so that nothing of the socket layer helps the scheduler.

import { spawnSync } from "node:child_process"
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs"
import { join } from "node:path"
import cqueues, { type Controller, type Operation } from "../../core/index.js"
import { binding, constant } from "../../core/kernel/binding.js"
import { results } from "../../core/kernel/memory.js"
import type { Owner } from "../support/owner.js"
import { tmp } from "../support/tmp.js"

/** Both ends of a connected pair, closed at the end of the test unless the test has closed them. */
export class Pair {
  readonly a: number
  readonly b: number
  readonly #open = new Set<number>()

  constructor(t: Owner) {
    this.a = binding.socketpair(constant("AF_UNIX"), constant("SOCK_STREAM"))
    if (this.a < 0) throw new Error(`socketpair: ${this.a}`)
    this.b = results[0] as number
    this.#open.add(this.a).add(this.b)
    t.teardown(() => this.close())
  }

  /** Makes `a` readable. */
  send(bytes = 1): void {
    writeSync(this.b, Buffer.alloc(bytes, "x"))
  }

  /** Takes what makes `a` readable. */
  drain(): number {
    return readSync(this.a, Buffer.alloc(65536))
  }

  /** Fills `a`'s way to `b`, so that `a` is not writable. */
  fill(): void {
    const chunk = Buffer.alloc(65536)
    for (;;) {
      try {
        writeSync(this.a, chunk)
      } catch {
        return
      }
    }
  }

  /** Makes `a` writable again. */
  empty(): void {
    const chunk = Buffer.alloc(65536)
    for (;;) {
      try {
        readSync(this.b, chunk)
      } catch {
        return
      }
    }
  }

  close(...which: ("a" | "b")[]): void {
    for (const end of which.length > 0 ? which : (["a", "b"] as const)) {
      if (this.#open.delete(this[end])) closeSync(this[end])
    }
  }
}

/** A FIFO's two ends, non-blocking: [to read, to write]. */
export function fifo(t: Owner): [number, number] {
  const path = join(tmp(t), "fifo")
  spawnSync("mkfifo", [path])
  const both = openSync(path, "r+")
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const write = openSync(path, "w")
  closeSync(both)
  t.teardown(() => {
    closeSync(read)
    closeSync(write)
  })
  return [read, write]
}

export type Way = "yield*" | "await" | "sync"

/** The three ways to wait, each as an asynchronous function of a fresh operation. */
export const ways: Record<Way, <T>(op: Operation<T>) => Promise<T>> = {
  "yield*": async (op) =>
    inside(function* () {
      return yield* op
    }),
  await: async (op) => await op,
  sync: async (op) => op.sync(),
}

export const everyWay = Object.keys(ways) as Way[]

/** Runs a coroutine on a controller of its own, the thread blocked meanwhile; its result, or its error thrown. */
export function inside<T>(body: () => Generator<unknown, T, unknown>, cq: Controller = cqueues.new()): T {
  let outcome: { value: T } | undefined
  cq.wrap(function* () {
    outcome = { value: yield* body() }
  })
  try {
    const [good, error] = cq.loop().sync()
    if (!good) throw error
    if (outcome === undefined) throw new Error("the coroutine did not end")
    return outcome.value
  } finally {
    cq.close()
  }
}

/** Steps without waiting, until nothing is pending; throws a coroutine's error. */
export function settle(cq: Controller): void {
  for (let i = 0; i < 1000 && cq.timeout() === 0; i++) step(cq)
}

/** One step that does not wait, its error thrown. */
export function step(cq: Controller, timeout = 0): void {
  const [good, error] = cq.step(timeout).sync()
  if (!good) throw error
}

/** Runs the controller to its end, within a time. */
export function finish(cq: Controller, timeout = 10): void {
  const [good, error] = cq.loop(timeout).sync()
  if (!good) throw error
  if (!cq.empty()) throw new Error(`${cq.count()} coroutines still wait after ${timeout} s`)
}

/** Random numbers that come again with the same seed. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
}

/** What was thrown. */
export function thrown(body: () => unknown): unknown {
  try {
    body()
  } catch (error) {
    return error
  }
  return undefined
}
