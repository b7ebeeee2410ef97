// The checker of the architecture, on small projects that break one rule each.
import t from "tap"
import { check, type Rules } from "./layers.js"

const RULES: Rules = {
  floors: [
    { name: "low", holds: ["core/low/"] },
    { name: "middle", holds: ["core/middle/", "core/low/deep/"] },
    { name: "high", holds: ["core/high.ts"] },
    { name: "commands", holds: ["commands/"] },
    { name: "bin", holds: ["bin/"] },
  ],
  apart: [{ within: "commands/", shared: ["commands/cli/"] }],
  reserved: [{ module: "core/high.ts", only: ["commands/a/"] }],
  addon: ["core/low/"],
  banned: [{ module: "net" }, { module: "tls", except: [{ file: "core/low/", names: ["roots"] }] }],
  bannedNames: [{ module: "fs", names: ["watch"] }],
  packages: [
    { for: "core/", allow: [] },
    { for: "commands/", allow: ["chalk"] },
  ],
  computed: ["commands/a/"],
  maxLines: 3,
  tables: ["core/low/table.ts"],
}

/** The rules that these sources break, each with what breaks it. Headers are put on them. */
function broken(files: Record<string, string>): Record<string, string[]> {
  const sources = new Map(Object.entries(files).map(([path, text]) => [path, `// x\n${text}\n`]))
  return Object.fromEntries(Object.entries(check(sources, RULES)).filter(([, lines]) => lines.length > 0))
}

t.test("floors", async (t) => {
  t.same(broken({ "core/middle/a.ts": 'import "../low/b.js"', "core/low/b.ts": "" }), {})
  t.same(broken({ "core/low/a.ts": 'import type { B } from "../middle/b.js"', "core/middle/b.ts": "" }), {
    "imports go down only": ["core/low/a.ts:2 imports types of ../middle/b.js: low is below middle"],
  })
  t.same(broken({ "core/low/a.ts": 'const b = await import("./deep/b.js")', "core/low/deep/b.ts": "" }), {
    "imports go down only": ["core/low/a.ts:2 imports ./deep/b.js: low is below middle"],
  })
  t.same(broken({ "core/new.ts": "" }), { "every file has a floor": ["core/new.ts"] })
  t.same(broken({ "bin/x": 'import "../dist/commands/a/main.js"', "commands/a/main.ts": "" }), {})
})

t.test("circles", async (t) => {
  const circle = (b: string, c: string) => broken({ "core/low/b.ts": b, "core/low/c.ts": c })
  t.same(circle('import { c } from "./c.js"', 'import { b } from "./b.js"'), {
    "files import each other in no circle": ["core/low/b.ts -> core/low/c.ts -> core/low/b.ts"],
  })
  t.same(circle('import { c } from "./c.js"', 'import type { B } from "./b.js"'), {})
  t.match(
    broken({
      "commands/a/b.ts": 'import type { C } from "./d/c.js"',
      "commands/a/d/c.ts": 'import "../b.js"',
    }),
    { "files import each other in no circle": [/b.ts -> .*c.ts -> .*b.ts/] },
  )
})

t.test("who may import what", async (t) => {
  t.match(broken({ "commands/a/x.ts": 'import "../b/y.js"', "commands/b/y.ts": "" }), {
    "these folders stand apart": [/commands\/a\/x\.ts:2/],
  })
  t.same(broken({ "commands/a/x.ts": 'import "../cli/y.js"', "commands/cli/y.ts": "" }), {})
  t.same(broken({ "commands/a/x.ts": 'import "../../core/high.js"', "core/high.ts": "" }), {})
  t.match(broken({ "commands/b/x.ts": 'import "../../core/high.js"', "core/high.ts": "" }), {
    "reserved modules": [/commands\/b\/x\.ts:2/],
  })
  for (const load of ['require("../../native/build/Release/x.node")', "process.dlopen(module, path)"]) {
    t.same(broken({ "core/low/x.ts": load }), {})
    t.same(broken({ "core/middle/x.ts": load }), { "only the kernel loads the addon": ["core/middle/x.ts"] })
  }
})

t.test("what is Node's and other people's", async (t) => {
  for (const name of ["net", "node:net", "node:net/promises"]) {
    t.match(broken({ "core/low/x.ts": `import x from "${name}"` }), {
      "no networking of Node's": [/x\.ts:2/],
    })
  }
  t.same(broken({ "core/low/x.ts": 'import { roots } from "node:tls"' }), {})
  t.match(broken({ "core/low/x.ts": 'import { roots, connect } from "node:tls"' }), {
    "no networking of Node's": [/x\.ts:2/],
  })
  t.match(broken({ "core/low/x.ts": 'import { watch } from "node:fs"' }), {
    "no watching of Node's": [/x\.ts/],
  })
  t.match(broken({ "core/low/x.ts": "fs.watch(path)" }), { "no watching of Node's": [/x\.ts/] })
  t.match(broken({ "core/low/x.ts": 'import chalk from "chalk"' }), {
    "packages are those that ship": [/x\.ts/],
  })
  t.same(broken({ "commands/a/x.ts": 'import chalk from "chalk"' }), {})
  t.match(broken({ "core/low/x.ts": "await import(path)" }), { "imports are written out": [/x\.ts:2/] })
  t.same(broken({ "commands/a/x.ts": "await import(path)" }), {})
})

t.test("length and header", async (t) => {
  t.match(broken({ "core/low/x.ts": "\n\n" }), { "files are short": [/x\.ts: 4 lines/] })
  t.same(broken({ "core/low/table.ts": "\n\n" }), {})
  const header = (text: string) =>
    check(new Map([["core/low/x.ts", text]]), RULES)["every file says what it is for"]
  t.same(header("// purpose\n"), [])
  t.same(header("/** purpose */\n"), [])
  t.same(header("#!/usr/bin/env node\n// purpose\n"), [])
  t.same(header('import "./x.js"\n'), ["core/low/x.ts"])
})
