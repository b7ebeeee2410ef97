// Runs alone: workers load the addon, leave everything open and end in every way there is, a thousand times. What
// they opened is closed when their environment goes, whether or not JavaScript got to do it.
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import t from "tap"
import { census, changes, descriptors, settled } from "../support/census.js"

await census(t)
t.setTimeout(300_000)

const addon = fileURLToPath(new URL("../../../native/build/Release/cqueues.node", import.meta.url))
const library = new URL("../../core/index.js", import.meta.url).href

/** Opens natively and closes nothing. */
const BARE = `
  const addon = require(${JSON.stringify(addon)})
  const region = addon.regionAdd(new Int32Array(24))
  addon.results(addon.regionAdd(new Int32Array(16)))
  const poller = addon.pollerOpen(region)
  const fd = addon.socket(2, 1, 0)
  addon.socketpair(1, 1)
  addon.pollerPrepareAlert(poller)
  addon.loopRef(addon.loopStart(poller, () => {}), 0)
  if (poller < 0 || fd < 0) throw new Error("not opened")
`

/** Uses the library, with a coroutine that waits for a byte which never comes. */
const FULL = `
  const { parentPort, workerData } = require("node:worker_threads")
  import(${JSON.stringify(library)}).then(async ({ default: cqueues, socket }) => {
    const server = socket.listen("127.0.0.1", 0)
    const [a, b] = socket.pair()
    await a.write("ready\\n")
    const [line] = await b.read()
    const cq = cqueues.new()
    cq.wrap(function* () { yield* b.read() })
    cq.wrap(function* () { yield* server.accept() })
    cq.loop().catch(() => {})
    await cqueues.sleep(0)
    if (line !== "ready") throw new Error("not read")
    if (workerData === "exit") process.exit(0)
    if (workerData === "throw") throw new Error("thrown")
    if (workerData === "end") { cq.close(); server.close(); a.close(); b.close() }
    parentPort.postMessage("waiting")
  })
`

async function run(code: string, how: string): Promise<string> {
  const worker = new Worker(code, { eval: true, workerData: how })
  const ended = once(worker, "exit").catch((error: Error) => error)
  if (how === "terminate") {
    await once(worker, "message")
    await worker.terminate()
    return "terminated"
  }
  const result = await ended
  if (!(result instanceof Error)) return String(result[0])
  await new Promise((resolve) => (worker.threadId === -1 ? resolve(0) : worker.once("exit", resolve)))
  return result.message
}

async function inTurn(count: number, at: number, one: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) await one(next++)
  }
  await Promise.all(Array.from({ length: at }, lane))
}

t.test("the addon loads and unloads nine hundred times in workers that close nothing", async (t) => {
  const before = descriptors()
  const results = new Set<string>()
  await inTurn(900, 4, async () => {
    results.add(await run(BARE, "end"))
  })
  t.strictSame([...results], ["0"])
  await settled(before)
  t.strictSame(changes(before), [], "no descriptor is left")
})

t.test("the library in a hundred workers that end, exit, throw or are terminated", async (t) => {
  const before = descriptors()
  const ways = { end: "0", exit: "0", throw: "thrown", terminate: "terminated" }
  const wrong: string[] = []
  await inTurn(100, 2, async (i) => {
    const how = Object.keys(ways)[i % 4] as keyof typeof ways
    const result = await run(FULL, how)
    if (result !== ways[how]) wrong.push(`${how}: ${result}`)
  })
  t.strictSame(wrong, [])
  await settled(before)
  t.strictSame(changes(before), [], "no descriptor is left")
})
