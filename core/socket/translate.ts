/**
 * Strings for bytes and back, for the rare places that have no region to work in: paths, names, messages.
 * Same rule as everywhere: a byte that is no part of valid UTF-8 is a lone surrogate U+DC80..U+DCFF.
 */
import { binding } from "../kernel/binding.js"
import { give, take } from "../kernel/memory.js"
import { putText } from "../kernel/text.js"

/** The bytes of a string. */
export function encode(text: string): Buffer {
  const span = take(text.length * 3 + 8)
  const length = putText(span.region, span.base, span.size, text, false)
  const bytes = Buffer.from(span.bytes.subarray(span.base, span.base + length))
  give(span)
  return bytes
}

/** The string of some bytes. */
export function decode(bytes: Uint8Array): string {
  const span = take(Math.max(1, bytes.length))
  span.bytes.set(bytes, span.base)
  const text = binding.text(span.region, span.base, span.base + bytes.length) ?? ""
  give(span)
  return text
}

/** Bytes of data that may be a string. */
export function bytesOf(data: string | Uint8Array): Uint8Array {
  if (typeof data === "string") return encode(data)
  if (data instanceof Uint8Array) return data
  throw new TypeError(`expected a string or a Uint8Array, got ${data === null ? "null" : typeof data}`)
}
