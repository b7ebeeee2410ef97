/** Conditions: coroutines of one thread hand work over without a lock, because they only change at a yield. */
import { deepEqual } from "node:assert/strict"
import { condition, cqueues } from "cqueues"
import type { Step } from "./step.js"

export const conditions: Step = {
  title: "A condition: one coroutine waits until another has something for it",
  *run(show, cq) {
    const queue: string[] = []
    const filled = condition.new()
    const received: string[] = []

    cq.wrap(function* producer() {
      for (const loaf of ["rye", "spelt", "oat"]) {
        yield* cqueues.sleep(0.005)
        queue.push(loaf)
        filled.signal()
      }
      filled.signal()
    })

    while (received.length < 3) {
      if (queue.length === 0) yield* filled.wait()
      received.push(...queue.splice(0))
    }
    show(`handed over: ${received.join(", ")}`)
    deepEqual(received, ["rye", "spelt", "oat"])
  },
}
