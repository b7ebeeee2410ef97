// What waiting costs in system calls: a descriptor that is polled again with the same events none, a turn
// without descriptors none, a step one wait at most. Counted at the kernel floor, and once by strace.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import t from "tap"
import cqueues, { condition } from "../../core/index.js"
import { type Binding, binding } from "../../core/kernel/binding.js"
import { census } from "../support/census.js"
import { run } from "../support/child.js"
import { withProgram } from "../support/programs.js"
import { tmp } from "../support/tmp.js"
import { finish, Pair, settle, step } from "./tools.js"

await census(t)

/** How often the body calls one function of the addon. */
function calls(name: keyof Binding, body: () => void): number {
  const own = binding as unknown as Record<string, (...args: unknown[]) => unknown>
  const real = own[name] as (...args: unknown[]) => unknown
  let count = 0
  own[name] = (...args) => {
    count++
    return real(...args)
  }
  try {
    body()
  } finally {
    own[name] = real
  }
  return count
}

t.test("a descriptor that is polled again with the same events makes no system call", async (t) => {
  const pair = new Pair(t)
  pair.send()
  for (const how of ["poll", "poll with a timeout", "yield"]) {
    const cq = cqueues.new()
    cq.wrap(function* () {
      const object = { pollfd: pair.a, events: "r" }
      for (let i = 0; i < 1000; i++) {
        if (how === "poll") yield* cqueues.poll(object)
        else if (how === "yield") yield object
        else yield* cqueues.poll(object, 60)
      }
    })
    const sets = calls("pollerSet", () => finish(cq))
    t.ok(sets <= 2, `${how}: ${sets} changes for a thousand polls`)
    cq.close()
  }
})

t.test("nor do two coroutines that wait for the two directions in turn", async (t) => {
  const pair = new Pair(t)
  pair.send()
  const cq = cqueues.new()
  for (const events of ["r", "w"]) {
    cq.wrap(function* () {
      for (let i = 0; i < 500; i++) yield* cqueues.poll({ pollfd: pair.a, events })
    })
  }
  const sets = calls("pollerSet", () => finish(cq))
  t.ok(sets <= 6, `${sets} changes`)
  cq.close()
})

t.test("turns without descriptors make no system call", async (t) => {
  const cq = cqueues.new()
  const cv = condition.new()
  cq.wrap(function* () {
    for (let i = 0; i < 1000; i++) yield
    for (let i = 0; i < 1000; i++) yield* cqueues.sleep(0)
    for (let i = 0; i < 1000; i++) yield* cqueues.poll(0)
    for (let i = 0; i < 1000; i++) yield* cv.wait()
  })
  cq.wrap(function* () {
    while (cq.count() > 1) {
      cv.signal()
      yield
    }
  })
  t.equal(
    calls("step", () => finish(cq)),
    0,
  )
  cq.close()
})

t.test("a step waits once, also when timers and descriptors are ready", async (t) => {
  const pair = new Pair(t)
  pair.send()
  const cq = cqueues.new()
  cq.wrap(function* () {
    for (let i = 0; i < 100; i++) yield* cqueues.poll({ pollfd: pair.a, events: "r" }, 0.00001, 0)
  })
  let most = 0
  for (let i = 0; i < 50; i++)
    most = Math.max(
      most,
      calls("step", () => step(cq, 1)),
    )
  t.equal(most, 1)
  cq.close()
})

t.test("a controller that is polled by another costs no change of registrations a turn", async (t) => {
  const pair = new Pair(t)
  const [outer, middle, inner] = [cqueues.new(), cqueues.new(), cqueues.new()]
  let turns = 0
  inner.wrap(function* () {
    for (; turns < 300; turns++) {
      yield* cqueues.poll({ pollfd: pair.a, events: "r" })
      pair.drain()
      pair.send()
    }
  })
  middle.wrap(function* () {
    cqueues.assert(yield* inner.loop())
  })
  outer.wrap(function* () {
    cqueues.assert(yield* middle.loop())
  })
  pair.send()
  settle(outer)
  const sets = calls("pollerSet", () => finish(outer))
  t.equal(turns, 300)
  t.ok(sets < 20, `${sets} changes for three hundred turns of three controllers`)
  for (const cq of [inner, middle, outer]) cq.close()
})

t.test("strace agrees", (t) =>
  withProgram(t, "strace", async (strace) => {
    const library = new URL("../../core/index.js", import.meta.url).href
    const folder = tmp(t, {
      "script.mjs": `
        import { writeSync } from "node:fs"
        import cqueues, { socket } from ${JSON.stringify(library)}
        const [a, b] = socket.pair()
        const cq = cqueues.new()
        writeSync(b.pollfd(), "x")
        cq.wrap(function* () {
          for (let i = 0; i < 2000; i++) yield* cqueues.poll({ pollfd: a.pollfd(), events: "r" }, 60)
        })
        cq.loop().sync()
        cq.wrap(function* () { for (let i = 0; i < 2000; i++) yield })
        cq.loop().sync()
      `,
    })
    const trace = join(folder, "trace")
    const args = ["-f", "-e", "trace=epoll_ctl,epoll_wait,epoll_pwait,epoll_pwait2", "-o", trace]
    await run(t, strace, [...args, process.execPath, join(folder, "script.mjs")], { timeout: 60 })
    const lines = readFileSync(trace, "latin1").split("\n")
    const count = (name: RegExp) => lines.filter((line) => name.test(line)).length
    const [changes, waits] = [count(/epoll_ctl\(/), count(/epoll_p?wait2?\(/)]
    t.ok(changes < 100, `${changes} epoll_ctl, Node's own among them`)
    t.ok(waits >= 2000 && waits < 2200, `${waits} waits`)
  }),
)
