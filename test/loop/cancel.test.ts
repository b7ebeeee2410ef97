// Descriptors that go away: cancelled, closed, their numbers given to others. Who polled them is told, and
// nobody is woken by, or deaf to, what has the number next.
import { closeSync, openSync } from "node:fs"
import t from "tap"
import cqueues, { condition } from "../../core/index.js"
import { binding, constant } from "../../core/kernel/binding.js"
import { Descriptor } from "../../core/kernel/descriptor.js"
import { census } from "../support/census.js"
import { finish, Pair, random, settle, step } from "./tools.js"

await census(t)

const readable = (fd: number) => ({ pollfd: fd, events: "r" })

t.test("cancel makes every coroutine that polls the descriptor pending, on every controller", async (t) => {
  const pair = new Pair(t)
  const seen: unknown[] = []
  const object = readable(pair.a)
  const controllers = Array.from({ length: 4 }, () => cqueues.new())
  for (const cq of controllers) {
    for (let i = 0; i < 3; i++) {
      cq.wrap(function* () {
        seen.push(yield* cqueues.poll(object, 50))
      })
      cq.wrap(function* () {
        seen.push(yield* cqueues.poll({ pollfd: pair.a, events: "p" }, 50))
      })
    }
    step(cq)
  }
  t.equal(cqueues.cancel(pair.a), undefined)
  for (const cq of controllers) {
    t.equal(cq.timeout(), 0)
    finish(cq)
  }
  t.equal(seen.length, 24)
  for (const fired of seen) t.match(fired, [{ pollfd: pair.a }])
  for (const cq of controllers) cq.close()
})

t.test("a controller's own cancel leaves the others alone", async (t) => {
  const pair = new Pair(t)
  const [one, two] = [cqueues.new(), cqueues.new()]
  for (const cq of [one, two]) {
    cq.wrap(function* () {
      yield* cqueues.poll(readable(pair.a))
    })
    step(cq)
  }
  t.equal(one.cancel(pair.a), undefined)
  finish(one)
  step(two)
  t.equal(two.count(), 1)
  pair.send()
  finish(two)
  one.close()
  two.close()
})

t.test("cancel takes a descriptor or an object with a pollfd", async (t) => {
  const pair = new Pair(t)
  for (const what of [pair.a, readable(pair.a), { pollfd: () => pair.a }]) {
    for (const how of ["everywhere", "here"]) {
      const cq = cqueues.new().wrap(function* () {
        yield* cqueues.poll(readable(pair.a))
      })
      step(cq)
      if (how === "here") cq.cancel(what)
      else cqueues.cancel(what)
      finish(cq)
      t.ok(cq.empty())
      cq.close()
    }
  }
})

t.test("cancelling -1, an open number nobody polls, or no descriptor at all does nothing", async (t) => {
  const cq = cqueues.new()
  const fd = openSync("/dev/null", "r")
  for (const what of [-1, 9999, fd, { pollfd: -1 }, { pollfd: () => undefined }, { pollfd: undefined }]) {
    t.equal(cqueues.cancel(what as never), undefined)
    t.equal(cq.cancel(what as never), undefined)
  }
  closeSync(fd)
  for (const wrong of ["5", null, undefined, {}]) t.throws(() => cqueues.cancel(wrong as never), TypeError)
  cq.close()
})

t.test(
  "a coroutine can be cancelled from another controller while its own waits in the kernel",
  async (t) => {
    const pair = new Pair(t)
    const main = cqueues.new()
    const sub = cqueues.new()
    const cv = condition.new()
    const event = { pollfd: pair.a, events: "rp" }
    let fired: unknown
    main.wrap(function* () {
      sub.wrap(function* () {
        cv.signal()
        fired = yield* cqueues.poll(event)
        cv.signal()
      })
      cqueues.assert(yield* sub.loop())
    })
    main.wrap(function* () {
      yield* cv.wait()
      cqueues.cancel(pair.a)
      t.equal((yield* cv.wait(5))[0], true)
    })
    finish(main)
    t.strictSame(fired, [event])
    sub.close()
    main.close()
  },
)

t.test("after cancel and close, the number's next holder wakes nobody of before", async (t) => {
  const cq = cqueues.new()
  const first = new Pair(t)
  let fired: unknown
  cq.wrap(function* () {
    fired = yield* cqueues.poll(readable(first.a), 50)
    yield* cqueues.sleep(0.002)
  })
  step(cq)
  cqueues.cancel(first.a)
  first.close()
  const second = new Pair(t)
  t.equal(second.a, first.a, "the number is used again")
  second.send()
  step(cq)
  t.match(fired, [{ pollfd: first.a }])
  let woken = 0
  cq.wrap(function* () {
    yield* cqueues.poll(readable(second.a), 50)
    woken++
  })
  finish(cq)
  t.equal(woken, 1)
  cq.close()
})

