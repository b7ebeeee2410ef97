/**
 * The two native calls that every line makes: a string into memory, a line out of it. Their numbers go
 * through shared memory, where writing one costs a nanosecond; as an argument each costs seven.
 */
import { binding } from "./binding.js"
import { results } from "./memory.js"

const ARGUMENTS = 8 // in the results' memory, after the results

/**
 * Encodes a string at an offset of a region, with LF as CRLF if `translate`: the number of bytes, or a
 * negative number when the capacity may not be enough.
 */
export function putText(
  region: number,
  offset: number,
  capacity: number,
  text: string,
  translate: boolean,
): number {
  results[ARGUMENTS] = region
  results[ARGUMENTS + 1] = offset
  results[ARGUMENTS + 2] = capacity
  results[ARGUMENTS + 3] = translate ? 1 : 0
  return binding.put(text)
}

export const KEEP_EOL = 1
export const TRANSLATE = 2

/**
 * The line at `start`, looking for its end from `scanned` on; undefined when it is not whole. A line longer
 * than `limit` bytes (negative: no limit) comes in pieces. `results[0]` is the number of bytes it takes.
 */
export function readLine(
  region: number,
  start: number,
  scanned: number,
  end: number,
  limit: number,
  flags: number,
): string | undefined {
  results[ARGUMENTS] = region
  results[ARGUMENTS + 1] = start
  results[ARGUMENTS + 2] = scanned
  results[ARGUMENTS + 3] = end
  results[ARGUMENTS + 4] = limit
  results[ARGUMENTS + 5] = flags
  return binding.readLine()
}
