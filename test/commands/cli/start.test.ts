// Runs alone: `--version` and `--help` come within 60 ms of Node's own start. The quickest of several runs
// counts, because whatever else the machine does only adds.
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import t from "tap"
import { environment } from "../../support/plain.js"
import { tmp } from "../../support/tmp.js"

const CQ_ECHO = fileURLToPath(new URL("../../../../bin/cq-echo", import.meta.url))
const RUNS = 12
const ALLOWED = 60

t.test("--version and --help are quick", async (t) => {
  const nothing = `${tmp(t, { "nothing.mjs": "" })}/nothing.mjs`
  const commands = { node: [nothing], version: [CQ_ECHO, "--version"], help: [CQ_ECHO, "--help"] }
  const best = {
    node: Number.POSITIVE_INFINITY,
    version: Number.POSITIVE_INFINITY,
    help: Number.POSITIVE_INFINITY,
  }
  for (let i = 0; i < RUNS; i++) {
    for (const [name, args] of Object.entries(commands)) {
      const begun = performance.now()
      const { status } = spawnSync(process.execPath, args, { env: environment(), stdio: "ignore" })
      if (status !== 0) t.fail(`${name} ended with ${status}`)
      best[name as keyof typeof best] = Math.min(best[name as keyof typeof best], performance.now() - begun)
    }
  }
  for (const name of ["version", "help"] as const) {
    const more = best[name] - best.node
    t.ok(more < ALLOWED, `--${name}: ${more.toFixed(0)} ms more than Node's ${best.node.toFixed(0)} ms`)
  }
})
