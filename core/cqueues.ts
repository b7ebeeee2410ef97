/**
 * The module of the guide's chapter 3.2.1: making controllers, polling, sleeping, running coroutines inside
 * coroutines, and the ways between operations and promises.
 */
import { readFileSync } from "node:fs"
import { errno, SystemError } from "./errno.js"
import { assertResult } from "./fileresult.js"
import { interposer } from "./interpose.js"
import { monotime } from "./kernel/clock.js"
import { Controller, cancel, poll, typeOf } from "./loop/controller.js"
import { resetEverywhere } from "./loop/registry.js"
import "./loop/node-loop.js"
import { type Operation, operation } from "./loop/operation.js"
import { SleepOperation } from "./loop/poll.js"
import { Abortable, Awaiting } from "./loop/promises.js"
import { Resuming, resumable } from "./loop/resume.js"
import type { Coroutine } from "./loop/task.js"
import { thread } from "./loop/thread.js"

let commit: string | undefined

/** The commit that the build was made from, which the build leaves in dist/COMMIT. */
function builtFrom(): string {
  try {
    return readFileSync(new URL("../COMMIT", import.meta.url), "utf8").trim()
  } catch {
    return ""
  }
}

export const cqueues = {
  VENDOR: "cqueues for Node.js",
  VERSION: 20261123,
  get COMMIT(): string {
    commit ??= builtFrom()
    return commit
  },

  /** A new controller; throws a SystemError when the kernel has no descriptor for it. */
  new: (): Controller => new Controller(),
  /** `"controller"`, `"closed controller"` or undefined. */
  type: typeOf,
  /** Sets a method of all controllers; the previous one. */
  interpose: interposer(Controller.prototype),

  /** Seconds of the monotonic clock. */
  monotime,
  /** Waits for pollable objects; resolves to those that fired. */
  poll,
  /** Waits a number of seconds, never less. */
  sleep: (seconds: number): Operation<void> => new SleepOperation(seconds),
  cancel,
  /** Rebuilds the kernel side of every controller of this thread, as after a fork. */
  reset: resetEverywhere,

  /**
   * The controller whose step is under way, and whether the caller runs in the very coroutine that it
   * resumed; `[undefined, false]` outside of all.
   */
  running(): [Controller, boolean] | [undefined, false] {
    const task = thread.task
    return task === undefined ? [undefined, false] : [task.scheduler as Controller, thread.inner === 0]
  },

  /** Advances an inner coroutine of the caller's own; what it polls, the controller polls. */
  resume: <T>(coroutine: Coroutine<T>, value?: unknown): Operation<IteratorResult<unknown, T>> =>
    new Resuming<T>(coroutine, value),
  /** A function whose calls wait for the next value that the coroutine of `fn` yields or returns. */
  wrap: resumable,

  /** Makes a function that returns operations of a generator function. */
  operation,
  /** An operation that fails with the signal's reason when the signal comes first. */
  abortable: <T>(inner: Operation<T>, signal: AbortSignal): Operation<T> => new Abortable(inner, signal),
  /** Waits for a promise. It needs Node's loop, so under sync() it throws EDEADLK. */
  await: <T>(promise: PromiseLike<T>): Operation<Awaited<T>> => new Awaiting<T>(promise),
  /** The value of a `[value, error]` result, or the error thrown. */
  assert: assertResult,

  SystemError,
  errno,
}

export default cqueues
