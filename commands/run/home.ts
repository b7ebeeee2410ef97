/**
 * The controller that a script runs in, the global `cq`. It lives in Node's event loop as a guest of the
 * thread's main controller, which loops it for as long as it has coroutines; so `await cq.loop()` in a script
 * works as with any other controller, and the errors of its coroutines come here and not to the process.
 */
import { cqueues } from "../../core/cqueues.js"
import { Controller } from "../../core/loop/controller.js"
import type { StepResult } from "../../core/loop/engine.js"
import { mainController } from "../../core/loop/node-loop.js"
import type { Coroutine, Task } from "../../core/loop/task.js"

export type Failure = Extract<StepResult, [false, ...unknown[]]>

declare global {
  /** The controller that cq-run runs the script in. */
  var cq: Controller
}

export class Home extends Controller {
  static {
    // Scripts see a controller like any other.
    Object.defineProperty(Home, "name", { value: "Controller" })
  }

  /** Told the error of each coroutine that ends with one. */
  readonly #onfailure: (failure: Failure) => void
  /** Told when it begins to loop in Node's event loop, and when it ends that because it is empty. */
  onlooping: ((looping: boolean) => void) | undefined
  /** Nobody loops it but `runToEnd`. */
  blocking = false
  #looping = false

  constructor(onfailure: (failure: Failure) => void) {
    super()
    this.#onfailure = onfailure
  }

  get looping(): boolean {
    return this.#looping
  }

  /** Whoever adds a coroutine to an empty controller sets it going again. */
  override spawn(coroutine: Coroutine): Task {
    const task = super.spawn(coroutine)
    if (!this.#looping && !this.blocking) {
      this.#looping = true
      mainController().attach(this.#drive())
    }
    return task
  }

  *#drive(): Coroutine<void> {
    this.onlooping?.(true)
    try {
      while (!this.closed && !this.empty()) {
        const result = yield* this.loop()
        if (!result[0]) this.#onfailure(result)
      }
    } catch (error) {
      if (!this.closed) throw error
    } finally {
      this.#looping = false
      this.onlooping?.(false)
    }
  }

  /** Loops until it is empty, with the thread blocked, as `cq:loop()` in the guide's scripts. */
  runToEnd(): void {
    while (!this.closed && !this.empty()) {
      const result = this.loop().sync()
      if (!result[0]) this.#onfailure(result)
    }
  }
}

/** Makes it the controller of the script: the global, and what is running when nothing else is. */
export function settle(home: Home): void {
  Object.defineProperty(globalThis, "cq", { value: home, writable: true, configurable: true })
  const running = cqueues.running
  cqueues.running = () => {
    const found = running()
    return found[0] === undefined && !home.closed ? [home, false] : found
  }
}
