/**
 * What is special about the imports of a script: "cqueues" is this package from anywhere, TypeScript is
 * compiled, and the code of -e is a module of its own. Both ways into Node's loader use these.
 */
import { createRequire, type LoadHookContext, type ResolveHookContext } from "node:module"
import { extname } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

type TypeScript = typeof import("./typescript.js")

/** Code without a file, as a module that imports what lies in the working directory. */
export interface Inline {
  url: string
  source: string
}

/** Code without a file, by the names that stacks have for it. */
export const inlineSources = new Map<string, string>()

interface Loaded {
  format: string
  source?: string
  shortCircuit: true
}

const HERE = import.meta.url
const FILE = fileURLToPath(HERE)
const require = createRequire(HERE)

export function isTypeScript(path: string): boolean {
  return /^\.[mc]?ts$/.test(extname(path))
}

/** The compiler, which a script in JavaScript does not wait for. */
export function typescript(): TypeScript {
  return require("./typescript.js") as TypeScript
}

/** The path of a module of this package, which a package finds by its own name. */
export function ours(specifier: string, parent?: string): string | undefined {
  if (!/^cqueues(\/|$)/.test(specifier) || parent === HERE || parent === FILE) return undefined
  return require.resolve(specifier)
}

/** Where a specifier leads that is special, as a URL. */
export function special(specifier: string, parentURL?: string, inline?: Inline): string | undefined {
  if (specifier === inline?.url) return specifier
  const path = ours(specifier, parentURL)
  return path === undefined ? undefined : pathToFileURL(path).href
}

/** What a TypeScript file means by "./other.js" or "./other" when there is only ./other.ts. */
export function renamed(error: unknown, specifier: string, parentURL = ""): string | undefined {
  const code = (error as NodeJS.ErrnoException).code
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") return undefined
  if (!isTypeScript(parentURL) || !/^\.{0,2}\//.test(specifier)) return undefined
  if (/\.[mc]?js$/.test(specifier)) return specifier.replace(/js$/, "ts")
  return extname(specifier) === "" ? `${specifier}.ts` : undefined
}

/** The JavaScript of a module that Node cannot load by itself. */
export function loaded(url: string, inline: Inline | undefined): Loaded | undefined {
  if (url === inline?.url) return { format: "module", source: inline.source, shortCircuit: true }
  if (!url.startsWith("file:") || !isTypeScript(new URL(url).pathname)) return undefined
  const { code, kind } = typescript().compile(fileURLToPath(url))
  return { format: kind, source: code, shortCircuit: true }
}

type Resolved = { url: string; format?: string | null; shortCircuit?: boolean }

/** The hooks that run in the script's own thread. */
export function hooks(inline: Inline | undefined) {
  return {
    resolve<R extends Resolved>(
      specifier: string,
      context: ResolveHookContext,
      next: (specifier: string, context?: ResolveHookContext) => R,
    ): R | Resolved {
      const url = special(specifier, context.parentURL, inline)
      if (url !== undefined) return { url, shortCircuit: true }
      try {
        return next(specifier, context)
      } catch (error) {
        const other = renamed(error, specifier, context.parentURL)
        if (other === undefined) throw error
        return next(other, context)
      }
    },
    load<L>(url: string, context: LoadHookContext, next: (url: string, context?: LoadHookContext) => L) {
      return loaded(url, inline) ?? next(url, context)
    },
  }
}
