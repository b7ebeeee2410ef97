// Controllers that poll controllers, to any depth, and foreign loops that drive one through its pollfd and
// timeout (guide section 3.1.1): nobody spins, nobody is missed.
import { join } from "node:path"
import t from "tap"
import cqueues, { type Controller, condition } from "../../core/index.js"
import { census } from "../support/census.js"
import { nodeChild } from "../support/child.js"
import { tmp } from "../support/tmp.js"
import { finish, Pair, step } from "./tools.js"

await census(t)

/** Controllers, each looped by a coroutine of the one before; the innermost last. */
function chain(depth: number): Controller[] {
  const all = [cqueues.new()]
  while (all.length < depth) {
    const inner = cqueues.new()
    all.at(-1)?.wrap(function* () {
      while (!inner.empty()) cqueues.assert(yield* inner.step())
    })
    all.push(inner)
  }
  return all
}

function closeAll(all: Controller[]): void {
  for (const cq of all) cq.close()
}

t.test("an event goes through fifty controllers, of a descriptor, a timer, a condition", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  const all = chain(50)
  const order: string[] = []
  all.at(-1)?.wrap(function* () {
    yield* cqueues.sleep(0.002)
    order.push("timer")
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    order.push("descriptor")
    yield* cv.wait()
    order.push("condition")
  })
  const [outermost] = all as [Controller]
  outermost.wrap(function* () {
    while (order.length < 1) yield* cqueues.sleep(0.001)
    pair.send()
    while (order.length < 2) yield* cqueues.sleep(0.001)
    while (cv.signal() === 0) yield* cqueues.sleep(0.001)
  })
  finish(outermost)
  t.strictSame(order, ["timer", "descriptor", "condition"])
  closeAll(all)
})

t.test("the depth may grow and shrink while controllers are polled", async (t) => {
  const pairs = Array.from({ length: 12 }, () => new Pair(t))
  let depth = 0
  let deepest = 0
  function* level(at: number): Generator<unknown, void, unknown> {
    deepest = Math.max(deepest, ++depth)
    yield* cqueues.poll({ pollfd: pairs[at]?.a ?? -1, events: "r" })
    if (at + 1 < pairs.length) {
      const inner = cqueues.new()
      inner.wrap(() => level(at + 1))
      inner.wrap(() => level(pairs.length - 1))
      cqueues.assert(yield* inner.loop())
      inner.close()
    }
    depth--
  }
  const cq = cqueues.new()
  cq.wrap(() => level(0))
  cq.wrap(function* () {
    for (const pair of pairs.slice(0, 9)) {
      yield* cqueues.sleep(0.001)
      pair.send()
    }
    for (const pair of pairs.slice(9).reverse()) pair.send()
  })
  finish(cq)
  t.equal(depth, 0)
  t.ok(deepest > 12)
  cq.close()
})

t.test("Node's loop takes the deepest of stacks at its first turn", async (t) => {
  const folder = tmp(t, {
    "deep.mjs": `
      import cqueues from ${JSON.stringify(new URL("../../core/index.js", import.meta.url).href)}
      const all = [cqueues.new()]
      while (all.length < Number(process.argv[2])) {
        const inner = cqueues.new()
        all.at(-1).wrap(function* () { cqueues.assert(yield* inner.loop()) })
        all.push(inner)
      }
      all.at(-1).wrap(function* () { yield* cqueues.sleep(0.01) })
      console.log(String(await all[0].loop()))
    `,
  })
  for (let depth = 1; depth <= 8; depth++) {
    const script = nodeChild(t, join(folder, "deep.mjs"), [String(depth)])
    t.match(await script.exit(), { code: 0, signal: null }, `depth ${depth}`)
    t.equal(script.stdout, "true\n")
  }
})

