// Counts this process's open descriptors before and after a test. What a test leaves open fails it, and so
// does a descriptor of somebody else's that it closed: a double close that hit a reused number.
// The surprise: Node opens some descriptors at first use and keeps them, and so does the library for a
// thread's main controller. They are opened before counting, so that no leak passes for one of them.
import { existsSync, fstatSync, readdirSync, readFileSync, readlinkSync, watch } from "node:fs"
import { stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises"
import type { Owner } from "./owner.js"
import "./plain.js"

/** Descriptor number to what it is, as the link in /proc says: "socket:[1234]", "/dev/null". */
export type Census = Map<number, string>

/** How long a descriptor may take to go: closing one may need turns of the event loop and a collection. */
const PATIENCE_MS = 2000

const FOLDER = existsSync("/proc/self/fd") ? "/proc/self/fd" : "/dev/fd"

/** The descriptors that are open now. */
export function descriptors(): Census {
  const open: Census = new Map()
  for (const name of readdirSync(FOLDER)) {
    try {
      open.set(Number(name), what(Number(name)))
    } catch {
      // The descriptor that the listing itself used is closed by now.
    }
  }
  return open
}

/** What has changed since `before`, one line each, empty when nothing has. */
export function changes(before: Census, after: Census = descriptors()): string[] {
  const lines: string[] = []
  for (const [fd, target] of after) {
    if (before.get(fd) !== target) lines.push(`left open: ${fd} ${target}${detail(fd, target)}`)
  }
  for (const [fd, target] of before) {
    if (after.get(fd) !== target) lines.push(`closed by mistake: ${fd} ${target}`)
  }
  return lines
}

/** Waits until nothing has changed since `before`, for a while; gives what still has. */
export async function settled(before: Census, patience = PATIENCE_MS): Promise<string[]> {
  const end = performance.now() + patience
  for (;;) {
    // Finalizers run in a turn of the loop after the collection, hence the turn on both sides.
    await turn()
    globalThis.gc?.()
    await turn()
    const left = changes(before)
    if (left.length === 0 || performance.now() > end) return left
    await sleep(10)
  }
}

/**
 * Call it first in a test file with the file's `t`, and await it: it compares when everything else has been
 * torn down. It works in a subtest too, but then nothing else may run beside it.
 */
export async function census(t: Owner, patience = PATIENCE_MS): Promise<Census> {
  await warmUp()
  const before = descriptors()
  t.teardown(async () => {
    const left = await settled(before, patience)
    if (left.length > 0) throw new Error(`descriptors differ from before the test:\n  ${left.join("\n  ")}`)
  })
  return before
}

let warm: Promise<void> | undefined

/** The library's module that has `sleep`; by its place, for the helpers must work where it does not build. */
const LIBRARY = new URL("../../core/cqueues.js", import.meta.url)

/** Opens what is opened at first use: the output streams, an inotify queue, the thread's main controller. */
function warmUp(): Promise<void> {
  warm ??= (async () => {
    void process.stdout
    void process.stderr
    const watcher = watch(tmpdir())
    const closed = new Promise((resolve) => watcher.once("close", resolve))
    watcher.close()
    await closed
    await stat(tmpdir())
    try {
      await (await import(LIBRARY.href)).cqueues.sleep(0)
    } catch {
      // Then the tests of the library say so.
    }
    await turn()
  })()
  return warm
}

function what(fd: number): string {
  if (FOLDER === "/proc/self/fd") return readlinkSync(`${FOLDER}/${fd}`)
  const { dev, ino, mode } = fstatSync(fd)
  return `mode ${mode.toString(8)} device ${dev} inode ${ino}`
}

/** A socket's addresses and an epoll's members, without which a number in a report says little. */
function detail(fd: number, target: string): string {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
    if (inode) return socketDetail(inode)
    if (target === "anon_inode:[eventpoll]") {
      const members = readFileSync(`/proc/self/fdinfo/${fd}`, "latin1").matchAll(/^tfd:\s*(\d+)/gm)
      return ` polling ${Array.from(members, (m) => m[1]).join(" ") || "nothing"}`
    }
  } catch {}
  return ""
}

function socketDetail(inode: string): string {
  for (const protocol of ["tcp", "tcp6", "udp", "udp6", "unix"]) {
    for (const line of readFileSync(`/proc/self/net/${protocol}`, "latin1").split("\n")) {
      const fields = line.trim().split(/\s+/)
      if (protocol === "unix" && fields[6] === inode) return ` unix ${fields[7] ?? "(no name)"}`
      if (protocol !== "unix" && fields[9] === inode)
        return ` ${protocol} port ${port(fields[1])} to ${port(fields[2])}`
    }
  }
  return ""
}

const port = (address = ""): number => Number.parseInt(address.split(":")[1] ?? "0", 16)
