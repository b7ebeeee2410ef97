// Random polls over random sets of things, checked against what is known to be ready: nothing is missed,
// nothing is told that is not ready, the order is the one given, and every poll arms everything anew.
import t from "tap"
import cqueues, {
  type Condition,
  type Controller,
  condition,
  type Pollable,
  promise,
} from "../../core/index.js"
import { census } from "../support/census.js"
import { inside, Pair, random, settle, step } from "./tools.js"

await census(t)

/** One thing of the world: what is polled, how it is made ready and unready, and whether it is ready now. */
interface Thing {
  object: Pollable
  ready: boolean
  /** Ready for who polls at that moment only, as a condition is. */
  fleeting: boolean
  raise(): void
  lower(): void
}

function readable(pair: Pair): Thing {
  return {
    object: { pollfd: pair.a, events: "r" },
    ready: false,
    fleeting: false,
    raise() {
      if (!this.ready) pair.send()
      this.ready = true
    },
    lower() {
      if (this.ready) pair.drain()
      this.ready = false
    },
  }
}

function writable(pair: Pair): Thing {
  return {
    object: { pollfd: () => pair.a, events: () => "w" },
    ready: true,
    fleeting: false,
    raise() {
      if (!this.ready) pair.empty()
      this.ready = true
    },
    lower() {
      if (this.ready) pair.fill()
      this.ready = false
    },
  }
}

function signalled(cv: Condition, object: Pollable = cv): Thing {
  return { object, ready: false, fleeting: true, raise: () => cv.signal(), lower() {} }
}

function once(object: Pollable, raise: () => void): Thing {
  return {
    object,
    ready: false,
    fleeting: false,
    raise() {
      if (!this.ready) raise()
      this.ready = true
    },
    lower() {},
  }
}

function alerted(cq: Controller): Thing {
  return {
    object: cq,
    ready: false,
    fleeting: false,
    raise() {
      cq.alert()
      this.ready = true
    },
    lower() {
      cq.step(0).sync()
      this.ready = false
    },
  }
}

/** A subset in random order, the same thing twice now and then. */
function choose<T>(from: readonly T[], below: (n: number) => number): T[] {
  const chosen: T[] = []
  for (let i = 1 + below(from.length); i > 0; i--) chosen.push(from[below(from.length)] as T)
  return chosen
}

function check(
  chosen: Thing[],
  before: boolean[],
  fired: readonly Pollable[],
  late: number,
): string | undefined {
  const objects = [...chosen.map(({ object }) => object), late]
  if (fired.length === 0) return "an empty result"
  let at = 0
  const told = objects.map((object) => {
    if (fired[at] !== object) return false
    at++
    return true
  })
  if (at !== fired.length) return "not in the order given, or not what was polled"
  for (const [i, thing] of chosen.entries()) {
    if (told[i] && !thing.ready && !thing.fleeting) return `${i} is not ready`
    if (before[i] && !told[i]) return `${i} was ready before and is missed`
  }
  if (told.at(-1)) return "timed out"
  return undefined
}

t.test("one coroutine polls random sets again and again", async (t) => {
  const below = random(42)
  const inner = cqueues.new()
  const things: Thing[] = []
  for (let i = 0; i < 6; i++) things.push(readable(new Pair(t)), writable(new Pair(t)))
  for (let i = 0; i < 3; i++) things.push(signalled(condition.new()))
  const cv = condition.new()
  things.push(signalled(cv, { pollfd: cv }), alerted(inner))
  const cq = cqueues.new()
  let problem: string | undefined
  let polls = 0
  cq.wrap(function* () {
    for (; polls < 3000 && problem === undefined; polls++) {
      if (polls % 100 === 0) {
        const p = promise.new()
        const control = new AbortController()
        things.splice(17)
        things.push(
          once(p, () => p.set(true)),
          once(control.signal, () => control.abort()),
        )
      }
      const chosen = choose(things, below)
      for (const thing of chosen) if (below(3)) thing.lower()
      if (below(2)) for (const thing of chosen) if (!thing.fleeting && below(4) === 0) thing.raise()
      const before = chosen.map((thing) => thing.ready)
      if (!before.some(Boolean)) {
        cq.wrap(function* () {
          for (let wait = below(3); wait > 0; wait--) yield
          chosen[below(chosen.length)]?.raise()
        })
      }
      const objects = chosen.map(({ object }) => object)
      const fired = (below(2) ? yield* cqueues.poll(...objects, 60) : yield [...objects, 60]) as Pollable[]
      problem = check(chosen, before, fired, 60)
    }
  })
  const [good, error] = cq.loop(60).sync()
  if (!good) throw error
  t.equal(problem, undefined, `after ${polls} polls`)
  t.equal(polls, 3000)
  cq.close()
  inner.close()
})

