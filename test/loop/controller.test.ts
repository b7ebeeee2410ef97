// A controller's methods (guide section 3.2.1): attach, wrap, step, loop, errors, and what it tells of itself.
import t from "tap"
import cqueues, { Controller, type Coroutine, condition } from "../../core/index.js"
import { census } from "../support/census.js"
import { finish, Pair, settle, step, thrown } from "./tools.js"

await census(t)

t.test("attach and wrap give the controller, and run nothing before the step", async (t) => {
  const cq = cqueues.new()
  const ran: unknown[] = []
  const coroutine = (function* () {
    ran.push("attached")
    yield* cqueues.sleep(0)
  })()
  t.equal(cq.attach(coroutine), cq)
  t.equal(
    cq.wrap(
      function* (a: number, b: string) {
        ran.push(a, b)
        yield* cqueues.sleep(0)
      },
      1,
      "two",
    ),
    cq,
  )
  t.equal(
    cq.wrap((...args: unknown[]) => {
      ran.push(args)
    }, 3),
    cq,
  )
  t.strictSame(ran, [])
  t.equal(cq.count(), 3)
  step(cq)
  t.strictSame(ran, ["attached", 1, "two", [3]])
  t.equal(cq.count(), 2, "the ordinary function ran to its end in its turn")
  finish(cq)
  cq.close()
})

t.test("wrap refuses an async function and says what to write", async (t) => {
  const cq = cqueues.new()
  const wrong = [async () => {}, async function named() {}, async function* () {}]
  for (const fn of wrong) t.throws(() => cq.wrap(fn as never), { name: "TypeError", message: /function\*/ })
  for (const no of [undefined, null, 5, "x", {}, (function* () {})()]) {
    t.throws(() => cq.wrap(no as never), TypeError)
  }
  t.equal(cq.count(), 0)
  cq.close()
})

t.test("attach refuses what is no coroutine", async (t) => {
  const cq = cqueues.new()
  const asynchronous = (async function* () {
    yield 1
  })()
  for (const no of [undefined, null, 5, "x", {}, function* () {}, [], Promise.resolve(), asynchronous]) {
    t.throws(() => cq.attach(no as never), TypeError)
  }
  t.equal(cq.count(), 0)
  cq.close()
})

t.test("a coroutine that has ended already ends without being resumed", async (t) => {
  const cq = cqueues.new()
  const over = (function* () {
    yield 1
  })()
  over.return()
  cq.attach(over)
  t.strictSame(cq.step().sync(), [true])
  t.ok(cq.empty())
  cq.close()
})

t.test("a coroutine can be attached once only", async (t) => {
  const cq = cqueues.new()
  const other = cqueues.new()
  const coroutine = (function* () {
    yield* cqueues.sleep(0.001)
  })()
  cq.attach(coroutine)
  t.throws(() => cq.attach(coroutine), /attached/)
  t.throws(() => other.attach(coroutine), /attached/)
  finish(cq)
  t.equal(other.count(), 0)
  cq.close()
  other.close()
})

t.test("empty, count, timeout and events tell what a controller has", async (t) => {
  const cq = cqueues.new()
  t.ok(cq instanceof Controller)
  t.strictSame([cq.empty(), cq.count(), cq.timeout(), cq.events()], [true, 0, undefined, "r"])
  const cv = condition.new()
  cq.wrap(function* () {
    yield* cqueues.poll(cv, 50)
  })
  cq.wrap(function* () {
    yield* cv.wait()
  })
  t.strictSame([cq.empty(), cq.count(), cq.timeout()], [false, 2, 0], "pending: at once")
  step(cq)
  const timeout = cq.timeout() as number
  t.ok(timeout > 49 && timeout <= 50, `the next timer in ${timeout}`)
  cv.signal(1)
  t.equal(cq.timeout(), 0)
  step(cq)
  t.strictSame([cq.empty(), cq.count(), cq.timeout()], [false, 1, undefined], "no timer left")
  cv.signal()
  step(cq)
  t.strictSame([cq.empty(), cq.count(), cq.timeout()], [true, 0, undefined])
  cq.close()
})

t.test("a coroutine leaves the count when it ends, whichever way it ends", async (t) => {
  const cq = cqueues.new()
  cq.wrap(() => 1)
  cq.wrap(() => {
    throw new Error("x")
  })
  cq.wrap(function* () {
    yield
    return 5
  })
  t.equal(cq.count(), 3)
  t.equal(cq.step().sync()[0], false)
  t.equal(cq.count(), 1)
  step(cq)
  step(cq)
  t.equal(cq.count(), 0)
  cq.close()
})

