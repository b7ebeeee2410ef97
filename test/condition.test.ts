// Condition variables (guide section 3.2.13): who is woken, in which order, and what wait tells.
import t from "tap"
import cqueues, { Condition, condition, promise } from "../core/index.js"
import { everyWay, finish, inside, Pair, settle, step, ways } from "./loop/tools.js"
import { census } from "./support/census.js"

await census(t)

t.test("new makes a Condition, and type tells one from everything else", async (t) => {
  const cv = condition.new()
  t.ok(cv instanceof Condition)
  t.equal(condition.type(cv), "condition")
  for (const other of [undefined, null, 1, "condition", {}, cqueues.new, promise.new(), Condition]) {
    t.equal(condition.type(other), undefined)
  }
})

t.test("wait gives true when it was woken, in each of the three ways", async (t) => {
  for (const way of everyWay) {
    const cv = condition.new()
    const waker = cqueues.operation(function* () {
      while (cv.signal() === 0) yield* cqueues.sleep(0.001)
    })
    if (way === "yield*") {
      const found = inside(function* () {
        cqueues.running()[0]?.wrap(() => waker())
        return yield* cv.wait()
      })
      t.strictSame(found, [true], way)
    } else {
      const woken = waker().then()
      t.strictSame(await ways[way](cv.wait()), [true], way)
      await woken
    }
  }
})

t.test("signal gives the number of coroutines woken", async (t) => {
  const cv = condition.new()
  const cq = cqueues.new()
  t.equal(cv.signal(), 0)
  for (let i = 0; i < 10; i++) {
    cq.wrap(function* () {
      yield* cv.wait()
    })
  }
  t.equal(cv.signal(), 0, "none of them waits yet")
  step(cq)
  t.equal(cv.signal(3), 3)
  t.equal(cv.signal(0), 0)
  t.equal(cv.signal(-1), 0)
  t.equal(cv.signal(1), 1)
  t.equal(cv.signal(100), 6)
  t.equal(cv.signal(), 0)
  finish(cq)
  cq.close()
})

t.test("a signal that nobody waits for is not remembered", async (t) => {
  const cv = condition.new()
  cv.signal()
  cv.signal(5)
  t.strictSame(cv.wait(0.001).sync(), [false, 0.001])
  t.strictSame(await cv.wait(0.001), [false, 0.001])
})

t.test("a coroutine that begins to wait while others are woken waits for the next signal", async (t) => {
  const cv = condition.new()
  const cq = cqueues.new()
  let wakes = 0
  for (let i = 0; i < 3; i++) {
    cq.wrap(function* () {
      for (;;) {
        yield* cv.wait()
        wakes++
      }
    })
  }
  step(cq)
  for (let n = 1; n <= 5; n++) {
    t.equal(cv.signal(), 3)
    settle(cq)
    t.equal(wakes, 3 * n)
  }
  cq.close()
})

t.test("waiting coroutines are woken first in, first out; or last in, first out", async (t) => {
  for (const lifo of [undefined, false, true]) {
    for (const how of ["wait", "wait with a timeout", "poll", "yield"]) {
      const cv = condition.new(lifo)
      const cq = cqueues.new()
      const order: number[] = []
      for (let i = 0; i < 6; i++) {
        cq.wrap(function* () {
          if (how === "wait") yield* cv.wait()
          else if (how === "poll") yield* cqueues.poll(cv)
          else if (how === "yield") yield cv
          else yield* cv.wait(60)
          order.push(i)
        })
      }
      step(cq)
      for (const n of [1, 2, 1]) {
        cv.signal(n)
        step(cq)
      }
      cv.signal()
      finish(cq)
      const wanted = [0, 1, 2, 3, 4, 5]
      t.strictSame(order, lifo ? wanted.reverse() : wanted, `${how}, ${lifo ? "lifo" : "fifo"}`)
      cq.close()
    }
  }
})

t.test("a mutex made of a lifo condition lets one in at a time", async (t) => {
  const cv = condition.new(true)
  const cq = cqueues.new()
  let locked = false
  let inside = 0
  let most = 0
  let passed = 0
  for (let i = 0; i < 50; i++) {
    cq.wrap(function* () {
      while (locked) yield* cv.wait()
      locked = true
      most = Math.max(most, ++inside)
      yield* cqueues.sleep(i % 3 ? 0 : 0.0005)
      inside--
      locked = false
      passed++
      cv.signal(1)
    })
  }
  finish(cq)
  t.equal(most, 1)
  t.equal(passed, 50)
  cq.close()
})

