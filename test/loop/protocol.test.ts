// The polling protocol for objects of the user's own (guide section 3.1.1): pollfd, events and timeout, each a
// value or a function, and what they may give.
import t from "tap"
import cqueues, { condition, promise } from "../../core/index.js"
import { census } from "../support/census.js"
import { everyWay, finish, inside, Pair, step, ways } from "./tools.js"

await census(t)

t.test("pollfd is a number or a function that gives one", async (t) => {
  const pair = new Pair(t)
  pair.send()
  const objects = [
    { pollfd: pair.a, events: "r" },
    { pollfd: () => pair.a, events: "r" },
    { pollfd: pair.a, events: () => "r" },
    { pollfd: () => pair.a, events: () => "r", timeout: () => undefined },
    { pollfd: pair.a, events: "rw", timeout: 60 },
  ]
  for (const object of objects) {
    for (const way of everyWay) t.strictSame(await ways[way](cqueues.poll(object)), [object], way)
  }
  t.strictSame(await cqueues.poll(...objects), objects)
})

t.test("methods are called on their object, and may come from its class", async (t) => {
  const pair = new Pair(t)
  pair.send()
  class Device {
    readonly #fd = pair.a
    calls = 0
    pollfd() {
      this.calls++
      return this.#fd
    }
    events() {
      return "r"
    }
    timeout() {
      return undefined
    }
  }
  class Derived extends Device {}
  const device = new Derived()
  t.ok((await cqueues.poll(device))[0] === device)
  t.equal(device.calls, 1, "asked once a poll")
  t.ok((await cqueues.poll(5, device))[0] === device)
  t.equal(device.calls, 2, "and anew for each poll")
})

t.test("they are asked when the coroutine waits, not before", async (t) => {
  let asked = 0
  const object = {
    timeout: () => {
      asked++
      return 0.001
    },
  }
  const op = cqueues.poll(object)
  await new Promise((done) => setImmediate(done))
  t.equal(asked, 0)
  await op
  t.equal(asked, 1)
})

t.test("pollfd may be a condition, or give one", async (t) => {
  const cv = condition.new()
  for (const object of [{ pollfd: cv }, { pollfd: () => cv }, { pollfd: cv, events: "r", timeout: 60 }]) {
    const found = inside(function* () {
      cqueues.running()[0]?.wrap(function* () {
        yield* cqueues.sleep(0.001)
        t.equal(cv.signal(), 1)
      })
      return yield* cqueues.poll(object, 5)
    })
    t.strictSame(found, [object], "the object itself is what fired")
    t.equal(cv.signal(), 0, "nobody waits any more")
  }
})

t.test("pollfd may be any pollable of the library", async (t) => {
  const inner = cqueues.new()
  inner.alert()
  const p = promise.new()
  p.set(true)
  for (const pollfd of [inner, p]) {
    const object = { pollfd }
    t.strictSame(await cqueues.poll(object as never, 5), [object])
  }
  inner.close()
})

t.test("a pollfd of undefined or -1 is never ready; its timeout counts alone", async (t) => {
  for (const pollfd of [undefined, -1, () => undefined, () => -1]) {
    t.strictSame(await cqueues.poll({ pollfd, events: "r" } as never, 0.001), [0.001])
    const object = { pollfd, events: "r", timeout: 0.001 }
    t.strictSame(await cqueues.poll(object as never, 5), [object])
  }
})

t.test("events without r, w or p wait for nothing of the descriptor", async (t) => {
  const pair = new Pair(t)
  pair.send()
  for (const events of ["", "x", () => undefined]) {
    t.strictSame(await cqueues.poll({ pollfd: pair.a, events }, 0.001), [0.001])
  }
})

t.test("events holds its letters in any order, among others", async (t) => {
  const pair = new Pair(t)
  pair.send()
  for (const events of ["r", "wr", "rw", "prw", "xrx", "RrR"]) {
    const object = { pollfd: pair.a, events }
    t.strictSame(await cqueues.poll(object, 5), [object], events)
  }
})

t.test("timeout fires the object itself", async (t) => {
  const pair = new Pair(t)
  for (const timeout of [0.001, 0, -1, () => 0.001, () => -5]) {
    const object = { timeout }
    const other = { pollfd: pair.a, events: "r", timeout }
    t.strictSame(await cqueues.poll(object, 5), [object])
    t.strictSame(await cqueues.poll(other, 5), [other])
  }
  const never = { timeout: Number.POSITIVE_INFINITY }
  t.strictSame(await cqueues.poll(never, { timeout: () => undefined }, 0.001), [0.001])
})

t.test("an object that fires for two reasons is told once", async (t) => {
  const pair = new Pair(t)
  pair.send()
  const object = { pollfd: pair.a, events: "rw", timeout: 0 }
  t.strictSame(await cqueues.poll(object, 5), [object])
})

t.test("what a method throws is thrown where the coroutine polls, and nothing stays armed", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  const error = new Error("in a method")
  const bad = () => {
    throw error
  }
  for (const object of [{ pollfd: bad }, { pollfd: pair.a, events: bad }, { timeout: bad }]) {
    const cq = cqueues.new()
    cq.wrap(function* () {
      try {
        yield* cqueues.poll(cv, 1000, object as never)
        t.fail("not thrown")
      } catch (caught) {
        t.equal(caught, error)
      }
      yield* cqueues.sleep(0.001)
    })
    step(cq)
    t.equal(cv.signal(), 0)
    finish(cq)
    t.equal(cq.timeout(), undefined)
    cq.close()
  }
})

t.test("wrong types in the protocol are errors of the coroutine", async (t) => {
  const wrong = [
    { pollfd: "1", events: "r" },
    { pollfd: {}, events: "r" },
    { pollfd: () => "1", events: "r" },
    { pollfd: 0.5, events: "r" },
    { pollfd: Number.NaN, events: "r" },
    { pollfd: () => null, events: "r" },
    { timeout: "1" },
    { timeout: () => ({}) },
    { timeout: null },
  ]
  for (const object of wrong) {
    await t.rejects(async () => await cqueues.poll(object as never), TypeError, JSON.stringify(object))
  }
  const pair = new Pair(t)
  await t.rejects(async () => await cqueues.poll({ pollfd: pair.a, events: 1 } as never), TypeError)
})

t.test("an object may be its own program: a queue made of the protocol and a condition", async (t) => {
  class Queue<T> {
    readonly #items: T[] = []
    readonly #filled = condition.new()
    put(item: T) {
      this.#items.push(item)
      this.#filled.signal()
    }
    take(): T | undefined {
      return this.#items.shift()
    }
    pollfd() {
      return this.#filled
    }
    timeout() {
      return this.#items.length > 0 ? 0 : undefined
    }
  }
  const queue = new Queue<number>()
  const got: number[] = []
  const cq = cqueues.new()
  for (let reader = 0; reader < 3; reader++) {
    cq.wrap(function* () {
      for (;;) {
        const item = queue.take()
        if (item === -1) return
        if (item === undefined) yield queue
        else got.push(item)
      }
    })
  }
  cq.wrap(function* () {
    for (let i = 0; i < 100; i++) {
      queue.put(i)
      if (i % 7 === 0) yield* cqueues.sleep(0.0001)
    }
    for (let reader = 0; reader < 3; reader++) queue.put(-1)
  })
  finish(cq)
  t.strictSame(
    got.toSorted((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  )
  cq.close()
})
