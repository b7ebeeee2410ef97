/**
 * Prints errors on stderr, and ends the script for one that nobody caught, as Node ends it: at once, with
 * status 1. A script that listens for uncaught exceptions itself has them for itself. What only an error
 * needs is loaded when there is one; it cannot be waited for then, hence `require`.
 */
import { createRequire } from "node:module"
import { isatty } from "node:tty"
import type { Output } from "../cli/output.js"

type ReportModule = typeof import("./report.js")
type OutputModule = typeof import("../cli/output.js")

const require = createRequire(import.meta.url)

export class Reporter {
  #output: Output | undefined

  constructor(output: Output | undefined) {
    this.#output = output
    if (output === undefined && (isatty(2) || process.env.FORCE_COLOR)) void this.output.prepare()
  }

  get output(): Output {
    const { Output } = require("../cli/output.js") as OutputModule
    this.#output ??= new Output("cq-run")
    return this.#output
  }

  /** Prints an error that was thrown, and where the coroutine was started that threw it. */
  thrown(error: unknown, origin?: string): void {
    process.stderr.write(`${this.#text(error, origin)}\n`)
  }

  #text(error: unknown, origin?: string): string {
    try {
      const { report } = require("./report.js") as ReportModule
      const { paintMessage, verbose } = this.output
      return report(error, origin, { paint: paintMessage, whole: verbose > 0 })
    } catch {
      // The script may have left no descriptor to load a module with; or the error throws when it is looked at.
      return plain(error)
    }
  }

  /** From now on, what nobody catches ends here. */
  watch(): void {
    process.on("uncaughtException", this.#uncaught)
  }

  readonly #uncaught = (error: unknown): void => {
    if (process.listenerCount("uncaughtException") === 1) this.end(error)
  }

  /** Prints the error and ends the process. */
  end(error: unknown): void {
    if (isWithoutPlace(error)) {
      // Only Node knows the line where a module does not compile, and tells it only when nobody listens.
      process.off("uncaughtException", this.#uncaught)
      setImmediate(() => {
        throw error
      })
      return
    }
    this.thrown(error)
    process.exit(process.exitCode ?? 1)
  }
}

function isWithoutPlace(error: unknown): boolean {
  const stack = error instanceof SyntaxError ? error.stack : undefined
  return stack !== undefined && /^SyntaxError: /.test(stack) && /compileSourceTextModule/.test(stack)
}

function plain(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack ?? error) : `Uncaught ${String(error)}`
  } catch {
    return "Uncaught error that cannot be shown"
  }
}
