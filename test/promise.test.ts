// Promises of cqueues: settled once, by set or by a coroutine, for any number of coroutines to wait for.
import t from "tap"
import cqueues, { condition, promise } from "../core/index.js"
import { everyWay, finish, inside, settle, step, thrown, ways } from "./loop/tools.js"
import { census } from "./support/census.js"

await census(t)

t.test("a new promise is pending, and type tells one from everything else", async (t) => {
  const p = promise.new()
  t.equal(p.status(), "pending")
  t.equal(promise.type(p), "promise")
  for (const other of [undefined, null, 1, {}, Promise.resolve(), condition.new(), cqueues.sleep(1)]) {
    t.equal(promise.type(other), undefined)
  }
})

t.test("set fulfils or rejects, once", async (t) => {
  const good = promise.new()
  good.set(true, 1)
  t.equal(good.status(), "fulfilled")
  const bad = promise.new()
  bad.set(false, "reason")
  t.equal(bad.status(), "rejected")
  for (const p of [good, bad]) {
    for (const again of [true, false]) t.throws(() => p.set(again, 2), Error)
  }
  t.equal(good.status(), "fulfilled")
  t.equal(bad.status(), "rejected")
  t.equal(await good.get(), 1)
  t.equal(await bad.get().catch((error) => error), "reason")
})

t.test(
  "get gives one value bare, several as their tuple, none as undefined; undefined is kept",
  async (t) => {
    const cases: [values: unknown[], wanted: unknown][] = [
      [[], undefined],
      [[undefined], undefined],
      [[5], 5],
      [[null], null],
      [[[1, 2]], [1, 2]],
      [
        [1, 2],
        [1, 2],
      ],
      [
        [1, undefined],
        [1, undefined],
      ],
      [
        [undefined, undefined],
        [undefined, undefined],
      ],
      [
        [undefined, undefined, 3, undefined],
        [undefined, undefined, 3, undefined],
      ],
      [[false], false],
    ]
    for (const [values, wanted] of cases) {
      for (const way of everyWay) {
        const p = promise.new()
        p.set(true, ...values)
        const found = await ways[way](p.get())
        t.strictSame(found, wanted, way)
        if (Array.isArray(wanted)) t.equal((found as unknown[]).length, wanted.length)
      }
    }
  },
)

t.test("get throws the reason unchanged, whatever it is", async (t) => {
  for (const reason of [new Error("e"), "text", 0, null, undefined, { a: 1 }]) {
    for (const way of everyWay) {
      const p = promise.new()
      p.set(false, reason)
      const found = await ways[way](p.get()).then(
        () => "fulfilled",
        (error: unknown) => ({ error }),
      )
      t.equal((found as { error: unknown }).error, reason, way)
    }
  }
})

t.test(
  "wait gives the promise itself when it is settled, either way, and never throws the reason",
  async (t) => {
    for (const good of [true, false]) {
      for (const way of everyWay) {
        const p = promise.new()
        p.set(good, "x")
        t.equal(await ways[way](p.wait()), p, way)
        t.equal(await ways[way](p.wait(0)), p, way)
        t.equal(await ways[way](p.wait(5)), p, way)
      }
    }
  },
)

t.test("wait and get give undefined when their time is up", async (t) => {
  for (const way of everyWay) {
    const p = promise.new()
    const start = cqueues.monotime()
    t.equal(await ways[way](p.wait(0.01)), undefined, way)
    t.equal(await ways[way](p.get(0.01)), undefined, way)
    t.ok(cqueues.monotime() - start >= 0.02)
    t.equal(await ways[way](p.get(0)), undefined, way)
    t.equal(await ways[way](p.get(-1)), undefined, way)
    t.equal(p.status(), "pending")
    p.set(true, "late")
    t.equal(await ways[way](p.get(0)), "late", way)
  }
  t.throws(() => promise.new().get(Number.NaN).sync(), RangeError)
  t.throws(
    () =>
      promise
        .new()
        .wait("1" as never)
        .sync(),
    TypeError,
  )
})

t.test("all who wait are woken, in order, on every controller", async (t) => {
  const p = promise.new()
  const order: number[] = []
  const [one, two] = [cqueues.new(), cqueues.new()]
  for (let i = 0; i < 6; i++) {
    ;(i < 3 ? one : two).wrap(function* () {
      t.equal(yield* p.get(), "v")
      order.push(i)
    })
  }
  const awaited = p.get().then(() => order.push(6))
  step(one)
  step(two)
  p.set(true, "v")
  finish(one)
  finish(two)
  await awaited
  t.strictSame(order, [0, 1, 2, 3, 4, 5, 6])
  one.close()
  two.close()
})

