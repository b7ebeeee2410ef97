/** A step of the tour: code to read, that says what it does and throws when it does not. */
import type { Controller, Coroutine } from "cqueues"

/** Prints a line of what there is to see. */
export type Show = (text: string) => void

export interface Step {
  title: string
  /** A coroutine of a controller of its own; or an async function, to show the world outside of one. */
  run: (show: Show, cq: Controller) => Coroutine<void> | Promise<void>
}
