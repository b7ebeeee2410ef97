/**
 * Ends of a script that are not its own: a signal, and stdout that nobody reads. The `finally` blocks of its
 * coroutines run before the process goes. The surprise: signals are caught only while coroutines wait in
 * Node's loop. A thread that is blocked or busy would never hear of them, so then they are deadly at once.
 */
import { errno } from "../../core/errno.js"
import { ENDING, Signals } from "../cli/signals.js"
import { beforeBlocking } from "./blocking.js"
import type { Home } from "./home.js"

/** Closes the controller; gives what its coroutines threw at that. */
export function closeAll(home: Home): unknown[] {
  try {
    if (!home.live) home.close()
    return []
  } catch (error) {
    return [error]
  }
}

export class Ending {
  readonly #home: Home
  readonly #signals = new Signals()
  readonly #onerror: (error: unknown) => void
  #caught = false

  constructor(home: Home, onerror: (error: unknown) => void) {
    this.#home = home
    this.#onerror = onerror
    home.onlooping = (looping) => (looping ? this.#soon() : this.#release())
    beforeBlocking(() => {
      if (this.#caught) {
        this.#release()
        this.#soon()
      }
      return Number.POSITIVE_INFINITY
    })
  }

  // A turn of Node's loop later: that it comes shows that the thread is neither blocked nor busy.
  #soon(): void {
    setImmediate(() => this.#catch()).unref()
  }

  #catch(): void {
    if (this.#caught || !this.#home.looping) return
    // A script that listens for one of these signals has all of them to itself.
    if (ENDING.some((signal) => process.listenerCount(signal) > 0)) return
    this.#caught = true
    this.#signals.catch(() => {
      for (const error of closeAll(this.#home)) this.#onerror(error)
      void this.#signals.reraise()
    })
    process.on("newListener", this.#theirs)
  }

  readonly #theirs = (name: string | symbol): void => {
    // Not before theirs is there: without a listener in between, Node would stop to watch the signal.
    if ((ENDING as readonly unknown[]).includes(name)) queueMicrotask(() => this.#release())
  }

  #release(): void {
    if (!this.#caught) return
    this.#caught = false
    process.off("newListener", this.#theirs)
    this.#signals.release()
  }
}

/** A reader of stdout that goes away (`| head -1`) ends the script quietly, unless it sees to that itself. */
export function endWithReader(home: Home): void {
  const found = Object.getOwnPropertyDescriptor(process, "stdout")
  if (found?.get === undefined || !found.configurable) return
  // Making the stream takes time that a script without output need not spend.
  Object.defineProperty(process, "stdout", {
    ...found,
    get: () => {
      Object.defineProperty(process, "stdout", found)
      const { stdout } = process
      stdout.on("error", (error: NodeJS.ErrnoException) => {
        if (stdout.listenerCount("error") > 1) return
        if (error.errno !== -errno.EPIPE) throw error
        closeAll(home)
        process.exit()
      })
      return stdout
    },
  })
}
