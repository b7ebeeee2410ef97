// reset and dropped controllers: the kernel side is rebuilt under living coroutines, as after a fork, and
// what nobody holds any more goes back to the system.
import t from "tap"
import cqueues, { type Controller, condition } from "../../core/index.js"
import { census, changes, descriptors, settled } from "../support/census.js"
import { finish, Pair, settle, step } from "./tools.js"

await census(t)

/** A controller with a coroutine that waits for each kind of thing; `done` tells which have ended. */
function waiting(pair: Pair, done: string[]): { cq: Controller; cv: ReturnType<typeof condition.new> } {
  const cq = cqueues.new()
  const cv = condition.new()
  cq.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    done.push("descriptor")
  })
  cq.wrap(function* () {
    yield* cv.wait()
    done.push("condition")
  })
  cq.wrap(function* () {
    yield* cqueues.sleep(0.01)
    done.push("timer")
  })
  return { cq, cv }
}

const WAYS: [string, (cq: Controller) => void][] = [
  ["cq.reset()", (cq) => cq.reset()],
  ["cqueues.reset()", () => cqueues.reset()],
]

for (const [name, reset] of WAYS) {
  t.test(`${name} loses nothing that a controller waits for`, async (t) => {
    const pair = new Pair(t)
    const done: string[] = []
    const { cq, cv } = waiting(pair, done)
    step(cq)
    reset(cq)
    step(cq)
    t.strictSame(done, [])
    reset(cq)
    pair.send()
    cv.signal()
    finish(cq)
    t.strictSame(done.toSorted(), ["condition", "descriptor", "timer"])
    cq.close()
  })

  t.test(`${name} keeps what is pending, and what is ready already`, async (t) => {
    const pair = new Pair(t)
    const cq = cqueues.new()
    let turns = 0
    cq.wrap(function* () {
      yield
      turns++
      yield* cqueues.poll({ pollfd: pair.a, events: "r" })
      turns++
    })
    step(cq)
    reset(cq)
    settle(cq)
    t.equal(turns, 1)
    pair.send()
    reset(cq)
    finish(cq)
    t.equal(turns, 2)
    cq.close()
  })

  t.test(`${name} keeps the descriptor's number, and those who poll it`, async (t) => {
    const pair = new Pair(t)
    const outer = cqueues.new()
    const inner = cqueues.new()
    const foreign = cqueues.new()
    let woken = 0
    inner.wrap(function* () {
      yield* cqueues.poll({ pollfd: pair.a, events: "r" })
      woken++
    })
    outer.wrap(function* () {
      cqueues.assert(yield* inner.loop())
      woken++
    })
    const fd = outer.pollfd()
    foreign.wrap(function* () {
      yield* cqueues.poll({ pollfd: fd, events: "r" }, 5)
      woken++
    })
    settle(outer)
    settle(foreign)
    reset(inner)
    t.equal(outer.pollfd(), fd)
    settle(outer)
    step(foreign)
    pair.send()
    finish(foreign)
    t.equal(woken, 1)
    finish(outer)
    t.equal(woken, 3)
    for (const cq of [foreign, inner, outer]) cq.close()
  })

  t.test(`${name} opens and closes nothing in the end`, async (t) => {
    const cq = cqueues.new()
    cq.pollfd()
    const before = descriptors()
    const [pair, done] = [new Pair(t), [] as string[]]
    const other = waiting(pair, done)
    step(other.cq)
    for (let i = 0; i < 50; i++) reset(i % 2 ? cq : other.cq)
    pair.close()
    other.cq.close()
    t.strictSame(
      changes(before).filter((line) => !/eventpoll|eventfd/.test(line)),
      [],
    )
    t.equal(descriptors().size, before.size)
    cq.close()
  })
}

