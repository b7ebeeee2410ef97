// cqueues.poll: what fired, in the order given. Numbers are timeouts and are themselves returned; descriptors
// are polled through objects that name them.
import { closeSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import t from "tap"
import cqueues, { condition, errno, type Pollable, promise } from "../../core/index.js"
import { census } from "../support/census.js"
import { tmp } from "../support/tmp.js"
import { everyWay, fifo, finish, inside, Pair, step, ways } from "./tools.js"

await census(t)

const readable = (fd: number) => ({ pollfd: fd, events: "r" })
const writable = (fd: number) => ({ pollfd: fd, events: "w" })

t.test("what fired comes in the order given, and nothing else", async (t) => {
  const [one, two, three] = [new Pair(t), new Pair(t), new Pair(t)]
  const objects = [one, two, three].map(({ a }) => readable(a)) as [Pollable, Pollable, Pollable]
  three.send()
  one.send()
  for (const way of everyWay) {
    t.strictSame(await ways[way](cqueues.poll(...objects)), [objects[0], objects[2]], way)
    t.strictSame(await ways[way](cqueues.poll(...objects.toReversed())), [objects[2], objects[0]], way)
  }
  two.send()
  const fired = await cqueues.poll(5, ...objects, 6)
  t.strictSame(fired, objects, "timeouts that have not passed are left out")
  t.ok(fired.every((object, i) => object === objects[i]))
})

t.test("a number is a timeout and is returned when it has passed", async (t) => {
  for (const way of everyWay) {
    const start = cqueues.monotime()
    t.strictSame(await ways[way](cqueues.poll(0.02, 60)), [0.02], way)
    const took = cqueues.monotime() - start
    t.ok(took >= 0.02 && took < 5, `took ${took}`)
  }
  t.strictSame(await cqueues.poll(0), [0])
  t.strictSame(await cqueues.poll(0.001, 0.001), [0.001, 0.001], "each of equal numbers fired")
})

t.test("a timeout that has passed is ready at once, beside what else is", async (t) => {
  const pair = new Pair(t)
  const object = readable(pair.a)
  for (const passed of [0, -1, -0.5, Number.NEGATIVE_INFINITY]) {
    t.strictSame(await cqueues.poll(passed), [passed])
    t.strictSame(await cqueues.poll(object, passed), [passed], "an object that is not ready is left out")
  }
  pair.send()
  for (const passed of [0, -1]) {
    t.ok((await cqueues.poll(object, passed)).includes(object), "and one that is ready is seen")
    t.ok(cqueues.poll(object, passed).sync().includes(object))
    t.ok(
      inside(function* () {
        return (yield* cqueues.poll(passed, object)).includes(object)
      }),
    )
  }
})

t.test("Infinity never passes", async (t) => {
  t.strictSame(await cqueues.poll(Number.POSITIVE_INFINITY, 0.001), [0.001])
  const cq = cqueues.new().wrap(function* () {
    yield* cqueues.poll(Number.POSITIVE_INFINITY)
  })
  step(cq)
  t.equal(cq.timeout(), undefined)
  t.equal(cq.count(), 1)
  cq.close()
})

t.test("NaN is a RangeError of who polls it", async (t) => {
  for (const way of everyWay) {
    await t.rejects(async () => await ways[way](cqueues.poll(Number.NaN)), RangeError, way)
    await t.rejects(async () => await ways[way](cqueues.poll({ timeout: Number.NaN })), RangeError, way)
    await t.rejects(async () => await ways[way](cqueues.poll({ timeout: () => Number.NaN })), RangeError)
    await t.rejects(async () => await ways[way](cqueues.sleep(Number.NaN)), RangeError, way)
  }
})

t.test("undefined arguments are left out", async (t) => {
  const pair = new Pair(t)
  const object = readable(pair.a)
  pair.send()
  t.strictSame(await cqueues.poll(undefined, object, undefined), [object])
  t.strictSame(await cqueues.poll(undefined, 0.001), [0.001])
  t.strictSame(await cqueues.poll(undefined), [])
})

t.test("poll() of nothing yields once", async (t) => {
  const order: string[] = []
  const cq = cqueues.new()
  cq.wrap(function* () {
    order.push("a1")
    t.strictSame(yield* cqueues.poll(), [])
    order.push("a2")
  })
  cq.wrap(() => {
    order.push("b")
  })
  step(cq)
  t.strictSame(order, ["a1", "b"])
  t.equal(cq.timeout(), 0)
  step(cq)
  t.strictSame(order, ["a1", "b", "a2"])
  cq.close()
})

t.test("what cannot be polled is a TypeError of who polls it, and can be caught", async (t) => {
  const wrong = [null, "x", true, {}, [], () => 1, Symbol("s"), 1n, { events: "r" }, new Date()]
  for (const value of wrong) {
    for (const way of everyWay) {
      await t.rejects(
        async () => await ways[way](cqueues.poll(value as never)),
        TypeError,
        `${typeof value}, ${way}`,
      )
    }
  }
  inside(function* () {
    try {
      yield* cqueues.poll(1, null as never)
      t.fail("not refused")
    } catch (error) {
      t.type(error, TypeError)
    }
    t.strictSame(yield* cqueues.poll(0.001), [0.001], "the coroutine goes on")
  })
})

t.test("nothing of a refused poll stays armed", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  const cq = cqueues.new()
  cq.wrap(function* () {
    try {
      yield* cqueues.poll(1000, cv, readable(pair.a), 0.001, null as never)
    } catch {}
    const start = cqueues.monotime()
    yield* cqueues.sleep(0.005)
    t.ok(cqueues.monotime() - start >= 0.005, "the refused poll's descriptor and timeout woke nobody")
  })
  step(cq)
  t.equal(cv.signal(), 0)
  pair.send()
  finish(cq)
  t.equal(cq.timeout(), undefined)
  cq.close()
})

