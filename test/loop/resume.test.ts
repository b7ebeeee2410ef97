// Coroutines inside coroutines: cqueues.resume and cqueues.wrap. A poll inside the inner one goes through to
// the controller, everything else that it yields comes back to its caller.
import t from "tap"
import cqueues, { auxlib, type Coroutine, condition } from "../../core/index.js"
import { census } from "../support/census.js"
import { everyWay, finish, inside, Pair, thrown, ways } from "./tools.js"

await census(t)

t.test("resume gives what the inner coroutine yields and returns, and passes values in", async (t) => {
  function* inner(): Generator<unknown, string, unknown> {
    const a = yield "first"
    const b = yield `got ${a}`
    return `got ${b}`
  }
  for (const way of everyWay) {
    const co = inner() as Coroutine<string>
    t.strictSame(await ways[way](cqueues.resume(co)), { done: false, value: "first" }, way)
    t.strictSame(await ways[way](cqueues.resume(co, 1)), { done: false, value: "got 1" })
    t.strictSame(await ways[way](cqueues.resume(co, 2)), { done: true, value: "got 2" })
    t.strictSame(await ways[way](cqueues.resume(co, 3)), { done: true, value: undefined }, "it is over")
  }
})

t.test("polling inside goes through to the controller, also several levels deep", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  function* level(depth: number): Generator<unknown, number, unknown> {
    if (depth > 0) {
      const result = yield* cqueues.resume(level(depth - 1) as Coroutine<number>)
      if (!result.done) throw new Error("a poll came back")
      return result.value + 1
    }
    yield* cqueues.sleep(0.001)
    yield* cv.wait()
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    return 0
  }
  const cq = cqueues.new()
  let result: unknown
  cq.wrap(function* () {
    result = yield* level(20)
  })
  cq.wrap(function* () {
    while (cv.signal() === 0) yield* cqueues.sleep(0.001)
    pair.send()
  })
  finish(cq)
  t.equal(result, 20)
  cq.close()
})

t.test("values that would be pollable in a managed coroutine come back from an inner one", async (t) => {
  const values = [1, 0.001, undefined, [1, 2], "text", null, condition.new(), { timeout: 1 }, { pollfd: 1 }]
  inside(function* () {
    const co = (function* () {
      for (const value of values) yield value
    })()
    for (const value of values) {
      const result = yield* cqueues.resume(co)
      t.equal(result.done, false)
      t.equal(result.value, value)
    }
    t.strictSame(yield* cqueues.resume(co), { done: true, value: undefined })
  })
})

t.test("polls and values alternate, and each resume waits just until the next value", async (t) => {
  const order: string[] = []
  const generate = cqueues.wrap(function* (n: number): Generator<unknown, string, unknown> {
    for (let i = 0; i < n; i++) {
      yield* cqueues.sleep(0.001)
      order.push(`made ${i}`)
      yield i
    }
    return "end"
  })
  inside(function* () {
    for (;;) {
      const value = yield* generate(3)
      order.push(`took ${value}`)
      if (value === "end") return
    }
  })
  t.strictSame(order, ["made 0", "took 0", "made 1", "took 1", "made 2", "took 2", "took end"])
})

t.test("wrap gives its first arguments to the function and later ones to the yield", async (t) => {
  for (const way of everyWay) {
    const echo = cqueues.wrap(function* (a: number, b: number): Generator<unknown, unknown, unknown> {
      let got: unknown = a + b
      while (got !== "end") got = yield got
      return "over"
    }) as (...args: unknown[]) => ReturnType<typeof cqueues.poll>
    t.equal(await ways[way](echo(1, 2)), 3, way)
    t.equal(await ways[way](echo("x")), "x", way)
    t.equal(await ways[way](echo(undefined)), undefined, way)
    t.equal(await ways[way](echo("end")), "over", way)
    await t.rejects(async () => await ways[way](echo("more")), /cannot resume dead coroutine/, way)
    await t.rejects(async () => await ways[way](echo("more")), /cannot resume dead coroutine/, way)
  }
})

t.test("a call made before the end and waited for after it says that the coroutine is dead", async (t) => {
  const once = cqueues.wrap(function* () {
    yield* cqueues.sleep(0)
    return 1
  })
  const first = once()
  const second = once()
  t.equal(await first, 1)
  await t.rejects(async () => await second, /cannot resume dead coroutine/)
})

t.test("wrap takes an ordinary function too, and refuses an async one", async (t) => {
  const plain = cqueues.wrap((() => 5) as never) as unknown as () => ReturnType<typeof cqueues.poll>
  t.equal(await plain(), 5)
  await t.rejects(async () => await plain(), /dead/)
  await t.rejects(async () => await cqueues.wrap((async () => 1) as never)(), /function\*/)
  await t.rejects(async () => await cqueues.wrap(async function* () {} as never)(), TypeError)
  await t.rejects(async () => await cqueues.wrap(5 as never)(), TypeError)
})

t.test("an error inside reaches who resumed, and the coroutine is dead", async (t) => {
  const error = new Error("inside")
  for (const way of everyWay) {
    const fails = cqueues.wrap(function* () {
      yield* cqueues.sleep(0)
      yield 1
      throw error
    })
    t.equal(await ways[way](fails()), 1)
    await t.rejects(async () => await ways[way](fails()), error, way)
    await t.rejects(async () => await ways[way](fails()), /cannot resume dead coroutine/, way)
    const co = (function* () {
      yield* cqueues.sleep(0)
      throw error
    })()
    t.equal(await ways[way](cqueues.resume(co)).catch((caught) => caught), error)
    t.strictSame(await ways[way](cqueues.resume(co)), { done: true, value: undefined })
  }
})

