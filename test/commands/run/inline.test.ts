// Code of -e and of standard input.
import t from "tap"
import { folder } from "./kit.js"

t.test("-e finds the modules of the library, await, require and imports", async (t) => {
  const { run } = folder(t, {
    "lib.mjs": `export const here = "lib"`,
    "old.cjs": `module.exports = "old"`,
    "types.ts": `export const typed: string = "typed"`,
  })
  const cases: [code: string, output: string][] = [
    ["console.log(cqueues.type(cq), typeof socket.connect, errno.EAGAIN)", "controller function 11"],
    [
      "console.log(typeof condition.new, typeof promise.new, typeof auxlib.assert)",
      "function function function",
    ],
    ["console.log(await cqueues.sleep(0.001), await Promise.resolve(1))", "undefined 1"],
    ["cq.wrap(function* () { yield* cqueues.sleep(0); console.log('co') })", "co"],
    ["console.log(require('./old.cjs'), require('cqueues').cqueues === cqueues)", "old true"],
    ["const { here } = await import('./lib.mjs'); console.log(here)", "lib"],
    ["const all = await import('cqueues'); console.log(all.default === cqueues)", "true"],
    [
      "import { here } from './lib.mjs'\nimport { socket as s } from 'cqueues'\nconsole.log(here, s === socket)",
      "lib true",
    ],
    ["import { typed } from './types.ts'; console.log(typed, await 1)", "typed 1"],
    ["export default function* (...args) { console.log(args) }", "[ 'a', '-b' ]"],
    ["module.exports = function* (...args) { console.log(args) }", "[ 'a', '-b' ]"],
  ]
  for (const [code, output] of cases) {
    t.same(
      await run(["-e", code, "a", "-b"]),
      { code: 0, signal: null, stdout: `${output}\n`, stderr: "" },
      code,
    )
  }
})

t.test("code of standard input is the same, with a shebang or without", async (t) => {
  const { run } = folder(t, { "lib.mjs": `export const here = "lib"` })
  const both = async (input: string) => (await run(["-", "x"], { input })).stdout
  t.equal(await both("console.log(typeof socket, process.argv.slice(1))\n"), "object [ '-', 'x' ]\n")
  t.equal(await both("#!/usr/bin/env cq-run\nimport { here } from './lib.mjs'\nconsole.log(here)"), "lib\n")
  t.equal(await both("export default function* (x) { console.log(x) }"), "x\n")
  t.equal(await both(""), "")
})

t.test("errors of such code are shown with their line", async (t) => {
  const { run } = folder(t)
  const cases: [code: string, report: RegExp][] = [
    ["\nboom()", /^\[eval\]:2\nboom\(\)\n\^\n\nReferenceError: boom is not defined\n {4}at \[eval\]:2:1\n$/],
    ["let a = = 1", /^\[eval\]:1\nlet a = = 1\n {8}\^\n\nSyntaxError: /],
    ["foo(1,\n2", /^\[eval\]:2\n/],
    ["import 'fs'\nlet a = = 1", /\[eval\]:2\nlet a = = 1\n/],
    ["import 'fs'\nnull.x", /\[eval\]:2\nnull\.x\n {5}\^/],
    [
      "cq.wrap(function* () {\n  null.x })",
      /\[eval\]:2\n {2}null\.x \}\)\n(.*\n)*.*started at \[eval\]:1:4\n$/,
    ],
  ]
  for (const [code, report] of cases) {
    const { code: status, stdout, stderr } = await run(["-e", code])
    t.same([status, stdout], [1, ""], code)
    t.match(stderr, report, code)
  }
  t.match((await run(["-"], { input: "\n\nboom()" })).stderr, /^\[stdin\]:3\nboom\(\)\n/)
})

t.test("an await that never ends is Node's status 13", async (t) => {
  const forever = "await new Promise(() => {})"
  const { run } = folder(t, { "a.mjs": forever, "b.mts": `let x: number\n${forever}` })
  for (const args of [["-e", forever], ["-e", `import "fs"; ${forever}`], ["a.mjs"], ["b.mts"]]) {
    const { code, stderr } = await run(args)
    t.equal(code, 13, args.join(" "))
    t.match(stderr, /an await of the top level never came to its end/)
  }
  t.equal((await run(["-e", `setTimeout(() => process.exit(4), 5); ${forever}`])).code, 4)
})
