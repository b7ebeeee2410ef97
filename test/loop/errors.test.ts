// What a step tells of a coroutine that failed: the error unchanged, its number, the coroutine, and what it
// polled. The other coroutines are not touched and go on with the next step.
// biome-ignore-all lint/correctness/useYield: coroutines that throw at once are what is tested
import t from "tap"
import cqueues, { type Coroutine, errno, SystemError } from "../../core/index.js"
import { census } from "../support/census.js"
import { everyWay, finish, Pair, step, ways } from "./tools.js"

await census(t)

const REASONS: [string, unknown][] = [
  ["an Error", new Error("e")],
  ["a SystemError", new SystemError(errno.EPIPE, "write")],
  ["a string", "text"],
  ["an empty string", ""],
  ["zero", 0],
  ["a number", 32],
  ["false", false],
  ["null", null],
  ["undefined", undefined],
  ["an object", { a: 1 }],
  ["a symbol", Symbol("s")],
  ["a frozen Error", Object.freeze(new Error("frozen"))],
  ["a function", () => 1],
]

function failing(reason: unknown): Coroutine {
  return (function* () {
    throw reason
  })()
}

t.test("step gives the error unchanged, whatever was thrown, and the coroutine", async (t) => {
  for (const [name, reason] of REASONS) {
    for (const way of everyWay) {
      for (const method of ["step", "loop"] as const) {
        const cq = cqueues.new()
        const coroutine = failing(reason)
        const result = await ways[way](cq.attach(coroutine)[method]())
        t.equal(result[0], false, `${name}, ${method}, ${way}`)
        t.equal(result[1], reason)
        t.equal(result[3], coroutine)
        t.equal(result[2], reason instanceof SystemError ? errno.EPIPE : undefined)
        t.equal(result[4], undefined)
        t.equal(result[5], undefined)
        t.ok(cq.empty())
        t.strictSame(await ways[way](cq[method]()), [true], "and nothing is left of it")
        cq.close()
      }
    }
  }
})

t.test("the number of any error with an errno is given", async (t) => {
  const cq = cqueues.new()
  const node = Object.assign(new Error("from elsewhere"), { errno: 5 })
  t.equal(cq.attach(failing(node)).step().sync()[2], 5)
  const odd = Object.assign(new Error("odd"), { errno: "EIO" })
  t.equal(cq.attach(failing(odd)).step().sync()[2], undefined)
  cq.close()
})

t.test(
  "each failing coroutine is told once, in a step of its own; the others have their turns",
  async (t) => {
    const cq = cqueues.new()
    const turns: number[] = []
    for (let i = 0; i < 6; i++) {
      if (i % 2) cq.attach(failing(i))
      else cq.wrap(() => turns.push(i))
    }
    const errors: unknown[] = []
    for (let i = 0; i < 10 && !cq.empty(); i++) {
      const result = cq.step(0).sync()
      if (!result[0]) errors.push(result[1])
    }
    t.strictSame(errors, [1, 3, 5])
    t.strictSame(turns, [0, 2, 4])
    cq.close()
  },
)

t.test("a coroutine that waits is not disturbed by the error of another", async (t) => {
  const pair = new Pair(t)
  const cq = cqueues.new()
  const done: string[] = []
  cq.wrap(function* () {
    yield* cqueues.sleep(0.004)
    done.push("slept")
  })
  cq.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    done.push("read")
  })
  for (let i = 0; i < 3; i++) {
    cq.wrap(function* () {
      yield* cqueues.sleep(0.001 * i)
      throw i
    })
  }
  const errors: unknown[] = []
  for (let result = cq.loop(0.02).sync(); !result[0]; result = cq.loop(0.02).sync()) errors.push(result[1])
  t.strictSame(errors, [0, 1, 2])
  pair.send()
  finish(cq)
  t.strictSame(done, ["slept", "read"])
  cq.close()
})

t.test("coroutines woken by the event in which another fails keep their turn", async (t) => {
  const pair = new Pair(t)
  const cq = cqueues.new()
  const object = { pollfd: pair.a, events: "r" }
  const seen: unknown[] = []
  for (let i = 0; i < 5; i++) {
    cq.wrap(function* () {
      const fired = yield* cqueues.poll(object, 50)
      if (i === 1) throw new Error("one fails")
      seen.push(fired)
    })
  }
  step(cq)
  pair.send()
  t.equal(cq.step(5).sync()[0], false)
  pair.drain()
  step(cq, 0)
  t.strictSame(seen, Array(4).fill([object]), "though the descriptor is no longer ready")
  t.ok(cq.empty())
  cq.close()
})

