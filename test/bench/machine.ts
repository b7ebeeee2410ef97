/**
 * What the benchmarks need of the machine: its two cores, its tools, its limits, the C programs built for it.
 * The server gets core 0 for itself and the load core 1; on one core the figures say little, so that is told.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs"
import { availableParallelism, cpus, release } from "node:os"
import { fileURLToPath } from "node:url"

const ROOT = new URL("../../../", import.meta.url)
const BIN = new URL("dist/test/bench/bin/", ROOT)

export const SERVER_CORE = 0
export const LOAD_CORE = availableParallelism() > 1 ? 1 : 0

/** A file of this suite as it lies in the source tree: what tsc does not copy. */
export const source = (name: string): string => fileURLToPath(new URL(`test/bench/${name}`, ROOT))

/** A file of this suite as tsc made it. */
export const compiled = (name: string): string => fileURLToPath(new URL(`dist/test/bench/${name}`, ROOT))

export const LIBRARY = fileURLToPath(new URL("dist/core/index.js", ROOT))

const found = new Map<string, boolean>()

export function have(program: string): boolean {
  let known = found.get(program)
  if (known === undefined) {
    known = spawnSync("sh", ["-c", 'command -v "$1"', "sh", program], { stdio: "ignore" }).status === 0
    found.set(program, known)
  }
  return known
}

/** Words of a command that runs on one core; exec all the way, so that the pid is the program's own. */
export function pinned(core: number, command: string[], files = 0): string[] {
  const raised = files ? ["sh", "-c", `ulimit -n ${files} && exec "$@"`, "sh", ...command] : command
  return have("taskset") ? ["taskset", "-c", String(core), ...raised] : raised
}

/** How many descriptors a process may be given here, which bounds the idle connections. */
export function fileLimit(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]
  return hard === "unlimited" ? 1 << 20 : Number(hard ?? 1024)
}

/** Compiles a C file into dist, unless what lies there is newer; the path of the program. */
export function built(name: string): string {
  const from = source(`c/${name}.c`)
  const to = fileURLToPath(new URL(name, BIN))
  if (!existsSync(to) || statSync(to).mtimeMs < statSync(from).mtimeMs) {
    mkdirSync(BIN, { recursive: true })
    execFileSync("cc", ["-O2", "-Wall", "-Wextra", "-o", to, from], { stdio: "inherit" })
  }
  return to
}

export function rss(pid: number): number {
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])
}

function firstLine(program: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8" })
  return ((stdout || stderr) ?? "").split("\n")[0]?.replace(/\s+--?\s.*|\s+Copyright.*/, "") ?? ""
}

export function describeMachine(): string {
  const parts = [`Node.js ${process.version}`, `Linux ${release()}`]
  parts.push(`${cpus()[0]?.model.trim() ?? "unknown CPU"} × ${availableParallelism()}`)
  if (have("lua5.4")) parts.push(firstLine("lua5.4", "-v"))
  if (have("luajit")) parts.push(firstLine("luajit", "-v"))
  return parts.join(", ")
}

export function warnings(): string[] {
  const said = []
  if (LOAD_CORE === SERVER_CORE) said.push("one core only: server and load share it")
  if (!have("taskset")) said.push("taskset is missing: nothing is pinned to a core")
  return said
}
