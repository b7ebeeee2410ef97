/**
 * Keeps the JavaScript that was made of TypeScript for the next time, in the user's cache folder: to load the
 * compiler takes longer than all the rest. A folder that others could write to is not trusted, and whatever
 * goes wrong here only costs that time.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

/** Raised when the same source is compiled differently. */
const FORM = "cq-run 1"
const MOST = 256 // files, then all are thrown away: scripts in passing folders would pile up for ever
const OTHERS_WRITE = 0o022

/** What was made in a way of this source of this file: what was kept, or what is made now. */
export function cached(path: string, source: string, way: string, make: () => string): string {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "cqueues", "typescript")
  const file = join(folder, nameOf(`${way}\0${path}`))
  // The source itself is the key: nothing to get wrong with times and sizes.
  const key = `${FORM}\0${way}\0${path}\0${source}\0`
  const found = read(folder, file)
  if (found?.startsWith(key)) return found.slice(key.length)
  const code = make()
  write(folder, file, key + code)
  return code
}

function read(folder: string, file: string): string | undefined {
  try {
    return isOurs(folder) ? readFileSync(file, "utf8") : undefined
  } catch {
    return undefined
  }
}

function write(folder: string, file: string, content: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!isOurs(folder)) return
    const names = readdirSync(folder)
    if (names.length >= MOST) for (const name of names) rmSync(join(folder, name), { force: true })
    const passing = `${file}.${process.pid}`
    writeFileSync(passing, content, { mode: 0o600 })
    renameSync(passing, file)
  } catch {
    // No home, no room, not allowed: the next time takes as long as this one.
  }
}

function isOurs(folder: string): boolean {
  const { uid, mode } = lstatSync(folder)
  return uid === process.getuid?.() && (mode & OTHERS_WRITE) === 0
}

/** A file's name for a text: FNV-1a twice, begun differently. Two texts of one name would only take turns. */
function nameOf(text: string): string {
  let a = 0x811c9dc5
  let b = 0x050c5d1f
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193)
    b = Math.imul(b ^ text.charCodeAt(i), 0x01000193)
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("")
}