t.test("a number that was polled, closed and opened anew is polled afresh", async (t) => {
  const cq = cqueues.new()
  for (let i = 0; i < 20; i++) {
    const pair = new Pair(t)
    let fired: unknown[] = []
    cq.wrap(function* () {
      fired = yield* cqueues.poll(readable(pair.a), 0.001)
    })
    finish(cq)
    t.strictSame(fired, [0.001])
    cq.wrap(function* () {
      fired = yield* cqueues.poll(readable(pair.a), 50)
    })
    settle(cq)
    pair.send()
    finish(cq)
    t.match(fired, [{ pollfd: pair.a }])
    pair.close()
  }
  cq.close()
})

t.test("a coroutine that closes what others poll, in one step with them, confuses nobody", async (t) => {
  const below = random(11)
  const cq = cqueues.new()
  let rounds = 0
  for (let round = 0; round < 200; round++) {
    const pairs = Array.from({ length: 4 }, () => new Pair(t))
    const told = Array<boolean>(4).fill(false)
    for (const [i, pair] of pairs.entries()) {
      cq.wrap(function* () {
        const fired = yield* cqueues.poll(readable(pair.a), 50)
        told[i] = fired[0] !== 50
        const victim = below(4)
        cqueues.cancel(pairs[victim]?.a ?? -1)
        pairs[victim]?.close()
      })
    }
    step(cq)
    for (const pair of pairs) if (below(2)) pair.send()
    pairs[3]?.send()
    step(cq, 5)
    for (const pair of pairs) {
      cqueues.cancel(pair.a)
      pair.close()
    }
    finish(cq)
    if (told.every(Boolean)) rounds++
  }
  t.equal(rounds, 200)
  cq.close()
})

t.test("a descriptor that was closed without cancel meets an error or a timeout, never a hang", async (t) => {
  const cq = cqueues.new()
  for (let i = 0; i < 10; i++) {
    const pair = new Pair(t)
    const outcome: unknown[] = []
    for (const events of ["r", "w"]) {
      cq.wrap(function* () {
        for (let n = 0; n < 2; n++) {
          try {
            outcome.push(yield* cqueues.poll({ pollfd: pair.a, events }, 0.002))
          } catch (error) {
            outcome.push((error as { code?: string }).code)
          }
        }
      })
    }
    step(cq)
    pair.close()
    finish(cq)
    t.equal(outcome.length, 4)
  }
  cq.close()
})

t.test("a wait for other events on a number that was closed and opened anew works", async (t) => {
  const cq = cqueues.new()
  const first = new Pair(t)
  let fired: unknown[] = []
  cq.wrap(function* () {
    yield* cqueues.poll(readable(first.a), 0.001)
    first.close()
    const second = new Pair(t)
    t.equal(second.a, first.a)
    try {
      fired = yield* cqueues.poll({ pollfd: second.a, events: "rw" }, 1)
    } catch (error) {
      fired = [error]
    }
  })
  finish(cq)
  t.match(fired, [{ pollfd: first.a }])
  cq.close()
})

t.test("a closed number whose file lives on in a duplicate does not make the controller spin", async (t) => {
  const pair = new Pair(t)
  const copy = new Descriptor(binding.dup(pair.a))
  const cq = cqueues.new()
  cq.wrap(function* () {
    yield* cqueues.poll(readable(pair.a), 1000)
  })
  step(cq)
  pair.send()
  pair.close("a")
  cq.wrap(function* () {
    yield* cqueues.sleep(0.05)
  })
  let steps = 0
  for (; !cq.empty(); steps++) step(cq, 1)
  t.ok(steps < 20, `${steps} steps`)
  const other = new Pair(t)
  cq.wrap(function* () {
    yield* cqueues.poll(readable(other.a))
  })
  settle(cq)
  other.send()
  finish(cq)
  copy.close()
  cq.close()
})

t.test("a Descriptor is cancelled before it is closed, and closed once", async (t) => {
  const cq = cqueues.new()
  const descriptor = new Descriptor(binding.socket(constant("AF_INET"), constant("SOCK_DGRAM"), 0))
  const { fd } = descriptor
  let fired: unknown[] = []
  cq.wrap(function* () {
    fired = yield* cqueues.poll(readable(fd), 50)
  })
  step(cq)
  t.notOk(descriptor.closed)
  t.equal(descriptor.close(), 0)
  t.ok(descriptor.closed)
  t.equal(descriptor.fd, -1)
  t.equal(cq.timeout(), 0)
  const next = openSync("/dev/null", "r")
  t.equal(next, fd, "the number is used again")
  t.equal(descriptor.close(), 0, "closing again does nothing")
  closeSync(next)
  finish(cq)
  t.match(fired, [{ pollfd: fd }])
  cq.close()
})
