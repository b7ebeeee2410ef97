/**
 * Ending by a signal: the first SIGINT, SIGTERM or SIGHUP asks the command to stop, the second ends it at
 * once. Either way the process dies of that very signal in the end, so that the shell and whoever started
 * us see what happened.
 */
import { constants } from "node:os"

export const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const
export type Ending = (typeof ENDING)[number]

export class Signals {
  /** The signal that came. */
  received: Ending | undefined
  #stop: ((signal: Ending) => void) | undefined

  /** Takes the signals over; `stop` is called for the first one. */
  catch(stop: (signal: Ending) => void): void {
    this.#stop = stop
    for (const signal of ENDING) process.on(signal, this.#came)
  }

  /** Gives the signals back to the system. */
  release(): void {
    for (const signal of ENDING) process.removeListener(signal, this.#came)
  }

  readonly #came = (signal: NodeJS.Signals): void => {
    const first = this.received === undefined
    this.received ??= signal as Ending
    if (first) this.#stop?.(this.received)
    else this.#die(signal as Ending)
  }

  /** Dies of the signal that came, if one did. */
  async reraise(): Promise<void> {
    this.release()
    if (this.received === undefined) return
    process.exitCode = EXIT_BASE + constants.signals[this.received]
    this.#die(this.received)
    // Without a listener the signal is deadly, but a thread other than this one may be the one to get it.
    await new Promise((resolve) => setTimeout(resolve, LONGEST_DEATH))
  }

  #die(signal: Ending): void {
    this.release()
    process.kill(process.pid, signal)
  }
}

/** What shells add to a signal's number. */
const EXIT_BASE = 128
const LONGEST_DEATH = 1000 // milliseconds
