// Closing a controller: coroutines that are still inside run their finally blocks, who polls it is woken, and
// nothing can be done with it afterwards but ask what it is.
import t from "tap"
import cqueues, { condition, promise } from "../../core/index.js"
import { census, changes, descriptors } from "../support/census.js"
import { finish, inside, Pair, step, thrown } from "./tools.js"

await census(t)

t.test("close runs the finally blocks of the coroutines that are still inside", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  const closed: string[] = []
  const waits: Record<string, () => Generator> = {
    *sleep() {
      yield* cqueues.sleep(1000)
    },
    *descriptor() {
      yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    },
    *condition() {
      yield* cv.wait()
    },
    *plain() {
      yield [cv, 1000, { pollfd: pair.a, events: "r" }]
    },
    *promise() {
      yield* promise.new().get()
    },
    *pending() {
      yield
    },
    *nested() {
      try {
        yield* cqueues.sleep(1000)
      } finally {
        closed.push("deeper")
      }
    },
  }
  const cq = cqueues.new()
  for (const [name, wait] of Object.entries(waits)) {
    cq.wrap(function* () {
      try {
        yield* wait()
      } finally {
        closed.push(name)
      }
    })
  }
  step(cq)
  cq.wrap(function* () {
    closed.push("one that never began is not begun")
    yield
  })
  t.equal(cq.count(), 8)
  cq.close()
  t.strictSame(closed.toSorted(), [...Object.keys(waits), "deeper"].toSorted())
  t.equal(cv.signal(), 0, "nobody waits for the condition any more")
  t.equal(cq.count(), 0)
  t.ok(cq.empty())
})

t.test("what a finally block throws is thrown by close, after all others have run", async (t) => {
  const cq = cqueues.new()
  let ran = 0
  for (let i = 0; i < 4; i++) {
    cq.wrap(function* () {
      try {
        yield* cqueues.sleep(1000)
      } finally {
        ran++
        // biome-ignore lint/correctness/noUnsafeFinally: what it leads to is what is tested
        if (i % 2) throw new Error(`finally ${i}`)
      }
    })
  }
  step(cq)
  t.throws(() => cq.close(), /finally 1/)
  t.equal(ran, 4)
  t.equal(cqueues.type(cq), "closed controller")
})

t.test("a finally block that waits meets an error there, and what follows still runs", async (t) => {
  for (const place of ["outside", "inside"]) {
    for (const wait of [
      () => cqueues.sleep(0.001),
      () => cqueues.poll(0.001),
      () => condition.new().wait(),
    ]) {
      const order: string[] = []
      const cq = cqueues.new()
      cq.wrap(function* () {
        try {
          yield* cqueues.sleep(1000)
        } finally {
          try {
            yield* wait()
            order.push("waited")
          } catch {
            order.push("refused")
          } finally {
            order.push("end")
          }
        }
      })
      cq.wrap(function* () {
        try {
          yield* cqueues.sleep(1000)
        } finally {
          try {
            yield 0.001
            order.push("waited")
          } catch {
            order.push("refused")
          }
        }
      })
      step(cq)
      if (place === "outside") cq.close()
      else {
        inside(function* () {
          cq.close()
          yield* cqueues.sleep(0)
        })
      }
      t.strictSame(order, ["refused", "end", "refused"], place)
    }
  }
})

t.test("a finally block may use other controllers and conditions", async (t) => {
  const cv = condition.new()
  const other = cqueues.new()
  let woken = 0
  other.wrap(function* () {
    yield* cv.wait()
    woken++
  })
  step(other)
  const cq = cqueues.new().wrap(function* () {
    try {
      yield* cqueues.sleep(1000)
    } finally {
      cv.signal()
      other.wrap(() => {
        woken++
      })
    }
  })
  step(cq)
  cq.close()
  finish(other)
  t.equal(woken, 2)
  other.close()
})

t.test("a finally block cannot add coroutines to the controller that is closed", async (t) => {
  const cq = cqueues.new()
  let ran = 0
  cq.wrap(function* () {
    try {
      yield* cqueues.sleep(1000)
    } finally {
      try {
        cq.wrap(() => ran++)
      } catch {}
      try {
        cq.close()
      } catch {}
    }
  })
  step(cq)
  cq.close()
  t.equal(ran, 0)
  t.equal(cq.count(), 0)
  t.equal(cqueues.type(cq), "closed controller")
})

t.test("closing twice is fine, and using makes a controller its own disposer", async (t) => {
  const cq = cqueues.new()
  t.equal(cq.close(), undefined)
  t.equal(cq.close(), undefined)
  const disposed = cqueues.new()
  disposed[Symbol.dispose]()
  t.equal(cqueues.type(disposed), "closed controller")
})

