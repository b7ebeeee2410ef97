// Promises of JavaScript and AbortSignals among coroutines: cqueues.await, and both as pollables. They need
// Node's loop to turn, so where the thread is blocked they are refused and do not hang.
import t from "tap"
import cqueues, { errno, SystemError } from "../../core/index.js"
import { census } from "../support/census.js"
import { inside, thrown } from "./tools.js"

await census(t)

const later = <T>(value: T, ms = 1) => new Promise<T>((done) => setTimeout(done, ms, value))
const run = <T>(body: () => Generator<unknown, T, unknown>) => cqueues.operation(body)().then()

t.test("await gives a coroutine the value of a promise", async (t) => {
  const found = await run(function* () {
    const first = yield* cqueues.await(later("one"))
    const second = yield* cqueues.await(Promise.resolve("two"))
    const third = yield* cqueues.await(
      (async () => {
        await later(undefined)
        return later("three")
      })(),
    )
    return [first, second, third]
  })
  t.strictSame(found, ["one", "two", "three"])
  t.equal(await cqueues.await(later(5)), 5)
  t.equal(await cqueues.await(Promise.resolve(undefined)), undefined)
})

t.test("await takes thenables that are no promises, also one that answers at once or throws", async (t) => {
  // biome-ignore-start lint/suspicious/noThenProperty: thenables are what is tested
  const answers: PromiseLike<string> = { then: (done) => done?.("at once") as never }
  const throws: PromiseLike<string> = {
    then: () => {
      throw new Error("in then")
    },
  }
  // biome-ignore-end lint/suspicious/noThenProperty: thenables are what is tested
  t.equal(await cqueues.await(answers), "at once")
  await t.rejects(cqueues.await(throws).then(), /in then/)
})

t.test("a rejection is thrown where the coroutine waits, and can be caught there", async (t) => {
  const reasons = [new Error("r"), "text", 0, undefined]
  const found = await run(function* () {
    const caught: unknown[] = []
    for (const reason of reasons) {
      try {
        yield* cqueues.await(Promise.reject(reason))
      } catch (error) {
        caught.push(error)
      }
    }
    return caught
  })
  t.strictSame(found, reasons)
  await t.rejects(cqueues.await(Promise.reject(new RangeError("out"))).then(), RangeError)
})

t.test("coroutines await at the same time, others go on meanwhile", async (t) => {
  const order: number[] = []
  let ticks = 0
  const ticker = run(function* () {
    while (order.length < 3) {
      ticks++
      yield* cqueues.sleep(0.001)
    }
  })
  await Promise.all(
    [30, 10, 20].map((ms) =>
      run(function* () {
        order.push(yield* cqueues.await(later(ms, ms)))
      }),
    ),
  )
  await ticker
  t.strictSame(order, [10, 20, 30])
  t.ok(ticks > 3)
})

t.test("await works in a controller inside the main one, at any depth", async (t) => {
  const outer = cqueues.new()
  const inner = cqueues.new()
  let value: unknown
  inner.wrap(function* () {
    value = yield* cqueues.await(later("deep", 3))
  })
  outer.wrap(function* () {
    cqueues.assert(yield* inner.loop())
  })
  t.strictSame(await outer.loop(5), [true])
  t.equal(value, "deep")
  inner.close()
  outer.close()
})

t.test("await under sync fails with EDEADLK and does not hang", async (t) => {
  const wanted = { errno: errno.EDEADLK, code: "EDEADLK", name: "SystemError" }
  t.match(
    thrown(() => cqueues.await(later(1)).sync()),
    wanted,
  )
  t.ok(thrown(() => cqueues.await(Promise.resolve(1)).sync()) instanceof SystemError)
  t.match(
    thrown(() =>
      inside(function* () {
        yield* cqueues.await(later(1))
      }),
    ),
    wanted,
    "in a controller that is looped under sync",
  )
  t.equal(
    inside(function* () {
      try {
        yield* cqueues.await(later(1))
      } catch (error) {
        return (error as SystemError).code
      }
    }),
    "EDEADLK",
    "and the coroutine can catch it",
  )
  await later(2)
})

t.test("a coroutine of the main controller that awaits waits on through somebody's sync", async (t) => {
  const waiting = run(function* () {
    return yield* cqueues.await(later("kept", 5))
  })
  await later(0)
  cqueues.sleep(0.02).sync()
  t.equal(await waiting, "kept")
})

