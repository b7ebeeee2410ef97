// Timers: never early, equal deadlines in order, and what is cancelled takes no memory, however many there were.
import t from "tap"
import cqueues, { condition } from "../../core/index.js"
import { Timer, TimerHeap } from "../../core/loop/timers.js"
import { Watch } from "../../core/loop/watch.js"
import { census } from "../support/census.js"
import { finish, random, settle, step } from "./tools.js"

await census(t)

t.test("thousands of random sleeps end, and none of them early", async (t) => {
  const below = random(1)
  const cq = cqueues.new()
  let early = 0
  let ended = 0
  for (let i = 0; i < 5000; i++) {
    const delay = below(300_000) / 1e6
    cq.wrap(function* () {
      const start = cqueues.monotime()
      yield* cqueues.sleep(delay)
      const now = cqueues.monotime()
      if (now - start < delay) early++
      ended++
    })
  }
  finish(cq)
  t.equal(ended, 5000)
  t.equal(early, 0, "none was early")
  cq.close()
})

t.test("a step's own timeout, a poll's and an object's are never early either", async (t) => {
  const below = random(2)
  const cq = cqueues.new().wrap(function* () {
    yield* cqueues.sleep(1000)
  })
  settle(cq)
  let early = 0
  for (let i = 0; i < 300; i++) {
    const delay = below(2000) / 1e6
    const start = cqueues.monotime()
    if (i % 3 === 0) cq.step(delay).sync()
    else if (i % 3 === 1) cqueues.poll(delay, 5).sync()
    else await cqueues.poll({ timeout: delay })
    if (cqueues.monotime() - start < delay) early++
  }
  t.equal(early, 0)
  cq.close()
})

t.test("a second's sleep takes a second, in whole and in part", async (t) => {
  for (const delay of [0.999999, 1, 1.0000001]) {
    const start = cqueues.monotime()
    cqueues.sleep(delay).sync()
    const took = cqueues.monotime() - start
    t.ok(took >= delay && took < delay + 0.5, `${delay} took ${took}`)
  }
})