t.test("a deep stack that waits costs no processor, and wakes for a descriptor at any depth", async (t) => {
  const pairs = Array.from({ length: 12 }, () => new Pair(t))
  const all = chain(12)
  const woken: number[] = []
  for (const [i, cq] of all.entries()) {
    cq.wrap(function* () {
      yield* cqueues.poll({ pollfd: pairs[i]?.a ?? -1, events: "r" })
      woken.push(i)
      yield* cqueues.poll({ pollfd: pairs[i]?.a ?? -1, events: "r" }, 1000)
      woken.push(i)
    })
  }
  const [outermost] = all as [Controller]
  outermost.loop(0.05).sync()
  const usage = process.cpuUsage()
  outermost.loop(0.3).sync()
  const { user, system } = process.cpuUsage(usage)
  t.ok(user + system < 100_000, `0.3 s cost ${user + system} µs of the processor`)
  for (const i of [11, 0, 5, 7, 3, 9, 1, 2, 4, 6, 8, 10]) {
    pairs[i]?.send()
    while (woken.length % 2 === 0) outermost.step(5).sync()
    t.equal(woken.at(-1), i)
    while (woken.length % 2 === 1) outermost.step(5).sync()
    t.equal(woken.at(-1), i)
  }
  finish(outermost)
  closeAll(all)
})

t.test("the same in Node's own loop", async (t) => {
  const pair = new Pair(t)
  const all = chain(50)
  let woken = 0
  all.at(-1)?.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    woken++
  })
  setTimeout(() => pair.send(), 5)
  t.strictSame(await all[0]?.loop(10), [true])
  t.equal(woken, 1)
  closeAll(all)
})

t.test("every controller of a tree has coroutines of its own, and all of them get their turns", async (t) => {
  const all: Controller[] = []
  let leaves = 0
  function grow(depth: number): Controller {
    const cq = cqueues.new()
    all.push(cq)
    cq.wrap(function* () {
      for (let i = 0; i < 3; i++) yield* cqueues.sleep(0.001)
      leaves++
    })
    if (depth > 0) {
      for (let i = 0; i < 3; i++) {
        const child = grow(depth - 1)
        cq.wrap(function* () {
          cqueues.assert(yield* child.loop())
        })
      }
    }
    return cq
  }
  finish(grow(3))
  t.equal(leaves, 40)
  closeAll(all)
})

t.test("adding a coroutine to a controller that somebody polls makes it ready", async (t) => {
  const outer = cqueues.new()
  const inner = cqueues.new()
  let ran = 0
  for (const how of ["coroutine", "outside"]) {
    outer.wrap(function* () {
      t.strictSame(yield* cqueues.poll(50, inner), [inner], how)
      cqueues.assert(yield* inner.step(0))
    })
    step(outer)
    step(outer)
    const add = () => {
      inner.wrap(() => ran++)
    }
    if (how === "coroutine") outer.wrap(add)
    else add()
    finish(outer)
  }
  t.equal(ran, 2)
  closeAll([inner, outer])
})

t.test("an empty controller is not ready; one with an earlier timer wakes its poller in time", async (t) => {
  const outer = cqueues.new()
  const inner = cqueues.new()
  t.strictSame(cqueues.poll(inner, 0.001).sync(), [0.001])
  const order: string[] = []
  inner.wrap(function* () {
    yield* cqueues.sleep(50)
  })
  step(inner)
  outer.wrap(function* () {
    cqueues.assert(yield* inner.step())
    cqueues.assert(yield* inner.step())
    order.push("stepped")
  })
  step(outer)
  inner.wrap(function* () {
    order.push("started")
    yield* cqueues.sleep(0.002)
    order.push("slept")
  })
  finish(outer)
  t.strictSame(order, ["started", "slept", "stepped"])
  closeAll([inner, outer])
})

/** A foreign loop: a controller of another kind would poll just this. It knows only numbers. */
function* drive(cq: Controller, turns: { count: number }): Generator<unknown, void, unknown> {
  const fd = cq.pollfd()
  while (!cq.empty()) {
    turns.count++
    cqueues.assert(cq.step(0).sync())
    if (!cq.empty()) yield* cqueues.poll({ pollfd: fd, events: cq.events() }, cq.timeout())
  }
}

