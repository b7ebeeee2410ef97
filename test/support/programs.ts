// The programs of other people that tests talk to, and the Debian package that each comes from. A test
// whose program is missing is skipped by name, so that a skip is seen and never taken for a pass.
import { spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"

export const PROGRAMS = {
  ncat: "ncat",
  socat: "socat",
  ss: "iproute2",
  strace: "strace",
} as const

export type Program = keyof typeof PROGRAMS

/** Programs named here (comma-separated) count as missing; the runner sets it, and so may a person. */
export const MISSING = "CQUEUES_TEST_MISSING"

/** Being installed is not enough for these: a container may forbid what they do. */
const PROBES: Partial<Record<Program, string[]>> = {
  strace: ["-o", "/dev/null", "true"],
}

/** What a test needs of its `t` to be skipped. */
interface Skippable {
  pass(message: string, extra: { skip: string }): unknown
}

const found = new Map<Program, string | undefined>()

/** Where a program is, or undefined. System folders are searched too: an ordinary PATH lacks sbin. */
export function locate(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter)
  for (const folder of [...folders, "/usr/sbin", "/sbin", "/usr/local/sbin"]) {
    if (!folder) continue
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {}
  }
  return undefined
}

/** The path of a program that can be used here, or undefined. */
export function need(name: Program): string | undefined {
  if (found.has(name)) return found.get(name)
  const excluded = (process.env[MISSING] ?? "").split(",").includes(name)
  let path = excluded ? undefined : locate(name)
  const probe = PROBES[name]
  if (path && probe && spawnSync(path, probe, { stdio: "ignore", timeout: 10_000 }).status !== 0)
    path = undefined
  found.set(name, path)
  return path
}

/** Runs the body with the program's path; without the program the test is skipped with the package's name. */
export async function withProgram(
  t: Skippable,
  name: Program,
  body: (path: string) => unknown,
): Promise<void> {
  const path = need(name)
  if (path) await body(path)
  else t.pass(name, { skip: `needs ${name} (Debian package ${PROGRAMS[name]})` })
}
