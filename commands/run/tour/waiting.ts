/** One API, three ways to wait: `yield*` in a coroutine, `await` in async code, `sync()` anywhere else. */
import { deepEqual } from "node:assert/strict"
import { cqueues, socket } from "cqueues"
import type { Step } from "./step.js"

export const waiting: Step = {
  title: "Three ways to wait for the same operation: yield*, await and sync()",
  async run(show) {
    const [here, there] = socket.pair()
    const answers: (string | undefined)[] = []

    // In a coroutine: others of its controller run meanwhile.
    const cq = cqueues.new()
    cq.wrap(function* () {
      const [line] = yield* here.read()
      answers.push(line)
    })
    cq.wrap(function* () {
      yield* there.write("yield*\n")
    })
    cqueues.assert(await cq.loop())
    cq.close()
    show("yield* here.read()   in a coroutine of a controller")

    // In async code: Node's own loop runs meanwhile.
    await there.write("await\n")
    answers.push((await here.read())[0])
    show("await here.read()    in Node's event loop")

    // Anywhere: nothing else runs, the thread is blocked.
    there.write("sync\n").sync()
    answers.push(here.read().sync()[0])
    show("here.read().sync()   with the thread blocked")

    deepEqual(answers, ["yield*", "await", "sync"])
    here.close()
    there.close()
  },
}
