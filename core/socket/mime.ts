/**
 * MIME headers and multipart bodies out of an input buffer (guide: the formats *h and *H; RFC 5322 section
 * 2.2.3, RFC 2046 section 5.1.1). Whether a header is complete shows only in the line after it, and both
 * readers obey the line limit, so that no peer makes them hold more.
 */
import { binding } from "../kernel/binding.js"
import type { Input } from "./input.js"

/** More has to come. */
export const MORE: unique symbol = Symbol("cqueues.more")

const HT = 9
const LF = 10
const CR = 13
const SP = 32
const COLON = 58

const isBlank = (byte: number | undefined): boolean => byte === SP || byte === HT

// Whether [start, end) begins as a header field does: a name, perhaps blanks, a colon.
function isField(bytes: Buffer, start: number, end: number): boolean {
  let at = start
  while (at < end && (bytes[at] as number) > SP && (bytes[at] as number) < 127 && bytes[at] !== COLON) at++
  if (at === start) return false
  while (at < end && isBlank(bytes[at])) at++
  return bytes[at] === COLON && at < end
}

/** The next header field: unfolded and without its line end, or as it stands; undefined after the last. */
export function takeHeader(
  input: Input,
  asItStands: boolean,
  text: boolean,
): Buffer | undefined | typeof MORE {
  const { start, bytes } = input
  const limit = input.maxline < 0 ? input.end : Math.min(input.end, start + input.maxline)
  const full = limit < input.end || (input.maxline >= 0 && input.length === input.maxline)
  const closed = input.final || full
  // What cannot become a field any more is none; the reader of the next line gets it.
  if (!isField(bytes, start, limit)) {
    const undecided = !closed && binding.findLine(input.region, start, limit) < 0
    return undecided ? MORE : undefined
  }
  let end = start
  for (;;) {
    const next = binding.findLine(input.region, end, limit)
    if (next < 0) {
      if (!closed) return MORE
      end = limit
      break
    }
    end = next
    if (end === limit) {
      if (!closed) return MORE
      break
    }
    if (!isBlank(bytes[end])) break
  }
  const field = Buffer.from(bytes.subarray(start, end))
  input.consume(end - start)
  if (asItStands) return text ? lineFeeds(field) : field
  return unfolded(field)
}

// CRLF as LF.
function lineFeeds(field: Buffer): Buffer {
  let length = 0
  for (let i = 0; i < field.length; i++) {
    if (field[i] === CR && field[i + 1] === LF) continue
    field[length++] = field[i] as number
  }
  return field.subarray(0, length)
}

// Without line ends: what follows a fold keeps its blank (RFC 5322 section 2.2.3).
function unfolded(field: Buffer): Buffer {
  let length = 0
  for (let i = 0; i < field.length; i++) {
    const byte = field[i] as number
    if (byte === LF || (byte === CR && field[i + 1] === LF)) continue
    field[length++] = byte
  }
  return field.subarray(0, length)
}

/**
 * The next piece of a part's body, up to its boundary, which stays in the buffer; undefined when it is
 * reached. The line end before a boundary belongs to the boundary.
 */
export function takePart(input: Input, marker: Buffer, text: boolean): Buffer | undefined | typeof MORE {
  const { start, end, bytes } = input
  if (input.atLineStart) {
    const match = compare(bytes, start, end, marker)
    if (match === WHOLE) return undefined
    if (match === PREFIX && !input.final) return MORE
  }
  const limit = input.maxline < 0 ? end : Math.min(end, start + input.maxline)
  let cut = limit
  for (let at = start; at < limit; ) {
    const next = binding.findLine(input.region, at, end)
    if (next < 0) {
      // A CR at the very end may be the first half of the boundary's line end.
      if (bytes[end - 1] === CR && !input.final && limit === end) cut = end - 1
      break
    }
    const lineEnd = next - 2 >= start && bytes[next - 2] === CR ? next - 2 : next - 1
    const match = compare(bytes, next, end, marker)
    if (match === WHOLE && lineEnd === start) {
      input.consume(next - start)
      return undefined
    }
    if (match === WHOLE || (match === PREFIX && !input.final)) {
      cut = Math.min(limit, lineEnd)
      break
    }
    at = next
  }
  // The limit may not come between the halves of a line end that turns out to be the boundary's.
  if (cut < end && cut > start + 1 && bytes[cut - 1] === CR && bytes[cut] === LF) cut--
  if (cut === start) return MORE
  const piece = Buffer.from(bytes.subarray(start, cut))
  input.consume(cut - start)
  return text ? lineFeeds(piece) : piece
}

const NONE = 0
const PREFIX = 1
const WHOLE = 2

function compare(bytes: Buffer, at: number, end: number, marker: Buffer): number {
  const length = Math.min(marker.length, end - at)
  if (bytes.compare(marker, 0, length, at, at + length) !== 0) return NONE
  return length === marker.length ? WHOLE : PREFIX
}
