// Operations: one object and three ways to wait for it, which do the same. It does nothing until it is waited
// for, and it is waited for once.
import t from "tap"
import cqueues, { Controller, condition, type Operation, promise } from "../../core/index.js"
import { census } from "../support/census.js"
import { everyWay, inside, thrown, ways } from "./tools.js"

await census(t)

const seven = cqueues.operation(function* (after: number) {
  yield* cqueues.sleep(after)
  return 7
})

const fails = cqueues.operation(function* (reason: unknown) {
  yield* cqueues.sleep(0)
  throw reason
})

/** A controller with a coroutine that ends after a moment. */
function busy(): Controller {
  return cqueues.new().wrap(function* () {
    yield* cqueues.sleep(0.001)
  })
}

function* numbers() {
  yield 1
  return 2
}

function* yieldsSeven() {
  yield yield* seven(0.001)
}

/** Every operation of this part of the library: how it is made, and what it gives. */
const operations: [name: string, make: (used: { close(): void }[]) => Operation<unknown>, value: unknown][] =
  [
    ["poll of a timeout", () => cqueues.poll(0.001), [0.001]],
    ["poll of nothing", () => cqueues.poll(), []],
    ["poll of a passed timeout", () => cqueues.poll(-1), [-1]],
    ["sleep", () => cqueues.sleep(0.001), undefined],
    ["sleep of no time", () => cqueues.sleep(0), undefined],
    ["resume", () => cqueues.resume(numbers()), { done: false, value: 1 }],
    ["wrap", () => cqueues.wrap(yieldsSeven)(), 7],
    ["an operation of the user's", () => seven(0.001), 7],
    ["abortable", () => cqueues.abortable(seven(0.001), new AbortController().signal), 7],
    ["step", (used) => own(used, busy()).step(1), [true]],
    ["step of an empty controller", (used) => own(used, cqueues.new()).step(), [true]],
    ["loop", (used) => own(used, busy()).loop(), [true]],
    ["errors().next", (used) => own(used, busy()).errors().next(), undefined],
    [
      "errors().each",
      (used) =>
        own(used, busy())
          .errors()
          .each(() => {}),
      undefined,
    ],
    ["condition.wait", () => condition.new().wait(0.001), [false, 0.001]],
    ["promise.wait", () => promise.new().wait(0.001), undefined],
    ["promise.get", () => promise.new(() => "p").get(), "p"],
  ]

function own(used: { close(): void }[], cq: Controller): Controller {
  used.push(cq)
  return cq
}

/** Runs the body with fresh operations of one kind, then closes their controllers. */
async function using(
  make: (used: { close(): void }[]) => Operation<unknown>,
  body: (fresh: () => Operation<unknown>) => Promise<unknown>,
): Promise<void> {
  const used: { close(): void }[] = []
  try {
    await body(() => make(used))
  } finally {
    for (const each of used) each.close()
  }
}

for (const [name, make, value] of operations) {
  t.test(`${name} can be waited for in each of the three ways`, (t) =>
    using(make, async (fresh) => {
      for (const way of everyWay) t.strictSame(await ways[way](fresh()), value, way)
      t.strictSame(await fresh().finally(), value, "finally")
      t.strictSame(await fresh().catch(), value, "catch")
      t.strictSame(await Promise.all([fresh(), fresh()]), [value, value], "Promise.all")
      t.strictSame(await (async () => fresh())(), value, "returned from an async function")
      t.strictSame(await Promise.race([fresh()]), value, "Promise.race")
      t.strictSame(
        await cqueues.operation(function* () {
          return yield* fresh()
        })(),
        value,
        "delegated to by an operation",
      )
    }),
  )

  t.test(`a second wait for ${name} throws, whatever the first was`, (t) =>
    using(make, async (fresh) => {
      for (const first of everyWay) {
        for (const second of everyWay) {
          const op = fresh()
          await ways[first](op)
          await t.rejects(
            Promise.resolve().then(() => ways[second](op)),
            /once|twice|already|second/,
            `${first}, then ${second}`,
          )
        }
      }
    }),
  )
}

