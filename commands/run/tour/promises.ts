/** Promises: the result of a coroutine, waited for by others; and the promises of JavaScript beside them. */
import { equal } from "node:assert/strict"
import { setTimeout as later } from "node:timers/promises"
import { cqueues, promise } from "cqueues"
import type { Step } from "./step.js"

export const promises: Step = {
  title: "Promises: the library's own, and those of JavaScript",
  *run(show) {
    const sum = promise.new(function* () {
      yield* cqueues.sleep(0.01)
      return 40 + 2
    })
    equal(sum.status(), "pending")
    equal(yield* sum.get(), 42)
    show(`a coroutine's result: ${yield* sum.get()}, ${sum.status()}`)

    const failing = promise.new(() => {
      throw new Error("out of flour")
    })
    yield* failing.wait()
    equal(failing.status(), "rejected")
    try {
      yield* failing.get()
    } catch (error) {
      show(`a coroutine's error: ${(error as Error).message}, ${failing.status()}`)
    }

    const word = yield* cqueues.await(later(10, "hello"))
    equal(word, "hello")
    show(`one of Node's, from node:timers: ${word}`)
  },
}