t.test("errors() iterates over the errors until nothing is left", async (t) => {
  const reasons = REASONS.map(([, reason]) => reason).filter((reason) => reason !== undefined)
  for (const style of ["yield*", "await", "sync", "each"]) {
    const cq = cqueues.new()
    let turns = 0
    for (const reason of reasons) cq.attach(failing(reason))
    cq.wrap(function* () {
      for (; turns < 30; turns++) yield* cqueues.sleep(0.0001)
    })
    const found: unknown[] = []
    if (style === "sync") for (const error of cq.errors().sync()) found.push(error)
    if (style === "await") for await (const error of cq.errors()) found.push(error)
    if (style === "each")
      cq.errors()
        .each((error) => found.push(error))
        .sync()
    if (style === "yield*") {
      const outer = cqueues.new()
      outer.wrap(function* () {
        const errors = cq.errors()
        for (let error = yield* errors.next(); error !== undefined; error = yield* errors.next()) {
          found.push(error)
        }
      })
      finish(outer)
      outer.close()
    }
    t.equal(found.length, reasons.length, style)
    for (const [i, reason] of reasons.entries()) t.equal(found[i], reason, style)
    t.equal(turns, 30)
    cq.close()
  }
})

t.test("errors() does not end early for a coroutine that threw undefined", async (t) => {
  const cq = cqueues.new().attach(failing(undefined)).attach(failing("second"))
  const found = [...cq.errors().sync()]
  t.equal(found.length, 2)
  t.equal(found[1], "second")
  cq.close()
})

t.test("the timeout of errors() covers the whole iteration", async (t) => {
  const cq = cqueues.new()
  cq.wrap(function* () {
    for (;;) {
      yield* cqueues.sleep(0.004)
      cq.attach(failing("again"))
    }
  })
  const start = cqueues.monotime()
  let count = 0
  for (const error of cq.errors(0.05).sync()) {
    t.equal(error, "again")
    count++
  }
  const took = cqueues.monotime() - start
  t.ok(took >= 0.05 && took < 5, `took ${took}`)
  t.ok(count > 0 && count <= 13, `${count} errors`)
  t.ok(cq.count() >= 1)
  cq.close()
})

t.test("the object and the descriptor are told when a poll failed", async (t) => {
  const cq = cqueues.new()
  const bad = { pollfd: 9998, events: "r" }
  cq.wrap(function* () {
    yield* cqueues.poll(60, bad)
  })
  const [good, error, number, , object, fd] = cq.step().sync()
  t.equal(good, false)
  t.type(error, SystemError)
  t.equal(number, errno.EBADF)
  t.equal(object, bad)
  t.equal(fd, 9998)
  cq.wrap(function* () {
    try {
      yield* cqueues.poll(bad)
    } catch {}
    throw new Error("another, later")
  })
  const later = cq.step().sync()
  t.equal(later.length, 4, "but not with an error that has nothing to do with it")
  cq.close()
})

t.test("a coroutine that catches its error is no failure", async (t) => {
  const cq = cqueues.new()
  cq.wrap(function* () {
    try {
      yield* cqueues.sleep(0)
      throw new Error("caught")
    } catch {}
  })
  finish(cq)
  t.ok(cq.empty())
  cq.close()
})

t.test("an error in the inner controller is the result of its step, not an error of the outer", async (t) => {
  const outer = cqueues.new()
  const inner = cqueues.new()
  const reason = new Error("inner")
  const coroutine = (function* () {
    yield* cqueues.sleep(0.001)
    throw reason
  })()
  inner.attach(coroutine)
  let result: unknown[] = []
  outer.wrap(function* () {
    result = yield* inner.loop()
  })
  finish(outer)
  t.equal(result[0], false)
  t.equal(result[1], reason)
  t.equal(result[3], coroutine)
  inner.close()
  outer.close()
})

t.test("assert makes an exception of a failed step", async (t) => {
  const cq = cqueues.new()
  const reason = new TypeError("typed")
  cq.attach(failing(reason))
  t.throws(() => cqueues.assert(cq.loop().sync()), reason)
  cq.attach(failing("text"))
  t.throws(() => cqueues.assert(cq.loop().sync()), { message: "text" })
  cq.wrap(() => 1)
  t.equal(cqueues.assert(cq.loop().sync()), true)
  cq.close()
})
