/**
 * What one JavaScript thread keeps while coroutines run: which one is running, and the thread's driver for
 * `await` and `sync`. A worker has its own, as it has its own copy of every module.
 */
import type { Task } from "./task.js"

/** How an operation runs that no coroutine waits for: see node-loop.ts. */
export interface Driver {
  /** Runs it on the thread's main controller, inside Node's event loop. */
  start(operation: Iterable<unknown>, settle: (good: boolean, value: unknown) => void): void
  /** Runs it to its end while the thread is blocked. */
  block(operation: Iterable<unknown>): unknown
  /** Whether nothing runs on the main controller. */
  idle(): boolean
}

/** The thread is blocked, and for no coroutine in particular. */
export const EVERYBODY: unique symbol = Symbol("cqueues.everybody")

interface Thread {
  /** The coroutine that is running, if a controller resumed it. */
  task: Task | undefined
  /** How deep inside it a coroutine of its own is running (cqueues.resume). */
  inner: number
  /** Set while the thread is blocked in sync(), so that waiting for Node's own loop would never end. */
  blocked: Task | typeof EVERYBODY | undefined
  /**
   * Whether the running coroutine is another of the main controller than the one blocked for, or runs inside
   * such a one: it was there before the thread was blocked, and can go on after it.
   */
  bystander: boolean
  driver: Driver | undefined
}

export const thread: Thread = {
  task: undefined,
  inner: 0,
  blocked: undefined,
  bystander: false,
  driver: undefined,
}

/** Whether the running coroutine would wait for Node's own loop for ever: the thread is blocked for it. */
export function cannotReachNode(): boolean {
  return thread.blocked !== undefined && (thread.blocked === EVERYBODY || !thread.bystander)
}

/** The running coroutine; to wait outside of one is misuse. */
export function currentTask(): Task {
  const task = thread.task
  if (task === undefined) {
    throw new Error(
      "cqueues: only a coroutine of a controller can wait with yield*; elsewhere use await or .sync()",
    )
  }
  return task
}
