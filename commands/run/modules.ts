/**
 * Puts the hooks into Node's loader. Node 22.15 and later call them in this thread, for `import` and for
 * `require`. Before, those of `import` are a second thread, which takes as long to start as Node itself: it is
 * started only for a script that cannot do without, and `require` is taught by itself.
 */
import Module, { createRequire } from "node:module"
import { pathToFileURL } from "node:url"
import { hooks, type Inline, isTypeScript, ours, typescript } from "./hooks.js"

interface Loader {
  registerHooks?: (hooks: object) => void
  _resolveFilename(specifier: string, parent?: { filename?: string | null }, ...rest: unknown[]): string
  _extensions: Record<string, (module: Compiling, path: string) => void>
  prototype: Compiling
}

interface Compiling {
  _compile(code: string, path: string, ...rest: unknown[]): unknown
}

const loader = Module as unknown as Loader
let threaded = false

/** What will be run, as far as it is known before it is. */
export interface Source {
  path: string
  /** Read only where it matters, for it takes time. */
  text(): string
  inline: Inline | undefined
  /** Other modules are loaded first. */
  preloads: boolean
}

/** Whether the hooks of `import` run in this thread. */
export const inThread = loader.registerHooks !== undefined

export async function install(source: Source): Promise<void> {
  const installed = inThread || isInstalledFor(source.path)
  teachResolve()
  if (loader.registerHooks !== undefined) {
    loader.registerHooks(hooks(source.inline))
    return
  }
  teachCompile()
  const inline = source.inline ?? compiledModule(source.path)
  if (inline === undefined && !source.preloads && !importsMore(source.text(), installed)) return
  // What is loaded already never goes through the thread, and the library is many modules.
  await import("../../core/index.js")
  startThread(inline)
}

/** A script that is a module in TypeScript: compiled here, for here it has to be known what kind it is. */
function compiledModule(path: string): Inline | undefined {
  if (!isTypeScript(path)) return undefined
  const { code, kind } = typescript().compile(path)
  return kind === "module" ? { url: pathToFileURL(path).href, source: code } : undefined
}

function startThread(inline: Inline | undefined): void {
  if (threaded) return
  threaded = true
  Module.register("./thread.js", import.meta.url, { data: inline })
}

const IMPORT = /\b(?:import|export)\b[^"'`;]*?["'`]([^"'`]*)["'`]|\bimport\s*\(/g

/** Whether there is an import that Node cannot do by itself, or that may lead to one. */
function importsMore(text: string, installed: boolean): boolean {
  for (const [, name] of text.matchAll(IMPORT)) {
    if (name !== undefined && Module.isBuiltin(name)) continue
    if (!installed || (name !== undefined && isTypeScript(name))) return true
  }
  return false
}

/** Whether Node finds this very package from there. */
function isInstalledFor(path: string): boolean {
  try {
    return createRequire(path).resolve("cqueues") === ours("cqueues")
  } catch {
    return false
  }
}

/** For `require`, and for `require.resolve`, which the hooks of some versions leave out. */
function teachResolve(): void {
  const resolve = loader._resolveFilename
  loader._resolveFilename = function (specifier, parent, ...rest) {
    return ours(specifier, parent?.filename ?? undefined) ?? resolve.call(this, specifier, parent, ...rest)
  }
}

function teachCompile(): void {
  // Modules may turn out to import what the script did not.
  const { _compile } = loader.prototype
  loader.prototype._compile = function (code, ...rest) {
    if (!threaded && /\bimport\s*\(/.test(code) && /["'`]cqueues\b/.test(code)) startThread(undefined)
    return _compile.call(this, code, ...rest)
  }
  for (const extension of [".ts", ".mts", ".cts"]) {
    loader._extensions[extension] ??= (module, path) => {
      module._compile(typescript().compileForRequire(path), path)
    }
  }
}