t.test("tiny, denormal and huge delays are taken as they are", async (t) => {
  for (const delay of [Number.MIN_VALUE, 1e-300, 1e-12, 1e-9, 1.5e-7]) {
    const start = cqueues.monotime()
    cqueues.sleep(delay).sync()
    t.ok(cqueues.monotime() - start < 1)
  }
  for (const delay of [1e6, 2 ** 31, 2 ** 33, 1e15, 1e300, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
    const cq = cqueues.new().wrap(function* () {
      yield* cqueues.sleep(delay)
    })
    settle(cq)
    t.strictSame(cq.step(0.001).sync(), [true])
    t.equal(cq.count(), 1, `${delay} still sleeps`)
    const waiting = cqueues.abortable(cqueues.sleep(delay), AbortSignal.timeout(5))
    await t.rejects(waiting.then(), { name: "TimeoutError" }, "in Node's loop too")
    cq.close()
  }
  for (const passed of [0, -0, -1, -1e300, Number.NEGATIVE_INFINITY]) {
    t.equal(cqueues.sleep(passed).sync(), undefined)
    t.equal(await cqueues.sleep(passed), undefined)
  }
})

t.test("sleep(0) gives the others their turn", async (t) => {
  const order: string[] = []
  const cq = cqueues.new()
  for (const name of ["a", "b"]) {
    cq.wrap(function* () {
      for (let i = 0; i < 3; i++) {
        order.push(name)
        yield* cqueues.sleep(0)
      }
    })
  }
  finish(cq)
  t.strictSame(order, ["a", "b", "a", "b", "a", "b"])
  cq.close()
})

t.test("a hundred thousand sleepers sleep at once", async (t) => {
  const below = random(3)
  const cq = cqueues.new()
  let ended = 0
  for (let i = 0; i < 100_000; i++) {
    const delay = 0.2 + below(1000) / 1e4
    cq.wrap(function* () {
      yield* cqueues.sleep(delay)
      ended++
    })
  }
  step(cq)
  t.equal(cq.count(), 100_000)
  finish(cq, 30)
  t.equal(ended, 100_000)
  cq.close()
})

t.test("a million timers set and cancelled leave nothing: waits that end for another reason", async (t) => {
  const cv = condition.new()
  const cq = cqueues.new()
  let rounds = 0
  cq.wrap(function* () {
    for (; rounds < 1_000_000; rounds++) {
      // What is ready at once beside a far timer: the timer is set, and taken back.
      if (rounds % 4 === 0) yield* cqueues.poll(0, 3600 + (rounds % 100))
      else {
        const timer = new Timer(new Watch())
        cq.timers.set(timer, cqueues.monotime() + 3600)
        timer.cancel()
      }
    }
  })
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  finish(cq, 60)
  globalThis.gc?.()
  const grown = process.memoryUsage().heapUsed - before
  t.equal(rounds, 1_000_000)
  t.ok(grown < 2_000_000, `the heap grew by ${grown} bytes`)
  t.equal(cq.timeout(), undefined)
  t.equal(cv.signal(), 0)
  cq.close()
})

t.test("cancelled timers among living ones are swept, and the living ones fire", async (t) => {
  const cq = cqueues.new()
  const cv = condition.new()
  let woken = 0
  let slept = 0
  for (let i = 0; i < 1000; i++) {
    cq.wrap(function* () {
      for (let n = 0; n < 20; n++) {
        if ((yield* cv.wait(1000 + n))[0]) woken++
      }
    })
  }
  for (let i = 0; i < 100; i++) {
    cq.wrap(function* () {
      yield* cqueues.sleep(0.02 + i / 10_000)
      slept++
    })
  }
  settle(cq)
  for (let n = 0; n < 20; n++) {
    cv.signal()
    step(cq)
  }
  t.equal(woken, 20_000)
  finish(cq)
  t.equal(slept, 100)
  cq.close()
})

/** A timer that notes its name when it fires. */
function named(name: number, fired: number[]): Timer {
  const watch = new Watch()
  watch.task = { ready: () => fired.push(name) }
  return new Timer(watch)
}

t.test("the heap fires what a sorted list would, whatever is set, renewed and cancelled", async (t) => {
  for (let seed = 1; seed <= 50; seed++) {
    const below = random(seed)
    const heap = new TimerHeap()
    const other = new TimerHeap()
    const fired: number[] = []
    const timers = Array.from({ length: 60 }, (_, i) => named(i, fired))
    const model = new Map<number, { deadline: number; order: number }>()
    let order = 0
    let now = 0
    for (let n = 0; n < 2000; n++) {
      const i = below(timers.length)
      const timer = timers[i] as Timer
      const what = below(10)
      if (what < 5) {
        // On the same heap mostly, sometimes by way of another one.
        if (what === 0) other.set(timer, now + below(50))
        const deadline = now + below(50)
        heap.set(timer, deadline)
        model.set(i, { deadline, order: order++ })
      } else if (what < 8) {
        timer.cancel()
        model.delete(i)
      } else {
        now += below(10)
        fired.length = 0
        heap.expire(now)
        const due = [...model].filter(([, { deadline }]) => deadline <= now)
        due.sort(([, a], [, b]) => a.deadline - b.deadline)
        const expected = due.map(([name]) => name)
        if (fired.length !== expected.length) return t.fail(`seed ${seed}: ${fired} and not ${expected}`)
        for (const [k, name] of fired.entries()) {
          const [mine, theirs] = [model.get(name), model.get(expected[k] as number)]
          if (mine?.deadline !== theirs?.deadline) return t.fail(`seed ${seed}: out of order`)
        }
        for (const name of expected) model.delete(name)
        other.expire(now)
        if (fired.length !== expected.length) return t.fail(`seed ${seed}: another heap fired it`)
      }
      const next = Math.min(Number.POSITIVE_INFINITY, ...[...model.values()].map(({ deadline }) => deadline))
      if (heap.next() !== next) return t.fail(`seed ${seed}: next is ${heap.next()} and not ${next}`)
      if (heap.size !== model.size) return t.fail(`seed ${seed}: size ${heap.size} and not ${model.size}`)
    }
  }
  t.pass("fifty programs of two thousand operations")
})

t.test("equal deadlines fire in the order in which they were set", async (t) => {
  const heap = new TimerHeap()
  const fired: number[] = []
  for (let i = 0; i < 1000; i++) heap.set(named(i, fired), i % 3)
  heap.expire(3)
  const wanted = [0, 1, 2].flatMap((rest) =>
    Array.from({ length: 1000 }, (_, i) => i).filter((i) => i % 3 === rest),
  )
  t.strictSame(fired, wanted)
  t.equal(heap.size, 0)
})

t.test("coroutines that are woken late are woken in order", async (t) => {
  const order: number[] = []
  const cq = cqueues.new()
  for (const delay of [0.003, 0.001, 0.002]) {
    cq.wrap(function* () {
      yield* cqueues.sleep(delay)
      order.push(delay)
    })
  }
  step(cq)
  const end = cqueues.monotime() + 0.01
  while (cqueues.monotime() < end);
  step(cq)
  t.strictSame(order, [0.001, 0.002, 0.003])
  cq.close()
})
