// Scripts as processes of their own, for what only a whole process shows: whether it stays, when it ends, what
// it says then.
import { join } from "node:path"
import { type Child, nodeChild } from "../support/child.js"
import type { Owner } from "../support/owner.js"
import { tmp } from "../support/tmp.js"

const LIBRARY = new URL("../../core/index.js", import.meta.url).href

const PREAMBLE = `import cqueues, * as all from ${JSON.stringify(LIBRARY)}
const { condition, errno, promise, socket } = all
import { writeSync } from "node:fs"
const say = (...words) => writeSync(1, words.join(" ") + "\\n")
`

/** Starts a module script that has the library's names, and `say`, which writes at once. */
export function script(t: Owner, body: string, args: string[] = []): Child {
  const folder = tmp(t, { "script.mjs": PREAMBLE + body })
  return nodeChild(t, join(folder, "script.mjs"), args)
}

/** Runs one to its end, and gives how it ended and what it said. */
export async function outcome(
  t: Owner,
  body: string,
  timeout = 10,
): Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }> {
  const made = script(t, body)
  const exit = await made.exit(timeout)
  return { ...exit, stdout: made.stdout, stderr: made.stderr }
}
