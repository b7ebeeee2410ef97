// The bridge to Node's own event loop: it stays responsive while coroutines are busy, stays alive while they
// wait, ends when they have ended, and hears of the errors that nobody waits for.
import { performance } from "node:perf_hooks"
import t from "tap"
import cqueues, { condition, promise } from "../../core/index.js"
import { census } from "../support/census.js"
import { outcome } from "./scripts.js"
import { Pair } from "./tools.js"

await census(t)

const run = <T>(body: () => Generator<unknown, T, unknown>) => cqueues.operation(body)().then()

t.test("timers, immediates and promises of Node run while a coroutine is always ready", async (t) => {
  let over = false
  let turns = 0
  const busy = run(function* () {
    while (!over) {
      turns++
      yield
    }
  })
  const seen: string[] = []
  await Promise.all([
    new Promise<void>((done) => queueMicrotask(() => done(void seen.push("microtask")))),
    new Promise<void>((done) => process.nextTick(() => done(void seen.push("tick")))),
    new Promise<void>((done) => setImmediate(() => done(void seen.push("immediate")))),
    new Promise<void>((done) => setTimeout(() => done(void seen.push("timeout")), 5)),
  ])
  t.strictSame(seen.toSorted(), ["immediate", "microtask", "tick", "timeout"])
  let ticks = 0
  const start = performance.now()
  await new Promise<void>((done) => {
    const timer = setInterval(() => {
      if (++ticks < 10) return
      clearInterval(timer)
      done()
    }, 2)
  })
  t.ok(performance.now() - start < 2000)
  over = true
  await busy
  t.ok(turns > 100)
})

t.test("and a chain of Node's own immediates does not hold coroutines up", async (t) => {
  let over = false
  const chain = () => {
    if (!over) setImmediate(chain)
  }
  chain()
  const pair = new Pair(t)
  const waits = Promise.all([
    cqueues.sleep(0.002),
    cqueues.poll({ pollfd: pair.a, events: "r" }, 5),
    run(function* () {
      for (let i = 0; i < 50; i++) yield
      return "turns"
    }),
  ])
  pair.send()
  t.match(await waits, [undefined, [{ pollfd: pair.a }], "turns"])
  over = true
})

t.test("await works at the same time from many places, and each gets its own", async (t) => {
  const results = await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      await cqueues.sleep((i % 10) / 1000)
      return run(function* () {
        yield
        return i
      })
    }),
  )
  t.strictSame(
    results,
    Array.from({ length: 1000 }, (_, i) => i),
  )
})

t.test("an awaited operation has its first turn at once, in order with the others", async (t) => {
  const order: number[] = []
  const step = (i: number) =>
    // biome-ignore lint/correctness/useYield: that it runs at all is what is tested
    run(function* () {
      order.push(i)
    })
  const all = [step(1), step(2), step(3)]
  order.push(4)
  await Promise.all(all)
  t.strictSame(order.toSorted(), [1, 2, 3, 4])
  t.strictSame(
    order.filter((i) => i < 4),
    [1, 2, 3],
  )
})

t.test("a coroutine's timer is not early in Node's loop, whose own clock is coarse", async (t) => {
  let early = 0
  for (let i = 0; i < 100; i++) {
    const delay = (i % 20) / 4000
    const start = cqueues.monotime()
    await cqueues.sleep(delay)
    if (cqueues.monotime() - start < delay) early++
  }
  t.equal(early, 0)
})

t.test("callbacks of Node may signal, set and attach for waiting coroutines", async (t) => {
  const cv = condition.new()
  const p = promise.new()
  const waits = Promise.all([cv.wait(), p.get(), cv.wait(5)])
  setTimeout(() => {
    cv.signal()
    p.set(true, "set")
  }, 2)
  t.strictSame(await waits, [[true], "set", [true]])
})

t.test("an error in an awaited operation is its promise's, with the error itself", async (t) => {
  const error = new Error("its own")
  await t.rejects(
    run(function* () {
      yield
      throw error
    }),
    error,
  )
})

t.test("the process stays while something is awaited, and ends after", async (t) => {
  for (const wait of [
    "cqueues.sleep(0.1)",
    "cqueues.poll(0.1, 50)",
    "cqueues.new().wrap(function* () { yield 0.1 }).loop()",
    "promise.new(function* () { yield 0.1 }).get()",
    "condition.new().wait(0.1)",
    "cqueues.await(new Promise((done) => setTimeout(done, 100)))",
  ]) {
    const result = await outcome(t, `await ${wait}\nsay("after")`)
    t.same(result, { code: 0, signal: null, stdout: "after\n", stderr: "" }, wait)
    const then = await outcome(t, `${wait}.then(() => say("after"))\nsay("before")`)
    t.same(then, { code: 0, signal: null, stdout: "before\nafter\n", stderr: "" }, wait)
  }
})

t.test("controllers that nobody runs, and conditions nobody signals, keep no process alive", async (t) => {
  const result = await outcome(
    t,
    `cqueues.new().wrap(function* () { yield* cqueues.sleep(1000) })
     const stepped = cqueues.new().wrap(function* () { yield* condition.new().wait() })
     stepped.step(0).sync()
     cqueues.sleep(0.01).sync()
     await cqueues.sleep(0.01)
     say("end")`,
  )
  t.same(result, { code: 0, signal: null, stdout: "end\n", stderr: "" })
})

