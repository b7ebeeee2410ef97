/**
 * What an accepted connection that does nothing costs its server. One line has gone each way on every
 * connection, so that what a server makes on first use is counted. Kernel memory is not: it is the same for all.
 */

import { connect } from "node:net"
import { text } from "node:stream/consumers"
import type { Bench } from "./bench.js"
import { Running } from "./children.js"
import { OURS, SERVERS } from "./contenders.js"
import { launchAll, stopAll } from "./echo.js"
import type { Heap } from "./heap.js"
import { built, fileLimit, LOAD_CORE, pinned, rss } from "./machine.js"
import { ratio, table } from "./table.js"

/** Descriptors that a process needs besides its connections. */
const SPARE = 200

interface Footprint {
  rss: number
  heap: number | undefined
}

/** The heap is asked for first: the collection is part of the asking, and RSS is read after it. */
async function footprint(server: Running): Promise<Footprint> {
  let heap: number | undefined
  if (server.words.report) {
    const answer = JSON.parse(await text(connect(Number(server.words.report), "127.0.0.1"))) as Heap
    heap = answer.heapUsed + answer.external
  }
  return { rss: rss(server.pid), heap }
}

async function costOf(server: Running, connections: number): Promise<Footprint> {
  const load = (n: number) =>
    Running.launch(
      pinned(
        LOAD_CORE,
        [built("load"), `127.0.0.1:${server.words.listening}`, "idle", String(n)],
        connections + SPARE,
      ),
      "ready",
    )
  await (await load(50)).stop()
  const before = await footprint(server)
  const holder = await load(connections)
  const after = await footprint(server)
  await holder.stop()
  const each = (a: number, b: number) => (b - a) / connections
  return {
    rss: each(before.rss, after.rss),
    heap: before.heap !== undefined && after.heap !== undefined ? each(before.heap, after.heap) : undefined,
  }
}

export async function idle(bench: Bench): Promise<void> {
  const connections = Math.min(bench.quick ? 2000 : 10_000, fileLimit() - SPARE)
  const servers = await launchAll(
    bench,
    SERVERS.filter((each) => !each.pipelined),
    connections + SPARE,
  )
  const costs = new Map<string, Footprint>()
  for (const [name, server] of servers) {
    try {
      const cost = await costOf(server, connections)
      costs.set(name, cost)
      bench.record("idle", { server: name, connections, ...cost })
    } catch (error) {
      bench.skip(`${name} with ${connections} idle connections`, (error as Error).message)
    }
  }
  await stopAll(servers)
  const rows = [...costs].map(([name, cost]) => [
    name,
    cost.rss,
    cost.heap,
    name === OURS ? "" : ratio(costs.get(OURS)?.rss, cost.rss),
  ])
  const title = `Idle connections, ${connections.toLocaleString("en-US")} of them: bytes each (less is better)`
  bench.print(table(title, ["server", "RSS", "JS heap + external", "ours/it"], rows))
}