t.test("step of an empty controller does not wait, nor does loop", async (t) => {
  const cq = cqueues.new()
  const start = cqueues.monotime()
  for (const timeout of [undefined, 0, 50, Number.POSITIVE_INFINITY]) {
    t.strictSame(cq.step(timeout).sync(), [true])
    t.strictSame(cq.loop(timeout).sync(), [true])
    t.strictSame(await cq.step(timeout), [true])
    t.strictSame(await cq.loop(timeout), [true])
  }
  const outer = cqueues.new().wrap(function* () {
    t.strictSame(yield* cq.step(), [true])
    t.strictSame(yield* cq.loop(), [true])
  })
  finish(outer)
  t.ok(cqueues.monotime() - start < 5)
  outer.close()
  cq.close()
})

t.test("step does not wait when something is pending", async (t) => {
  const cq = cqueues.new()
  cq.wrap(function* () {
    yield* cqueues.sleep(50)
  })
  step(cq, 50)
  cq.wrap(() => {})
  const start = cqueues.monotime()
  step(cq, 50)
  cq.alert()
  step(cq, 50)
  t.ok(cqueues.monotime() - start < 5)
  cq.close()
})

t.test("step waits for its timeout at most, and never less than that without an event", async (t) => {
  const cq = cqueues.new()
  cq.wrap(function* () {
    yield* cqueues.sleep(50)
  })
  step(cq)
  for (const timeout of [0.001, 0.01, 0.03]) {
    const start = cqueues.monotime()
    t.strictSame(cq.step(timeout).sync(), [true])
    const took = cqueues.monotime() - start
    t.ok(took >= timeout && took < 5, `${timeout} took ${took}`)
  }
  for (const passed of [0, -1, Number.NEGATIVE_INFINITY]) t.strictSame(cq.step(passed).sync(), [true])
  t.throws(() => cq.step(Number.NaN).sync(), RangeError)
  t.throws(() => cq.loop(Number.NaN).sync(), RangeError)
  t.throws(() => cq.step("1" as never).sync(), TypeError)
  cq.close()
})

t.test(
  "one step waits once: what one event makes pending has its turn, what follows has to wait",
  async (t) => {
    const pair = new Pair(t)
    const cq = cqueues.new()
    const order: string[] = []
    cq.wrap(function* () {
      yield* cqueues.poll({ pollfd: pair.a, events: "r" })
      order.push("read")
      yield* cqueues.sleep(0.001)
      order.push("slept")
    })
    step(cq)
    pair.send()
    step(cq, 5)
    t.strictSame(order, ["read"])
    step(cq, 5)
    t.strictSame(order, ["read", "slept"])
    cq.close()
  },
)

t.test("loop runs until nothing is left, or its time is up", async (t) => {
  const cq = cqueues.new()
  let count = 0
  cq.wrap(function* () {
    for (let i = 0; i < 5; i++) {
      yield* cqueues.sleep(0.002)
      count++
    }
  })
  t.strictSame(cq.loop().sync(), [true])
  t.equal(count, 5)
  cq.wrap(function* () {
    for (;;) yield* cqueues.sleep(0.001)
  })
  for (const way of ["sync", "await"]) {
    const start = cqueues.monotime()
    t.strictSame(way === "sync" ? cq.loop(0.02).sync() : await cq.loop(0.02), [true])
    const took = cqueues.monotime() - start
    t.ok(took >= 0.02 && took < 5, `took ${took}`)
    t.equal(cq.count(), 1)
  }
  for (const passed of [0, -1]) t.strictSame(cq.loop(passed).sync(), [true])
  cq.close()
})

t.test("a loop whose coroutines are always pending ends in time too", async (t) => {
  const cq = cqueues.new().wrap(function* () {
    for (;;) yield
  })
  const start = cqueues.monotime()
  t.strictSame(cq.loop(0.01).sync(), [true])
  t.strictSame(await cq.loop(0.01), [true])
  t.ok(cqueues.monotime() - start < 5)
  cq.close()
})

t.test("a controller lives on after its coroutines: more may be added", async (t) => {
  const cq = cqueues.new()
  let ran = 0
  for (let i = 0; i < 5; i++) {
    cq.wrap(function* () {
      yield* cqueues.sleep(0.0005)
      ran++
    })
    finish(cq)
    t.equal(ran, i + 1)
  }
  cq.close()
})