t.test("a descriptor that is not open is EBADF, a file that cannot be polled is EPERM", async (t) => {
  const file = openSync(join(tmp(t, { file: "x" }), "file"), "r")
  for (const [fd, code] of [
    [9999, "EBADF"],
    [file, "EPERM"],
  ] as const) {
    for (const way of everyWay) {
      await t.rejects(
        async () => await ways[way](cqueues.poll(readable(fd), 5)),
        { code, errno: errno[code], name: "SystemError" },
        `${code}, ${way}`,
      )
    }
    const object = readable(fd)
    const cq = cqueues.new()
    function* body(): Generator<unknown, void> {
      yield* cqueues.poll(5, object)
    }
    const coroutine = body()
    cq.attach(coroutine)
    const [good, error, number, who, what, which] = cq.step().sync()
    t.equal(good, false)
    t.match(error, { code })
    t.equal(number, errno[code])
    t.equal(who, coroutine)
    t.equal(what, object)
    t.equal(which, fd)
    t.equal(cq.count(), 0)
    cq.close()
  }
  closeSync(file)
})

t.test("pipes are polled at either end, and their hang-up is readiness", async (t) => {
  const [read, write] = fifo(t)
  const [reads, writes] = [readable(read), writable(write)]
  t.strictSame(await cqueues.poll(reads, writes, 5), [writes])
  writeSync(write, "x")
  t.strictSame(await cqueues.poll(reads, writes, 5), [reads, writes])
  const pair = new Pair(t)
  const [r, w, p] = [readable(pair.a), writable(pair.a), { pollfd: pair.a, events: "p" }]
  t.strictSame(await cqueues.poll(r, p, 0), [0])
  pair.close("b")
  t.strictSame(await cqueues.poll(r, w, 5), [r, w], "an end that has hung up neither blocks reads nor writes")
})

t.test("both directions of one descriptor are told apart", async (t) => {
  const pair = new Pair(t)
  const [r, w, both] = [readable(pair.a), writable(pair.a), { pollfd: pair.a, events: "rw" }]
  t.strictSame(await cqueues.poll(r, w, both, 5), [w, both])
  pair.fill()
  t.strictSame(await cqueues.poll(r, w, both, 0.001), [0.001])
  pair.send()
  t.strictSame(await cqueues.poll(r, w, both, 5), [r, both])
  pair.empty()
  t.strictSame(await cqueues.poll(r, w, both, 5), [r, w, both])
  pair.drain()
  t.strictSame(await cqueues.poll(r, w, both, 5), [w, both])
})

t.test("the same object, or the same thing, may stand in one poll twice", async (t) => {
  const pair = new Pair(t)
  pair.send()
  const object = readable(pair.a)
  t.strictSame(await cqueues.poll(object, 9, object), [object, object])
  const cv = condition.new()
  const p = promise.new()
  const inner = cqueues.new()
  const control = new AbortController()
  const js = Promise.resolve(1)
  const found = inside(function* () {
    const cq = cqueues.running()[0]
    const results: unknown[] = []
    for (const [thing, fire] of [
      [cv, () => cv.signal()],
      [p, () => p.set(true)],
      [inner, () => inner.alert()],
      [control.signal, () => control.abort()],
    ] as const) {
      cq?.wrap(function* () {
        yield* cqueues.sleep(0.001)
        fire()
      })
      results.push((yield* cqueues.poll(thing, 9, thing)).length)
    }
    return results
  })
  t.strictSame(found, [2, 2, 2, 2])
  t.equal((await cqueues.poll(js, 9, js)).length, 2)
  inner.close()
})

t.test("several coroutines poll one descriptor and all are told", async (t) => {
  const pair = new Pair(t)
  const cq = cqueues.new()
  const woken: string[] = []
  for (let i = 0; i < 20; i++) {
    cq.wrap(function* () {
      yield* cqueues.poll(i % 3 ? readable(pair.a) : { pollfd: pair.a, events: "rw" })
      woken.push(i % 3 ? "r" : "rw")
      yield* cqueues.poll(readable(pair.a))
      woken.push("r")
    })
  }
  pair.fill()
  step(cq)
  step(cq)
  t.equal(woken.length, 0)
  pair.empty()
  step(cq, 1)
  t.strictSame(woken, Array(7).fill("rw"), "only those that wait for what happened")
  pair.send()
  finish(cq)
  t.equal(woken.length, 40)
  cq.close()
})

t.test("a coroutine that ends does not take the descriptor from the others", async (t) => {
  const pair = new Pair(t)
  const cq = cqueues.new()
  let woken = 0
  cq.wrap(function* () {
    yield* cqueues.poll(readable(pair.a), 0.002)
  })
  for (let i = 0; i < 3; i++) {
    cq.wrap(function* () {
      yield* cqueues.poll(readable(pair.a))
      woken++
    })
  }
  while (cq.count() === 4) step(cq, 1)
  t.equal(cq.count(), 3)
  step(cq)
  pair.send()
  finish(cq)
  t.equal(woken, 3)
  cq.close()
})