t.test("a second wait throws while the first still goes on", async (t) => {
  for (const make of [() => cqueues.sleep(0.01), () => seven(0.01), () => cqueues.poll(0.01)]) {
    for (const second of everyWay) {
      const op: Operation<unknown> = make()
      const first = op.then(() => "done")
      await t.rejects(
        Promise.resolve().then(() => ways[second](op)),
        /once|twice|already|second/,
        second,
      )
      t.equal(await first, "done", "the first wait is not disturbed")
    }
  }
})

t.test("the error of a second wait is caught where the coroutine waits, and it goes on", async (t) => {
  inside(function* () {
    const op = seven(0)
    t.equal(yield* op, 7)
    let caught: unknown
    try {
      yield* op
    } catch (error) {
      caught = error
    }
    t.type(caught, Error)
    t.equal(yield* seven(0), 7)
  })
})

t.test("an operation does nothing until it is waited for", async (t) => {
  let ran = 0
  // biome-ignore lint/correctness/useYield: whether it runs at all is what is tested
  const touch = cqueues.operation(function* () {
    ran++
    return ran
  })
  const unused = touch()
  const inner = numbers()
  const resumed = cqueues.resume(inner)
  const wrapped = cqueues.wrap(function* () {
    ran++
    yield ran
  })
  const call = wrapped()
  const cq = cqueues.new().wrap(() => {
    ran++
  })
  const stepped = cq.step(0)
  const looped = cq.loop()
  const errors = cq.errors()
  const abortable = cqueues.abortable(touch(), new AbortController().signal)
  await new Promise((done) => setImmediate(done))
  await cqueues.sleep(0)
  cqueues.sleep(0).sync()
  t.equal(ran, 0)
  t.equal(inner.next().value, 1, "a coroutine to be resumed was not touched")
  t.equal(cq.count(), 1)
  t.equal(await unused, 1)
  t.equal(await call, 2)
  t.equal(await abortable, 3)
  t.strictSame(stepped.sync(), [true])
  t.equal(ran, 4)
  t.strictSame(looped.sync(), [true])
  t.equal(errors.next().sync(), undefined)
  await resumed
  cq.close()
})

t.test("an operation that is never waited for keeps nothing alive and takes nothing", async (t) => {
  const signal = new AbortController().signal
  for (let i = 0; i < 10_000; i++) {
    cqueues.sleep(1000)
    cqueues.poll(1000, 0)
    cqueues.abortable(cqueues.sleep(1), signal)
    condition.new().wait(1)
    seven(1)
  }
  t.equal(cqueues.poll(0).sync().length, 1)
})

t.test("an error reaches the one who waits, unchanged, in each of the three ways", async (t) => {
  const reasons = [new Error("e"), new TypeError("t"), "text", 17, 0, false, undefined, { a: 1 }, Symbol("s")]
  for (const reason of reasons) {
    for (const way of everyWay) {
      const found = await ways[way](fails(reason)).then(
        () => "nothing thrown",
        (error: unknown) => ({ error }),
      )
      t.same(found, { error: reason }, `${String(reason)}, ${way}`)
      t.equal((found as { error: unknown }).error, reason)
    }
    t.equal(await fails(reason).catch((error) => error), reason, "catch")
    let calls = 0
    const rethrown = await fails(reason)
      .finally(() => calls++)
      .catch((error: unknown) => ({ error }))
    t.equal((rethrown as { error: unknown }).error, reason)
    t.equal(calls, 1, "finally")
    t.equal(await fails(reason).then(undefined, (error) => error), reason, "then")
  }
})