t.test("wait with other pollables tells what else was ready", async (t) => {
  const pair = new Pair(t)
  const object = { pollfd: pair.a, events: "r" }
  const cv = condition.new()
  t.strictSame(cv.wait(object, 0.001).sync(), [false, 0.001])
  pair.send()
  t.strictSame(cv.wait(object, 50).sync(), [false, object])
  t.strictSame(await cv.wait(50, object), [false, object])
  const both = inside(function* () {
    cqueues.running()[0]?.wrap(() => {
      cv.signal()
    })
    return yield* cv.wait(object, 50)
  })
  t.strictSame(both, [true, object], "both at once")
  t.strictSame(cv.wait(undefined, 0.001).sync(), [false, 0.001])
  const other = condition.new()
  const found = inside(function* () {
    cqueues.running()[0]?.wrap(() => {
      other.signal()
    })
    return yield* cv.wait(other, 50)
  })
  t.strictSame(found, [false, other])
  t.equal(cv.signal(), 0, "who timed out or was woken otherwise waits no more")
})

t.test("a timeout that has passed is told at once", async (t) => {
  const cv = condition.new()
  for (const passed of [0, -1]) t.strictSame(cv.wait(passed).sync(), [false, passed])
  t.throws(() => cv.wait(Number.NaN).sync(), RangeError)
  t.throws(() => cv.wait("1" as never).sync(), TypeError)
})

t.test("who is woken and times out in the same step is told both; no wake is lost", async (t) => {
  const cv = condition.new()
  const cq = cqueues.new()
  const results: unknown[][] = []
  for (let i = 0; i < 2; i++) {
    cq.wrap(function* () {
      results.push(yield* cv.wait(0.002))
    })
  }
  step(cq)
  const end = cqueues.monotime() + 0.003
  while (cqueues.monotime() < end);
  t.equal(cv.signal(1), 1)
  finish(cq)
  t.strictSame(results, [
    [true, 0.002],
    [false, 0.002],
  ])
  cq.close()
})

t.test("one condition wakes coroutines of several controllers", async (t) => {
  const cv = condition.new()
  const controllers = Array.from({ length: 5 }, () => cqueues.new())
  const woken: number[] = []
  for (const [i, cq] of controllers.entries()) {
    cq.wrap(function* () {
      yield* cv.wait()
      woken.push(i)
    })
    step(cq)
  }
  const awaited = cv.wait().then(() => woken.push(5))
  t.equal(cv.signal(), 6)
  for (const cq of controllers) {
    t.equal(cq.timeout(), 0)
    finish(cq)
    cq.close()
  }
  await awaited
  t.strictSame(woken, [0, 1, 2, 3, 4, 5])
})

t.test("a signal wakes a controller that another one polls", async (t) => {
  const cv = condition.new()
  const [outer, inner] = [cqueues.new(), cqueues.new()]
  let woken = false
  inner.wrap(function* () {
    yield* cv.wait()
    woken = true
  })
  outer.wrap(function* () {
    cqueues.assert(yield* inner.loop())
  })
  outer.wrap(function* () {
    yield* cqueues.sleep(0.002)
    cv.signal()
  })
  finish(outer)
  t.ok(woken)
  inner.close()
  outer.close()
})

t.test("a coroutine may wait for the same condition as often as it likes", async (t) => {
  const cv = condition.new()
  const cq = cqueues.new()
  let a = 0
  let b = 0
  cq.wrap(function* () {
    for (; a < 1000; a++) yield* cv.wait()
    for (; a < 2000; a++) yield* cv.wait(60)
    for (; a < 3000; a++) yield cv
  })
  cq.wrap(function* () {
    while (a < 3000) {
      cv.signal()
      b++
      yield
    }
  })
  finish(cq)
  t.equal(a, 3000)
  t.ok(b < 3010)
  cq.close()
})

t.test("signal refuses what is no number", async (t) => {
  const cv = condition.new()
  for (const wrong of ["1", null, {}, Number.NaN]) t.throws(() => cv.signal(wrong as never), TypeError)
  t.equal(cv.signal(undefined), 0)
  t.equal(cv.signal(Number.POSITIVE_INFINITY), 0)
})

t.test("interpose adds and replaces methods of living conditions", async (t) => {
  const cv = condition.new()
  const previous = condition.interpose("signal", function (this: Condition, n?: number) {
    return (previous as (n?: number) => number).call(this, n) + 100
  } as never)
  t.equal(cv.signal(), 100)
  condition.interpose("signal", previous as never)
  t.equal(cv.signal(), 0)
  t.equal(condition.interpose("broadcast", (() => "all") as never), undefined)
  t.equal((cv as unknown as { broadcast(): string }).broadcast(), "all")
})