t.test("process.exit ends the process in the middle of everything", async (t) => {
  const result = await outcome(
    t,
    `cqueues.sleep(1000).then()
     const [a, b] = socket.pair()
     a.read("*l").then(() => {})
     cqueues.operation(function* () { for (;;) yield })().then()
     await cqueues.sleep(0.01)
     process.on("exit", () => say("exit handler"))
     process.exit(7)`,
  )
  t.same(result, { code: 7, signal: null, stdout: "exit handler\n", stderr: "" })
})

t.test("process.exit inside a coroutine, under await and under sync", async (t) => {
  for (const how of [".then()", ".sync()", ""]) {
    const result = await outcome(
      t,
      `${how === "" ? "await " : ""}cqueues.operation(function* () {
         yield* cqueues.sleep(0.01)
         process.exit(3)
       })()${how}`,
    )
    t.same(result, { code: 3, signal: null, stdout: "", stderr: "" }, how)
  }
})

t.test("lines that were written before process.exit are sent", async (t) => {
  for (const write of [
    `cqueues.operation(function* () { yield* a.write("one\\ntwo\\n"); process.exit(0) })().then()`,
    `a.write("one\\ntwo\\n").then(); process.exit(0)`,
    `await a.write("one\\ntwo\\n"); process.exit(0)`,
    `setImmediate(() => { a.write("one\\ntwo\\n").then(); process.exit(0) })`,
  ]) {
    const result = await outcome(
      t,
      `import { readSync } from "node:fs"
       const [a, b] = socket.pair()
       process.on("exit", () => {
         const into = Buffer.alloc(100)
         say(JSON.stringify(into.toString("latin1", 0, readSync(b.pollfd(), into))))
       })
       ${write}`,
    )
    t.match(result, { code: 0, stdout: /^"one(\\r)?\\ntwo(\\r)?\\n"\n$/ }, write)
  }
})

t.test("an error that nobody waits for is an uncaughtException", async (t) => {
  const caught = await outcome(
    t,
    `process.on("uncaughtException", (error) => say("uncaught", error.message))
     await cqueues.operation(function* () {
       cqueues.running()[0].wrap(function* () { yield; throw new Error("lost") })
       yield* cqueues.sleep(0.02)
     })()
     say("the others go on")`,
  )
  t.same(caught, { code: 0, signal: null, stdout: "uncaught lost\nthe others go on\n", stderr: "" })
  const fatal = await outcome(
    t,
    `await cqueues.operation(function* () {
       cqueues.running()[0].wrap(function* () { yield; throw new Error("lost") })
       yield* cqueues.sleep(5)
     })()
     say("not reached")`,
  )
  t.equal(fatal.code, 1)
  t.match(fatal.stderr, /Error: lost/)
  t.equal(fatal.stdout, "")
})

t.test("a rejected operation that nobody handles is an unhandledRejection", async (t) => {
  const result = await outcome(
    t,
    `process.on("unhandledRejection", (error) => { say("unhandled", error.message); process.exit(4) })
     cqueues.operation(function* () { yield; throw new Error("dropped") })().then()
     await cqueues.sleep(1)`,
  )
  t.same(result, { code: 4, signal: null, stdout: "unhandled dropped\n", stderr: "" })
})

t.test("an exception in a callback of somebody's leaves the bridge working", async (t) => {
  const result = await outcome(
    t,
    `process.on("uncaughtException", (error) => say("uncaught", error.message))
     const waits = Promise.all([cqueues.sleep(0.05), cqueues.poll(0.04)])
     setTimeout(() => { throw new Error("timer") }, 5)
     cqueues.sleep(0.01).then(() => { queueMicrotask(() => { throw new Error("microtask") }) })
     await waits
     say("done")`,
  )
  t.same(result, { code: 0, signal: null, stdout: "uncaught timer\nuncaught microtask\ndone\n", stderr: "" })
})

t.test("promise.new of a function outside a controller runs on the main controller", async (t) => {
  const seen: unknown[] = []
  const p = promise.new(
    function* (a: number, b: number) {
      seen.push(cqueues.running()[1])
      yield* cqueues.sleep(0.001)
      return a + b
    } as never,
    1 as never,
    2 as never,
  )
  t.equal(p.status(), "pending")
  t.equal(await p.get(), 3)
  t.strictSame(seen, [true])
  const result = await outcome(
    t,
    `promise.new(function* () { yield* cqueues.sleep(0.05); say("ran to its end") })
     say("before")`,
  )
  t.same(result, { code: 0, signal: null, stdout: "before\nran to its end\n", stderr: "" })
})

t.test("an idle process uses no processor while it awaits", async (t) => {
  const result = await outcome(
    t,
    `await cqueues.sleep(0.05)
     const before = process.cpuUsage()
     await Promise.all([cqueues.sleep(0.5), cqueues.new().wrap(function* () { yield 0.5 }).loop()])
     const { user, system } = process.cpuUsage(before)
     say(user + system < 100000 ? "idle" : user + system)`,
  )
  t.same(result, { code: 0, signal: null, stdout: "idle\n", stderr: "" })
})
