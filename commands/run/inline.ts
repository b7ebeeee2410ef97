/**
 * Code of -e and of standard input. It runs as the body of an async function, with `require` and top-level
 * `await`, and the library's modules as globals. Code with static imports or exports does not compile as that
 * and is run as a module instead, of the working directory.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import vm from "node:vm"
import { type Inline, inlineSources } from "./hooks.js"
import { exported, importMain, settled } from "./script.js"
import { needsModule } from "./typescript.js"

type Body = (require: NodeJS.Require, module: object, exports: object) => Promise<void>

export class Code {
  readonly source: string
  /** Set when the code is a module. */
  readonly inline: Inline | undefined
  readonly #name: string
  readonly #script: vm.Script | undefined
  /** Why it does not compile. */
  readonly #error: unknown

  /** `name` is what stacks call it: "[eval]". */
  constructor(source: string, name: string) {
    this.source = source.replace(/^#!.*/, "")
    this.#name = name
    inlineSources.set(name, this.source)
    try {
      this.#script = bodyOf(this.source, name)
    } catch (error) {
      if (needsModule(error)) {
        // Not pathToFileURL of the whole: that would write the brackets as numbers.
        const url = `${pathToFileURL(process.cwd()).href}/${name}`
        this.inline = { url, source: this.source }
        inlineSources.set(fileURLToPath(url), this.source)
      } else this.#error = error
    }
  }

  /** Runs it; gives what it exports as default. */
  async run(): Promise<unknown> {
    if (this.#error !== undefined) throw this.#error
    if (this.inline !== undefined) return importMain(this.inline.url, this.#name)
    const module = { exports: {} }
    const body = this.#script?.runInThisContext() as Body
    await settled(body(createRequire(join(process.cwd(), this.#name)), module, module.exports), this.#name)
    return exported({ default: module.exports })
  }
}

function bodyOf(source: string, name: string): vm.Script {
  withoutWarning()
  try {
    // The head has a line of its own, which no error tells of.
    return new vm.Script(`(async (require, module, exports) => {\n${source}\n})`, {
      filename: name,
      lineOffset: -1,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    })
  } catch (error) {
    // Code that only ends too soon is told so at the end that we gave it; by itself it is told better.
    if (!needsModule(error)) new vm.Script(source, { filename: name })
    throw error
  }
}

/** That the way to `import()` from such code is experimental is of no use to who wrote the code. */
function withoutWarning(): void {
  const warn = process.emitWarning
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes("USE_MAIN_CONTEXT_DEFAULT_LOADER"))
      Reflect.apply(warn, process, [warning, ...rest])
  }
}

/** Standard input to its end. */
export function readStdin(): string {
  return readFileSync(0, "utf8")
}

/** The library's modules as globals, where there is no other of that name. */
export async function offerModules(): Promise<void> {
  const library = await import("../../core/index.js")
  for (const [name, value] of Object.entries(library)) {
    // Classes and types are capitalised, modules are not.
    if (!/^[a-z]/.test(name) || name === "default" || name in globalThis) continue
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })
  }
}
