/**
 * An error as text: the line of the source where it was thrown, the stack without the frames of the library
 * and of Node, and where its coroutine was started. A stack of such frames alone is left as it is.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { inspect } from "node:util"
import type { Painter } from "../cli/colour.js"
import { originalColumn } from "./columns.js"
import { inlineSources, isTypeScript, typescript } from "./hooks.js"

const PACKAGE = fileURLToPath(new URL("../../..", import.meta.url))
/** Its files that are not examples; with source maps a stack names those that they were made of. */
const OURS = /^(dist\/)?(core\/|commands\/(?!run\/(tour|examples)\/))/
const FRAME = /^\s+at (?:.*? \(|async )?(.+?):(\d+):(\d+)\)?(?: \{)?$/
const NO_PLACE = /^\s+at .*\(?(?:<anonymous>|native)\)?(?: \{)?$/
/** What `inspect` writes for the frames that an error and its cause have in common. */
const LEFT_OUT = /^\s+\.\.\. \d+ lines matching cause stack trace \.\.\./

export interface Style {
  paint: Painter
  /** All frames are of interest. */
  whole: boolean
}

interface Place {
  file: string
  line: number
  column: number
}

/** The report of an error, without a newline at its end. */
export function report(error: unknown, origin: string | undefined, style: Style): string {
  const { paint } = style
  const located = locatedStack(error)
  const lines = (located ?? inspect(error, { depth: 4 })).split("\n")
  // Only what is thrown as an error tells where; anything else is shown for what it is.
  if (!(error instanceof Error)) lines[0] = `Uncaught ${lines[0]}`
  const kept = style.whole ? lines : withoutOthers(lines, located === undefined)
  const text = kept.map((line) => (isOthers(line) ? paint.dim(corrected(line)) : corrected(line)))
  const start = kept.map(placeOf).find((place) => place !== undefined)
  const excerpt = start === undefined || located !== undefined ? [] : excerptOf(start)
  return [...excerpt, ...text, ...startOf(origin, paint)].join("\n")
}

/** The stack of an error of a compiler: it begins with the line, and its frames are all the compiler's. */
function locatedStack(error: unknown): string | undefined {
  const stack = error instanceof SyntaxError ? error.stack : undefined
  return stack !== undefined && /^\S.*:\d+\n/.test(stack) ? stack : undefined
}

/** Whether the line is a frame of the library's or of Node's. */
function isOthers(line: string): boolean {
  if (NO_PLACE.test(line) || LEFT_OUT.test(line)) return true
  const file = FRAME.exec(line)?.[1]
  return file !== undefined && isOthersFile(file)
}

function isOthersFile(file: string): boolean {
  if (file.startsWith("node:")) return true
  const path = pathOf(file)
  return path.startsWith(PACKAGE) && OURS.test(path.slice(PACKAGE.length))
}

function withoutOthers(lines: string[], needFrames: boolean): string[] {
  const own: string[] = []
  for (const line of lines) {
    if (!isOthers(line)) own.push(line)
    // The error's properties open behind the last frame.
    else if (line.endsWith(" {")) own.push(`${own.pop() ?? ""} {`)
  }
  return needFrames && !own.some((line) => FRAME.test(line)) ? lines : own
}

function placeOf(line: string): Place | undefined {
  const [, file, row, column] = FRAME.exec(line) ?? []
  if (file === undefined || isOthersFile(file)) return undefined
  return { file: pathOf(file), line: Number(row), column: trueColumn(file, Number(row), Number(column)) }
}

/** A frame with the column that the source has; sucrase keeps the lines and not the columns. */
function corrected(line: string): string {
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

/** The line of the source with a mark under the column, as Node has it. */
function excerptOf({ file, line, column }: Place): string[] {
  let text: string | undefined
  try {
    text = (inlineSources.get(file) ?? readFileSync(file, "utf8")).split("\n")[line - 1]
  } catch {
    // It has no file, or no longer.
  }
  if (text === undefined || text.trim() === "") return []
  const mark = `${text.slice(0, column - 1).replace(/[^\t]/g, " ")}^`
  return [`${file}:${line}`, text.trimEnd(), mark, ""]
}

/** Where the coroutine was started. */
function startOf(origin: string | undefined, paint: Painter): string[] {
  const frame = origin?.split("\n").find((line) => FRAME.test(line) && !isOthers(line))
  return frame === undefined ? [] : [paint.dim(`    started ${corrected(frame).trim()}`)]
}
