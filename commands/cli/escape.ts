/**
 * Makes text harmless for a terminal: control characters, bytes that are no text (lone surrogates, as the
 * library reads them) and the invisible characters that reverse or hide what follows are written out.
 */

// Control characters, bidirectional overrides, line separators, bytes that were no UTF-8.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/gu

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

function written(character: string): string {
  const code = character.codePointAt(0) as number
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`
  if (code < 0x100) return SHORT[character] ?? `\\x${code.toString(16).padStart(2, "0")}`
  return `\\u${code.toString(16).padStart(4, "0")}`
}

export function escapeControls(text: string): string {
  return text.replace(HARMFUL, written)
}

/** One line of JSON that is pure of anything a terminal would act upon; parsed, it gives the same value. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    HARMFUL,
    (character) => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, "0")}`,
  )
}
