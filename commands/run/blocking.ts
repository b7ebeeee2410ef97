/** The one place through which every wait that blocks the thread passes: the turn of a controller. */
import { cqueues } from "../../core/cqueues.js"
import type { Controller } from "../../core/loop/controller.js"
import type { StepResult } from "../../core/loop/engine.js"

type Turn = (this: Controller, timeout: number, last: boolean) => StepResult

/** Calls `before` whenever the thread is about to block; it gives the longest that it may, in seconds. */
export function beforeBlocking(before: () => number): void {
  const turn = cqueues.interpose("turn", function (this: Controller, timeout: number, last: boolean) {
    return turn.call(this, timeout > 0 ? Math.min(timeout, before()) : timeout, last)
  }) as Turn
}
