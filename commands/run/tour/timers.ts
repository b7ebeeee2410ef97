/** Sleeping: in the order of the deadlines, and never less than was asked for. */
import { deepEqual, ok } from "node:assert/strict"
import { cqueues } from "cqueues"
import type { Step } from "./step.js"

const DELAYS = [0.03, 0.01, 0.02, 0, 0.015]

export const timers: Step = {
  title: "Timers: in order, and never early",
  *run(show, cq) {
    const woken: number[] = []
    for (const delay of DELAYS) {
      cq.wrap(function* () {
        const start = cqueues.monotime()
        yield* cqueues.sleep(delay)
        const slept = cqueues.monotime() - start
        ok(slept >= delay, `woke ${delay - slept} s early`)
        woken.push(delay)
      })
    }
    yield* cqueues.sleep(Math.max(...DELAYS))
    while (woken.length < DELAYS.length) yield* cqueues.poll()
    show(`asked for ${DELAYS.join(", ")} s, woke after ${woken.join(", ")}`)
    deepEqual(
      woken,
      [...DELAYS].sort((a, b) => a - b),
    )
  },
}
