/**
 * Finds a script and runs it as Node runs its main module, so that `process.argv`, `require.main` and
 * `import.meta.main` are what they are without cq-run. A script that is not there is told from one that
 * cannot be read, as shells do it: 127 and 126.
 */
import { closeSync, fstatSync, openSync, readFileSync, realpathSync } from "node:fs"
import Module, { createRequire } from "node:module"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { errno } from "../../core/errno.js"
import { isTypeScript, typescript } from "./hooks.js"
import { inThread } from "./modules.js"

const UNREADABLE = 126
const MISSING = 127
const UNSETTLED = 13 // Node's own

const runMain = (Module as unknown as { runMain(path: string): void }).runMain

export interface Script {
  /** What Node calls it: the path as given, made absolute. */
  path: string
  /** What its modules call it. */
  real: string
}

/** The script of this name; throws a CommandError when it is not there or cannot be read. */
export async function find(name: string): Promise<Script> {
  const path = resolve(name)
  try {
    const fd = openSync(path, "r")
    const folder = fstatSync(fd).isDirectory()
    closeSync(fd)
    if (folder) throw Object.assign(new Error(), { errno: -errno.EISDIR })
    return { path, real: realpathSync(path) }
  } catch (error) {
    const number = -((error as NodeJS.ErrnoException).errno ?? 0)
    const { CommandError } = await import("../cli/exit.js")
    const missing = number === errno.ENOENT || number === errno.ENOTDIR
    throw new CommandError(
      `${name}: ${errno.strerror(number)} (${errno[number]})`,
      missing ? MISSING : UNREADABLE,
    )
  }
}

export function textOf({ real }: Script): string {
  return readFileSync(real, "utf8")
}

/** Runs it; gives what it exports as default. Throws its error, if Node does not report it first. */
export async function runScript({ path, real }: Script, args: string[]): Promise<unknown> {
  process.argv.splice(1, process.argv.length - 1, path, ...args)
  const url = pathToFileURL(real).href
  if (isTypeScript(real) && !inThread && typescript().compile(real).kind === "module")
    return importMain(url, path)
  runMain(path)
  const module = createRequire(import.meta.url).cache[real]
  // A function is what counts. A module of the other kind leaves an empty object here.
  if (typeof module?.exports === "function") return module.exports
  if (isTypeScript(real) && !inThread) return exported({ default: module?.exports })
  return importMain(url, path)
}

/** Runs a module that Node does not take for the main one; gives what it exports as default. */
export async function importMain(url: string, name: string): Promise<unknown> {
  return exported(await settled(import(url), name))
}

/** Waits for the top level, and does for it what Node does when that waits for what never comes. */
export async function settled<T>(running: Promise<T>, name: string): Promise<T> {
  const unsettled = () => {
    process.exitCode ??= UNSETTLED
    process.stderr.write(`cq-run: ${name}: an await of the top level never came to its end\n`)
  }
  process.once("beforeExit", unsettled)
  try {
    return await running
  } finally {
    process.off("beforeExit", unsettled)
  }
}

/** The default export; of CommonJS that was made of a module, the one that the module had. */
export function exported({ default: value }: { default?: unknown }): unknown {
  if (typeof value !== "object" || value === null || !("__esModule" in value)) return value
  return (value as { default?: unknown }).default
}