t.test("new(fn, ...args) runs it as a coroutine of the running controller", async (t) => {
  const cq = cqueues.new()
  let where: unknown
  let value: unknown
  cq.wrap(function* () {
    const p = promise.new(
      function* (a: number, b: number) {
        where = cqueues.running()[0]
        yield* cqueues.sleep(0.001)
        return a * b
      },
      6,
      7,
    )
    t.equal(p.status(), "pending")
    value = yield* p.get()
    t.equal(p.status(), "fulfilled")
  })
  finish(cq)
  t.equal(where, cq)
  t.equal(value, 42)
  cq.close()
})

t.test("its return value is one value; its error is the reason and no error of the controller", async (t) => {
  const reason = new Error("r")
  const found = inside(function* () {
    const list = promise.new(function* () {
      yield
      return [1, 2]
    })
    const nothing = promise.new(function* () {
      yield
    })
    const plain = promise.new((x: number) => x + 1, 1)
    const fails = promise.new(function* () {
      yield
      throw reason
    })
    const results: unknown[] = [yield* list.get(), yield* nothing.get(), yield* plain.get()]
    try {
      yield* fails.get()
    } catch (error) {
      results.push(error)
    }
    t.equal(fails.status(), "rejected")
    return results
  })
  t.strictSame(found, [[1, 2], undefined, 2, reason])
})

t.test("a rejected promise that nobody asks is nobody's error", async (t) => {
  const cq = cqueues.new()
  cq.wrap(function* () {
    promise.new(function* () {
      yield
      throw new Error("not asked for")
    })
    yield* cqueues.sleep(0.001)
  })
  t.strictSame(cq.loop().sync(), [true])
  cq.close()
})

t.test("a promise set from outside before its coroutine ends keeps what was set", async (t) => {
  const found = inside(function* () {
    const p = promise.new(function* () {
      yield* cqueues.sleep(0.001)
      return "coroutine"
    })
    p.set(true, "outside")
    yield* cqueues.sleep(0.003)
    return yield* p.get()
  })
  t.equal(found, "outside")
})

t.test("new refuses an async function, and what is no function", async (t) => {
  t.throws(() => promise.new((async () => 1) as never), /function\*/)
  for (const wrong of [1, "x", {}]) t.throws(() => promise.new(wrong as never), TypeError)
})

t.test("a promise is pollable: pending is not ready, settled is, and stays so", async (t) => {
  const p = promise.new()
  t.strictSame(cqueues.poll(p, 0.001).sync(), [0.001])
  const found = inside(function* () {
    cqueues.running()[0]?.wrap(function* () {
      yield* cqueues.sleep(0.001)
      p.set(false, "reason")
    })
    return yield* cqueues.poll(50, p)
  })
  t.strictSame(found, [p])
  t.ok(cqueues.poll(p, 0.001).sync().includes(p))
  t.ok((await cqueues.poll(p, 50)).includes(p))
  t.ok(
    inside(function* () {
      return ((yield [p, 50]) as unknown[]).includes(p)
    }),
  )
})

t.test("conditions, promises of JavaScript and of cqueues work together", async (t) => {
  const p = promise.new()
  setTimeout(() => p.set(true, "from a timer"), 2)
  t.equal(await p.get(), "from a timer")
  const joined = await cqueues.operation(function* () {
    const mine = promise.new()
    const theirs = mine.get().then()
    mine.set(true, 5)
    return yield* cqueues.await(theirs)
  })()
  t.equal(joined, 5)
})

t.test("set wakes those who wait, in the next step, and not inside set", async (t) => {
  const cq = cqueues.new()
  const p = promise.new()
  let woken = false
  cq.wrap(function* () {
    yield* p.wait()
    woken = true
  })
  step(cq)
  p.set(true)
  t.notOk(woken)
  settle(cq)
  t.ok(woken)
  cq.close()
})

t.test("interpose adds methods to living promises", async (t) => {
  const p = promise.new()
  t.equal(promise.interpose("hello", (() => "hi") as never), undefined)
  t.equal((p as unknown as { hello(): string }).hello(), "hi")
  t.type(
    thrown(() => promise.interpose("hello", 1 as never)),
    TypeError,
  )
})
