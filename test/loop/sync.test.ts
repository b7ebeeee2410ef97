// sync(): the thread is blocked until the operation is done. Other coroutines of the main controller go on
// meanwhile; Node's own timers and promises do not.
import t from "tap"
import cqueues, { condition, promise } from "../../core/index.js"
import { census } from "../support/census.js"
import { outcome } from "./scripts.js"
import { finish, inside, Pair, thrown } from "./tools.js"

await census(t)

const run = <T>(body: () => Generator<unknown, T, unknown>) => cqueues.operation(body)().then()

t.test("sync blocks for as long as it takes, and gives the value", async (t) => {
  const start = cqueues.monotime()
  t.equal(cqueues.sleep(0.02).sync(), undefined)
  t.ok(cqueues.monotime() - start >= 0.02)
})

t.test("other coroutines of the main controller go on meanwhile", async (t) => {
  const cv = condition.new()
  let turns = 0
  const other = run(function* () {
    for (; turns < 5; turns++) yield* cqueues.sleep(0.001)
    cv.signal()
    yield* cqueues.sleep(0.001)
    return "over"
  })
  t.strictSame(cv.wait(5).sync(), [true])
  t.equal(turns, 5)
  t.equal(await other, "over", "and after it")
})

t.test("no timer, immediate or promise of Node runs meanwhile", async (t) => {
  const seen: string[] = []
  const wait = Promise.all([
    new Promise<void>((done) => setTimeout(() => done(void seen.push("timer")), 1)),
    new Promise<void>((done) => setImmediate(() => done(void seen.push("immediate")))),
    Promise.resolve().then(() => seen.push("microtask")),
  ])
  cqueues.sleep(0.02).sync()
  t.strictSame(seen, [])
  await wait
  t.strictSame(seen.toSorted(), ["immediate", "microtask", "timer"])
})

t.test("what is awaited and done during sync settles after it", async (t) => {
  const seen: string[] = []
  const first = cqueues.sleep(0.001).then(() => seen.push("awaited"))
  cqueues.sleep(0.02).sync()
  seen.push("sync")
  await first
  t.strictSame(seen, ["sync", "awaited"])
})

t.test("sync inside a callback of Node, while others await", async (t) => {
  const awaited = cqueues.sleep(0.03).then(() => "awaited")
  const blocked = await new Promise((done) =>
    setTimeout(() => {
      const start = cqueues.monotime()
      cqueues.sleep(0.01).sync()
      done(cqueues.monotime() - start >= 0.01)
    }, 1),
  )
  t.equal(blocked, true)
  t.equal(await awaited, "awaited")
})

t.test("sync inside a coroutine blocks the whole thread, of whichever controller", async (t) => {
  const body = function* () {
    const start = cqueues.monotime()
    cqueues.sleep(0.005).sync()
    t.ok(cqueues.monotime() - start >= 0.005)
    t.strictSame(cqueues.poll(0.001).sync(), [0.001])
    const inner = cqueues.new().wrap(function* () {
      yield* cqueues.sleep(0.001)
    })
    t.strictSame(inner.loop().sync(), [true])
    t.strictSame(inner.step().sync(), [true])
    inner.close()
    yield* cqueues.sleep(0.001)
    return cqueues.running()[1]
  }
  t.equal(await run(body), true, "of the main controller")
  t.equal(inside(body), true, "of another")
  const outer = cqueues.new().wrap(body)
  t.strictSame(await outer.loop(), [true], "of one that the main controller runs")
  outer.close()
})

t.test("sync of one controller inside a coroutine of another keeps their results apart", async (t) => {
  const pair = new Pair(t)
  const [outer, inner] = [cqueues.new(), cqueues.new()]
  const events: string[] = []
  inner.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    events.push("inner")
  })
  outer.wrap(function* () {
    pair.send()
    cqueues.assert(inner.loop().sync())
    events.push("outer")
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    events.push("outer again")
  })
  finish(outer)
  t.strictSame(events, ["inner", "outer", "outer again"])
  inner.close()
  outer.close()
})

t.test("an error of the operation is thrown by sync; one of another coroutine is not", async (t) => {
  const result = await outcome(
    t,
    `process.on("uncaughtException", (error) => say("uncaught", error.message))
     cqueues.operation(function* () {
       cqueues.running()[0].wrap(function* () { yield; throw new Error("other") })
       yield
     })().then()
     try {
       cqueues.operation(function* () { yield* cqueues.sleep(0.02); throw new Error("own") })().sync()
     } catch (error) { say("caught", error.message) }
     await cqueues.sleep(0.01)`,
  )
  t.same(result, { code: 0, signal: null, stdout: "caught own\nuncaught other\n", stderr: "" })
})

t.test("sync works at the top level of a CommonJS script, before any event loop", async (t) => {
  const library = new URL("../../core/index.js", import.meta.url).pathname
  const result = await outcome(
    t,
    `import { createRequire } from "node:module"
     say(cqueues.sleep(0.001).sync(), cqueues.poll(0.001).sync(), cqueues.new().loop().sync())
     say(${JSON.stringify(library)}.length > 0)`,
  )
  t.same(result, { code: 0, signal: null, stdout: " 0.001 true\ntrue\n", stderr: "" })
})

t.test("sync waits for promises of cqueues and refuses those of JavaScript", async (t) => {
  const p = promise.new(function* () {
    yield* cqueues.sleep(0.002)
    return "value"
  })
  t.equal(p.get().sync(), "value")
  t.match(
    thrown(() => cqueues.poll(new Promise(() => {})).sync()),
    { code: "EDEADLK" },
  )
  t.match(
    thrown(() => cqueues.await(Promise.resolve()).sync()),
    { code: "EDEADLK" },
  )
  t.strictSame(cqueues.poll(new Promise(() => {}), 0.001).sync(), [0.001], "beside something that can fire")
})

t.test("a signal that interrupts the wait does not end it early", async (t) => {
  const result = await outcome(
    t,
    `import { spawn } from "node:child_process"
     process.on("SIGUSR2", () => say("handled"))
     const killer = spawn("sh", ["-c", "for i in 1 2 3 4 5; do kill -USR2 " + process.pid + "; sleep 0.02; done"])
     await new Promise((done) => killer.once("spawn", done))
     const start = cqueues.monotime()
     cqueues.sleep(0.15).sync()
     say(cqueues.monotime() - start >= 0.15)
     const cq = cqueues.new().wrap(function* () { yield* cqueues.sleep(0.05) })
     say(...cq.loop().sync())
     await new Promise((done) => killer.once("exit", done))`,
  )
  t.equal(result.code, 0)
  t.match(result.stdout, /^true\ntrue\n/)
})

t.test("sync in a loop leaves nothing behind", async (t) => {
  for (let i = 0; i < 2000; i++) cqueues.sleep(0).sync()
  const cq = cqueues.new()
  for (let i = 0; i < 2000; i++) {
    cq.wrap(() => {})
    cq.loop().sync()
  }
  cq.close()
  t.pass("four thousand waits")
})

t.test(
  "a coroutine of a controller that Node's loop drives may wait for a promise while the thread blocks",
  async (t) => {
    const cq = cqueues.new()
    const soon = new Promise<number>((resolve) => setTimeout(resolve, 20, 1))
    cq.wrap(function* () {
      t.equal(yield* cqueues.await(soon), 1)
    })
    const loop = cq.loop().then((result) => result)
    await undefined
    cqueues.sleep(0.01).sync()
    t.strictSame(await loop, [true])
    cq.close()
  },
)