t.test("a promise is a pollable: settled is ready, whichever way it is settled", async (t) => {
  const good = later("g", 3)
  const bad = later(undefined, 3).then(() => {
    throw new Error("b")
  })
  bad.catch(() => {})
  const never = new Promise(() => {})
  t.strictSame(await cqueues.poll(never, good, 5), [good])
  t.strictSame(await cqueues.poll(bad, never, 5), [bad])
  t.strictSame(await cqueues.poll(never, 0.002), [0.002])
  const settled = Promise.resolve(1)
  t.strictSame(await cqueues.poll(never, settled, 5), [settled])
  const rejected = Promise.reject(new Error("handled by being polled"))
  t.strictSame(await cqueues.poll(rejected, 5), [rejected])
})

t.test("polling a promise again and again does not disturb it", async (t) => {
  const slow = later("end", 30)
  let polls = 0
  const found = await run(function* () {
    while ((yield* cqueues.poll(slow, 0.001))[0] !== slow) polls++
    return yield* cqueues.await(slow)
  })
  t.equal(found, "end")
  t.ok(polls > 1)
})

t.test("an AbortSignal is a pollable: aborted is ready", async (t) => {
  const control = new AbortController()
  setTimeout(() => control.abort(), 3)
  t.strictSame(await cqueues.poll(control.signal, 5), [control.signal])
  t.strictSame(await cqueues.poll(control.signal, 5), [control.signal], "and stays ready")
  const unused = new AbortController().signal
  t.strictSame(await cqueues.poll(unused, 0.001), [0.001])
})

t.test("an AbortSignal of a timer, or one aborted by another coroutine, wakes its poll", async (t) => {
  const timed = AbortSignal.timeout(2)
  t.ok((await cqueues.poll(timed, 5))[0] === timed)
  const control = new AbortController()
  const found = inside(function* () {
    const cq = cqueues.running()[0]
    cq?.wrap(function* () {
      yield* cqueues.sleep(0.001)
      control.abort()
    })
    return yield* cqueues.poll(control.signal, 5)
  })
  t.ok(found[0] === control.signal, "without Node's loop, for no promise is in play")
})

t.test("a poll that ends otherwise keeps no hold on promise or signal", async (t) => {
  const control = new AbortController()
  let settle: (value: unknown) => void = () => {}
  const promise = new Promise((done) => {
    settle = done
  })
  const found = await run(function* () {
    for (let i = 0; i < 50; i++) yield* cqueues.poll(control.signal, promise, 0)
    return "ended"
  })
  t.equal(found, "ended")
  control.abort()
  settle(1)
  await later(1)
})

t.test("await of what is no promise is refused or gives the value, and never hangs", async (t) => {
  for (const wrong of [5, "text", undefined, {}]) {
    const outcome = await Promise.race([
      (async () => cqueues.await(wrong as never))().then(
        (value) => value,
        (error: unknown) => {
          t.type(error, TypeError)
          return wrong
        },
      ),
      later("hung", 1000),
    ])
    t.same(outcome, wrong)
  }
})

t.test(
  "a promise and a signal that are waited for a hundred thousand times hold nothing of it",
  async (t) => {
    const never = new Promise(() => {})
    const { signal } = new AbortController()
    const heap = () => {
      globalThis.gc?.()
      return process.memoryUsage().heapUsed
    }
    const polls = (count: number) =>
      run(function* () {
        for (let i = 0; i < count; i++) {
          yield* cqueues.poll(never, signal, 0)
          yield* cqueues.abortable(cqueues.sleep(0), signal)
        }
      })
    await polls(1000)
    const before = heap()
    await polls(100_000)
    const grown = heap() - before
    t.ok(grown < 3_000_000, `the heap grew by ${grown} bytes`)
  },
)

t.test("a signal is a pollable under sync too, where another coroutine aborts it", async (t) => {
  const control = new AbortController()
  const cq = cqueues.new()
  let fired: unknown[] = []
  cq.wrap(function* () {
    fired = yield* cqueues.poll(control.signal)
  })
  cq.wrap(function* () {
    yield* cqueues.sleep(0.001)
    control.abort()
  })
  t.strictSame(cq.loop(5).sync(), [true])
  t.equal(fired.length, 1)
  cq.close()
})