t.test("a foreign loop drives a controller by its pollfd and its timeout", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  const guest = cqueues.new()
  const host = cqueues.new()
  const order: string[] = []
  guest.wrap(function* () {
    yield* cqueues.sleep(0.003)
    order.push("slept")
    yield* cqueues.poll({ pollfd: pair.a, events: "r" }, 50)
    order.push("read")
    yield* cv.wait()
    order.push("signalled")
    for (let i = 0; i < 5; i++) yield
    order.push("turned")
    guest.wrap(function* () {
      yield* cqueues.sleep(0.001)
      order.push("child")
    })
  })
  const turns = { count: 0 }
  host.wrap(() => drive(guest, turns))
  host.wrap(function* () {
    yield* cqueues.sleep(0.02)
    pair.send()
    yield* cqueues.sleep(0.02)
    t.equal(cv.signal(), 1)
  })
  finish(host)
  t.strictSame(order, ["slept", "read", "signalled", "turned", "child"])
  t.ok(turns.count < 40, `${turns.count} turns: it did not spin`)
  closeAll([guest, host])
})

t.test(
  "what happens to a controller from outside makes its pollfd readable, until the next step",
  async (t) => {
    const guest = cqueues.new()
    const fd = guest.pollfd()
    t.equal(guest.pollfd(), fd, "it stays the same")
    const readable = () => {
      const object = { pollfd: fd, events: "r" }
      return cqueues.poll(object, 0).sync().includes(object)
    }
    const cv = condition.new()
    t.notOk(readable(), "at first")
    guest.wrap(function* () {
      yield* cv.wait()
      yield
    })
    t.ok(readable(), "a coroutine was added")
    step(guest)
    t.notOk(readable(), "it waits")
    cv.signal()
    t.ok(readable(), "it is woken")
    step(guest)
    t.ok(readable(), "it is pending: a bare yield")
    step(guest)
    t.notOk(readable(), "it has ended")
    guest.alert()
    t.ok(readable(), "it is alerted")
    step(guest)
    t.notOk(readable(), "the alert is over")
    guest.wrap(() => {})
    t.ok(readable())
    guest.close()
  },
)

t.test("a descriptor that stays ready and that nobody polls does not keep a pollfd ready", async (t) => {
  const pair = new Pair(t)
  const guest = cqueues.new()
  const fd = guest.pollfd()
  pair.send()
  guest.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "rw" })
    yield* cqueues.sleep(1000)
  })
  step(guest)
  step(guest)
  for (let i = 0; i < 5; i++) step(guest)
  t.strictSame(cqueues.poll({ pollfd: fd, events: "r" }, 0).sync(), [0])
  const usage = process.cpuUsage()
  guest.step(0.1).sync()
  const { user, system } = process.cpuUsage(usage)
  t.ok(user + system < 50_000, `the wait cost ${user + system} µs of the processor`)
  guest.close()
})

t.test("Node's loop may be the foreign one, through poll and setTimeout alone", async (t) => {
  const pair = new Pair(t)
  const guest = cqueues.new()
  const order: string[] = []
  guest.wrap(function* () {
    yield* cqueues.sleep(0.002)
    order.push("slept")
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    order.push("read")
  })
  const fd = guest.pollfd()
  setTimeout(() => pair.send(), 15)
  while (!guest.empty()) {
    cqueues.assert(guest.step(0).sync())
    if (!guest.empty()) await cqueues.poll({ pollfd: fd, events: "r" }, guest.timeout())
  }
  t.strictSame(order, ["slept", "read"])
  guest.close()
})

t.test("two controllers may poll one descriptor, and one controller two others", async (t) => {
  const pair = new Pair(t)
  const all = [cqueues.new(), cqueues.new(), cqueues.new()] as const
  const [host, one, two] = all
  let woken = 0
  for (const guest of [one, two]) {
    guest.wrap(function* () {
      yield* cqueues.poll({ pollfd: pair.a, events: "r" })
      woken++
    })
  }
  host.wrap(function* () {
    while (!one.empty() || !two.empty()) {
      for (const guest of yield* cqueues.poll(one, two, 50)) {
        cqueues.assert(yield* (guest as Controller).step(0))
      }
    }
  })
  step(host)
  pair.send()
  finish(host)
  t.equal(woken, 2)
  closeAll([...all])
})

t.test("a controller that polls itself is refused and does not hang", async (t) => {
  const cq = cqueues.new()
  let found: unknown
  cq.wrap(function* () {
    try {
      yield* cqueues.poll(cq, 0.001)
      found = "nothing"
    } catch (error) {
      found = error
    }
  })
  finish(cq)
  t.ok(found === "nothing" || found instanceof Error)
  cq.close()
})
