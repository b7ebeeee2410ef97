// Turns: one step resumes once each coroutine that is pending at that moment, whoever is busy. Many events at
// once, and more than one wait of the kernel can tell, are no exception.
import t from "tap"
import cqueues, { condition } from "../../core/index.js"
import { census } from "../support/census.js"
import { finish, Pair, random, settle, step } from "./tools.js"

await census(t)

t.test("each pending coroutine has one turn a step", async (t) => {
  const cq = cqueues.new()
  const turns = Array<number>(50).fill(0)
  for (const i of turns.keys()) {
    cq.wrap(function* () {
      for (;;) {
        turns[i] = (turns[i] as number) + 1
        if (i % 3 === 0) yield
        else if (i % 3 === 1) yield* cqueues.sleep(0)
        else yield* cqueues.poll(0)
      }
    })
  }
  for (let n = 1; n <= 100; n++) {
    step(cq)
    t.ok(
      turns.every((count) => count === n),
      `after ${n} steps`,
    )
  }
  cq.close()
})

t.test("who is pending first has the first turn", async (t) => {
  const cq = cqueues.new()
  const order: number[] = []
  for (let i = 0; i < 100; i++) {
    cq.wrap(function* () {
      for (let n = 0; n < 3; n++) {
        order.push(i)
        yield
      }
    })
  }
  finish(cq)
  const once = Array.from({ length: 100 }, (_, i) => i)
  t.strictSame(order, [...once, ...once, ...once])
  cq.close()
})

t.test("descriptors, timers and conditions are not held up by coroutines that never wait", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  const cq = cqueues.new()
  const done = new Set<string>()
  for (let i = 0; i < 10; i++) {
    cq.wrap(function* () {
      while (done.size < 3) yield
    })
  }
  cq.wrap(function* () {
    yield* cqueues.sleep(0.005)
    done.add("timer")
    pair.send()
  })
  cq.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    done.add("descriptor")
    cv.signal()
  })
  cq.wrap(function* () {
    yield* cv.wait()
    done.add("condition")
  })
  finish(cq)
  t.equal(done.size, 3)
  cq.close()
})

t.test("an inner controller that is always busy does not starve the outer one", async (t) => {
  const outer = cqueues.new()
  const inner = cqueues.new()
  let over = false
  let turns = 0
  inner.wrap(function* () {
    while (!over) {
      turns++
      yield
    }
  })
  outer.wrap(function* () {
    cqueues.assert(yield* inner.loop())
  })
  outer.wrap(function* () {
    for (let i = 0; i < 100; i++) yield
    yield* cqueues.sleep(0.002)
    over = true
  })
  finish(outer)
  t.ok(turns >= 100)
  inner.close()
  outer.close()
})

t.test("nor does stepping it again and again, in a controller or in Node's own loop", async (t) => {
  for (const way of ["sync", "await"]) {
    const outer = cqueues.new()
    const inner = cqueues.new()
    let over = false
    inner.wrap(function* () {
      for (;;) yield
    })
    outer.wrap(function* () {
      while (!over) cqueues.assert(yield* inner.step())
    })
    outer.wrap(function* () {
      yield* cqueues.sleep(0.002)
      over = true
    })
    if (way === "sync") finish(outer)
    else {
      let ticked = false
      setTimeout(() => {
        ticked = true
      }, 1)
      t.strictSame(await outer.loop(10), [true])
      await new Promise((done) => setTimeout(done, 2))
      t.ok(ticked)
    }
    t.ok(outer.empty(), way)
    inner.close()
    outer.close()
  }
})

t.test("more descriptors are ready than one wait of the kernel tells: none is missed", async (t) => {
  const cq = cqueues.new()
  const pairs = Array.from({ length: 700 }, () => new Pair(t))
  const turns = new Map<number, number>()
  for (const pair of pairs) {
    cq.wrap(function* () {
      for (let i = 0; i < 3; i++) {
        yield* cqueues.poll({ pollfd: pair.a, events: "r" })
        turns.set(pair.a, (turns.get(pair.a) ?? 0) + 1)
      }
    })
  }
  settle(cq)
  for (const pair of pairs) pair.send()
  finish(cq)
  t.equal(turns.size, 700)
  t.ok([...turns.values()].every((count) => count === 3))
  cq.close()
})

t.test("of more descriptors than one wait tells, all stay in turn while all stay ready", async (t) => {
  const cq = cqueues.new()
  const pairs = Array.from({ length: 600 }, () => new Pair(t))
  const turns = Array<number>(600).fill(0)
  for (const [i, pair] of pairs.entries()) {
    pair.send()
    cq.wrap(function* () {
      for (;;) {
        yield* cqueues.poll({ pollfd: pair.a, events: "r" })
        turns[i] = (turns[i] as number) + 1
      }
    })
  }
  for (let i = 0; i < 100; i++) step(cq)
  const [least, most] = [Math.min(...turns), Math.max(...turns)]
  t.ok(least > 0 && most - least <= 3, `between ${least} and ${most} turns`)
  cq.close()
})

t.test("only those whose event happened are moved", async (t) => {
  const cq = cqueues.new()
  const pairs = Array.from({ length: 50 }, () => new Pair(t))
  const woken: number[] = []
  for (const [i, pair] of pairs.entries()) {
    cq.wrap(function* () {
      for (;;) {
        yield* cqueues.poll({ pollfd: pair.a, events: "r" })
        woken.push(i)
        pair.drain()
      }
    })
  }
  settle(cq)
  const below = random(7)
  for (let round = 0; round < 50; round++) {
    const chosen = [...new Set(Array.from({ length: below(5) + 1 }, () => below(50)))]
    woken.length = 0
    for (const i of chosen) pairs[i]?.send()
    step(cq, 5)
    t.strictSame(
      woken.toSorted((a, b) => a - b),
      chosen.toSorted((a, b) => a - b),
    )
  }
  cq.close()
})

t.test("a hundred thousand coroutines wait for one condition and are woken in order", async (t) => {
  const cq = cqueues.new()
  const cv = condition.new()
  let next = 0
  let inOrder = true
  for (let i = 0; i < 100_000; i++) {
    cq.wrap(function* () {
      yield* cv.wait()
      inOrder &&= next === i
      next++
    })
  }
  step(cq)
  t.equal(cv.signal(), 100_000)
  step(cq)
  t.equal(next, 100_000)
  t.ok(inOrder)
  t.ok(cq.empty())
  cq.close()
})