t.test("the main controller goes on after a reset, in Node's own loop", async (t) => {
  const pair = new Pair(t)
  const waits = [
    cqueues.poll({ pollfd: pair.a, events: "r" }, 5).then(),
    cqueues.sleep(0.005).then(() => "slept"),
  ]
  cqueues.reset()
  await cqueues.sleep(0.001)
  cqueues.reset()
  pair.send()
  t.match(await Promise.all(waits), [[{ pollfd: pair.a }], "slept"])
  const again = cqueues.poll({ pollfd: pair.a, events: "r" }, 5).then()
  cqueues.reset()
  t.match(await again, [{ pollfd: pair.a }])
})

t.test("a coroutine may reset everything from inside, under await and under sync", async (t) => {
  const pair = new Pair(t)
  const inner = cqueues.new()
  const program = cqueues.operation(function* () {
    let woken = 0
    inner.wrap(function* () {
      for (let i = 0; i < 3; i++) {
        yield* cqueues.poll({ pollfd: pair.a, events: "r" })
        cqueues.reset()
        pair.drain()
        woken++
      }
    })
    cqueues.running()[0]?.wrap(function* () {
      for (let i = 0; i < 3; i++) {
        yield* cqueues.sleep(0.002)
        cqueues.reset()
        pair.send()
        inner.reset()
      }
    })
    cqueues.assert(yield* inner.loop(5))
    cqueues.reset()
    yield* cqueues.sleep(0.001)
    return woken
  })
  t.equal(await program(), 3)
  t.equal(program().sync(), 3)
  inner.close()
})

t.test("reset of a descriptor that has been closed makes its object ready", async (t) => {
  const pair = new Pair(t)
  const cq = cqueues.new()
  let fired: unknown[] = []
  cq.wrap(function* () {
    fired = yield* cqueues.poll({ pollfd: pair.a, events: "r" }, 50)
  })
  step(cq)
  pair.close()
  cq.reset()
  finish(cq)
  t.match(fired, [{ pollfd: pair.a }])
  cq.close()
})

/** In a function of its own, so that no register holds the last one. */
function drop(count: number): void {
  for (let i = 0; i < count; i++) {
    const cq = cqueues.new()
    cq.pollfd()
    cq.wrap(function* () {
      yield* cqueues.sleep(1000)
    })
    step(cq)
  }
}

t.test("controllers that are dropped without close give their descriptors back", async (t) => {
  const before = descriptors()
  drop(50)
  t.strictSame(await settled(before), [])
})

function polledOnce(outer: Controller): number {
  const inner = cqueues.new()
  inner.wrap(function* () {
    yield* cqueues.sleep(1000)
  })
  step(inner)
  outer.wrap(function* () {
    yield* cqueues.poll(inner, 0.001)
  })
  finish(outer)
  return inner.pollfd()
}

t.test("the number of a dropped controller that was polled before can be polled again", async (t) => {
  const outer = cqueues.new()
  const before = descriptors()
  const fd = polledOnce(outer)
  t.strictSame(await settled(before), [])
  const pair = new Pair(t)
  t.equal(Math.min(pair.a, pair.b), fd, "the number is used again")
  let fired: unknown[] = []
  outer.wrap(function* () {
    fired = yield* cqueues.poll({ pollfd: pair.a, events: "r" }, { pollfd: pair.b, events: "r" }, 2)
  })
  settle(outer)
  pair.send()
  finish(outer)
  t.match(fired, [{ pollfd: pair.a }])
  outer.close()
})

t.test(
  "a controller that only its own waiting coroutine knows is still woken by what it polls",
  async (t) => {
    const cv = condition.new()
    let woken = 0
    const outer = cqueues.new()
    ;(() => {
      const inner = cqueues.new()
      inner.wrap(function* () {
        yield* cv.wait()
        woken++
      })
      outer.wrap(function* () {
        cqueues.assert(yield* inner.loop())
        inner.close()
      })
    })()
    settle(outer)
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.()
      await new Promise((done) => setImmediate(done))
    }
    t.equal(cv.signal(), 1)
    finish(outer)
    t.equal(woken, 1)
    outer.close()
  },
)
