// The ways in which a stream may deliver the same bytes: every cut in two, and byte by byte. A reader is
// right only if it gives the same for all of them.
import { inspect, isDeepStrictEqual } from "node:util"

export interface Cut {
  /** "whole", "cut at 3" or "byte by byte". */
  name: string
  pieces: Buffer[]
}

/** The deliveries of the input, whole first. `positions` restricts the cuts of an input that is long. */
export function* cuts(input: string | Uint8Array, positions?: Iterable<number>): Generator<Cut, void, void> {
  const bytes = Buffer.from(input as Uint8Array)
  yield { name: "whole", pieces: [bytes] }
  for (const at of positions ?? between(1, bytes.length)) {
    yield { name: `cut at ${at}`, pieces: [bytes.subarray(0, at), bytes.subarray(at)] }
  }
  if (bytes.length > 2) {
    yield { name: "byte by byte", pieces: Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)) }
  }
}

interface Asserting {
  pass(message: string): unknown
  strictSame(found: unknown, wanted: unknown, message: string): unknown
}

/**
 * Runs `read` on every delivery and compares each result with `wanted`. It is one assertion in all: it
 * passes with the number of deliveries, or fails at the first that differs, and names it.
 */
export async function everyCut<T>(
  t: Asserting,
  message: string,
  input: string | Uint8Array,
  read: (pieces: Buffer[], name: string) => T | Promise<T>,
  wanted: T,
  positions?: Iterable<number>,
): Promise<void> {
  let count = 0
  for (const { name, pieces } of cuts(input, positions)) {
    let found: unknown
    try {
      found = await read(pieces, name)
    } catch (error) {
      throw new Error(`${message}: ${name}: ${inspect(error)}`, { cause: error })
    }
    if (!isDeepStrictEqual(found, wanted)) {
      t.strictSame(found, wanted, `${message}: ${name}`)
      return
    }
    count++
  }
  t.pass(`${message} (delivered in ${count} ways)`)
}

function* between(from: number, to: number): Generator<number, void, void> {
  for (let i = from; i < to; i++) yield i
}
