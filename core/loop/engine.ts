/**
 * The engine of a controller: its coroutines, what wakes them, and the step (guide section 3.2.1). One step
 * waits at most once, then resumes once each coroutine that is pending at that moment.
 */
import { isMainThread } from "node:worker_threads"
import { errno, SystemError } from "../errno.js"
import { beginStepTime, endStepTime, monotime } from "../kernel/clock.js"
import { control, EVENTS, Poller } from "../kernel/poller.js"
import { releaseArena } from "./arena.js"
import { InterestTable } from "./interest.js"
import { Outbox } from "./outbox.js"
import { PollRequest } from "./poll.js"
import { cancelEverywhere, enrol, renewEverywhere, strike } from "./registry.js"
import { type Coroutine, PARK, type Request, type Scheduler, Task } from "./task.js"
import { thread } from "./thread.js"
import { TimerHeap } from "./timers.js"
import { WatchList } from "./watch.js"

/** What a step found: nothing wrong, or the error of one coroutine. */
export type StepResult =
  | [good: true]
  | [
      good: false,
      error: unknown,
      errno: number | undefined,
      coroutine: Coroutine,
      object?: unknown,
      fd?: number,
    ]

// Nothing can end a worker, nor the process that has one, while it waits in the kernel: it comes out now and then.
const SLICE = isMainThread ? Number.POSITIVE_INFINITY : 0.1

export class Engine implements Scheduler {
  readonly poller = new Poller()
  readonly interests = new InterestTable(this.poller)
  readonly timers = new TimerHeap()
  readonly outbox = new Outbox()
  nesting = 1
  /** Coroutines of other controllers that poll this one. */
  readonly watchers = new WatchList()
  /** All tasks that have not ended. */
  protected readonly tasks = new Set<Task>()
  #first: Task | undefined = undefined
  #last: Task | undefined = undefined
  #alerted = false
  #exported = false
  #closed = false
  #live = false
  #outermost = false
  readonly #reference: WeakRef<Engine>
  /** Called when something becomes pending while nobody steps: how the main controller gets its turn. */
  protected onpending: (() => void) | undefined

