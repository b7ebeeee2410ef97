/**
 * What a coroutine costs on this library: run by the bench as a process of its own for each measurement.
 *   coroutines.js MEASURE AMOUNT       prints one line of JSON
 * The same measurements, in the same words, as peers/coroutines.lua. AMOUNT is seconds for the rates, a
 * number of coroutines for sleepers and memory. Rates are per second of CPU time, compilers and
 * collectors of other threads included.
 */
import cqueues, { type Controller, condition } from "../../core/index.js"
import { heap } from "./heap.js"

type Figures = Record<string, number>

const finish = (cq: Controller) => cqueues.assert(cq.loop().sync())

function secondsSince(clock: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(clock)
  return (user + system) / 1e6
}

/** n coroutines that only sleep(0); the first of them looks at the clock, and not at each turn. */
function switches(n: number, seconds: number): Figures {
  const cq = cqueues.new()
  const every = Math.max(1, Math.floor(256 / n))
  const start = cqueues.monotime()
  const clock = process.cpuUsage()
  let count = 0
  let over = false
  for (let i = 0; i < n; i++) {
    cq.wrap(function* () {
      let turns = 0
      while (!over) {
        yield* cqueues.sleep(0)
        count++
        turns++
        if (i === 0 && turns % every === 0) over = cqueues.monotime() - start >= seconds
      }
    })
  }
  finish(cq)
  return { rate: count / secondsSince(clock) }
}

/** Who has the ball is said by a variable, because which coroutine starts first is not laid down. */
function pingpong(seconds: number): Figures {
  const cq = cqueues.new()
  const ping = condition.new()
  const pong = condition.new()
  const start = cqueues.monotime()
  const clock = process.cpuUsage()
  let count = 0
  let over = false
  let ball = "pong"
  cq.wrap(function* () {
    while (!over) {
      while (ball !== "ping") yield* ping.wait()
      count++
      ball = "pong"
      pong.signal()
    }
  })
  cq.wrap(function* () {
    while (!over) {
      while (ball !== "pong") yield* pong.wait()
      count++
      if (count % 512 < 2) over = cqueues.monotime() - start >= seconds
      ball = "ping"
      ping.signal()
    }
  })
  finish(cq)
  return { rate: count / secondsSince(clock) }
}

function spawn(seconds: number): Figures {
  const cq = cqueues.new()
  const start = cqueues.monotime()
  const clock = process.cpuUsage()
  let count = 0
  let finished = 0
  // biome-ignore lint/correctness/useYield: a coroutine that never waits is what is measured
  const body = function* () {
    finished++
  }
  do {
    for (let i = 0; i < 1000; i++) cq.wrap(body)
    count += 1000
    finish(cq)
  } while (cqueues.monotime() - start < seconds)
  if (finished !== count) throw new Error(`${count} coroutines started, ${finished} finished`)
  return { rate: count / secondsSince(clock) }
}

/**
 * The deadlines fill the second that begins one second after the start: the making of the coroutines is
 * paid for in CPU time, but delays nobody.
 */
function sleepers(n: number): Figures {
  const cq = cqueues.new()
  const late = new Float64Array(n)
  const clock = process.cpuUsage()
  const start = cqueues.monotime()
  let count = 0
  let early = 0
  for (let i = 0; i < n; i++) {
    cq.wrap(function* () {
      const deadline = start + 1 + Math.random()
      const asked = cqueues.monotime()
      yield* cqueues.sleep(deadline - asked)
      const lateness = cqueues.monotime() - deadline
      // a float's worth of slack, since the deadline is put together from two of them
      if (lateness < -1e-6) early++
      late[count++] = lateness
    })
  }
  finish(cq)
  const cpu = secondsSince(clock)
  late.sort()
  const at = (p: number) => late[Math.min(n - 1, Math.floor(p * n))] as number
  return { cpu, p50: at(0.5), p99: at(0.99), max: at(1), early, count }
}

function memory(n: number): Figures {
  const cq = cqueues.new()
  const body = function* () {
    yield* cqueues.sleep(1e6)
  }
  const add = (many: number) => {
    for (let i = 0; i < many; i++) cq.wrap(body)
    cqueues.assert(cq.step(0).sync())
    return heap()
  }
  const before = add(100)
  const after = add(n)
  return {
    rss: (after.rss - before.rss) / n,
    heap: (after.heapUsed + after.external - before.heapUsed - before.external) / n,
  }
}

const measures: Record<string, (amount: number) => Figures> = {
  sleep1: (seconds) => switches(1, seconds),
  sleep1000: (seconds) => switches(1000, seconds),
  pingpong,
  spawn,
  sleepers,
  memory,
}

const [name = "", amount = ""] = process.argv.slice(2)
const figures = measures[name]?.(Number(amount))
// the sleepers of `memory` would be waited for on the way out if the controller kept the process alive
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0))
