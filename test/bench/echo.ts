/**
 * Requests a second of the echo servers, side by side. The servers take turns round by round, because the
 * machine's own speed drifts by more than some of the differences; a figure is the median of its rounds, a
 * ratio the median of the ratios within the rounds.
 */
import type { Bench } from "./bench.js"
import { measure, Running } from "./children.js"
import { BOUND, type Contender, OURS, SERVERS, VARIANTS } from "./contenders.js"
import { built, LOAD_CORE, pinned, SERVER_CORE } from "./machine.js"
import { median, table, times } from "./table.js"

const LINE = 64

interface Sample {
  requests: number
  seconds: number
  requests_per_second: number
  p50_us: number
  p99_us: number
  least: number
  most: number
  user_seconds: number
  system_seconds: number
  server_waited: number
  load_waited: number
}

/** Others may take this part of the measured time from either side before the round is taken again. */
const TOLERATED = 0.04
const ATTEMPTS = 3
/** So many rounds are taken again in all: on a machine that never is quiet the run still ends in its time. */
let patience = 40

interface Shape {
  connections: number
  depth: number
}

type Servers = Map<string, Running>

/** Starts each one that can take part, and says who can't and why. */
export async function launchAll(bench: Bench, contenders: Contender[], files = 0): Promise<Servers> {
  const servers: Servers = new Map()
  for (const { name, command, absent } of contenders) {
    const why = absent()
    if (why) {
      bench.skip(name, why)
      continue
    }
    try {
      servers.set(name, await Running.launch(pinned(SERVER_CORE, command(), files), "listening"))
    } catch (error) {
      bench.skip(name, `does not start: ${(error as Error).message}`)
    }
  }
  return servers
}

export async function stopAll(servers: Servers): Promise<void> {
  for (const server of servers.values()) await server.stop("SIGTERM")
}

function load(server: Running, { connections, depth }: Shape, warmup: number, seconds: number) {
  const words = [`127.0.0.1:${server.words.listening}`, connections, depth, LINE, warmup, seconds, server.pid]
  return measure<Sample>(pinned(LOAD_CORE, [built("load"), ...words.map(String)]), 1000 * (seconds + 15))
}

/** What it would do on a core of its own that is never idle. */
const perCpuSecond = (s: Sample) => s.requests / (s.user_seconds + s.system_seconds)

const disturbance = ({ server_waited, load_waited, seconds }: Sample) =>
  Math.max(server_waited, load_waited) / seconds

/** The best of a few attempts, but the first when nothing else wanted the cores. */
async function undisturbed(server: Running, shape: Shape, seconds: number): Promise<Sample> {
  let best = await load(server, shape, 0.15, seconds)
  for (let i = 1; i < ATTEMPTS && disturbance(best) > TOLERATED && patience > 0; i++, patience--) {
    const again = await load(server, shape, 0.15, seconds)
    if (disturbance(again) < disturbance(best)) best = again
  }
  return best
}

/** Per server its rounds in order, with a hole where one failed: a ratio is taken within a round. */
type Rounds = Map<string, (Sample | undefined)[]>

async function rounds(bench: Bench, servers: Servers, shape: Shape): Promise<Rounds> {
  const samples: Rounds = new Map([...servers.keys()].map((name) => [name, []]))
  for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
    for (const [name, server] of servers) {
      if (!server.alive) continue
      try {
        const sample = await undisturbed(server, shape, bench.quick ? 0.4 : 0.7)
        const taken = samples.get(name)
        if (taken) taken[round] = sample
        bench.record("echo", { server: name, ...shape, line: LINE, round, ...sample })
      } catch (error) {
        const gone = server.alive ? "" : ` (the server is gone: ${server.complaint().split("\n")[0]})`
        bench.skip(`${name} at ${shape.connections} × ${shape.depth}`, `${(error as Error).message}${gone}`)
      }
    }
  }
  return samples
}

function report(bench: Bench, { connections, depth }: Shape, samples: Rounds): void {
  const of = (name: string, pick: (sample: Sample) => number) => {
    const taken = samples.get(name)?.filter((sample) => sample !== undefined)
    return taken?.length ? median(taken.map(pick)) : undefined
  }
  const ratio = (one: string, other: string, pick = (sample: Sample) => sample.requests_per_second) => {
    const others = samples.get(other)
    const each = samples.get(one)?.flatMap((sample, round) => {
      const against = others?.[round]
      return sample && against ? [pick(sample) / pick(against)] : []
    })
    return each?.length ? times(median(each)) : "-"
  }
  const marked = (name: string) => ((of(name, disturbance) ?? 0) > TOLERATED ? `${name} *` : name)
  const rows = [...samples.keys()].map((name) => [
    marked(name),
    of(name, (s) => s.requests_per_second),
    ratio(name, BOUND),
    name === OURS ? "" : ratio(OURS, name),
    name === OURS ? "" : ratio(OURS, name, perCpuSecond),
    of(name, (s) => (1e6 * s.user_seconds) / s.requests),
    of(name, (s) => (1e6 * s.system_seconds) / s.requests),
    of(name, (s) => (100 * (s.user_seconds + s.system_seconds)) / s.seconds),
    of(name, (s) => s.p50_us),
    of(name, (s) => s.p99_us),
    of(name, (s) => (100 * s.least) / (s.requests / connections)),
  ])
  const title = `Echo, ${connections} connection${connections > 1 ? "s" : ""} × ${depth} in flight`
  const head = [
    "server",
    "requests/s",
    "of raw C",
    "ours/it",
    "by CPU",
    "user µs",
    "sys µs",
    "core %",
    "p50 µs",
    "p99 µs",
  ]
  bench.print(table(title, [...head, "least %"], rows))
}

const NOTES = [
  `Lines of ${LINE} bytes. ours/it: requests per second, by CPU: requests per second of the server's CPU time;`,
  "user and sys: the server's CPU time for one request; core: how much of its core it used; least: what the",
  "worst served connection got, in percent of an even share. With a * other processes took more than",
  `${100 * TOLERATED} % of the server's or the load's time in most rounds: only the figures of CPU time say something then.\n`,
].join("\n")

async function compare(bench: Bench, contenders: Contender[], shapes: Shape[]): Promise<void> {
  const pipelined = new Set(contenders.filter((each) => each.pipelined).map((each) => each.name))
  const servers = await launchAll(bench, contenders)
  bench.print(NOTES)
  // a first run for each that isn't counted: by its end the compilers have settled
  for (const server of servers.values()) {
    for (const depth of [1, 16]) {
      await load(server, { connections: 50, depth }, 0, bench.quick ? 0.4 : 0.6).catch(() => {})
    }
  }
  for (const shape of shapes) {
    const taking = new Map([...servers].filter(([name]) => shape.depth > 1 || !pipelined.has(name)))
    report(bench, shape, await rounds(bench, taking, shape))
  }
  await stopAll(servers)
}

const shapes = (connections: number[], depths: number[]): Shape[] =>
  depths.flatMap((depth) => connections.map((n) => ({ connections: n, depth })))

export const echo = (bench: Bench) =>
  compare(
    bench,
    SERVERS,
    bench.quick ? shapes([50, 500], [1, 16]).slice(0, 3) : shapes([1, 50, 500], [1, 16]),
  )

export const variants = (bench: Bench) =>
  compare(bench, VARIANTS, bench.quick ? shapes([50], [1, 16]) : shapes([50, 500], [1, 16]))
