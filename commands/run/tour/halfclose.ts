/** Half-close: one side has said all that it has to say, and still hears the answer. */
import { deepEqual, equal } from "node:assert/strict"
import { socket } from "cqueues"
import type { Step } from "./step.js"

export const halfclose: Step = {
  title: "Half-close: after the last word of one side, the other still answers",
  *run(show, cq) {
    const [client, server] = socket.pair()

    cq.wrap(function* () {
      let sum = 0
      yield* server.lines("*l").each((line) => {
        sum += Number(line)
      })
      // The end of the lines is the end of the client's side only.
      yield* server.write(`${sum}\n`)
      server.close()
    })

    yield* client.write("1\n", "2\n", "39\n")
    client.shutdown("w")
    const [answer] = yield* client.read()
    equal(answer, "42")
    show(`client: 1, 2, 39, that is all · server: ${answer}`)
    deepEqual(yield* client.read(), [undefined])
    client.close()
  },
}
