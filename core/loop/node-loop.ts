/**
 * The bridge to Node's event loop. The thread's main controller, on which `await` runs operations, is a
 * foreign loop's guest like any other: its descriptor is watched by Node, a timer stands in for its
 * timeout, and both keep Node alive only while there are coroutines. It is made when first needed.
 */
import { SystemError } from "../errno.js"
import { binding } from "../kernel/binding.js"
import { Controller } from "./controller.js"
import { flushEverywhere } from "./registry.js"
import type { Coroutine, Task } from "./task.js"
import { type Driver, thread } from "./thread.js"

type Settle = (good: boolean, value: unknown) => void

const LONGEST_TIMER = 2 ** 31 - 1 // milliseconds, setTimeout's own limit
const MOST_STARTS = 100 // operations that begin between two turns of Node's loop without going through it

class MainController extends Controller {
  #loop = -1
  #referenced = false
  #immediate: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #timerDue = Number.POSITIVE_INFINITY
  #starts = 0
  #starting = false
  #flushing = false

  constructor() {
    super()
    this.onpending = () => {
      if (!this.#starting) this.#soon()
    }
    this.#watch()
  }

  /** Adds an operation's coroutine; its first turn comes at once, unless too many have already. */
  start(coroutine: Coroutine, settle: Settle): Task {
    const now = !this.live && thread.task === undefined && this.#starts++ < MOST_STARTS
    this.#starting = now
    const task = this.spawn(coroutine)
    this.#starting = false
    task.settle = settle
    if (now) {
      this.#step(false)
      this.#flushLater()
    }
    return task
  }

  // What was written in this turn goes out before the thread goes back to Node.
  #flushLater(): void {
    if (this.#flushing || this.outbox.empty) return
    this.#flushing = true
    queueMicrotask(() => {
      this.#flushing = false
      if (!this.closed) this.outbox.flush()
      this.#arrange()
    })
  }

  #soon(): void {
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined
      this.#drive()
    })
  }

  #drive(): void {
    this.#starts = 0
    if (this.closed || this.live) return
    this.#step(true)
  }

  #step(last: boolean): void {
    const result = this.turn(0, last)
    if (!result[0]) raise(result[1])
    if (this.ready) this.#soon()
    this.#arrange()
  }

  /** After each turn: the timer for the next deadline, and whether Node must stay for us. */
  #arrange(): void {
    if (this.closed) return
    const busy = !this.empty()
    if (busy !== this.#referenced) {
      this.#referenced = busy
      binding.loopRef(this.#loop, busy ? 1 : 0)
    }
    const due = this.timers.next()
    if (due === this.#timerDue) return
    clearTimeout(this.#timer)
    this.#timerDue = due
    this.#timer = undefined
    if (due === Number.POSITIVE_INFINITY) return
    // Node rounds down to whole milliseconds and counts from its loop's last look at the clock.
    const milliseconds = Math.min(LONGEST_TIMER, Math.ceil((this.timeout() ?? 0) * 1000))
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#timerDue = Number.POSITIVE_INFINITY
      this.#drive()
    }, milliseconds)
  }

  /** Steps until a task is done, blocking the thread. */
  blockFor(task: Task): void {
    while (!task.done && !this.empty()) {
      const result = this.turn(Number.POSITIVE_INFINITY, task.done)
      if (!result[0]) raise(result[1])
    }
    this.outbox.flush()
    this.#arrange()
    if (this.ready) this.#soon()
  }

  override renew(): void {
    binding.loopStop(this.#loop)
    super.renew()
    this.#watch()
    if (this.#referenced) binding.loopRef(this.#loop, 1)
  }

  #watch(): void {
    this.#loop = binding.loopStart(this.poller.id, () => this.#drive())
    if (this.#loop < 0) throw new SystemError(-this.#loop, "uv_poll")
  }

  override close(): void {
    if (this.closed) return
    if (this.live) throw new Error("cqueue running")
    binding.loopStop(this.#loop)
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    super.close()
  }
}

// Nobody waits for this coroutine, so its error is the process's, as in a timer's callback.
function raise(error: unknown): void {
  setImmediate(() => {
    throw error
  })
}

let main: MainController | undefined

/** The thread's main controller. */
export function mainController(): Controller {
  return theMain()
}

function theMain(): MainController {
  if (main === undefined || main.closed) {
    main = new MainController()
  }
  return main
}

function outcome(task: Task, settled: { good: boolean; value: unknown } | undefined): unknown {
  if (settled === undefined)
    throw new Error(task.done ? "cqueues: the operation was closed" : "cqueues: nothing left to wait for")
  if (settled.good) return settled.value
  throw settled.value
}

const driver: Driver = {
  idle: () => main === undefined || main.closed || (main.empty() && !main.live),

  start(operation, settle) {
    let coroutine: Coroutine
    try {
      coroutine = operation[Symbol.iterator]() as Coroutine
    } catch (error) {
      settle(false, error)
      return
    }
    theMain().start(coroutine, settle)
  },

  block(operation) {
    const coroutine = operation[Symbol.iterator]() as Coroutine
    let settled: { good: boolean; value: unknown } | undefined
    const settle: Settle = (good, value) => {
      settled = { good, value }
    }
    const shared = theMain()
    const outer = thread.blocked
    try {
      if (shared.live) {
        // Inside one of the main controller's own coroutines: it cannot be stepped, so a controller of its own.
        const own = new Controller()
        try {
          const task = own.spawn(coroutine)
          task.settle = settle
          own.runBlocking(Number.POSITIVE_INFINITY, true)
          return outcome(task, settled)
        } finally {
          own.close()
        }
      }
      const task = shared.spawn(coroutine)
      task.settle = settle
      thread.blocked = task
      shared.blockFor(task)
      return outcome(task, settled)
    } finally {
      thread.blocked = outer
    }
  },
}
thread.driver = driver
process.on("exit", flushEverywhere)
