/**
 * The processes that are measured and that measure. Whatever happens (an error, Ctrl-C, a kill), none of
 * them outlives the run: they are killed from the "exit" event, where nothing can wait any more.
 */
import { type ChildProcess, spawn } from "node:child_process"

const STARTING_MS = 10_000
const living = new Set<ChildProcess>()

process.on("exit", () => {
  for (const child of living) child.kill("SIGKILL")
})
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
] as const) {
  process.on(signal, () => process.exit(128 + number))
}

function start(command: string[]): { child: ChildProcess; complaint: () => string } {
  const child = spawn(command[0] as string, command.slice(1), { stdio: ["pipe", "pipe", "pipe"] })
  let errors = ""
  living.add(child)
  child.once("exit", () => living.delete(child))
  child.once("error", (error) => {
    living.delete(child)
    errors += error.message
  })
  child.stdin?.on("error", () => {})
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4000)
  })
  return { child, complaint: () => errors.trim() }
}

/** What there is to say of a failed process, without a page of stack. */
function briefly(complaint: string, status: string): string {
  const lines = complaint.split("\n").filter((line) => line.trim() !== "")
  const telling = lines.find((line) => /error|cannot|failed|not found/i.test(line)) ?? lines[0]
  return telling ? telling.trim() : status
}

/** Runs a command to its end; the JSON of its last line. */
export function measure<T>(command: string[], limitMs: number): Promise<T> {
  const { child, complaint } = start(command)
  let output = ""
  child.stdin?.end()
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL")
      reject(new Error(`not done after ${limitMs / 1000} s`))
    }, limitMs)
    child.once("error", reject)
    child.once("close", (code, signal) => {
      clearTimeout(timer)
      if (code !== 0) return reject(new Error(briefly(complaint(), `ended with ${signal ?? code}`)))
      try {
        resolve(JSON.parse(output.trim().split("\n").at(-1) as string) as T)
      } catch {
        reject(new Error(`no JSON: ${output.slice(0, 200)}`))
      }
    })
  })
}

/** A process that says in lines what it is doing: a server, or the load while it holds connections. */
export class Running {
  readonly words: Record<string, string> = {}

  private constructor(
    readonly child: ChildProcess,
    readonly complaint: () => string,
  ) {}

  get pid(): number {
    return this.child.pid as number
  }

  get alive(): boolean {
    return living.has(this.child)
  }

  /** Resolves when the process has printed a line that begins with `word`. */
  static launch(command: string[], word: string): Promise<Running> {
    const { child, complaint } = start(command)
    const running = new Running(child, complaint)
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer)
        child.kill("SIGKILL")
        reject(new Error(briefly(complaint(), why)))
      }
      const timer = setTimeout(() => fail(`did not say "${word}" in ${STARTING_MS / 1000} s`), STARTING_MS)
      child.once("error", () => fail("cannot be run"))
      child.once("close", (code, signal) => fail(`ended with ${signal ?? code} before it said "${word}"`))
      let text = ""
      child.stdout?.setEncoding("utf8").on("data", (more: string) => {
        const lines = (text + more).split("\n")
        text = lines.pop() ?? ""
        for (const line of lines) {
          const [key = "", ...rest] = line.split(" ")
          running.words[key] = rest.join(" ")
          if (key !== word) continue
          clearTimeout(timer)
          resolve(running)
        }
      })
    })
  }

  /** Ends its stdin, and the process with a signal unless that is all it waits for. */
  async stop(signal?: NodeJS.Signals): Promise<void> {
    if (!this.alive) return
    const gone = new Promise((resolve) => this.child.once("exit", resolve))
    this.child.stdin?.end()
    if (signal) this.child.kill(signal)
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 10_000)
    await gone
    clearTimeout(timer)
  }
}