t.test("coroutines start coroutines, which have their first turn in the next step", async (t) => {
  const cq = cqueues.new()
  const order: string[] = []
  cq.wrap(function* () {
    order.push("parent")
    cq.wrap(() => {
      order.push("child")
      cq.wrap(() => {
        order.push("grandchild")
      })
    })
    yield
    order.push("parent again")
  })
  step(cq)
  t.strictSame(order, ["parent"])
  step(cq)
  t.strictSame(order.toSorted(), ["child", "parent", "parent again"])
  step(cq)
  t.equal(order.at(-1), "grandchild")
  cq.close()
})

t.test("alert makes the next step return at once, once", async (t) => {
  const cq = cqueues.new()
  cq.wrap(function* () {
    yield* cqueues.sleep(1000)
  })
  step(cq)
  t.equal(cq.alert(), undefined)
  t.equal(cq.timeout(), 0)
  t.strictSame(cq.step(1000).sync(), [true])
  t.ok((cq.timeout() as number) > 900, "the alert is over")
  const start = cqueues.monotime()
  cq.step(0.005).sync()
  t.ok(cqueues.monotime() - start >= 0.005)
  cq.close()
})

t.test("stepping a controller from inside itself is refused", async (t) => {
  const cq = cqueues.new()
  const found: unknown[] = []
  cq.wrap(function* () {
    for (const attempt of [() => cq.step(0), () => cq.loop(), () => cq.step(), () => cq.errors().next()]) {
      try {
        yield* attempt()
      } catch (error) {
        found.push((error as Error).message)
      }
      found.push((thrown(() => attempt().sync()) as Error | undefined)?.message)
    }
    found.push((thrown(() => cq.pause()) as Error | undefined)?.message)
  })
  cq.wrap(function* () {
    yield* cqueues.sleep(0.001)
  })
  finish(cq)
  t.equal(found.length, 9)
  for (const message of found) t.match(message, /cannot step live cqueue/)
  cq.close()
})

t.test("and also through a controller in between", async (t) => {
  const outer = cqueues.new()
  const inner = cqueues.new()
  let message: unknown
  inner.wrap(function* () {
    try {
      yield* outer.step(0)
    } catch (error) {
      message = (error as Error).message
    }
  })
  outer.wrap(function* () {
    yield* inner.loop()
  })
  finish(outer)
  t.match(message, /cannot step live cqueue/)
  inner.close()
  outer.close()
})

t.test("two coroutines may loop one inner controller; nothing is run twice", async (t) => {
  const outer = cqueues.new()
  const inner = cqueues.new()
  let runs = 0
  for (let i = 0; i < 10; i++) {
    inner.wrap(function* () {
      yield* cqueues.sleep(0.001)
      runs++
    })
  }
  const results: unknown[] = []
  for (let i = 0; i < 2; i++) {
    outer.wrap(function* () {
      results.push(yield* inner.loop())
    })
  }
  finish(outer)
  t.equal(runs, 10)
  t.strictSame(results, [[true], [true]])
  inner.close()
  outer.close()
})

t.test(
  "interpose replaces a method for living controllers and new ones, and gives the previous",
  async (t) => {
    const before = cqueues.new()
    const previous = cqueues.interpose("count", function (this: Controller) {
      return -(previous as () => number).call(this)
    } as never)
    t.type(previous, "function")
    const after = cqueues.new().wrap(() => {})
    before.wrap(() => {}).wrap(() => {})
    t.equal(before.count(), -2)
    t.equal(after.count(), -1)
    cqueues.interpose("count", previous as never)
    t.equal(before.count(), 2)
    const name = "hello" as never
    t.equal(cqueues.interpose(name, (() => "hi") as never), undefined)
    t.equal((before as unknown as { hello(): string }).hello(), "hi")
    t.throws(() => cqueues.interpose("count", 5 as never), TypeError)
    for (const cq of [before, after]) {
      settle(cq)
      cq.close()
    }
  },
)

t.test("a finished coroutine, its result and its error are not kept", async (t) => {
  const cq = cqueues.new()
  const references: WeakRef<Coroutine>[] = []
  for (let i = 0; i < 100; i++) {
    const coroutine = (function* () {
      yield* cqueues.sleep(0)
      return { big: i }
    })()
    references.push(new WeakRef(coroutine as Coroutine))
    cq.attach(coroutine)
  }
  finish(cq)
  for (let i = 0; i < 10 && references.some((each) => each.deref()); i++) {
    await new Promise((done) => setImmediate(done))
    globalThis.gc?.()
  }
  t.ok(references.filter((each) => each.deref()).length < 3)
  cq.close()
})
