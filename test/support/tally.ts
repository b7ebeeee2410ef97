// Reads the TAP of a whole run and counts it: every assertion once, whole files only when they failed in a
// way that no assertion shows (a crash, a timeout, a throw in a teardown, no test at all).
import { inspect } from "node:util"
import { Parser, type Result } from "tap-parser"

export class Tally {
  passed = 0
  failed = 0
  skipped = 0
  /** The test files whose result has come, as the runner named them. */
  readonly reported = new Set<string>()
  /** How often each reason was given for a skip. */
  readonly skips = new Map<string, number>()
  readonly #print: (line: string) => void
  #file = { passed: 0, failed: 0, skipped: 0 }

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  /** A parser that counts what is written to it; one for each run of tap. */
  parser(): Parser {
    const parser = new Parser()
    // A run may have ended without the result of a file whose assertions had come: those are given up.
    this.#file = { passed: 0, failed: 0, skipped: 0 }
    // "assert" at the root is a whole file's result and comes before the same as a "result".
    let whole: Result | undefined
    parser.on("assert", (result: Result) => {
      whole = result
      this.#fileDone(result)
    })
    parser.on("result", (result: Result) => {
      if (result !== whole) this.#one(result)
    })
    parser.on("extra", (text: string) => {
      if (text.trim()) this.#print(`    | ${text.trimEnd()}`)
    })
    parser.on("bailout", (reason: string) => this.fail("bailed out", reason))
    return parser
  }

  /** Counts something that is no test file: the style check, the addon's build. */
  item(name: string, problem: string | undefined): void {
    if (problem === undefined) {
      this.passed++
      this.#print(`ok    ${name}`)
    } else {
      this.fail(name, problem)
    }
  }

  fail(name: string, problem: string): void {
    this.failed++
    this.#print(`FAIL  ${name}\n${indent(problem)}`)
  }

  /** The last line of a run. */
  summary(): string {
    return `${this.passed} passed, ${this.failed} failed${this.skipped ? `, ${this.skipped} skipped` : ""}`
  }

  #one(result: Result): void {
    if (result.skip || result.todo) {
      this.#file.skipped++
      const reason = text(result.skip, result.name) || `to do: ${text(result.todo, result.name)}`
      this.skips.set(reason, (this.skips.get(reason) ?? 0) + 1)
    } else if (result.ok) {
      this.#file.passed++
    } else {
      this.#file.failed++
      const [file = "", ...path] = result.fullname.split(" > ")
      this.#print(`not ok  ${[source(file), ...path].join(" > ")}\n${indent(describe(result.diag))}`)
    }
  }

  #fileDone(result: Result): void {
    // tap reports the timeout of a file that it had to kill apart, after the file's own result.
    if (result.name === "timeout!") return
    const file = this.#file
    this.#file = { passed: 0, failed: 0, skipped: 0 }
    this.reported.add(result.name)
    const name = source(result.name)
    const nothing = file.passed + file.failed + file.skipped === 0
    if (!result.ok && file.failed === 0) {
      file.failed++
      this.#print(`not ok  ${name}\n${indent(ending(result.diag))}`)
    } else if (result.ok && nothing) {
      file.failed++
      this.#print(`not ok  ${name}\n${indent("no test in it")}`)
    }
    this.passed += file.passed
    this.failed += file.failed
    this.skipped += file.skipped
    const figures = [`${file.passed} passed`]
    if (file.failed) figures.push(`${file.failed} failed`)
    if (file.skipped) figures.push(`${file.skipped} skipped`)
    const seconds = result.time ? `  ${(result.time / 1000).toFixed(1)} s` : ""
    this.#print(`${file.failed ? "FAIL" : "ok  "}  ${name}  ${figures.join(", ")}${seconds}`)
  }
}

/** The source of a compiled test file: dist/test/x.test.js is test/x.test.ts. */
export function source(compiled: string): string {
  return compiled.replace(/^dist\//, "").replace(/\.js$/, ".ts")
}

/** The text of a directive, or else the test's name: `t.skip("why")` gives the reason as the name. */
function text(directive: string | boolean, name: string): string {
  return directive === true ? name : directive || ""
}

type Diagnostics = Record<string, unknown>

/** Why a file failed whose assertions all passed. */
function ending(diag: Diagnostics | null): string {
  const { signal, exitCode } = diag ?? {}
  if (signal === "SIGKILL" || signal === "SIGALRM") return `killed by ${signal}: it ran into the timeout`
  if (signal) return `died of ${signal}`
  if (exitCode) return `ended with status ${exitCode}, see its output on stderr`
  return inspect(diag)
}

function describe(diag: Diagnostics | null): string {
  const { at, stack, diff, source, found, wanted, test: _test, compare: _compare, ...rest } = diag ?? {}
  const lines: string[] = []
  const place = at as { fileName?: string; lineNumber?: number; columnNumber?: number } | undefined
  if (place?.fileName) lines.push(`at ${place.fileName}:${place.lineNumber}:${place.columnNumber}`)
  if (diff) lines.push(String(diff).trimEnd())
  else if (found !== undefined || wanted !== undefined) lines.push(inspect({ found, wanted }, { depth: 5 }))
  else if (source) lines.push(String(source).trimEnd())
  if (Object.keys(rest).length) lines.push(inspect(rest, { depth: 5 }))
  if (stack) lines.push(String(stack).trimEnd())
  return lines.join("\n")
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "    ")
}
