/** Controllers are pollable: a controller runs in a coroutine of another, to any depth. */
import { deepEqual } from "node:assert/strict"
import { type Controller, type Coroutine, cqueues } from "cqueues"
import type { Step } from "./step.js"

const DEPTH = 3

export const nesting: Step = {
  title: "Controllers in controllers, three deep",
  *run(show) {
    const steps: string[] = []

    function* descend(level: number): Coroutine<void> {
      const cq = cqueues.new()
      const name = ".".repeat(level) + level
      cq.wrap(function* () {
        yield* cqueues.sleep(0.01)
        steps.push(`${name} slept`)
      })
      if (level < DEPTH) cq.wrap(descend, level + 1)
      yield* finish(cq)
      steps.push(`${name} is empty`)
    }

    yield* descend(1)
    for (const step of steps) show(step)
    deepEqual(
      steps.filter((step) => step.endsWith("empty")),
      ["...3 is empty", "..2 is empty", ".1 is empty"],
    )
  },
}

/** In a coroutine, `loop` yields to the controller that the coroutine itself runs in. */
function* finish(cq: Controller): Coroutine<void> {
  cqueues.assert(yield* cq.loop())
  cq.close()
}
