// Finds the processes that tests started and left behind, by a variable that all of them inherit, and ends
// them. A test file that had to be killed cannot clean up after itself. Linux only: it reads /proc.
import { readdirSync, readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"

/** Processes with this "NAME=value" that still run after a while, each as "pid command"; they are killed. */
export async function leftovers(mark: string, patience = 2000): Promise<string[]> {
  const end = performance.now() + patience
  let found = marked(mark)
  while (found.length > 0 && performance.now() < end) {
    await sleep(50)
    found = marked(mark)
  }
  for (const { pid } of found) {
    try {
      process.kill(pid, "SIGKILL")
    } catch {}
  }
  return found.map(({ pid, command }) => `${pid} ${command}`)
}

function marked(mark: string): { pid: number; command: string }[] {
  const found: { pid: number; command: string }[] = []
  for (const name of processes()) {
    try {
      if (!readFileSync(`/proc/${name}/environ`, "latin1").split("\0").includes(mark)) continue
      const command = readFileSync(`/proc/${name}/cmdline`, "latin1").replaceAll("\0", " ").trim()
      found.push({ pid: Number(name), command })
    } catch {
      // It has ended, or is somebody else's.
    }
  }
  return found
}

function processes(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}