  constructor() {
    if (this.poller.id < 0) throw new SystemError(-this.poller.id, "cqueues.new")
    this.#reference = enrol(this)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whether a step is under way. */
  get live(): boolean {
    return this.#live
  }

  /** Whether a step would have something to do at once. */
  get ready(): boolean {
    return this.#first !== undefined || this.#alerted || this.#closed
  }

  enqueue(task: Task): void {
    if (this.#last === undefined) this.#first = task
    else this.#last.following = task
    this.#last = task
    if (!this.#live) this.wake()
  }

  /** Makes whoever polls this controller look at it. */
  wake(): void {
    if (this.watchers.head !== undefined) this.watchers.fireAll()
    if (this.#exported) this.poller.raiseAlert()
    this.onpending?.()
  }

  alert(): void {
    this.assertOpen()
    this.#alerted = true
    this.wake()
  }

  assertOpen(): void {
    if (this.#closed) throw new Error("cqueues: the controller is closed")
  }

  spawn(coroutine: Coroutine): Task {
    this.assertOpen()
    const task = new Task(this, coroutine)
    this.tasks.add(task)
    task.ready()
    return task
  }

  /** The descriptor for other loops. From then on it is made readable also for what no descriptor tells. */
  pollfd(): number {
    this.assertOpen()
    if (!this.#exported) {
      const error = this.poller.prepareAlert()
      if (error < 0) throw new SystemError(-error, "pollfd")
      this.#exported = true
      if (this.ready) this.poller.raiseAlert()
    }
    return this.poller.fd
  }

  /** Seconds to the next timer, 0 when something is pending, or undefined. */
  timeout(): number | undefined {
    if (this.ready) return 0
    const next = this.timers.next()
    return next === Number.POSITIVE_INFINITY ? undefined : Math.max(0, next - monotime())
  }

  /**
   * One step that waits `timeout` seconds at most. `last` says that the thread may go on to something else
   * after it, so that what was written must be sent before it returns.
   */
  turn(timeout: number, last: boolean): StepResult {
    this.assertOpen()
    if (this.#live) throw new Error("cannot step live cqueue")
    this.#live = true
    const outer = thread.task
    const inner = thread.inner
    this.#outermost = outer === undefined
    try {
      this.#wait(timeout)
      return this.#resumeAll()
    } finally {
      if (last) this.outbox.flush()
      thread.task = outer
      thread.inner = inner
      this.#live = false
      endStepTime()
      if (this.#exported && this.#first !== undefined) this.poller.raiseAlert()
    }
  }

  #wait(timeout: number): void {
    const interests = this.interests
    interests.expireLapsed()
    const busy = timeout <= 0 || this.ready || this.tasks.size === 0
    // Nothing to send, to watch or to wait for: no need to ask the kernel.
    if (busy && this.outbox.empty && interests.size === 0 && !this.#exported) {
      this.#alerted = false
      if (this.timers.size > 0) this.timers.expire(monotime())
      return
    }
    releaseArena()
    const now = monotime()
    const deadline = busy ? now : Math.min(now + timeout, this.timers.next())
    let left = deadline - now
    let count = this.poller.step(this.outbox.load(), Math.max(0, Math.min(SLICE, left)))
    this.outbox.settle()
    while (count === -errno.EINTR || (count === 0 && left > SLICE && !this.poller.woken)) {
      left = deadline - monotime()
      count = this.poller.step(0, Math.max(0, Math.min(SLICE, left)))
    }
    if (count < 0) throw new SystemError(-count, "step")
    beginStepTime()
    this.#alerted = false
    for (let i = 0, at = EVENTS; i < count; i++, at += 4) {
      interests.dispatch(
        control[at] as number,
        control[at + 1] as number,
        control[at + 2] as number,
        control[at + 3] as number,
      )
    }
    if (this.timers.size > 0) this.timers.expire(monotime())
    if (this.poller.stale) this.#repair()
  }

  // Where there is no descriptor to spare for it, the next step tries again.
  #repair(): void {
    try {
      this.reset()
    } catch {}
  }

  #resumeAll(): StepResult {
    let task = this.#first
    this.#first = this.#last = undefined
    thread.inner = 0
    while (task !== undefined) {
      const following: Task | undefined = task.following
      task.following = undefined
      task.pending = false
      if (!task.done) {
        const result = this.#resume(task)
        if (result !== undefined) {
          this.#putBack(following)
          return result
        }
      }
      task = following
    }
    return [true]
  }

  // After an error: those that had no turn yet have it in the next step, before all others.
  #putBack(task: Task | undefined): void {
    if (task === undefined) return
    let last = task
    while (last.following !== undefined) last = last.following
    last.following = this.#first
    if (this.#first === undefined) this.#last = last
    this.#first = task
  }

  #resume(task: Task): StepResult | undefined {
    thread.task = task
    if (this.#outermost) thread.bystander = task !== thread.blocked
    try {
      const value = this.#advance(task)
      if (!task.done) return undefined
      task.settle?.(true, value)
      return undefined
    } catch (error) {
      return this.#fail(task, error)
    } finally {
      thread.task = undefined
    }
  }

  // Runs the coroutine until it waits or ends.
  #advance(task: Task): unknown {
    let result = task.request === undefined ? task.coroutine.next() : this.#answer(task, task.request)
    while (result !== undefined && result.done !== true) {
      if (result.value === PARK) return undefined
      task.request = new PollRequest(result.value)
      result = this.#answer(task, task.request)
    }
    if (result !== undefined) this.#end(task)
    return result?.value
  }

  // Resumes a coroutine with what its plain `yield` asked for; undefined while that has to wait. What cannot
  // be polled is thrown where it was yielded.
  #answer(task: Task, request: Request): IteratorResult<unknown, unknown> | undefined {
    let answer: IteratorResult<unknown, unknown>
    try {
      answer = request.next()
      if (answer.done !== true) return undefined
    } catch (error) {
      task.request = undefined
      return task.coroutine.throw(error)
    }
    task.request = undefined
    return task.coroutine.next(answer.value)
  }

  #fail(task: Task, error: unknown): StepResult | undefined {
    this.#end(task)
    if (task.settle !== undefined) {
      task.settle(false, error)
      return undefined
    }
    const number =
      error instanceof Error && "errno" in error && typeof error.errno === "number" ? error.errno : undefined
    const failed = task.failed?.error === error ? task.failed : undefined
    if (failed === undefined) return [false, error, number, task.coroutine]
    if (failed.fd === undefined) return [false, error, number, task.coroutine, failed.object]
    return [false, error, number, task.coroutine, failed.object, failed.fd]
  }

  #end(task: Task): void {
    task.done = true
    this.tasks.delete(task)
  }

  /** Rebuilds the kernel side: after a fork, which shares it, or when it has gone out of step. */
  reset(): void {
    this.assertOpen()
    this.renew()
    this.interests.registerAgain()
    renewEverywhere(this.poller.fd)
  }

  /** A new kernel object under the same number, in which nothing is registered yet. */
  renew(): void {
    const error = this.poller.reset()
    if (error < 0) throw new SystemError(-error, "reset")
    if (this.#exported && this.ready) this.poller.raiseAlert()
  }

  /** Closes the coroutines, so that their `finally` blocks run, then the kernel side. The first error is thrown. */
  close(): void {
    if (this.#closed) return
    if (this.#live) throw new Error("cqueue running")
    const errors: unknown[] = []
    const running = thread.task
    this.#live = true // what the finally blocks do is done now or not at all
    thread.task = undefined // and what they would wait for is refused
    for (const task of this.tasks) {
      task.done = true
      try {
        task.request?.cancel()
        if (task.coroutine.return(undefined).done !== true) {
          task.coroutine.throw(
            new Error("cqueues: a finally block cannot wait while its controller is closed"),
          )
        }
      } catch (error) {
        errors.push(error)
      }
      task.settle?.(false, new SystemError(errno.ECANCELED, "close"))
    }
    this.#live = false
    thread.task = running
    this.tasks.clear()
    this.outbox.flush()
    this.#closed = true
    strike(this, this.#reference)
    cancelEverywhere(this.poller.fd)
    this.watchers.fireAll()
    this.poller.close()
    if (errors.length > 0) throw errors[0]
  }
}
