// The calls of the kernel floor fail in turn, as the world may make them fail: each failure is an error of who
// made the call, or is made good, and nothing leaks, hangs or spins.
import t from "tap"
import cqueues, { condition, errno, type SystemError } from "../../core/index.js"
import { type Binding, binding } from "../../core/kernel/binding.js"
import { finish, inside, Pair, settle, step, thrown } from "../loop/tools.js"
import { census } from "../support/census.js"

await census(t)

type Name = {
  [K in keyof Binding]: Binding[K] extends (...args: never[]) => number ? K : never
}[keyof Binding]

/** Runs the body while calls of one function give `result`: those of which `which` says so. */
function failing<T>(name: Name, result: number, which: (call: number) => boolean, body: () => T): T {
  const own = binding as unknown as Record<string, (...args: number[]) => number>
  const real = own[name] as (...args: number[]) => number
  let calls = 0
  own[name] = (...args) => (which(calls++) ? result : real(...args))
  try {
    return body()
  } finally {
    own[name] = real
  }
}

const once = (call: number) => call === 0
const always = () => true

t.test("a wait that signals interrupt goes on, and is not early", async (t) => {
  const pair = new Pair(t)
  for (const times of [1, 2, 50]) {
    failing(
      "step",
      -errno.EINTR,
      (call) => call % (times + 1) !== times,
      () => {
        const start = cqueues.monotime()
        cqueues.sleep(0.005).sync()
        t.ok(cqueues.monotime() - start >= 0.005)
        const cq = cqueues.new().wrap(function* () {
          yield* cqueues.poll({ pollfd: pair.a, events: "r" }, 0.002)
          yield
          yield* cqueues.poll(0)
        })
        finish(cq)
        cq.close()
      },
    )
  }
})

t.test("an interrupted step that may not wait does not wait", async (t) => {
  const cq = cqueues.new()
  const pair = new Pair(t)
  cq.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
  })
  step(cq)
  const start = cqueues.monotime()
  failing("step", -errno.EINTR, once, () => step(cq, 0))
  cq.wrap(function* () {
    yield
  })
  failing("step", -errno.EINTR, once, () => step(cq, 1000))
  t.ok(cqueues.monotime() - start < 5)
  cq.close()
})

t.test("a wait that fails is the error of the step, and the controller goes on after it", async (t) => {
  const pair = new Pair(t)
  const cq = cqueues.new()
  let woken = 0
  cq.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    woken++
  })
  step(cq)
  for (const code of ["EBADF", "EFAULT", "ENOMEM"] as const) {
    const error = failing("step", -errno[code], once, () => thrown(() => cq.step(0).sync()))
    t.match(error, { code, name: "SystemError" })
  }
  t.strictSame(cqueues.running(), [undefined, false])
  pair.send()
  finish(cq)
  t.equal(woken, 1)
  cq.close()
})

t.test("no descriptor for a controller is a SystemError of new, and nothing leaks", async (t) => {
  for (const code of ["EMFILE", "ENFILE", "ENOMEM"] as const) {
    for (let i = 0; i < 100; i++) {
      const error = failing("pollerOpen", -errno[code], once, () => thrown(() => cqueues.new()))
      if (i === 0)
        t.match(error, { code, errno: errno[code], name: "SystemError", message: new RegExp(code) })
    }
  }
  const cq = cqueues.new()
  finish(cq.wrap(() => {}))
  cq.close()
})

t.test(
  "a descriptor that cannot be watched is an error where it is polled, and of nobody else",
  async (t) => {
    const [one, two] = [new Pair(t), new Pair(t)]
    for (const code of ["ENOMEM", "ENOSPC", "EBADF"] as const) {
      const cq = cqueues.new()
      const seen: unknown[] = []
      cq.wrap(function* () {
        try {
          yield* cqueues.poll({ pollfd: one.a, events: "r" }, 50)
        } catch (error) {
          seen.push((error as SystemError).code)
        }
        seen.push((yield* cqueues.poll({ pollfd: one.a, events: "w" }, 50)).length)
      })
      cq.wrap(function* () {
        seen.push((yield* cqueues.poll({ pollfd: two.a, events: "w" }, 50)).length)
      })
      failing("pollerSet", -errno[code], once, () => finish(cq))
      t.strictSame(seen.toSorted(), [1, 1, code])
      cq.close()
    }
  },
)

t.test("a second coroutine that cannot be added to a descriptor does not disturb the first", async (t) => {
  const pair = new Pair(t)
  const cq = cqueues.new()
  const seen: string[] = []
  cq.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    seen.push("read")
  })
  step(cq)
  cq.wrap(function* () {
    try {
      yield* cqueues.poll({ pollfd: pair.a, events: "w" })
    } catch (error) {
      seen.push((error as SystemError).code)
    }
  })
  failing("pollerSet", -errno.ENOMEM, once, () => settle(cq))
  pair.send()
  finish(cq)
  t.strictSame(seen, ["ENOMEM", "read"])
  cq.close()
})

t.test(
  "a pollfd that cannot be made to wake others is an error of pollfd(), which can be asked again",
  async (t) => {
    const cq = cqueues.new()
    t.match(
      failing("pollerPrepareAlert", -errno.EMFILE, once, () => thrown(() => cq.pollfd())),
      { code: "EMFILE" },
    )
    t.type(cq.pollfd(), "number")
    cq.alert()
    t.strictSame(cqueues.poll({ pollfd: cq.pollfd(), events: "r" }, 0).sync().length, 2)
    cq.close()
  },
)

t.test("a reset that fails leaves the controller as it was", async (t) => {
  const pair = new Pair(t)
  const cv = condition.new()
  const cq = cqueues.new()
  let woken = 0
  cq.wrap(function* () {
    yield* cqueues.poll({ pollfd: pair.a, events: "r" })
    woken++
    yield* cv.wait()
    woken++
  })
  step(cq)
  t.match(
    failing("pollerReset", -errno.EMFILE, always, () => thrown(() => cq.reset())),
    { code: "EMFILE" },
  )
  pair.send()
  step(cq, 5)
  cv.signal()
  finish(cq)
  t.equal(woken, 2)
  cq.close()
})

t.test("every call of a program of polls may fail once, and what is left is whole", async (t) => {
  const program = () =>
    inside(function* () {
      const pair = new Pair(t)
      const cv = condition.new()
      const cq = cqueues.running()[0]
      let open = true
      cq?.wrap(function* () {
        for (let i = 0; i < 5; i++) {
          yield* cqueues.sleep(0.0001)
          cv.signal()
          if (open) pair.send()
        }
      })
      for (let i = 0; i < 5; i++) {
        try {
          yield* cqueues.poll(cv, { pollfd: pair.a, events: i % 2 ? "r" : "rw" }, 0.001)
        } catch {}
      }
      open = false
      pair.close()
    })
  for (const [name, codes] of [
    ["step", ["EINTR", "ENOMEM"]],
    ["pollerSet", ["ENOMEM", "ENOENT", "EEXIST"]],
  ] as const) {
    for (const code of codes) {
      for (let at = 0; at < 25; at++) {
        failing(
          name,
          -errno[code],
          (call) => call === at,
          () => thrown(program),
        )
      }
    }
  }
  program()
  t.pass("a hundred and twenty-five failures")
})