t.test("then, catch and finally behave as a promise's", async (t) => {
  t.equal(await seven(0).then((value) => value + 1), 8)
  t.equal(await seven(0).then(), 7)
  t.equal(await seven(0).then(null, () => 0), 7)
  t.equal(await seven(0).then(async (value) => value * 2), 14)
  await t.rejects(
    seven(0).then(() => {
      throw new Error("in the handler")
    }),
    /in the handler/,
  )
  t.equal(await seven(0).catch(() => 0), 7)
  await t.rejects(
    seven(0).finally(() => {
      throw new Error("in finally")
    }),
    /in finally/,
  )
  t.ok(seven(0).then() instanceof Promise)
  t.ok(seven(0).catch() instanceof Promise)
  t.ok(seven(0).finally() instanceof Promise)
})

t.test("operation() keeps this and the arguments", async (t) => {
  class Counter {
    constructor(readonly start: number) {}
    declare add: (...n: number[]) => Operation<number>
    static {
      Counter.prototype.add = cqueues.operation(function* (this: Counter, ...n: number[]) {
        yield* cqueues.sleep(0)
        return n.reduce((sum, each) => sum + each, this.start)
      })
    }
  }
  const counter = new Counter(1)
  t.equal(await counter.add(1, 2, 3), 7)
  t.equal(counter.add().sync(), 1)
  t.equal(
    inside(function* () {
      return yield* counter.add(5)
    }),
    6,
  )
})

t.test("operation() refuses what is no generator function", async (t) => {
  for (const wrong of [undefined, 1, "x", {}]) {
    t.throws(() => cqueues.operation(wrong as never), TypeError)
  }
})

t.test("an operation without a single wait is done at once in each way", async (t) => {
  // biome-ignore lint/correctness/useYield: that it does not wait is what is tested
  const immediate = cqueues.operation(function* () {
    return "at once"
  })
  // biome-ignore lint/correctness/useYield: as above
  const refuse = cqueues.operation(function* () {
    throw new RangeError("no")
  })
  for (const way of everyWay) {
    t.equal(await ways[way](immediate()), "at once", way)
    await t.rejects(ways[way](refuse()), RangeError, way)
  }
})

t.test("operations nest as deep as a program likes", async (t) => {
  const deep: (n: number) => Operation<number> = cqueues.operation(function* (
    n: number,
  ): Generator<unknown, number> {
    if (n > 0) return 1 + (yield* deep(n - 1))
    yield* cqueues.sleep(0.001)
    return 0
  })
  for (const way of everyWay) t.equal(await ways[way](deep(500)), 500, way)
})

t.test("a plain yield inside an operation polls in each of the three ways", async (t) => {
  const op = cqueues.operation(function* () {
    const fired: unknown = yield [0.001, 50]
    return fired
  })
  for (const way of everyWay) t.strictSame(await ways[way](op()), [0.001], way)
})

t.test("an operation given up with return() leaves nothing behind", async (t) => {
  let closed = 0
  const guarded = cqueues.operation(function* () {
    try {
      yield* cqueues.sleep(1000)
    } finally {
      closed++
    }
  })
  const cq = cqueues.new()
  cq.wrap(function* () {
    const generator = guarded()[Symbol.iterator]()
    generator.next()
    generator.return(undefined as never)
    yield* cqueues.sleep(0)
  })
  t.strictSame(cq.loop(5).sync(), [true])
  t.equal(closed, 1)
  t.equal(cq.timeout(), undefined)
  cq.close()
})

t.test("an operation's iterator outside of all controllers fails and does not hang", async (t) => {
  t.ok(thrown(() => seven(0)[Symbol.iterator]().next()) instanceof Error)
  t.ok(thrown(() => cqueues.sleep(0)[Symbol.iterator]().next()) instanceof Error)
  t.ok(thrown(() => [...(cqueues.sleep(0) as Iterable<unknown>)]) instanceof Error)
})

t.test(
  "constructing an operation with a bad argument, or waiting for it, is an error and no hang",
  async (t) => {
    for (const wrong of ["1", {}, null, Number.NaN]) {
      for (const way of everyWay) {
        await t.rejects(
          async () => await ways[way](cqueues.sleep(wrong as number)),
          `sleep(${wrong}), ${way}`,
        )
      }
    }
    t.equal(new Controller().close(), undefined)
  },
)
