/**
 * An error as text: the line of the source where it was thrown, the frames of the script's own code, and where
 * its coroutine was started. The library's frames are shown when there are no others.
 */
import { readFileSync } from "node:fs"
import { inspect } from "node:util"
import type { Painter } from "../cli/colour.js"
import { corrected, type Place, placeOf, type Whose, whose } from "./frames.js"
import { inlineSources } from "./hooks.js"

export interface Style {
  paint: Painter
  /** All frames are of interest. */
  whole: boolean
}

/** The report of an error, without a newline at its end. */
export function report(error: unknown, origin: string | undefined, { paint, whole }: Style): string {
  const located = locatedStack(error)
  const lines = (located ?? inspect(error, { depth: 4 })).split("\n")
  // Only what is thrown as an error tells where; anything else is shown for what it is.
  if (!(error instanceof Error)) lines[0] = `Uncaught ${lines[0]}`
  const thrown = lines.find((line) => whose(line) === "script")
  const excerpt = located !== undefined || thrown === undefined ? [] : excerptOf(placeOf(thrown))
  const shown = (whole ? lines : reduced(lines, located === undefined)).map((line) => {
    const owner = whose(line) ?? "script"
    return owner === "script" ? corrected(line) : paint.dim(line)
  })
  const start = origin?.split("\n").find((line) => whose(line) === "script")
  if (start !== undefined) shown.push(paint.dim(`    started ${corrected(start).trim()}`))
  return [...excerpt, ...shown].join("\n")
}

/** The stack of an error of a compiler: it begins with the line, and its frames are mostly the compiler's. */
function locatedStack(error: unknown): string | undefined {
  const stack = error instanceof SyntaxError ? error.stack : undefined
  return stack !== undefined && /^\S.*:\d+\n/.test(stack) ? stack : undefined
}

/** The lines with the frames that tell most: the script's, or else the library's, or else none. */
function reduced(lines: string[], library: boolean): string[] {
  const owners = new Set(lines.map(whose))
  const wanted: Whose = owners.has("script") || !library ? "script" : "library"
  const kept: string[] = []
  for (const line of lines) {
    const owner = whose(line)
    if (owner === undefined || owner === wanted) kept.push(line)
    // The error's properties open behind the last frame.
    else if (line.endsWith(" {")) kept.push(`${kept.pop() ?? ""} {`)
  }
  return kept
}

/** The line of the source with a mark under the column, as Node has it. */
function excerptOf(place: Place | undefined): string[] {
  if (place === undefined) return []
  const { file, line, column } = place
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
