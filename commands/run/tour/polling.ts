/** poll waits for several things of different kinds, and gives those that are ready. */
import { deepEqual, equal } from "node:assert/strict"
import { condition, cqueues, promise, socket } from "cqueues"
import type { Step } from "./step.js"

export const polling: Step = {
  title: "poll: a socket, a condition, a promise, a controller and a time at once",
  *run(show) {
    const [here, there] = socket.pair()
    const bell = condition.new()
    const news = promise.new()
    const inner = cqueues.new()
    const wait = () => cqueues.poll(here, bell, news, inner, 0.01)

    deepEqual(yield* wait(), [0.01])
    show("nothing happened: the time fired")

    yield* there.write("data\n")
    yield* there.flush()
    deepEqual(yield* wait(), [here])
    show("bytes came: the socket fired")
    yield* here.read()

    news.set(true, "done")
    inner.wrap(() => {})
    const fired = yield* wait()
    deepEqual(fired, [news, inner])
    show("a promise was set and a controller got work: both fired, in the order of the call")

    equal((yield* inner.step())[0], true)
    inner.close()
    here.close()
    there.close()
  },
}
