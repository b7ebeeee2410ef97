/** An AbortSignal gives up whatever waits, with the signal's reason. */
import { equal } from "node:assert/strict"
import { cqueues, socket } from "cqueues"
import type { Step } from "./step.js"

export const aborting: Step = {
  title: "AbortSignal: an operation is given up from outside",
  *run(show, cq) {
    const [here, there] = socket.pair()
    const abort = new AbortController()
    cq.wrap(function* () {
      yield* cqueues.sleep(0.01)
      abort.abort(new Error("changed our mind"))
    })
    let reason: unknown
    try {
      yield* cqueues.abortable(here.read(), abort.signal)
    } catch (error) {
      reason = error
    }
    equal(reason, abort.signal.reason)
    show(`read: ${(reason as Error).message}`)

    yield* there.write("still open\n")
    yield* there.flush()
    equal((yield* here.read())[0], "still open")
    show("the socket is as it was")
    here.close()
    there.close()
  },
}