t.test("many coroutines of two controllers poll overlapping sets, each its own", async (t) => {
  const below = random(43)
  const things = Array.from({ length: 10 }, () => [readable(new Pair(t)), writable(new Pair(t))]).flat()
  for (let i = 0; i < 4; i++) things.push(signalled(condition.new()))
  const outer = cqueues.new()
  const inner = cqueues.new()
  const problems: string[] = []
  let polls = 0
  const poller = function* () {
    for (let i = 0; i < 100; i++) {
      const chosen = choose(things, below)
      const fired = yield* cqueues.poll(...chosen.map(({ object }) => object), 60)
      // Another coroutine may have changed what was ready; what can be said is said.
      if (fired.length === 0) problems.push("an empty result")
      if (fired.includes(60)) problems.push("timed out")
      const objects = chosen.map(({ object }) => object)
      if (!fired.every((object) => objects.includes(object))) problems.push("not what was polled")
      polls++
    }
  }
  for (let i = 0; i < 20; i++) (i % 2 ? outer : inner).wrap(poller)
  outer.wrap(function* () {
    cqueues.assert(yield* inner.loop())
  })
  outer.wrap(function* () {
    while (polls < 2000) {
      for (let i = 0; i < 4; i++) {
        const thing = things[below(things.length)] as Thing
        if (below(3)) thing.raise()
        else thing.lower()
      }
      yield
    }
  })
  const [good, error] = outer.loop(60).sync()
  if (!good) throw error
  t.strictSame(problems, [])
  t.equal(polls, 2000)
  inner.close()
  outer.close()
})

t.test("a poll of several things that is repeated keeps all of them armed", async (t) => {
  // What went wrong elsewhere: after one wake of (condition, connection, deadline) the descriptor was gone
  // from the kernel's set and was not put back.
  const pair = new Pair(t)
  const cv = condition.new()
  const connection = { pollfd: pair.a, events: "r" }
  const cq = cqueues.new()
  const seen: Pollable[][] = []
  cq.wrap(function* () {
    for (let i = 0; i < 8; i++) seen.push(yield* cqueues.poll(cv, connection, 60))
  })
  settle(cq)
  for (let i = 0; i < 4; i++) {
    cv.signal()
    step(cq)
    pair.send()
    step(cq, 5)
    pair.drain()
  }
  t.strictSame(seen, [[cv], [connection], [cv], [connection], [cv], [connection], [cv], [connection]])
  t.ok(cq.empty())
  cq.close()
})

t.test("a descriptor that is polled alternately with others, and alone, is never lost", async (t) => {
  const pairs = Array.from({ length: 3 }, () => new Pair(t)) as [Pair, Pair, Pair]
  const objects = pairs.map(({ a }) => ({ pollfd: a, events: "r" }))
  const below = random(5)
  inside(function* () {
    for (let i = 0; i < 2000; i++) {
      const mask = 1 + below(7)
      const chosen = objects.filter((_, k) => mask & (1 << k))
      const target = below(chosen.length)
      const pair = pairs[objects.indexOf(chosen[target] as (typeof objects)[0])]
      pair?.send()
      const fired = yield* cqueues.poll(...chosen, 60)
      if (fired.length !== 1 || fired[0] !== chosen[target]) throw new Error(`poll ${i} gave ${fired.length}`)
      pair?.drain()
    }
  })
  t.pass("two thousand polls")
})

t.test("results hold for objects with deadlines: one passed is as good as zero", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  const deadline = cqueues.monotime() - 1
  const object = { pollfd: pair.a, events: "r", timeout: () => deadline - cqueues.monotime() }
  for (let i = 0; i < 20; i++) {
    t.strictSame(
      cqueues
        .poll(cv, object, deadline - 5)
        .sync()
        .slice(0, 1),
      [object],
    )
  }
})
