/**
 * --timeout. A timer of Node's ends the script; waits that block the thread are cut short; and because a
 * script may also be busy, a second thread interrupts this one by the debugger's way in.
 */
import { closeSync } from "node:fs"
import { Worker } from "node:worker_threads"
import { monotime } from "../../core/kernel/clock.js"
import { beforeBlocking } from "./blocking.js"

export const TIMED_OUT = 124

const LONGEST_TIMER = 2 ** 31 - 1 // milliseconds
const GRACE = 250 // milliseconds for the timer, which is always due before the interruption
const EXPIRE = Symbol.for("cq-run.expire")

const WATCHDOG = `
  const { workerData } = require("node:worker_threads")
  const { Session } = require("node:inspector")
  setTimeout(() => {
    const session = new Session()
    session.connectToMainThread()
    session.post("Runtime.evaluate", { expression: 'globalThis[Symbol.for("cq-run.expire")]()' })
  }, workerData)
`

/** Calls `expire`, which says so and cleans up, after so many seconds, and ends the process. */
export function limit(seconds: number, expire: () => void): void {
  const deadline = monotime() + seconds
  const end = (): never => {
    expire()
    process.exit(TIMED_OUT)
  }
  beforeBlocking(() => {
    const left = deadline - monotime()
    return left > 0 ? left : end()
  })
  const milliseconds = Math.ceil(seconds * 1000)
  if (milliseconds > LONGEST_TIMER - GRACE) return
  setTimeout(end, milliseconds).unref()
  Object.defineProperty(globalThis, EXPIRE, {
    value: () => {
      expire()
      // Node would write there that it waits for a debugger to leave.
      closeSync(2)
      process.exit(TIMED_OUT)
    },
  })
  new Worker(WATCHDOG, { eval: true, workerData: milliseconds + GRACE, execArgv: [], stdin: false }).unref()
}
