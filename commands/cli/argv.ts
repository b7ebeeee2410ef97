/**
 * Puts a command line into the one form that leaves nothing to guess: `--name`, `--name=N`, `--`, then the
 * arguments, N being the place of a value in a list. The parser by itself would take "true" after a flag
 * for its value, `-ofile` for four flags, and the quotes off a value; here options read as getopt_long(3)
 * reads them.
 */
import type { Option, Program } from "./options.js"

export interface Plain {
  /** For the parser. */
  argv: string[]
  /** The values that the numbers in it stand for. */
  values: string[]
  /** Names of the options met, those that exist. */
  names: Set<string>
  /** What is wrong, as far as spelling goes. */
  trouble: string | undefined
}

export function plain(program: Program, given: readonly string[]): Plain {
  const options: string[] = []
  const operands: string[] = []
  const values: string[] = []
  const names = new Set<string>()
  let trouble: string | undefined
  let at = 0

  function take(name: string, option: Option, spelled: string, attached: string | undefined): void {
    names.add(name)
    if (option.value === undefined) {
      if (attached !== undefined) trouble ??= `${spelled} takes no value`
      options.push(`--${name}`)
      return
    }
    const value = attached ?? option.implied ?? given[++at]
    if (value === undefined) trouble ??= `${spelled} needs a value (${option.value})`
    if (value === undefined) options.push(`--${name}`)
    else put(name, value)
  }

  function put(name: string, value: string): void {
    options.push(`--${name}=${values.push(value) - 1}`)
  }

  function long(text: string): void {
    const equals = text.indexOf("=")
    const name = equals < 0 ? text : text.slice(0, equals)
    const attached = equals < 0 ? undefined : text.slice(equals + 1)
    const option = own(program, name)
    const negated = name.startsWith("no-") ? own(program, name.slice(3))?.negated : undefined
    if (option !== undefined) take(name, option, `--${name}`, attached)
    else if (negated !== undefined && attached === undefined) put(name.slice(3), negated)
    else {
      trouble ??= unknown(program, name)
      options.push(`--${text}`)
    }
  }

  function short(letters: string): void {
    for (let i = 0; i < letters.length; i++) {
      const letter = letters[i] as string
      const [name, option] = byLetter(program, letter) ?? []
      if (name === undefined || option === undefined) {
        trouble ??= `unknown option -${letter}`
        options.push(`-${letter}`)
      } else if (option.value === undefined) {
        take(name, option, `-${letter}`, undefined)
      } else {
        take(name, option, `-${letter}`, letters.slice(i + 1) || undefined)
        return
      }
    }
  }

  for (; at < given.length; at++) {
    const arg = given[at] as string
    if (arg === "--") {
      operands.push(...given.slice(at + 1))
      break
    }
    if (arg.startsWith("--")) long(arg.slice(2))
    else if (arg.startsWith("-") && arg !== "-") short(arg.slice(1))
    else if (program.halts) {
      operands.push(...given.slice(at))
      break
    } else operands.push(arg)
  }
  return { argv: [...options, "--", ...operands], values, names, trouble }
}

function own(program: Program, name: string): Option | undefined {
  return Object.hasOwn(program.options, name) ? program.options[name] : undefined
}

function byLetter(program: Program, letter: string): [string, Option] | undefined {
  return Object.entries(program.options).find(([, option]) => option.alias === letter)
}

function unknown(program: Program, name: string): string {
  const nearest = nearestOf(name, Object.keys(program.options))
  return `unknown option --${name}${nearest === undefined ? "" : `; did you mean --${nearest}?`}`
}

/** The word that was probably meant: it begins so, or a third of it at most is mistyped. */
export function nearestOf(word: string, words: readonly string[]): string | undefined {
  const begun = words.filter((candidate) => word.length > 1 && candidate.startsWith(word))
  if (begun.length === 1) return begun[0]
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of words) {
    const edits = distance(word, candidate)
    if (edits < least && edits <= Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3))) {
      best = candidate
      least = edits
    }
  }
  return best
}

/** Edits from one word to the other; letters that changed places are one edit. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let edits = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, (before[j - 2] ?? 0) + 1)
      row.push(edits)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}
