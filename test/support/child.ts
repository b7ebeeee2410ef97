// Child processes of a test: output collected, lines waited for, killed at the end. The surprise: each is
// the leader of its own process group, so that the kill takes what it forked along.
import { type ChildProcess, spawn } from "node:child_process"
import type { Owner } from "./owner.js"
import { within } from "./owner.js"
import { environment } from "./plain.js"

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface Finished extends Exit {
  stdout: string
  stderr: string
}

export interface ChildOptions {
  cwd?: string
  /** Set over this process's variables; undefined removes one. */
  env?: Record<string, string | undefined>
  /** "pipe" (the default) for `write`; "ignore" is /dev/null. */
  stdin?: "pipe" | "ignore"
}

export interface Wait {
  /** Seconds, 10 unless told. */
  timeout?: number
  /** Which stream, stdout unless told. */
  from?: "stdout" | "stderr"
}

const running = new Set<ChildProcess>()

/** Starts a program; it is killed at the end of the test if it still runs then. */
export function child(t: Owner, program: string, args: string[] = [], options: ChildOptions = {}): Child {
  const made = new Child(program, args, options)
  t.teardown(() => made.kill("SIGKILL"))
  return made
}

/** Starts a script (a compiled .js, or one of bin/) with this Node. */
export function nodeChild(t: Owner, script: string, args: string[] = [], options: ChildOptions = {}): Child {
  return child(t, process.execPath, ["--enable-source-maps", script, ...args], options)
}

/** Runs a program to its end, with the input given on stdin. */
export async function run(
  t: Owner,
  program: string,
  args: string[] = [],
  { input, timeout = 10, ...options }: ChildOptions & { input?: string | Uint8Array; timeout?: number } = {},
): Promise<Finished> {
  const made = child(t, program, args, options)
  made.end(input)
  const exit = await made.exit(timeout)
  return { ...exit, stdout: made.stdout, stderr: made.stderr }
}

export class Child {
  readonly process: ChildProcess
  readonly #name: string
  readonly #output = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  readonly #read = { stdout: 0, stderr: 0 }
  readonly #done: Promise<Exit>
  #over = false
  #failure: Error | undefined
  #watchers = new Set<() => void>()

  constructor(program: string, args: string[], { cwd, env, stdin = "pipe" }: ChildOptions) {
    this.#name = [program, ...args].join(" ")
    this.process = spawn(program, args, {
      cwd,
      env: environment(env),
      stdio: [stdin, "pipe", "pipe"],
      detached: true,
    })
    running.add(this.process)
    // A child may be gone before its input is written; its exit status tells the story better.
    this.process.stdin?.on("error", () => {})
    for (const stream of ["stdout", "stderr"] as const) {
      this.process[stream]?.on("data", (chunk: Buffer) => {
        this.#output[stream].push(chunk)
        this.#wake()
      })
    }
    this.#done = new Promise((resolve) => {
      this.process.once("exit", () => running.delete(this.process))
      this.process.once("error", (error) => {
        running.delete(this.process)
        this.#failure = error
        this.#over = true
        this.#wake()
        resolve({ code: null, signal: null })
      })
      this.process.once("close", (code, signal) => {
        this.#over = true
        this.#wake()
        resolve({ code, signal })
      })
    })
  }

  get pid(): number {
    return this.process.pid ?? -1
  }

  /** Everything written so far. */
  get stdout(): string {
    return this.bytes("stdout").toString()
  }

  get stderr(): string {
    return this.bytes("stderr").toString()
  }

  bytes(stream: "stdout" | "stderr" = "stdout"): Buffer {
    return Buffer.concat(this.#output[stream])
  }

  /** Waits for a whole line that matches; the next call on that stream looks only at what follows it. */
  line(pattern: RegExp, { timeout = 10, from = "stdout" }: Wait = {}): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = this.#nextLine(pattern, from)
        if (match) resolve(match)
        else if (this.#over)
          reject(this.#failure ?? new Error(this.#report(`ended without a line ${pattern}`)))
        else return
        this.#watchers.delete(look)
      }
      this.#watchers.add(look)
      look()
    })
    return within(timeout, found, () => this.#report(`wrote no line ${pattern} on ${from}`))
  }

  /** Waits for the end of the process and of its output. */
  async exit(timeout = 10): Promise<Exit> {
    const exit = await within(timeout, this.#done, () => this.#report("did not end"))
    if (this.#failure) throw this.#failure
    return exit
  }

  write(data: string | Uint8Array): void {
    this.process.stdin?.write(data)
  }

  /** Writes the last of the input, if any, and closes it. */
  end(data?: string | Uint8Array): void {
    if (data === undefined) this.process.stdin?.end()
    else this.process.stdin?.end(data)
  }

  /** Sends a signal to the process alone; SIGKILL goes to its group and waits for the end. */
  async kill(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (signal !== "SIGKILL") {
      this.process.kill(signal)
      return
    }
    killGroup(this.process)
    // A grandchild outside the group may hold the output open: what matters is that this process is gone.
    await within(2, this.#done, () => "").catch(() => {})
    for (const stream of [this.process.stdin, this.process.stdout, this.process.stderr]) stream?.destroy()
  }

  #nextLine(pattern: RegExp, from: "stdout" | "stderr"): RegExpExecArray | undefined {
    const bytes = this.bytes(from)
    let start = this.#read[from]
    while (start < bytes.length) {
      const newline = bytes.indexOf(10, start)
      if (newline < 0 && !this.#over) return undefined
      const end = newline < 0 ? bytes.length : newline
      const match = pattern.exec(bytes.toString("utf8", start, end))
      start = end + 1
      if (match) {
        this.#read[from] = start
        return match
      }
    }
    return undefined
  }

  #wake(): void {
    for (const look of [...this.#watchers]) look()
  }

  #report(what: string): string {
    return `${this.#name} ${what}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`
  }
}

/** Only while the leader has not been reaped: after that its number may be somebody else's. */
function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch {}
}

process.once("exit", () => {
  for (const one of running) killGroup(one)
})
