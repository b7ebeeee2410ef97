// cq.pause: pselect(2) for a controller (guide section 3.2.1). It blocks the thread until the controller is
// ready or one of the signals comes, and leaves masks and dispositions as they were.
import { readFileSync } from "node:fs"
import t from "tap"
import cqueues, { condition } from "../../core/index.js"
import { census } from "../support/census.js"
import { outcome } from "./scripts.js"
import { finish, Pair, settle, step } from "./tools.js"

await census(t)

const mask = () => /^SigBlk:\s*(\w+)/m.exec(readFileSync("/proc/thread-self/status", "utf8"))?.[1]
const caught = () => /^SigCgt:\s*(\w+)/m.exec(readFileSync("/proc/thread-self/status", "utf8"))?.[1]

t.test("pause returns when the controller is ready: an event, a timer, something pending", async (t) => {
  const pair = new Pair(t)
  const cq = cqueues.new()
  const cv = condition.new()
  const done: string[] = []
  cq.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    done.push("read")
  })
  step(cq)
  pair.send()
  t.equal(cq.pause(), undefined)
  t.strictSame(done, [], "it only waits")
  step(cq)
  t.strictSame(done, ["read"])
  cq.wrap(function* () {
    yield* cqueues.sleep(0.02)
    done.push("slept")
    yield* cv.wait()
  })
  cq.pause()
  step(cq)
  const start = cqueues.monotime()
  cq.pause(12)
  t.ok(cqueues.monotime() - start > 0.01)
  step(cq)
  t.strictSame(done, ["read", "slept"])
  cv.signal()
  cq.pause()
  finish(cq)
  cq.close()
})

t.test("pause returns when one of the signals comes, and the process lives on", async (t) => {
  const result = await outcome(
    t,
    `import { spawn } from "node:child_process"
     import { readFileSync } from "node:fs"
     const status = (name) => readFileSync("/proc/thread-self/status", "utf8").split(name + ":")[1].trim().slice(0, 16)
     const bits = (BigInt(1) << 0n) | (1n << 9n) | (1n << 11n) | (1n << 14n)
     const signals = () => status("SigBlk") + (BigInt("0x" + status("SigCgt")) & bits)
     const before = signals()
     const cq = cqueues.new().wrap(function* () { yield* cqueues.sleep(1000) })
     cq.step(0).sync()
     for (const [name, number] of [["USR1", 10], ["TERM", 15], ["HUP", 1]]) {
       spawn("sh", ["-c", "sleep 0.1; kill -" + name + " " + process.pid])
       const start = cqueues.monotime()
       cq.pause(12, number)
       say(name, cqueues.monotime() - start < 5)
     }
     say(signals() === before)
     cq.close()`,
  )
  t.equal(result.stderr, "")
  t.equal(result.stdout, "USR1 true\nTERM true\nHUP true\ntrue\n")
  t.equal(result.code, 0)
})

t.test("Node's own handler of the signal runs when the thread goes back to its loop", async (t) => {
  const result = await outcome(
    t,
    `import { spawn } from "node:child_process"
     process.on("SIGUSR2", () => { say("handler"); clearInterval(stay) })
     const stay = setInterval(() => {}, 1000)
     const cq = cqueues.new().wrap(function* () { yield* cqueues.sleep(1000) })
     cq.step(0).sync()
     spawn("sh", ["-c", "sleep 0.1; kill -USR2 " + process.pid])
     cq.pause(12)
     say("paused")
     cq.close()`,
  )
  t.same(result, { code: 0, signal: null, stdout: "paused\nhandler\n", stderr: "" })
})

t.test("a signal that is not waited for keeps its meaning", async (t) => {
  const result = await outcome(
    t,
    `import { spawn } from "node:child_process"
     const cq = cqueues.new().wrap(function* () { yield* cqueues.sleep(1000) })
     cq.step(0).sync()
     spawn("sh", ["-c", "sleep 0.1; kill -TERM " + process.pid])
     cq.pause(10)`,
  )
  t.equal(result.signal, "SIGTERM")
})

t.test("after pause the default meaning of the signal holds again", async (t) => {
  const result = await outcome(
    t,
    `const cq = cqueues.new().wrap(function* () { yield* cqueues.sleep(0.01) })
     cq.step(0).sync()
     cq.pause(15)
     say("paused")
     process.kill(process.pid, "SIGTERM")
     await cqueues.sleep(5)
     say("still here")`,
  )
  t.equal(result.signal, "SIGTERM")
  t.equal(result.stdout, "paused\n")
})

t.test("masks and dispositions are what they were, also after wrong arguments", async (t) => {
  const [blocked, handled] = [mask(), caught()]
  const cq = cqueues.new().wrap(function* () {
    yield* cqueues.sleep(1000)
  })
  settle(cq)
  cq.alert()
  cq.pause(10, 12, 15)
  for (const wrong of [0, -1, 1.5, Number.NaN, "15", undefined, null, {}]) {
    t.throws(() => cq.pause(wrong as never), TypeError, String(wrong))
  }
  for (const wrong of [65, 1000, 32, 33]) {
    t.throws(() => cq.pause(10, wrong), { code: "EINVAL" }, `signal ${wrong}`)
  }
  t.throws(() => cq.pause(...Array(100).fill(10)), { code: "EINVAL" }, "too many of them")
  t.equal(mask(), blocked)
  t.equal(caught(), handled)
  cq.close()
})

t.test("signals that cannot be caught are accepted and change nothing", async (t) => {
  const cq = cqueues.new().wrap(function* () {
    yield* cqueues.sleep(0.005)
  })
  step(cq)
  cq.pause(9, 19)
  finish(cq)
  cq.close()
  t.pass("SIGKILL, SIGSTOP")
})
