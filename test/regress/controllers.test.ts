// Defects that other implementations of this API have had in their controllers: each must not come here.
// The number is that of the report to wahern/cqueues (c) or daurnimator/lua-http (h).
import t from "tap"
import cqueues, { condition, socket } from "../../core/index.js"
import { outcome } from "../loop/scripts.js"
import { finish, inside, Pair, settle, step } from "../loop/tools.js"
import { census } from "../support/census.js"

await census(t)

const readable = (fd: number) => ({ pollfd: fd, events: "r" })

t.test("c42: more events than fit one wait are told in the next ones", async (t) => {
  const cq = cqueues.new()
  const pairs = Array.from({ length: 1000 }, () => new Pair(t))
  let woken = 0
  for (const pair of pairs) {
    cq.wrap(function* () {
      yield* cqueues.poll(readable(pair.a))
      woken++
    })
    pair.send()
  }
  step(cq)
  for (let i = 0; i < 10; i++) step(cq, 1)
  t.equal(woken, 1000)
  cq.close()
})

t.test("c54: cancelling -1, or what nobody polls, is no error", async (t) => {
  t.equal(cqueues.cancel(-1), undefined)
  const [a, b] = socket.pair()
  t.equal(cqueues.cancel(a), undefined)
  a.close()
  t.equal(cqueues.cancel(-1), undefined)
  b.close()
})

t.test("c59: values yielded by coroutines inside coroutines do not reach the controller", async (t) => {
  let got = 0
  const counter = cqueues.wrap(function* () {
    for (let i = 1; i <= 20_000; i++) {
      yield* cqueues.poll(0)
      yield i
    }
    return "done"
  })
  inside(function* () {
    for (let i = 1; i <= 20_000; i++) if (((yield* counter()) as unknown) === i) got++
    t.equal(yield* counter(), "done")
  })
  t.equal(got, 20_000)
})

t.test("c63, c75: no wait ends early, and whole seconds are no exception", async (t) => {
  let early = 0
  for (const timeout of [0.0005, 0.001, 0.0015, 0.01, 0.0999, 1, 1.0005]) {
    const cq = cqueues.new().wrap(function* () {
      const start = cqueues.monotime()
      yield* cqueues.poll(timeout)
      if (cqueues.monotime() - start < timeout) early++
    })
    finish(cq)
    const start = cqueues.monotime()
    cq.wrap(function* () {
      yield* cqueues.sleep(60)
    })
    step(cq)
    cq.loop(timeout).sync()
    if (cqueues.monotime() - start < timeout) early++
    cq.close()
  }
  t.equal(early, 0)
})

t.test("c71: the loop of an empty controller returns, as a process of its own too", async (t) => {
  const result = await outcome(t, `cqueues.assert(cqueues.new().loop().sync()); say("OK")`)
  t.same(result, { code: 0, signal: null, stdout: "OK\n", stderr: "" })
})

t.test("c71: an alert is over after one step", async (t) => {
  const outer = cqueues.new()
  const inner = cqueues.new()
  const cv = condition.new()
  let told: unknown[] = []
  outer.wrap(function* () {
    inner.alert()
    cqueues.assert(yield* inner.step())
    told = yield* cqueues.poll(inner, 0)
    cv.signal()
  })
  outer.wrap(function* () {
    t.equal((yield* cv.wait(3))[0], true)
  })
  finish(outer)
  t.strictSame(told, [0])
  inner.close()
  outer.close()
})

t.test("c83: an error that is no string, and no Error, arrives as it is", async (t) => {
  const table = { code: 5 }
  const cq = cqueues.new().wrap(() => {
    throw table
  })
  const [good, error] = cq.loop().sync()
  t.equal(good, false)
  t.equal(error, table)
  cq.close()
})

t.test("c85: cancel reaches those that wait for other events than r and w", async (t) => {
  const main = cqueues.new()
  const sub = cqueues.new()
  const [a, b] = socket.pair()
  const cv = condition.new()
  const event = { pollfd: a.pollfd() as number, events: "rp" }
  let ready: unknown
  main.wrap(function* () {
    sub.wrap(function* () {
      cv.signal()
      ready = (yield* cqueues.poll(event))[0]
      cv.signal()
    })
    cqueues.assert(yield* sub.loop())
  })
  main.wrap(function* () {
    yield* cv.wait()
    cqueues.cancel(a)
    t.equal((yield* cv.wait(3))[0], true)
  })
  finish(main)
  t.equal(ready, event)
  sub.close()
  main.close()
  a.close()
  b.close()
})

