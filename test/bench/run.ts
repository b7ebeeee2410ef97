/**
 * The benchmark suite: npm run bench -- [group…] [--quick] [--json FILE]
 * Ours and the peers are measured in the same run on the same machine, and told as ratios: absolute figures
 * of one day say nothing about another.
 */
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { Bench } from "./bench.js"
import { coroutines } from "./costs.js"
import { echo, variants } from "./echo.js"
import { idle } from "./idle.js"
import { describeMachine, warnings } from "./machine.js"

const GROUPS: Record<string, (bench: Bench) => Promise<void>> = { echo, coroutines, idle, variants }

const USAGE = `npm run bench -- [group…] [--quick] [--json FILE]

  echo        echo servers at 1, 50 and 500 connections, 1 and 16 lines in flight
  coroutines  switches, hand-overs, starts, sleepers and memory of coroutines
  idle        memory of idle connections
  variants    the echo servers in all their settings; only when it is named

  --quick     fewer and shorter rounds: under 40 seconds instead of under four minutes
  --json FILE writes the raw figures of every round
`

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: "boolean" }, json: { type: "string" }, help: { type: "boolean", short: "h" } },
  })
  const unknown = positionals.find((name) => !(name in GROUPS))
  if (values.help || unknown) {
    process[unknown ? "stderr" : "stdout"].write(unknown ? `no group "${unknown}"\n\n${USAGE}` : USAGE)
    return unknown ? 2 : 0
  }
  const bench = new Bench(values.quick ?? false)
  const started = performance.now()
  const machine = describeMachine()
  bench.print(machine)
  for (const warning of warnings()) bench.print(`warning: ${warning}`)
  bench.print("")
  const groups = positionals.length ? positionals : ["echo", "coroutines", "idle"]
  for (const name of groups) await GROUPS[name]?.(bench)
  const seconds = (performance.now() - started) / 1000
  bench.print(`${seconds.toFixed(0)} s${bench.skipped.length ? `, ${bench.skipped.length} skipped` : ""}`)
  if (values.json) {
    const { quick, records, skipped } = bench
    const date = new Date().toISOString()
    writeFileSync(
      values.json,
      `${JSON.stringify({ machine, date, quick, seconds, skipped, records }, null, 2)}\n`,
    )
  }
  return 0
}

// a reader who has gone (| head) ends the run like Ctrl-C does, servers and all
process.stdout.on("error", () => process.exit(1))
process.exit(await main())
