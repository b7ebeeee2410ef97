// What `--version`, `--help` and a start load: what the start-up budget is spent on. V8's coverage names every
// script that was compiled.
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import t from "tap"
import { environment } from "../../support/plain.js"
import { tmp } from "../../support/tmp.js"

const CQ_ECHO = fileURLToPath(new URL("../../../../bin/cq-echo", import.meta.url))

/** The scripts that a run compiles, or undefined when it ends badly. */
function scriptsOf(coverage: string, ...args: string[]): string[] | undefined {
  const { status } = spawnSync(process.execPath, [CQ_ECHO, ...args], {
    env: environment({ NODE_V8_COVERAGE: coverage }),
    stdio: "ignore",
  })
  if (status !== 0) return undefined
  return readdirSync(coverage).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(coverage, file), "utf8")) as { result: { url: string }[] }
    return result.map(({ url }) => url).filter((url) => url.startsWith("file:"))
  })
}

t.test("--version and --help load neither the library nor any package", async (t) => {
  for (const option of ["--version", "--help"]) {
    const scripts = scriptsOf(tmp(t), option) ?? []
    t.ok(
      scripts.some((url) => url.endsWith("/commands/echo/main.js")),
      "the command's own start is seen",
    )
    t.same(
      scripts.filter((url) => url.includes("/node_modules/") || url.includes("/dist/core/")),
      [],
      `${option} loads nothing else`,
    )
  }
})
