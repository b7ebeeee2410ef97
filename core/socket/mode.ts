/**
 * I/O modes (guide: socket:setmode): text or binary, how output is buffered, and what happens to buffers
 * around other operations. A mode string changes what it names and leaves the rest.
 */

export const TEXT = 1
export const AUTOFLUSH = 2
export const PUSHBACK = 4
/** How output is buffered: in two bits. */
export const UNBUFFERED = 0
export const LINE = 8
export const FULL = 16
export const BUFFERING = LINE | FULL

export const DEFAULT_MODE = TEXT | LINE | AUTOFLUSH | PUSHBACK

const LETTERS: Readonly<Record<string, [set: number, clear: number]>> = {
  t: [TEXT, 0],
  b: [0, TEXT],
  n: [UNBUFFERED, BUFFERING],
  l: [LINE, BUFFERING],
  f: [FULL, BUFFERING],
  a: [AUTOFLUSH, 0],
  A: [0, AUTOFLUSH],
  p: [PUSHBACK, 0],
  P: [0, PUSHBACK],
}

/** The mode that a string makes of a present one. */
export function applyMode(letters: string | undefined, present: number): number {
  if (letters === undefined) return present
  if (typeof letters !== "string") throw new TypeError("mode: expected a string of the letters tbnlfaApP")
  let mode = present
  for (const letter of letters) {
    const change = LETTERS[letter]
    if (change === undefined)
      throw new TypeError(`mode: unknown flag ${JSON.stringify(letter)} in ${JSON.stringify(letters)}`)
    mode = (mode & ~change[1]) | change[0]
  }
  return mode
}

function bufferingLetter(mode: number): string {
  return mode & FULL ? "f" : mode & LINE ? "l" : "n"
}

export function inputModeName(mode: number): string {
  return `${mode & TEXT ? "t" : "b"}-${flags(mode)}`
}

export function outputModeName(mode: number): string {
  return `${mode & TEXT ? "t" : "b"}${bufferingLetter(mode)}${flags(mode)}`
}

// Two fixed characters as the guide has them; the later flags are told when they are not the default.
function flags(mode: number): string {
  return (mode & AUTOFLUSH ? "" : "A") + (mode & PUSHBACK ? "" : "P")
}

const NAMES: Readonly<Record<string, number>> = {
  no: UNBUFFERED,
  n: UNBUFFERED,
  line: LINE,
  l: LINE,
  full: FULL,
  f: FULL,
}

/** The buffering of setvbuf's first argument. */
export function bufferingOf(name: string): number {
  const buffering = NAMES[name]
  if (buffering === undefined)
    throw new TypeError(`setvbuf: expected "no", "line" or "full", got ${JSON.stringify(name)}`)
  return buffering
}

export function bufferingName(mode: number): string {
  return mode & FULL ? "full" : mode & LINE ? "line" : "no"
}
