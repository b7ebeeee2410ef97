/** A time that is up is no exception but an errno, and the connection goes on. */
import { deepEqual, equal, ok } from "node:assert/strict"
import { cqueues, errno, socket } from "cqueues"
import type { Step } from "./step.js"

export const timeouts: Step = {
  title: "A timeout is an errno",
  *run(show) {
    const [here, there] = socket.pair()
    here.settimeout(0.02)
    const start = cqueues.monotime()
    const [line, error] = yield* here.read()
    ok(cqueues.monotime() - start >= 0.02)
    equal(line, undefined)
    equal(error, errno.ETIMEDOUT)
    show(`read: ${errno[errno.ETIMEDOUT]}, ${errno.strerror(errno.ETIMEDOUT)}`)

    here.clearerr()
    yield* there.write("better late than never\n")
    yield* there.flush()
    deepEqual(yield* here.read(), ["better late than never"])
    show("after clearerr(), the same socket reads on")
    here.close()
    there.close()
  },
}