t.test("methods of a closed controller throw an error that says so", async (t) => {
  const cq = cqueues.new()
  const coroutine = (function* () {
    yield
  })()
  cq.close()
  const attempts: [string, () => unknown][] = [
    ["attach", () => cq.attach(coroutine)],
    ["wrap", () => cq.wrap(() => 1)],
    ["step", () => cq.step(0).sync()],
    ["loop", () => cq.loop().sync()],
    ["errors", () => cq.errors().next().sync()],
    ["pollfd", () => cq.pollfd()],
    ["alert", () => cq.alert()],
    ["reset", () => cq.reset()],
    ["cancel", () => cq.cancel(5)],
    ["pause", () => cq.pause()],
  ]
  for (const [name, attempt] of attempts) {
    const error = thrown(attempt)
    t.match(error, { message: /closed/ }, name)
  }
  await t.rejects(async () => await cq.step(), /closed/)
  await t.rejects(async () => await cq.loop(), /closed/)
  inside(function* () {
    try {
      yield* cq.step()
      t.fail("not refused")
    } catch (error) {
      t.match(error, { message: /closed/ })
    }
  })
})

t.test("closing a controller that runs is refused: cqueue running", async (t) => {
  const cq = cqueues.new()
  const inner = cqueues.new()
  cq.wrap(() => cq.close())
  const [good, error] = cq.loop().sync()
  t.equal(good, false)
  t.match(error, { message: /cqueue running/ })
  t.equal(cqueues.type(cq), "controller")
  inner.wrap(function* () {
    yield
    t.throws(() => cq.close(), /cqueue running/)
  })
  cq.wrap(function* () {
    yield* inner.loop()
  })
  finish(cq)
  inner.close()
  cq.close()
})

t.test("a closed controller that somebody polls is ready, before and after", async (t) => {
  const outer = cqueues.new()
  const inner = cqueues.new().wrap(function* () {
    yield* cqueues.sleep(1000)
  })
  const seen: unknown[] = []
  outer.wrap(function* () {
    seen.push(yield* cqueues.poll(inner, 50))
    seen.push(yield* cqueues.poll(inner, 50))
    seen.push(yield inner)
    seen.push(yield* cqueues.poll({ pollfd: inner }, 50))
  })
  step(outer)
  step(outer)
  inner.close()
  finish(outer)
  t.equal(seen.length, 4)
  for (const fired of seen.slice(0, 3)) t.ok((fired as unknown[])[0] === inner)
  outer.close()
})

t.test("who waits in a step or loop of a controller that is closed gets an error", async (t) => {
  for (const method of ["step", "loop"] as const) {
    const outer = cqueues.new()
    const inner = cqueues.new().wrap(function* () {
      yield* cqueues.sleep(1000)
    })
    inner.step(0).sync()
    let found: unknown
    outer.wrap(function* () {
      try {
        yield* inner[method]()
      } catch (error) {
        found = error
      }
    })
    step(outer)
    inner.close()
    finish(outer)
    t.match(found, { message: /closed/ }, method)
    outer.close()
  }
})

t.test("closing one controller leaves descriptors that others poll alone", async (t) => {
  const pair = new Pair(t)
  const [one, two] = [cqueues.new(), cqueues.new()]
  let woken = 0
  for (const cq of [one, two]) {
    cq.wrap(function* () {
      yield* cqueues.poll({ pollfd: pair.a, events: "r" })
      woken++
    })
    step(cq)
  }
  one.close()
  step(two)
  t.equal(woken, 0)
  pair.send()
  finish(two)
  t.equal(woken, 1)
  two.close()
})

t.test("its descriptors are closed with it", async (t) => {
  const before = descriptors()
  const many = Array.from({ length: 50 }, () => cqueues.new())
  for (const cq of many) {
    cq.pollfd()
    cq.wrap(function* () {
      yield* cqueues.sleep(1000)
    })
    step(cq)
  }
  for (const cq of many) cq.close()
  t.strictSame(changes(before), [])
})

t.test("a promise whose coroutine is closed is rejected", async (t) => {
  let made: ReturnType<typeof promise.new> | undefined
  const cq = cqueues.new().wrap(function* () {
    made = promise.new(function* () {
      yield* cqueues.sleep(1000)
    })
    yield* cqueues.sleep(1000)
  })
  step(cq)
  step(cq)
  cq.close()
  t.equal(made?.status(), "rejected")
})
