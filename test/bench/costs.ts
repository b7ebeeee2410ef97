/**
 * What coroutines cost, ours against Lua's: a process for each measurement, so that no heap, no compiler's
 * opinion and no timer of one is left for the next.
 */
import type { Bench } from "./bench.js"
import { measure } from "./children.js"
import { OURS, RUNTIMES } from "./contenders.js"
import { pinned, SERVER_CORE } from "./machine.js"
import { type Cell, median, ratio, table } from "./table.js"

type Figures = Record<string, number>

const RATES: [string, string][] = [
  ["sleep1", "sleep(0) in 1 coroutine, switches"],
  ["sleep1000", "sleep(0) in 1,000 coroutines, switches"],
  ["pingpong", "condition ping-pong, hand-overs"],
  ["spawn", "coroutines started and finished"],
]

const SLEEPING: [string, string, number][] = [
  ["cpu", "CPU seconds", 1],
  ["p50", "lateness p50, µs", 1e6],
  ["p99", "lateness p99, µs", 1e6],
  ["max", "lateness max, µs", 1e6],
  ["early", "woken too early", 1],
]

const MEMORY: [string, string, number][] = [
  ["rss", "RSS, bytes", 1],
  ["heap", "collected heap (JS: + external), bytes", 1],
]

export async function coroutines(bench: Bench): Promise<void> {
  const taking = RUNTIMES.filter(({ name, absent }) => {
    const why = absent()
    if (why) bench.skip(`${name} (coroutines)`, why)
    return !why
  })
  const names = taking.map(({ name }) => name)
  const peers = names.filter((name) => name !== OURS)
  const seconds = bench.quick ? 0.2 : 0.5
  const many = bench.quick ? 20_000 : 100_000

  const taken = new Map<string, Figures[]>()
  const take = async (what: string, amount: number, rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      for (const { name, command } of taking) {
        const words = pinned(SERVER_CORE, [...command(), what, String(amount)])
        try {
          const figures = await measure<Figures>(words, 60_000)
          const key = `${name}/${what}`
          taken.set(key, [...(taken.get(key) ?? []), figures])
          bench.record("coroutines", { runtime: name, measure: what, amount, round, ...figures })
        } catch (error) {
          bench.skip(`${name}, ${what}`, (error as Error).message)
        }
      }
    }
  }
  const of = (name: string, what: string, field: string) => {
    const figures = taken.get(`${name}/${what}`)
    return figures && median(figures.map((each) => each[field] ?? Number.NaN))
  }
  const row = (label: string, what: string, field: string, scale = 1): Cell[] => {
    const value = (name: string) => {
      const found = of(name, what, field)
      return found === undefined ? undefined : found * scale
    }
    return [label, ...names.map(value), ...peers.map((peer) => ratio(value(OURS), value(peer)))]
  }
  const head = (what: string) => [
    what,
    ...names,
    ...peers.map((peer) => `ours/${peer.replace(" cqueues", "")}`),
  ]
  const counted = many.toLocaleString("en-US")

  for (const [what] of RATES) await take(what, seconds, bench.quick ? 1 : 3)
  bench.print(
    table(
      "Coroutines: per second of CPU time (more is better)",
      head("rate"),
      RATES.map(([what, label]) => row(label, what, "rate")),
    ),
  )
  await take("sleepers", many, 1)
  bench.print(
    table(
      `${counted} sleepers with random deadlines within one second (less is better)`,
      head("figure"),
      SLEEPING.map(([field, label, scale]) => row(label, "sleepers", field, scale)),
    ),
  )
  await take("memory", many, 1)
  bench.print(
    table(
      `${counted} sleeping coroutines: memory of each (less is better)`,
      head("figure"),
      MEMORY.map(([field, label, scale]) => row(label, "memory", field, scale)),
    ),
  )
}