t.test("c125: after an error no coroutine is the running one", async (t) => {
  const cq = cqueues.new().wrap(() => {
    throw new Error("oops")
  })
  t.equal(cq.step().sync()[0], false)
  t.strictSame(cqueues.running(), [undefined, false])
  const outer = cqueues.new()
  let seen: unknown
  cq.wrap(() => {
    throw new Error("oops")
  })
  outer.wrap(function* () {
    yield* cq.step()
    seen = cqueues.running()[0]
  })
  finish(outer)
  t.equal(seen, outer)
  cq.close()
  outer.close()
})

t.test("c145: a coroutine that is over already may be attached", async (t) => {
  const coroutine = (function* () {
    yield
  })()
  coroutine.next()
  coroutine.next()
  const cq = cqueues.new().attach(coroutine)
  t.strictSame(cq.step().sync(), [true])
  t.ok(cq.empty())
  cq.close()
})

t.test("c174: a closed controller takes no coroutines, and is closed twice safely", async (t) => {
  const cq = cqueues.new()
  cq.close()
  t.throws(() => cq.wrap(() => {}), /closed/)
  t.throws(() => cq.attach((function* () {})()), /closed/)
  cq.close()
})

t.test("c175: a controller closed by its own coroutine says that it is running", async (t) => {
  const cq = cqueues.new()
  const [good, why] = cq
    .wrap(() => cq.close())
    .loop()
    .sync()
  t.equal(good, false)
  t.match(why, { message: /cqueue running/ })
  cq.close()
})

t.test("c117: a coroutine whose event did not occur is not moved", async (t) => {
  const pair = new Pair(t)
  const cq = cqueues.new()
  const moved: string[] = []
  pair.fill()
  cq.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "w" })
    moved.push("w")
  })
  cq.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    moved.push("r")
  })
  cq.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "p" }, 60)
    moved.push("p")
  })
  settle(cq)
  pair.send()
  step(cq, 1)
  step(cq)
  t.strictSame(moved, ["r"])
  pair.empty()
  step(cq, 1)
  t.strictSame(moved, ["r", "w"])
  cq.close()
})

t.test("h202, h239: (condition, connection, timeout) polled again is armed again", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  const cq = cqueues.new()
  const seen: unknown[] = []
  cq.wrap(function* () {
    for (let i = 0; i < 3; i++) seen.push((yield* cqueues.poll(cv, readable(pair.a), 60))[0])
    seen.push((yield* cqueues.poll(cv, readable(pair.a), 0.001))[0])
  })
  settle(cq)
  cv.signal()
  step(cq)
  cv.signal()
  step(cq)
  pair.send()
  step(cq, 5)
  pair.drain()
  finish(cq)
  t.match(seen, [cv, cv, { pollfd: pair.a }, 0.001])
  cq.close()
})

t.test("h241: a poll never gives an empty list", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  const cq = cqueues.new()
  let empty = 0
  let polls = 0
  cq.wrap(function* () {
    for (; polls < 500; polls++) {
      if ((yield* cqueues.poll(cv, readable(pair.a), 0.0002)).length === 0) empty++
    }
  })
  cq.wrap(function* () {
    while (polls < 500) {
      cv.signal()
      cqueues.cancel(pair.a)
      cq.alert()
      pair.send()
      yield* cqueues.poll(0.0003)
      pair.drain()
    }
  })
  finish(cq)
  t.equal(empty, 0)
  cq.close()
})

t.test("h32: controllers that are made and dropped by the thousand leave no descriptors", async (t) => {
  for (let i = 0; i < 3000; i++) {
    const cq = cqueues.new()
    cq.wrap(() => {})
    cq.loop().sync()
    cq.close()
  }
  t.pass("the census tells")
})

t.test("h156, h172: a deadline that has passed is no wait for ever", async (t) => {
  const cv = condition.new()
  for (const left of [-0.5, -1e9, Number.NEGATIVE_INFINITY]) {
    t.strictSame(cv.wait(left).sync(), [false, left])
    t.strictSame(cqueues.poll(cv, left).sync(), [left])
    cqueues.sleep(left).sync()
    const cq = cqueues.new().wrap(function* () {
      yield* cv.wait()
    })
    t.strictSame(cq.loop(left).sync(), [true])
    t.strictSame(cq.step(left).sync(), [true])
    cq.close()
  }
})
