// Runs alone: workers that are told to end while they wait in the kernel, or never come to rest. Node cannot
// interrupt a native wait, so the library has to come out of it by itself.
import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { Worker } from "node:worker_threads"
import t from "tap"
import { outcome } from "../loop/scripts.js"
import { census, settled } from "../support/census.js"

const before = await census(t)

const library = new URL("../../core/index.js", import.meta.url).href

const WAITS: Record<string, string> = {
  "sleep, sync": "cqueues.sleep(1000).sync()",
  "for ever, sync": "all.condition.new().wait().sync()",
  "loop, sync": "cqueues.new().wrap(function* () { yield 1000 }).loop().sync()",
  "step, sync": "cq.wrap(function* () { yield 1000 }); cq.step(0).sync(); cq.step().sync()",
  "a descriptor, sync": "all.socket.pair()[0].read().sync()",
  "a step in a step": `cqueues.operation(function* () {
    cqueues.new().wrap(function* () { yield 1000 }).loop().sync()
  })().sync()`,
  "sleep, awaited": "await cqueues.sleep(1000)",
  "loop, awaited": "await cqueues.new().wrap(function* () { yield 1000 }).loop()",
  "always ready, sync": "cqueues.operation(function* () { for (;;) yield })().sync()",
  "always ready, awaited": "await cqueues.operation(function* () { for (;;) yield })()",
  "a coroutine that does not yield": "cqueues.operation(function* () { for (;;); })().sync()",
  "finally blocks that wait": `try { await cqueues.sleep(1000) } finally { await cqueues.sleep(1000) }`,
}

function start(body: string): Worker {
  return new Worker(
    `const { parentPort } = require("node:worker_threads")
     import(${JSON.stringify(library)}).then(async (all) => {
       const cqueues = all.default
       const cq = cqueues.new()
       parentPort.postMessage("here")
       ${body}
     })`,
    { eval: true },
  )
}

/** All that a worker says to its end. */
async function told(worker: Worker): Promise<unknown[]> {
  const messages: unknown[] = []
  worker.on("message", (message) => messages.push(message))
  await once(worker, "exit")
  return messages
}

t.test("a worker is terminated soon, whatever it waits for", async (t) => {
  for (const [name, body] of Object.entries(WAITS)) {
    const worker = start(body)
    await once(worker, "message")
    await sleep(10)
    const begin = performance.now()
    await worker.terminate()
    const took = performance.now() - begin
    t.ok(took < 2000, `${name}: took ${Math.round(took)} ms`)
  }
  t.strictSame(await settled(before), [], "and its descriptors are closed")
})

t.test("a worker is terminated at any moment of its life", async (t) => {
  // In a process of its own: Node leaves files open when a worker ends while it loads modules.
  const result = await outcome(
    t,
    `import { readdirSync, readlinkSync } from "node:fs"
     import { Worker } from "node:worker_threads"
     const ours = () => readdirSync("/proc/self/fd").map((fd) => {
       try { return readlinkSync("/proc/self/fd/" + fd) } catch { return "" }
     }).filter((what) => /^(socket:|anon_inode)/.test(what)).length
     const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
     const bodies = ${JSON.stringify(Object.values(WAITS))}
     const one = async (body, ms) => {
       const worker = new Worker(
         'import(${JSON.stringify(library)}).then(async (all) => {' +
         'const cqueues = all.default; const cq = cqueues.new();' + body + '})', { eval: true })
       await sleep(ms)
       await worker.terminate()
     }
     await one(bodies[0], 0)
     const before = ours()
     await Promise.all([0, 1, 2, 3].map(async (lane) => {
       for (let i = 0; i < 20; i++) await one(bodies[(i * 4 + lane) % bodies.length], (i * 7 + lane * 3) % 90)
     }))
     await sleep(20)
     say(ours() - before, "more")`,
    60,
  )
  t.same(result, { code: 0, signal: null, stdout: "0 more\n", stderr: "" })
})

t.test("the process exits while its workers wait in the kernel", async (t) => {
  const bodies = JSON.stringify(Object.values(WAITS).slice(0, 6))
  for (const end of ["process.exit(5)", 'throw Object.assign(new Error("over"), { code: 1 })']) {
    const begin = performance.now()
    const result = await outcome(
      t,
      `import { Worker } from "node:worker_threads"
       const workers = ${bodies}.map((body) => new Worker(
         'const { parentPort } = require("node:worker_threads");' +
         'import(${JSON.stringify(library)}).then(async (all) => {' +
         'const cqueues = all.default; const cq = cqueues.new(); parentPort.postMessage("here");' + body + '})',
         { eval: true }))
       await Promise.all(workers.map((worker) => new Promise((done) => worker.once("message", done))))
       await new Promise((done) => setTimeout(done, 50))
       say("ending")
       ${end}`,
      30,
    )
    t.match(result, { code: end.startsWith("process") ? 5 : 1, signal: null, stdout: "ending\n" })
    t.ok(performance.now() - begin < 15_000)
  }
})

t.test("a blocked worker is exact all the same: events, alerts and timers are not late", async (t) => {
  const worker = start(`
    const late = []
    for (const delay of [0.05, 0.1, 0.15, 0.25]) {
      const begin = cqueues.monotime()
      cqueues.sleep(delay).sync()
      const took = cqueues.monotime() - begin
      late.push(took >= delay && took < delay + 0.09)
    }
    const cv = all.condition.new()
    cq.wrap(function* () { yield* cv.wait() })
    cq.wrap(function* () { yield 0.12; cv.signal() })
    let steps = 0
    while (!cq.empty()) { cqueues.assert(cq.step().sync()); steps++ }
    parentPort.postMessage({ late, steps })
    process.exit(0)
  `)
  const [, said] = (await told(worker)) as [unknown, { late: boolean[]; steps: number }]
  t.strictSame(said.late, [true, true, true, true])
  t.equal(said.steps, 3, "a step waits for an event, however long")
})

t.test("a worker's threads of control are its own: controllers of two workers do not meet", async (t) => {
  const workers = [1, 2].map((n) =>
    start(`
      let sum = 0
      for (let i = 0; i < 50; i++) {
        const cq = cqueues.new()
        for (let k = 0; k < 20; k++) cq.wrap(function* () { yield 0.0005; sum += ${n} })
        cqueues.assert(cq.loop().sync())
        cq.close()
      }
      parentPort.postMessage(sum)
    `),
  )
  const sums = await Promise.all(workers.map(async (worker) => (await told(worker))[1]))
  t.strictSame(sums, [1000, 2000])
})
