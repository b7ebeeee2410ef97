/** The text of `--help`: two examples, the options, the exit codes. Made without any library: it has to be quick. */
import type { Option, Program } from "./options.js"

const INDENT = 2
const WIDEST = 100
const LEAST_TEXT = 24
const COLUMN = 26 // where descriptions begin

/** The help of a command, for a terminal of so many columns. */
export function help(program: Program, columns = 80): string {
  const width = Math.min(columns, WIDEST)
  const [usual, more] = [program.examples.slice(0, 2), program.examples.slice(2)]
  const parts = [
    `${program.name}: ${program.summary}`,
    ...examples("Examples", usual, width),
    heading(
      "Usage",
      program.usage.map((usage) => `${pad(INDENT)}${program.name} ${usage}`.trimEnd()),
    ),
    ...groups(program).map(([title, options]) =>
      heading(
        title,
        options.map(([name, option]) => entry(spelling(name, option), describe(option), width)),
      ),
    ),
    ...(program.notes ?? []).map((note) => wrap(note, width, 0)),
    ...examples("More examples", more, width),
    heading(
      "Exit status",
      program.exits.map(([status, meaning]) => entry(status, meaning, width, 8)),
    ),
  ]
  return `${parts.join("\n\n")}\n`
}

function heading(title: string, lines: string[]): string {
  return `${title}:\n${lines.join("\n")}`
}

function examples(title: string, given: Program["examples"], width: number): string[] {
  if (given.length === 0) return []
  const longest = Math.max(...given.map(([command]) => command.length))
  const column = Math.min(longest + 2 * INDENT, Math.max(COLUMN, width >> 1))
  return [
    heading(
      title,
      given.map(([command, what]) => entry(command, what, width, column)),
    ),
  ]
}

/** The options by the headings they stand under, in the order of the table. */
export function groups(program: Program): [title: string, options: [string, Option][]][] {
  const found = new Map<string, [string, Option][]>()
  for (const [name, option] of Object.entries(program.options)) {
    const title = option.group ?? "Options"
    const options = found.get(title) ?? []
    options.push([name, option])
    found.set(title, options)
  }
  return [...found]
}

function spelling(name: string, { alias, value, implied }: Option): string {
  const long = value === undefined ? "" : implied === undefined ? ` ${value}` : `[=${value}]`
  return `${alias === undefined ? "    " : `-${alias}, `}--${name}${long}`
}

/** What an option does, with its default. */
export function describe({ describe, default: standard, shown, value }: Option): string {
  const told = shown ?? (value === undefined || Array.isArray(standard) ? undefined : standard)
  return told === undefined ? describe : `${describe} (default ${String(told)})`
}

function entry(term: string, text: string, width: number, column = COLUMN): string {
  const head = pad(INDENT) + term
  const body = wrap(text, width, column)
  if (head.length + INDENT > column) return `${head}\n${body}`
  return head.padEnd(column) + body.slice(column)
}

/** Breaks text into lines of at most `width`, each indented. */
export function wrap(text: string, width: number, indent: number): string {
  const room = Math.max(LEAST_TEXT, width - indent)
  const lines: string[] = []
  let line = ""
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines.map((each) => pad(indent) + each).join("\n")
}

function pad(count: number): string {
  return " ".repeat(count)
}
