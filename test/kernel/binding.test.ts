// The raw addon under random arguments, in a process of its own: whatever it is given, it returns.
import { fileURLToPath } from "node:url"
import t from "tap"
import { census } from "../support/census.js"
import { run } from "../support/child.js"

await census(t)

const script = fileURLToPath(new URL("./fuzz-binding.js", import.meta.url))

t.test("no argument of any kind crashes the addon", async (t) => {
  for (const seed of [1, 2, 3]) {
    const { code, signal, stderr } = await run(t, process.execPath, [script, String(seed), "20000"], {
      timeout: 60,
    })
    t.strictSame({ code, signal, stderr }, { code: 0, signal: null, stderr: "" }, `seed ${seed}`)
  }
})
