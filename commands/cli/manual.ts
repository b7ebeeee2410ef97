/**
 * The parts of a manual page that follow from a command's table: its options and exit codes, in mdoc. They
 * stand in man/ between comments that name them; the rest of the page is written by hand.
 */
import { describe, groups, wrap } from "./help.js"
import type { Option, Program } from "./options.js"

const begin = (part: string) => `.\\" ${part}: made of the command's table`
const LONGEST_LINE = 72
const END = '.\\" end'

/** The page with the generated parts put in place of what is there. */
export function updateManual(page: string, program: Program): string {
  const parts: [name: string, text: string][] = [
    ["options", options(program)],
    ["exit status", list(program.exits.map(([status, meaning]) => [status, meaning]))],
  ]
  return parts.reduce((text, [name, made]) => {
    const from = text.indexOf(begin(name))
    const to = text.indexOf(END, from)
    if (from < 0 || to < 0) throw new Error(`the page has no place for: ${name}`)
    return `${text.slice(0, from)}${begin(name)}\n${made}\n${text.slice(to)}`
  }, page)
}

function options(program: Program): string {
  return groups(program)
    .map(([title, options], i) => {
      const entries = list(
        options.map(([name, option]) => [spelling(name, option), sentence(describe(option))]),
      )
      return i === 0 ? entries : `.Pp\n${escapeText(title)}:\n${entries}`
    })
    .join("\n")
}

function list(entries: [term: string, text: string][]): string {
  const items = entries.map(([term, text]) => `.It ${term}\n${sentences(text)}`)
  return [".Bl -tag -width Ds", ...items, ".El"].join("\n")
}

// "-t TIME, --timeout TIME" as mdoc says it; a long option is a flag that begins with a hyphen.
function spelling(name: string, { alias, value, implied }: Option): string {
  const long = `Fl Fl ${name}`
  if (value !== undefined && implied !== undefined) return `${long} Ns Op = Ns Ar ${value}`
  const both = alias === undefined ? long : `Fl ${alias} , ${long}`
  return value === undefined ? both : `${both} Ar ${value}`
}

function sentence(text: string): string {
  return `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.`
}

/** Each sentence begins a line, as mdoc wants it, and no line is long. */
function sentences(text: string): string {
  return text
    .split(/(?<=\.) (?=[A-Z])/)
    .map((each) => escapeText(wrap(each, LONGEST_LINE, 0)))
    .join("\n")
}

/** Text that must not be read as a request or an escape. */
function escapeText(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/gm, "\\&$&")
}
