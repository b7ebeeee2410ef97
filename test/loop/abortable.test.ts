// cqueues.abortable: an operation that fails with the signal's reason when the signal comes first, and is the
// operation itself when not.
import { getEventListeners } from "node:events"
import t from "tap"
import cqueues, { condition, type Operation, promise } from "../../core/index.js"
import { census } from "../support/census.js"
import { everyWay, inside, Pair, thrown, ways } from "./tools.js"

await census(t)

const { abortable } = cqueues

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length
}

t.test("a signal that was aborted before fails the operation, which does not begin", async (t) => {
  for (const way of everyWay) {
    let began = false
    const op = cqueues.operation(function* () {
      began = true
      yield* cqueues.sleep(1000)
    })
    const reason = new Error("before")
    const signal = AbortSignal.abort(reason)
    t.equal(await rejection(ways[way](abortable(op(), signal))), reason, way)
    t.notOk(began)
    t.equal(listeners(signal), 0)
  }
})

t.test(
  "a signal that is aborted meanwhile fails the operation with its reason, whatever that is",
  async (t) => {
    for (const reason of [new Error("during"), "text", 0, false, { odd: true }]) {
      const control = new AbortController()
      const cq = cqueues.new()
      let found: unknown = "nothing"
      cq.wrap(function* () {
        try {
          yield* abortable(cqueues.sleep(1000), control.signal)
        } catch (error) {
          found = error
        }
      })
      cq.wrap(function* () {
        yield* cqueues.sleep(0.001)
        control.abort(reason)
      })
      t.strictSame(cq.loop(5).sync(), [true])
      t.equal(found, reason)
      t.equal(cq.count(), 0)
      t.equal(cq.timeout(), undefined, "the sleep was given up")
      t.equal(listeners(control.signal), 0)
      cq.close()
    }
    const control = new AbortController()
    control.abort()
    t.match(await rejection(abortable(cqueues.sleep(1), control.signal)), { name: "AbortError" })
  },
)

t.test("it works in each of the three ways, and from Node's side", async (t) => {
  const control = new AbortController()
  setTimeout(() => control.abort(new Error("by a timer")), 5)
  t.match(await rejection(abortable(cqueues.sleep(1000), control.signal)), { message: "by a timer" })
  t.match(await rejection(abortable(cqueues.sleep(1000), AbortSignal.timeout(5))), { name: "TimeoutError" })
  const blocked = new AbortController()
  void cqueues.sleep(0.005).then(() => {})
  const other = cqueues.operation(function* () {
    yield* cqueues.sleep(0.005)
    blocked.abort("in sync")
  })()
  const done = other.then()
  t.equal(
    thrown(() => abortable(cqueues.sleep(1000), blocked.signal).sync()),
    "in sync",
    "a coroutine of the main controller aborts what blocks the thread",
  )
  await done
})

t.test("the operation given up runs its finally blocks, and nothing of it stays", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  const waits: Record<string, () => Operation<unknown>> = {
    sleep: () => cqueues.sleep(1000),
    "descriptor poll": () => cqueues.poll({ pollfd: pair.a, events: "r" }),
    condition: () => cv.wait(),
    "condition and time": () => cv.wait(1000),
    promise: () => promise.new().get(),
    "plain yield": () =>
      cqueues.operation(function* () {
        yield [cv, 1000]
      })(),
    "pending promise": () => cqueues.poll(new Promise(() => {}), 1000),
    nested: () => abortable(cqueues.sleep(1000), new AbortController().signal),
    resume: () =>
      cqueues.resume(
        (function* () {
          yield* cqueues.sleep(1000)
        })(),
      ),
  }
  for (const [name, make] of Object.entries(waits)) {
    const control = new AbortController()
    let cleaned = 0
    const guarded = cqueues.operation(function* () {
      try {
        yield* make()
      } finally {
        cleaned++
      }
    })
    const cq = cqueues.new()
    cq.wrap(function* () {
      try {
        yield* abortable(guarded(), control.signal)
        t.fail("not aborted")
      } catch (error) {
        t.equal(error, name)
      }
      t.equal(cleaned, 1, name)
    })
    cq.step(0).sync()
    control.abort(name)
    t.strictSame(cq.loop(5).sync(), [true], name)
    t.ok(cq.empty())
    t.equal(cq.timeout(), undefined, `${name}: no timer`)
    t.equal(cv.signal(), 0, `${name}: nobody waits`)
    cq.close()
  }
})

t.test("the signal interrupts a plain yield inside the operation, and the coroutine goes on", async (t) => {
  const control = new AbortController()
  const plain = cqueues.operation(function* () {
    yield 1000
  })
  const found = inside(function* () {
    cqueues.running()[0]?.wrap(function* () {
      yield 0.001
      control.abort("plain")
    })
    try {
      yield* abortable(plain(), control.signal)
    } catch (error) {
      yield 0.001
      return error
    }
  })
  t.equal(found, "plain")
})

