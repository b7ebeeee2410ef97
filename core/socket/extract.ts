/**
 * Takes one value of a format out of an input buffer, or says that more has to come. Nothing here waits,
 * and nothing is consumed before a value is complete. A value of `undefined` is the end: of the stream, of
 * the header, of the MIME part.
 */
import { binding } from "../kernel/binding.js"
import { results } from "../kernel/memory.js"
import { KEEP_EOL, readLine, TRANSLATE } from "../kernel/text.js"
import { ALL, BLOCK, type Format, HEADER, HEADER_EOL, LINE, LINE_EOL, PART, SOME } from "./formats.js"
import type { Input } from "./input.js"
import { MORE, takeHeader, takePart } from "./mime.js"
import { TEXT } from "./mode.js"
import { decode } from "./translate.js"

/** More has to come before there is a value. */
export const MISS: unique symbol = Symbol("cqueues.miss")

export type Value = string | Buffer | undefined
export type Taken = Value | typeof MISS

/** The next value of `format`: text, or a Buffer when `raw`, which is always binary. */
export function extract(input: Input, format: Format, mode: number, raw: boolean): Taken {
  if (input.start === input.end) {
    if (!input.final) return MISS
    return atEnd(input, format, raw)
  }
  const text = (mode & TEXT) !== 0 && !raw
  switch (format.kind) {
    case LINE:
    case LINE_EOL:
      return raw ? rawLine(input, format.kind) : line(input, format.kind, text)
    case BLOCK:
      return text ? textBlock(input, format.size, format.size) : block(input, format.size, format.size, raw)
    case SOME:
      return text ? textBlock(input, 1, format.size) : block(input, 1, format.size, raw)
    case ALL:
      if (!input.final) return MISS
      return text ? textBlock(input, 0, input.length) : block(input, 0, input.length, raw)
    case HEADER:
    case HEADER_EOL:
      return finish(takeHeader(input, format.kind === HEADER_EOL, text), raw)
    case PART:
      return finish(takePart(input, format.marker as Buffer, text), raw)
    default:
      return undefined
  }
}

// At the end "*a" is the empty string, as in Lua; an empty datagram is an empty value of any format.
function atEnd(input: Input, format: Format, raw: boolean): Value {
  const empty = input.message || format.kind === ALL
  input.message = false
  if (!empty) return undefined
  return raw ? Buffer.alloc(0) : ""
}

/** How many bytes a reader of this format lacks at least. */
export function missing(input: Input, format: Format): number {
  return format.kind === BLOCK ? format.size - input.length : 0
}

function line(input: Input, kind: number, text: boolean): Taken {
  const flags = (kind === LINE_EOL ? KEEP_EOL : 0) | (text ? TRANSLATE : 0)
  const value = readLine(input.region, input.start, input.scanned, input.end, input.maxline, flags)
  if (value !== undefined) {
    input.consume(results[0] as number)
    return value
  }
  if (input.final) return decoded(input, input.length)
  input.scanned = input.end
  return MISS
}

function rawLine(input: Input, kind: number): Taken {
  const limit = input.maxline < 0 ? input.end : Math.min(input.end, input.start + input.maxline)
  const next = binding.findLine(input.region, Math.min(input.scanned, limit), limit)
  if (next >= 0) {
    const value = copy(input, kind === LINE_EOL ? next - input.start : next - 1 - input.start)
    input.consume(next - input.start)
    return value
  }
  if (input.final || (input.maxline >= 0 && input.length >= input.maxline))
    return copied(input, limit - input.start)
  input.scanned = input.end
  return MISS
}

function copy(input: Input, length: number): Buffer {
  return Buffer.from(input.bytes.subarray(input.start, input.start + length))
}

function copied(input: Input, length: number): Buffer {
  const value = copy(input, length)
  input.consume(length)
  return value
}

function decoded(input: Input, length: number): string {
  const value = binding.text(input.region, input.start, input.start + length) ?? ""
  input.consume(length)
  return value
}

function block(input: Input, least: number, most: number, raw: boolean): Taken {
  if (input.length < least && !input.final) return MISS
  const length = Math.min(most, input.length)
  return raw ? copied(input, length) : decoded(input, length)
}

// Counted after translation: a CRLF is one character. A CR at the end waits for its LF unless nothing
// follows or the block is complete without it.
function textBlock(input: Input, least: number, most: number): Taken {
  const final = input.final ? 1 : 0
  if (!final) {
    if (input.length < Math.max(least, input.enough)) return MISS
    const have = binding.measure(input.region, input.start, input.end, most, 0)
    if (have < least) {
      input.enough = input.length + least - have
      return MISS
    }
  }
  const length = binding.compact(input.region, input.start, input.end, most, final)
  const used = results[0] as number
  const value = binding.text(input.region, input.start, input.start + length) ?? ""
  input.consume(used)
  return value
}

function finish(value: Buffer | undefined | typeof MORE, raw: boolean): Taken {
  if (value === MORE) return MISS
  return value === undefined || raw ? value : decode(value)
}
