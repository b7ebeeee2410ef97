// A plain `yield` of pollables in a managed coroutine (guide section 3.1.1): it polls them, and gives what
// poll gives. Anything else that is yielded is an error, where it was yielded.
import t from "tap"
import cqueues, { condition } from "../../core/index.js"
import { census } from "../support/census.js"
import { finish, inside, Pair, step } from "./tools.js"

await census(t)

t.test("yield of one pollable, or of a list, gives the list of what fired", async (t) => {
  const pair = new Pair(t)
  pair.send()
  const object = { pollfd: pair.a, events: "r" }
  const cv = condition.new()
  const alerted = cqueues.new()
  alerted.alert()
  const found = inside(function* () {
    return [
      yield 0.001,
      yield [0.001],
      yield object,
      yield [object, 5],
      yield [cv, 5, object],
      yield { timeout: 0.001 },
      yield [undefined, 0.001, undefined],
      yield [alerted, 5],
    ] as unknown[]
  })
  t.strictSame(found.slice(0, 5), [[0.001], [0.001], [object], [object], [object]])
  t.strictSame(found[5], [{ timeout: 0.001 }])
  t.strictSame(found[6], [0.001])
  t.equal((found[7] as unknown[])[0], alerted)
  alerted.close()
})

t.test("a bare yield is poll(): one turn, and an empty list", async (t) => {
  const order: string[] = []
  const cq = cqueues.new()
  cq.wrap(function* (): Generator<unknown, void, unknown> {
    order.push("1")
    t.strictSame(yield, [])
    order.push("3")
    t.strictSame(yield undefined, [])
    t.strictSame(yield [], [])
  })
  cq.wrap(() => {
    order.push("2")
  })
  step(cq)
  t.strictSame(order, ["1", "2"])
  finish(cq)
  t.strictSame(order, ["1", "2", "3"])
  cq.close()
})

const WRONG: [string, unknown][] = [
  ["a string", "text"],
  ["null", null],
  ["true", true],
  ["an empty object", {}],
  ["a symbol", Symbol("s")],
  ["a function", () => 1],
  ["a list with a string", [0.001, "text"]],
  ["a list in a list", [[0.001]]],
  ["a pollfd that is a string", { pollfd: "3" }],
  ["a pollfd with a fraction", { pollfd: 1.5, events: "r" }],
  ["a timeout that is a string", { timeout: "1" }],
]

t.test("what cannot be polled is thrown where it was yielded", async (t) => {
  for (const [name, value] of WRONG) {
    const found = inside(function* () {
      try {
        yield value
      } catch (error) {
        return error
      }
    })
    t.type(found, TypeError, name)
  }
  const nan = inside(function* () {
    try {
      yield Number.NaN
    } catch (error) {
      return error
    }
  })
  t.type(nan, RangeError)
})

t.test("not caught, it ends that coroutine with an error that the step tells, and no other", async (t) => {
  for (const [name, value] of WRONG) {
    const cq = cqueues.new()
    let other = 0
    function* wrong() {
      yield value
    }
    const coroutine = wrong()
    cq.attach(coroutine)
    cq.wrap(function* () {
      for (; other < 3; other++) yield
    })
    const [good, error, , who] = cq.step().sync()
    t.equal(good, false, name)
    t.type(error, TypeError)
    t.equal(who, coroutine)
    finish(cq)
    t.equal(other, 3)
    cq.close()
  }
})

t.test("a catch block may yield again, wrongly too", async (t) => {
  const found = inside(function* () {
    const caught: unknown[] = []
    for (const value of ["a", "b", 0.001, "c"]) {
      try {
        caught.push(yield value)
      } catch {
        caught.push("refused")
        caught.push(yield 0)
      }
    }
    return caught
  })
  t.strictSame(found, ["refused", [0], "refused", [0], [0.001], "refused", [0]])
})

t.test("finally blocks run when what was yielded is refused", async (t) => {
  let ran = 0
  const cq = cqueues.new().wrap(function* () {
    try {
      yield "text"
    } finally {
      yield* cqueues.sleep(0.001)
      ran++
    }
  })
  const [good, error] = cq.loop().sync()
  t.equal(good, false)
  t.type(error, TypeError)
  t.equal(ran, 1)
  cq.close()
})

t.test("plain yields and operations may be mixed, at any depth of generators", async (t) => {
  function* leaf(): Generator<unknown, number, unknown> {
    yield 0.0005
    yield* cqueues.sleep(0.0005)
    return 1
  }
  function* tree(depth: number): Generator<unknown, number, unknown> {
    if (depth === 0) return yield* leaf()
    const left = yield* tree(depth - 1)
    yield
    return left + (yield* tree(depth - 1))
  }
  t.equal(
    inside(() => tree(5)),
    32,
  )
})

t.test("what is yielded is seen by the running coroutine only", async (t) => {
  const cq = cqueues.new()
  const got: unknown[] = []
  for (const delay of [0.003, 0.001, 0.002]) {
    cq.wrap(function* () {
      got.push(yield [delay, 50])
    })
  }
  finish(cq)
  t.strictSame(got, [[0.001], [0.002], [0.003]])
  cq.close()
})
