/**
 * The lines of a stack: whose code each is, and the place it names. Columns in TypeScript are those of the
 * source, which differ from what V8 says.
 */
import { fileURLToPath } from "node:url"
import { originalColumn } from "./columns.js"
import { isTypeScript, typescript } from "./hooks.js"

export interface Place {
  /** A path, or the name of code that is in no file. */
  file: string
  line: number
  column: number
}

/** The script's code, with the packages that it uses; the library's; Node's and cq-run's. */
export type Whose = "script" | "library" | "node"

const PACKAGE = fileURLToPath(new URL("../../..", import.meta.url))
const FRAME = /^\s+at (?:.*? \(|async )?(.+?):(\d+):(\d+)\)?(?: \{)?$/
const NO_PLACE = /^\s+at .*\(?(?:<anonymous>|native)\)?(?: \{)?$/
/** What `inspect` writes for the frames that an error and its cause have in common. */
const LEFT_OUT = /^\s+\.\.\. \d+ lines matching cause stack trace \.\.\./

/** Whose code a line tells of; undefined if the line is none of a stack. */
export function whose(line: string): Whose | undefined {
  if (NO_PLACE.test(line) || LEFT_OUT.test(line)) return "node"
  const file = FRAME.exec(line)?.[1]
  if (file === undefined) return undefined
  if (file.startsWith("node:")) return "node"
  const path = pathOf(file)
  if (!path.startsWith(PACKAGE)) return "script"
  // With source maps a stack names what the files in dist/ were made of.
  const inside = path.slice(PACKAGE.length).replace(/^dist\//, "")
  if (inside.startsWith("core/")) return "library"
  return /^commands\/(?!run\/(tour|examples)\/)/.test(inside) ? "node" : "script"
}

/** The place that a line names. */
export function placeOf(line: string): Place | undefined {
  const [, file, row, column] = FRAME.exec(line) ?? []
  if (file === undefined) return undefined
  return { file: pathOf(file), line: Number(row), column: trueColumn(file, Number(row), Number(column)) }
}

/** The line with the true column. */
export function corrected(line: string): string {
  const [, file, row, column] = FRAME.exec(line) ?? []
  if (file === undefined || !isTypeScript(file)) return line
  const place = `${file}:${row}:`
  return line.replace(`${place}${column}`, `${place}${trueColumn(file, Number(row), Number(column))}`)
}

function trueColumn(file: string, line: number, column: number): number {
  if (!isTypeScript(file)) return column
  try {
    return originalColumn(...typescript().bothLines(pathOf(file), line), column)
  } catch {
    return column
  }
}

function pathOf(file: string): string {
  try {
    return file.startsWith("file:") ? fileURLToPath(file) : file
  } catch {
    return file
  }
}