t.test("a poll that is refused is thrown inside, where it can be caught", async (t) => {
  const careful = cqueues.wrap(function* () {
    try {
      yield* cqueues.poll({ pollfd: 9999, events: "r" })
    } catch (error) {
      yield (error as { code?: string }).code
    }
    yield* cqueues.sleep(0.001)
    return "on"
  })
  inside(function* () {
    t.equal(yield* careful(), "EBADF")
    t.equal(yield* careful(), "on")
  })
})

t.test("running() says false inside a resumed coroutine, true outside", async (t) => {
  const seen: unknown[] = []
  const cq = cqueues.new()
  function* inner() {
    seen.push(cqueues.running())
    yield* cqueues.sleep(0)
    seen.push(cqueues.running())
    yield* cqueues.resume(
      (function* () {
        seen.push(cqueues.running())
        yield* cqueues.sleep(0)
        seen.push(cqueues.running())
      })(),
    )
    seen.push(cqueues.running())
  }
  function* delegated() {
    seen.push(cqueues.running())
    yield* cqueues.sleep(0)
  }
  cq.wrap(function* () {
    seen.push(cqueues.running())
    yield* cqueues.resume(inner())
    seen.push(cqueues.running())
    yield* delegated()
    try {
      yield* cqueues.resume(
        // biome-ignore lint/correctness/useYield: that it throws at once is what is tested
        (function* () {
          throw new Error("x")
        })(),
      )
    } catch {}
    seen.push(cqueues.running())
  })
  finish(cq)
  t.equal(seen.length, 9)
  t.ok(seen.every((each) => (each as unknown[])[0] === cq))
  t.strictSame(
    seen.map((each) => (each as unknown[])[1]),
    [true, false, false, false, false, false, true, true, true],
  )
  t.strictSame(cqueues.running(), [undefined, false])
  cq.close()
})

t.test("running() inside a controller that a coroutine steps is the inner controller", async (t) => {
  const outer = cqueues.new()
  const inner = cqueues.new()
  const seen: unknown[] = []
  inner.wrap(function* () {
    seen.push(cqueues.running()[0] === inner, cqueues.running()[1])
    yield* cqueues.sleep(0.001)
    seen.push(cqueues.running()[0] === inner, cqueues.running()[1])
  })
  outer.wrap(function* () {
    yield* inner.loop()
    seen.push(cqueues.running()[0] === outer, cqueues.running()[1])
  })
  finish(outer)
  t.strictSame(seen, Array(6).fill(true))
  inner.close()
  outer.close()
})

t.test("a controller may be looped inside a resumed coroutine", async (t) => {
  const cq = cqueues.new()
  const values: unknown[] = []
  const generate = cqueues.wrap(function* () {
    const inner = cqueues.new()
    inner.wrap(function* () {
      for (let i = 0; i < 3; i++) {
        yield* cqueues.sleep(0.001)
        values.push(i)
      }
    })
    cqueues.assert(yield* inner.loop())
    inner.close()
    yield "looped"
    return "end"
  })
  cq.wrap(function* () {
    values.push(yield* generate())
    values.push(yield* generate())
  })
  finish(cq)
  t.strictSame(values, [0, 1, 2, "looped", "end"])
  cq.close()
})

t.test("a coroutine can be resumed by one controller's coroutine, and then by another's", async (t) => {
  const pair = new Pair(t)
  pair.send()
  const co = (function* () {
    for (let i = 0; ; i++) {
      yield* cqueues.poll({ pollfd: pair.a, events: "r" })
      yield* cqueues.sleep(0.001)
      yield i
    }
  })()
  for (let i = 0; i < 4; i++) {
    const result = inside(function* () {
      return yield* cqueues.resume(co)
    })
    t.strictSame(result, { done: false, value: i })
  }
})

t.test("what an abortable operation yields inside an inner coroutine comes back too", async (t) => {
  const control = new AbortController()
  const talk = cqueues.operation(function* (): Generator<unknown, string, unknown> {
    const answer = yield "question"
    yield* cqueues.sleep(0.001)
    return `heard ${answer}`
  })
  inside(function* () {
    const co = (function* () {
      const heard: string = yield* cqueues.abortable(talk(), control.signal)
      yield heard
      try {
        yield* cqueues.abortable(cqueues.sleep(1000), control.signal)
      } catch (error) {
        return error
      }
    })()
    t.strictSame(yield* cqueues.resume(co as never), { done: false, value: "question" })
    t.strictSame(yield* cqueues.resume(co as never, "answer"), { done: false, value: "heard answer" })
    cqueues.running()[0]?.wrap(function* () {
      yield* cqueues.sleep(0.001)
      control.abort("enough")
    })
    t.strictSame(yield* cqueues.resume(co as never), { done: true, value: "enough" })
  })
})

t.test("closing the controller runs the finally blocks of resumed coroutines", async (t) => {
  let closed = 0
  const cq = cqueues.new()
  cq.wrap(function* () {
    yield* cqueues.resume(
      (function* () {
        try {
          yield* cqueues.sleep(1000)
        } finally {
          closed++
        }
      })(),
    )
  })
  cq.step(0).sync()
  cq.close()
  t.equal(closed, 1)
})

t.test("resume refuses what is no coroutine", async (t) => {
  for (const wrong of [undefined, null, 5, {}, () => 1]) {
    t.type(
      thrown(() => cqueues.resume(wrong as never).sync()),
      TypeError,
    )
  }
})

t.test("auxlib has the same functions", async (t) => {
  t.equal(auxlib.resume, cqueues.resume)
  t.equal(auxlib.wrap, cqueues.wrap)
})
