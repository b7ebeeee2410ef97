// The reader of imports, on every form that TypeScript and JavaScript have for one.
import t from "tap"
import { scan } from "./imports.js"

const names = (source: string) => scan(source).imports.map((one) => one.name)

t.test("every form of import", async (t) => {
  const source = [
    '#!/usr/bin/env -S node "no"',
    'import a from "a"',
    'import { b, type B } from "b"',
    'import type { C } from "c"',
    'import { type D, type E } from "d"',
    'import * as f from "f"',
    'import "g"',
    "export const none = 1",
    "export type None = number",
    'export { h } from "h"',
    'export * from "i"',
    'export type { J } from "j"',
    'const k = await import("k")',
    'const l = require("l")',
    'type M = typeof import("m")',
    "const n = await import(`n`)",
    "import o, {",
    "  p as q,",
    '} from "o"',
  ].join("\n")
  const { imports } = scan(source)
  t.same(
    imports.map((one) => one.name),
    ["a", "b", "c", "d", "f", "g", "h", "i", "j", "o", "k", "l", "m", "n"],
  )
  t.same(
    imports.filter((one) => one.typeOnly).map((one) => one.name),
    ["c", "d", "j", "m"],
  )
  t.same(imports.find((one) => one.name === "o")?.names, ["o", "p"])
  t.equal(imports.find((one) => one.name === "o")?.line, 17)
})

t.test("what only looks like one", async (t) => {
  t.same(names('// import "a"\n/* import "b" */'), [])
  t.same(names('const s = \'import "a"\'\nconst u = `\nimport "b"\n`'), [])
  t.same(names('const r = /["\'`]/\nimport "a"'), ["a"])
  t.same(names('const r = x / 2 // "\nimport "a"'), ["a"])
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a program in a string
  t.same(names('const s = `${f("}")} import "x" ${{ a: `b` }}`\nimport "a"'), ["a"])
  t.same(names('myimport("a")\nthis.import("b")\nobject.require("c")'), [])
  t.same(names('export const from = "a"\nexport function f() { return "b" }'), [])
})

t.test("a module that is only known when it runs", async (t) => {
  t.same(scan("await import(name)").computed, [1])
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a program in a string
  t.same(scan("\nawait import(`./${name}.js`)").computed, [2])
  t.same(scan('await import("./a.js")').computed, [])
})
