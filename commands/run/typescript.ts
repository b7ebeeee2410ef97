/**
 * TypeScript made JavaScript, with every line where it was. It is done by sucrase, which is loaded when there
 * is something to do; columns move, and are found again when an error is printed.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, extname, join } from "node:path"
import vm from "node:vm"
import { cached } from "./cache.js"

type Sucrase = typeof import("sucrase")
type Kind = "module" | "commonjs"

export interface Compiled {
  code: string
  kind: Kind
}

const require = createRequire(import.meta.url)
const EXTENSIONS: Readonly<Record<string, Kind | undefined>> = {
  ".ts": undefined,
  ".mts": "module",
  ".cts": "commonjs",
}

const compiled = new Map<string, Compiled>()

/** The JavaScript of a file; a syntax error is thrown with the line in its stack, as Node does it. */
export function compile(path: string): Compiled {
  const known = compiled.get(path)
  if (known !== undefined) return known
  const source = readFileSync(path, "utf8")
  const declared = EXTENSIONS[extname(path)] ?? packageType(dirname(path))
  let code = transform(path, source, "types")
  const written = kindOf(code)
  // CommonJS is written with import and export in TypeScript, mostly.
  if (declared === "commonjs" && written === "module") code = transform(path, source, "types and imports")
  const result = { code, kind: declared ?? written }
  compiled.set(path, result)
  return result
}

/** For `require` where Node has no other way: a module's imports and exports become those of CommonJS. */
export function compileForRequire(path: string): string {
  const { code, kind } = compile(path)
  return kind === "commonjs" ? code : transform(path, readFileSync(path, "utf8"), "types and imports")
}

/** A line of the source and what became of it, which is the same line; lines count from 1. */
export function bothLines(path: string, line: number): [source: string, compiled: string] {
  const at = (text: string) => text.split("\n")[line - 1] ?? ""
  return [at(readFileSync(path, "utf8")), at(compile(path).code)]
}

function transform(path: string, source: string, what: "types" | "types and imports"): string {
  return cached(path, source, what, () => {
    const { transform } = require("sucrase") as Sucrase
    try {
      return transform(source, {
        transforms: what === "types" ? ["typescript"] : ["typescript", "imports"],
        filePath: path,
        disableESTransforms: true,
        preserveDynamicImport: true,
      }).code
    } catch (error) {
      throw located(error, path, source)
    }
  })
}

function located(error: unknown, path: string, source: string): unknown {
  if (!(error instanceof SyntaxError) || !("loc" in error)) return error
  const { line, column } = error.loc as { line: number; column: number }
  const message = error.message.replace(/^Error transforming .*?: /, "").replace(/ \(\d+:\d+\)$/, "")
  const better = new SyntaxError(message)
  const text = source.split("\n")[line - 1] ?? ""
  better.stack = `${path}:${line}\n${text}\n${" ".repeat(Math.max(0, column - 1))}^\n\nSyntaxError: ${message}`
  return better
}

/** What the nearest package.json says about files that do not say it themselves. */
function packageType(folder: string): Kind | undefined {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { type } = JSON.parse(readFileSync(join(at, "package.json"), "utf8"))
      return type === "module" || type === "commonjs" ? type : undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") return undefined
    }
    if (dirname(at) === at) return undefined
  }
}

const MODULE_SYNTAX = /import statement|import\.meta|token 'export'|top level bodies of modules/

/** Whether code did not compile for want of being a module. */
export function needsModule(error: unknown): boolean {
  return error instanceof SyntaxError && MODULE_SYNTAX.test(error.message)
}

/** Node's own rule: a module is what does not compile as anything else. */
function kindOf(code: string): Kind {
  try {
    new vm.Script(`(function (exports, require, module, __filename, __dirname) {${code}\n})`)
  } catch (error) {
    if (needsModule(error)) return "module"
  }
  return "commonjs"
}