t.test(
  "a finally block of the operation given up may wait, and its end comes before the error",
  async (t) => {
    const control = new AbortController()
    const order: string[] = []
    const slow = cqueues.operation(function* () {
      try {
        yield* cqueues.sleep(1000)
      } finally {
        order.push("cleaning")
        yield* cqueues.sleep(0.002)
        order.push("cleaned")
      }
    })
    const cq = cqueues.new()
    cq.wrap(function* () {
      try {
        yield* abortable(slow(), control.signal)
      } catch (error) {
        order.push(String(error))
      }
    })
    cq.step(0).sync()
    control.abort("aborted")
    t.strictSame(cq.loop(5).sync(), [true])
    t.strictSame(order, ["cleaning", "cleaned", "aborted"])
    cq.close()
  },
)

t.test("a signal that comes after the end changes nothing and is not listened to", async (t) => {
  for (const way of everyWay) {
    const control = new AbortController()
    const op = abortable(sum(3, 4), control.signal)
    t.equal(await ways[way](op), 7, way)
    t.equal(listeners(control.signal), 0)
    control.abort()
  }
  const control = new AbortController()
  t.equal(await rejection(abortable(fails("own error"), control.signal)), "own error")
  t.equal(listeners(control.signal), 0)
})

t.test("a result is never lost: the operation ended or it was given up, never both", async (t) => {
  let taken = 0
  let delivered = 0
  let aborted = 0
  for (let i = 0; i < 200; i++) {
    const cv = condition.new()
    const control = new AbortController()
    const cq = cqueues.new()
    const take = cqueues.operation(function* () {
      yield* cv.wait()
      taken++
      return "taken"
    })
    cq.wrap(function* () {
      try {
        if ((yield* abortable(take(), control.signal)) === "taken") delivered++
      } catch {
        aborted++
      }
    })
    cq.wrap(function* () {
      yield* cqueues.poll()
      if (i % 2) cv.signal()
      control.abort()
      if (i % 2 === 0) cv.signal()
    })
    t.strictSame(cq.loop(5).sync(), [true])
    cq.close()
  }
  t.equal(taken, delivered)
  t.equal(delivered + aborted, 200)
})

t.test("a signal used by many operations keeps no listener of those that ended", async (t) => {
  const control = new AbortController()
  const warnings: string[] = []
  const note = (warning: Error) => warnings.push(warning.message)
  process.on("warning", note)
  inside(function* () {
    for (let i = 0; i < 100; i++) yield* abortable(cqueues.sleep(0), control.signal)
  })
  const cq = cqueues.new()
  let count = 0
  for (let i = 0; i < 100; i++) {
    cq.wrap(function* () {
      try {
        yield* abortable(cqueues.sleep(1000), control.signal)
      } catch {
        count++
      }
    })
  }
  cq.step(0).sync()
  control.abort()
  t.strictSame(cq.loop(5).sync(), [true])
  t.equal(count, 100)
  t.equal(listeners(control.signal), 0)
  cq.close()
  await new Promise((done) => setImmediate(done))
  process.off("warning", note)
  t.strictSame(warnings, [])
})

t.test("abort called inside the operation itself takes effect at its next wait", async (t) => {
  const control = new AbortController()
  let after = false
  const suicidal = cqueues.operation(function* () {
    control.abort("by itself")
    after = true
    yield* cqueues.sleep(1000)
    t.fail("went on")
  })
  t.equal(await rejection(abortable(suicidal(), control.signal)), "by itself")
  t.ok(after)
})

t.test("an aborted coroutine may wait again, and the same signal fails the next wait at once", async (t) => {
  const control = new AbortController()
  const seen: unknown[] = []
  const op = cqueues.operation(function* () {
    for (let i = 0; i < 3; i++) {
      try {
        yield* abortable(cqueues.sleep(1000), control.signal)
      } catch (error) {
        seen.push(error)
      }
    }
    yield* cqueues.sleep(0.001)
    return "alive"
  })
  setTimeout(() => control.abort("x"), 2)
  t.equal(await op(), "alive")
  t.strictSame(seen, ["x", "x", "x"])
})

t.test("abortable refuses what is no operation or no signal", async (t) => {
  const op = cqueues.sleep(0)
  await t.rejects(async () => await abortable(op, {} as AbortSignal), TypeError)
  await t.rejects(async () => await abortable(undefined as never, new AbortController().signal), TypeError)
})

const sum = cqueues.operation(function* (a: number, b: number) {
  yield* cqueues.sleep(0)
  return a + b
})

const fails = cqueues.operation(function* (reason: unknown) {
  yield* cqueues.sleep(0)
  throw reason
})

async function rejection(waited: PromiseLike<unknown>): Promise<unknown> {
  try {
    await waited
  } catch (error) {
    return error
  }
  throw new Error("not rejected")
}
