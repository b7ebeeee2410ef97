/** Read formats (guide: socket:read), parsed once for each spelling. */
import { encode } from "./translate.js"

export const LINE = 0
export const LINE_EOL = 1
export const ALL = 2
export const BLOCK = 3
export const SOME = 4
export const HEADER = 5
export const HEADER_EOL = 6
export const PART = 7

export interface Format {
  readonly kind: number
  /** Bytes, of BLOCK and SOME. */
  readonly size: number
  /** The boundary with its two hyphens, of PART. */
  readonly marker: Buffer | undefined
}

/** What `read` takes: "*l", "*L", "*a", "*h", "*H" with or without the star, a byte count, "--boundary". */
export type ReadFormat = string | number

const LONGEST_MARKER = 72 // RFC 2046 section 5.1.1: 70 characters and the hyphens
const MOST_BYTES = 2 ** 30

const plain = (kind: number): Format => ({ kind, size: 0, marker: undefined })

const formats = new Map<string, Format>(
  Object.entries({ l: LINE, L: LINE_EOL, a: ALL, h: HEADER, H: HEADER_EOL }).flatMap(([letter, kind]) => [
    [letter, plain(kind)],
    [`*${letter}`, plain(kind)],
  ]),
)

export const DEFAULT_FORMAT = plain(LINE)

export function parseFormat(format: ReadFormat): Format {
  if (typeof format === "number") return parseSize(format)
  const known = formats.get(format)
  if (known !== undefined) return known
  if (typeof format === "string" && format.startsWith("--") && format.length > 2) {
    const marker = encode(format)
    if (marker.length > LONGEST_MARKER)
      throw new RangeError("read: a MIME boundary has 70 characters at most")
    return { kind: PART, size: 0, marker }
  }
  if (format === "*n" || format === "n") throw new TypeError("read: the format *n is not supported")
  throw new TypeError(`read: unknown format ${JSON.stringify(format) ?? String(format)}`)
}

function parseSize(size: number): Format {
  if (!Number.isInteger(size)) throw new TypeError(`read: not a whole number of bytes: ${size}`)
  if (Math.abs(size) > MOST_BYTES) throw new RangeError(`read: more than ${MOST_BYTES} bytes at once`)
  return { kind: size < 0 ? SOME : BLOCK, size: Math.abs(size), marker: undefined }
}
