/**
 * Readers of option values: each makes a value of a text, or throws a RangeError that says what was
 * expected. Durations are in seconds, as everywhere in the library; sizes in bytes, k being 1024.
 */

/** A reader of an option's value. */
export type Reader<T> = (text: string) => T

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, "": 1, m: 60, h: 3600, d: 86400 }

/** `500ms`, `2s`, `1m`, `1.5h`; a bare number is seconds. */
export function duration(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d)?$/.exec(text) ?? []
  if (number === undefined) throw new RangeError(`not a duration: ${quote(text)}; write 500ms, 2s or 1m`)
  return Number(number) * (SECONDS[unit] as number)
}

const BYTES: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }

/** `512`, `64k`, `1M`, `2G`. */
export function size(text: string): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([kmg]?)$/i.exec(text) ?? []
  const bytes = Number(number) * (BYTES[unit.toLowerCase()] as number)
  if (!Number.isSafeInteger(bytes)) throw new RangeError(`not a size: ${quote(text)}; write 512, 64k or 1M`)
  return bytes
}

/** A reader of sizes within limits. */
export function sizeWithin(least: number, most: number): Reader<number> {
  return (text) => {
    const bytes = size(text)
    if (bytes < least || bytes > most)
      throw new RangeError(`${quote(text)} is out of range: ${least} to ${most} bytes`)
    return bytes
  }
}

/** A reader of whole numbers within limits. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (text) => {
    const number = Number(text)
    if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(number))
      throw new RangeError(`not a whole number: ${quote(text)}`)
    if (number < least || number > most) {
      const limits = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
      throw new RangeError(`${quote(text)} is out of range: ${limits}`)
    }
    return number
  }
}

/** A reader that takes one of these words. */
export function oneOf<T extends string>(...words: T[]): Reader<T> {
  return (text) => {
    if (!(words as string[]).includes(text))
      throw new RangeError(`not one of ${words.join(", ")}: ${quote(text)}`)
    return text as T
  }
}

/** Any text as it is. */
export const text: Reader<string> = (value) => value

export function quote(value: string): string {
  return JSON.stringify(value)
}
