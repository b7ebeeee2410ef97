// What the socket tests share. Input is fed to a socket from the descriptor of its peer with write(2), so
// that a fault of our own writing cannot hide one of our reading, and in pieces that the reader sees apart.
import { readSync, writeSync } from "node:fs"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import type { Controller } from "../../core/loop/controller.js"
import type { Operation } from "../../core/loop/operation.js"
import type { Coroutine } from "../../core/loop/task.js"
import { type Socket, socket } from "../../core/socket/module.js"

export interface Feeding {
  /** Whether the peer ends its side after the pieces; it does unless told. */
  eof?: boolean
  setup?(con: Socket): void
  type?: number
}

/** Text as bytes: each character is the byte of that number. */
export const latin = (text: string): Buffer => Buffer.from(text, "latin1")

/** Runs a script on a socket whose peer delivers the pieces, each after the script has dealt with the last. */
export function feed<T>(
  pieces: Iterable<Uint8Array>,
  script: (con: Socket) => Coroutine<T>,
  { eof = true, setup, type = socket.SOCK_STREAM }: Feeding = {},
): T {
  const [con, peer] = socket.pair(type)
  const cq = cqueues.new()
  let result: { value: T } | undefined
  try {
    setup?.(con)
    cq.wrap(function* () {
      result = { value: yield* script(con) }
    })
    turn(cq)
    for (const piece of pieces) {
      for (let rest: Uint8Array | undefined = piece; rest !== undefined; turn(cq)) rest = poke(peer, rest)
    }
    if (eof) peer.shutdown("w")
    const [good, error] = cq.loop(5).sync()
    if (!good) throw error
    if (!result) throw new Error("the script still waits after all of its input")
    return result.value
  } finally {
    cq.close()
    con.close()
    peer.close()
  }
}

/** Steps without waiting, often enough that all coroutines have done what they can. */
export function turn(cq: Controller, times = 3): void {
  for (let i = 0; i < times; i++) {
    const [good, error] = cq.step(0).sync()
    if (!good) throw error
  }
}

/** Writes bytes to the descriptor of a socket, past the socket, in one call; gives what did not fit. */
export function poke(con: Socket, bytes: Uint8Array | string): Uint8Array | undefined {
  const data = typeof bytes === "string" ? Buffer.from(bytes) : bytes
  try {
    const done = writeSync(fdOf(con), data)
    return done < data.length ? data.subarray(done) : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return data
    throw error
  }
}

/** What has arrived at the descriptor of a socket, past the socket; undefined when there is nothing. */
export function peek(con: Socket, size = 1 << 20): string | undefined {
  const buffer = Buffer.alloc(size)
  try {
    return buffer.toString("latin1", 0, readSync(fdOf(con), buffer, 0, size, null))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined
    throw error
  }
}

export function fdOf(con: Socket): number {
  const fd = con.pollfd()
  if (typeof fd !== "number") throw new Error("no descriptor")
  return fd
}

/** Reads with one format until there is no more. */
export function* every(con: Socket, format: string | number): Coroutine<(string | undefined)[]> {
  const values: (string | undefined)[] = []
  for (;;) {
    const [value, error] = yield* con.read(format)
    if (error !== undefined) throw new Error(`read gave ${errno[error]}`)
    if (value === undefined) return values
    values.push(value)
  }
}

/** The same of the socket's bytes, given one character a byte. */
export function* everyBytes(con: Socket, format: string | number): Coroutine<(string | undefined)[]> {
  const values: (string | undefined)[] = []
  for (;;) {
    const [value, error] = yield* con.bytes.read(format)
    if (error !== undefined) throw new Error(`read gave ${errno[error]}`)
    if (value === undefined) return values
    values.push(value.toString("latin1"))
  }
}

/** The name of what comes out of something that fails: an errno's, whether returned or thrown. */
export async function failure(what: () => Operation<unknown> | unknown): Promise<string> {
  try {
    const result = await (what() as PromiseLike<unknown>)
    const number = Array.isArray(result) ? result.at(-1) : result
    return typeof number === "number" ? (errno[number] ?? String(number)) : `succeeded with ${result}`
  } catch (error) {
    const { code, name } = error as { code?: string; name: string }
    return code ?? name
  }
}

/** Has errors returned, all of them. */
export function returning<S extends Socket>(con: S): S {
  con.onerror((_socket: unknown, _method: string, number: number) => number)
  return con
}

/** A pair of sockets that are closed at the end of the test. */
export function pair(t: { teardown(handler: () => unknown): unknown }, type?: number): [Socket, Socket] {
  const both = type === undefined ? socket.pair() : socket.pair(type)
  t.teardown(() => {
    for (const one of both) one.close()
  })
  return both
}

/** Closes a socket at the end of the test. */
export function closing<S extends Socket>(t: { teardown(handler: () => unknown): unknown }, con: S): S {
  t.teardown(() => con.close())
  return con
}

/** Numbers of a linear congruence, the same in every run. */
export function randoms(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 8
  }
}

/** Bytes as PEP 383 has them, by Node's own decoder where they are valid. */
export function escaped(bytes: Buffer): string {
  let text = ""
  for (let i = 0; i < bytes.length; ) {
    const size = [1, 2, 3, 4].find((n) => valid(bytes.subarray(i, i + n)))
    text += size ? bytes.toString("utf8", i, i + size) : String.fromCharCode(0xdc00 + (bytes[i] ?? 0))
    i += size ?? 1
  }
  return text
}

function valid(bytes: Buffer): boolean {
  return bytes.length > 0 && Buffer.compare(Buffer.from(bytes.toString("utf8")), bytes) === 0
}
