// Scripts of every kind: modules and CommonJS, JavaScript and TypeScript, with what each finds around it.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import t from "tap"
import { run } from "../../support/child.js"
import { CQ_RUN, type Folder, folder, ROOT } from "./kit.js"

const BODY = `
const pause = cqueues.sleep(0.001)
cq.wrap(function* () { yield* pause; console.log("coroutine", cqueues.running()[0] === cq) })
console.log("top", cqueues.running()[0] === cq, cq.count(), process.argv.length)
`

const KINDS: Record<string, string> = {
  "a.mjs": `import cqueues from "cqueues"\n${BODY}`,
  "b.js": `import { cqueues } from "cqueues"\n${BODY}`,
  "c.cjs": `const { cqueues } = require("cqueues")\n${BODY}`,
  "d.js": `const { default: cqueues } = require("cqueues")\n${BODY}`,
  "e.mts": `import cqueues from "cqueues"\nconst n: number = 1\n${BODY}`,
  "f.ts": `import { cqueues, type Controller } from "cqueues"\nlet c: Controller | undefined\n${BODY}`,
  "g.cts": `const { cqueues } = require("cqueues")\nconst n: number = 1\n${BODY}`,
  "h.ts": `const { cqueues } = require("cqueues") as any\n${BODY}`,
}

t.test("every kind of script finds the library and its controller", async (t) => {
  const { run } = folder(t, KINDS)
  for (const name of Object.keys(KINDS)) {
    const { code, stdout, stderr } = await run([name, "x", "y"])
    t.same([code, stdout, stderr], [0, "top true 1 4\ncoroutine true\n", ""], name)
  }
})

t.test("a package.json beside the script says what its files are", async (t) => {
  const module = `import "cqueues"\nconsole.log(typeof require)\n`
  const common = `console.log(typeof require, require.main === module)\n`
  const { run } = folder(t, {
    "esm/package.json": `{ "type": "module" }`,
    "esm/a.js": module,
    "esm/b.ts": module,
    "cjs/package.json": `{ "type": "commonjs" }`,
    "cjs/a.js": common,
    "cjs/b.ts": common,
  })
  for (const name of ["esm/a.js", "esm/b.ts"]) t.equal((await run([name])).stdout, "undefined\n", name)
  for (const name of ["cjs/a.js", "cjs/b.ts"]) t.equal((await run([name])).stdout, "function true\n", name)
})

t.test("a function* exported as default is the first coroutine, called with the arguments", async (t) => {
  const { run } = folder(t, {
    "a.mjs": `import cqueues from "cqueues"
      export default function* (...args) { yield* cqueues.sleep(0); console.log(args, cqueues.running()[1]) }`,
    "b.cjs": `module.exports = function* (...args) { console.log(args) }`,
    "c.ts": `export default function* (x: string, ...rest: string[]) { console.log([x, ...rest]) }`,
    "d.cts": `module.exports = function* (...args: string[]) { console.log(args) }`,
    "other.mjs": `export default function () { console.log("called") }`,
    "value.cjs": `module.exports = { a: 1 }; console.log("loaded")`,
  })
  t.equal((await run(["a.mjs", "1", "--help", "-e"])).stdout, "[ '1', '--help', '-e' ] true\n")
  for (const name of ["b.cjs", "c.ts", "d.cts"]) t.equal((await run([name, "x"])).stdout, "[ 'x' ]\n", name)
  t.equal((await run(["other.mjs"])).stdout, "", "another function is not called")
  t.equal((await run(["value.cjs"])).stdout, "loaded\n")
})

t.test("process.argv is what Node makes of it", async (t) => {
  const show = "console.log(JSON.stringify(process.argv))"
  const { run, path } = folder(t, { "a.mjs": show, "b.cjs": show, "c.mts": `${show} as void` })
  for (const name of ["a.mjs", "b.cjs", "c.mts"]) {
    const { stdout } = await run([`./${name}`, "-x", "", "--", "é"])
    t.same(JSON.parse(stdout), [process.execPath, join(path, name), "-x", "", "--", "é"], name)
  }
  t.same(JSON.parse((await run(["-e", show, "a", "-b"])).stdout), [process.execPath, "a", "-b"])
  t.same(JSON.parse((await run(["-", "a"], { input: show })).stdout), [process.execPath, "-", "a"])
})

t.test("subpaths are found by import and by require, other packages where they are", async (t) => {
  const { run } = folder(t, {
    "a.mjs": `import { socket } from "cqueues/socket"
      import condition from "cqueues/condition"
      import other from "other"
      import { socket as same } from "cqueues"
      const later = await import("cqueues/errno")
      console.log(socket === same, typeof condition.new, later.errno.EAGAIN, other)`,
    "b.cjs": `const { socket } = require("cqueues/socket")
      console.log(socket === require("cqueues").socket, require("other"), require("cqueues/package.json").name)
      console.log(require.resolve("cqueues/errno").endsWith("errno.js"))
      import("cqueues").then((all) => console.log(all.socket === socket))`,
    "node_modules/other/package.json": `{ "main": "x.js" }`,
    "node_modules/other/x.js": `module.exports = 42`,
    "missing.mjs": `import "cqueues/nothing"`,
    "absent.mjs": `import "no-such-package"`,
  })
  t.equal((await run(["a.mjs"])).stdout, "true function 11 42\n")
  t.equal((await run(["b.cjs"])).stdout, "true 42 cqueues\ntrue\ntrue\n")
  for (const name of ["missing.mjs", "absent.mjs"]) {
    const { code, stderr } = await run([name])
    t.equal(code, 1)
    t.match(stderr, /cqueues\/nothing|'\.\/nothing'|no-such-package/)
  }
})

t.test(
  "installed beside the script it is the same package, and Node 20 needs no thread to find it",
  async (t) => {
    const files = {
      "a.mjs": `import { readdirSync } from "node:fs"
      import cqueues from "cqueues"
      import { other } from "./b.mjs"
      cq.wrap(function* () {
        yield* cqueues.sleep(0)
        console.log(other === cqueues, process.platform === "linux" ? readdirSync("/proc/self/task").length : 0)
      })`,
      "b.mjs": `export { cqueues as other } from "cqueues"`,
    }
    const [installed, foreign] = [folder(t, files), folder(t, files)]
    mkdirSync(join(installed.path, "node_modules"))
    symlinkSync(ROOT, join(installed.path, "node_modules/cqueues"))
    const threads = async ({ run }: Folder) => {
      const { stdout, stderr } = await run(["a.mjs"])
      t.match(stdout, /^true \d+\n$/)
      t.equal(stderr, "")
      return Number(stdout.split(" ")[1])
    }
    const [few, more] = [await threads(installed), await threads(foreign)]
    t.ok(few <= more, `${few} threads, ${more} without the installation`)
  },
)

t.test("TypeScript: imports of TypeScript, enumerations, types that are imported", async (t) => {
  const { run } = folder(t, {
    "main.ts": `import { type Shape, Colour, area } from "./lib/shape.js"
      import Plain, { Named } from "./plain.mjs"
      import { Only } from "./lib/shape.ts"
      import { area as same } from "./lib/shape"
      class Square implements Shape, Only { constructor(readonly side: number) {} }
      const s = new Square(3) satisfies Shape
      console.log(area(s), area === same, Colour.Green, Colour[0], Plain, (Named as number)!)
      const { late } = await import("./lib/late.cts")
      console.log(late<number>(1))`,
    "lib/shape.ts": `export interface Shape { side: number }
      export interface Only { side: number }
      export enum Colour { Red, Green }
      export const area = ({ side }: Shape): number => side ** 2`,
    "lib/late.cts": `exports.late = <T,>(x: T): T => x`,
    "plain.mjs": `export default "js"; export const Named = 7`,
    "main.cts": `const { x } = require("./x.cts"); const y = require("./y"); console.log(x, y.z)`,
    "x.cts": `export const x: number = 5`,
    "y.ts": `exports.z = 6 as number`,
  })
  t.same(await run(["main.ts"]), { code: 0, signal: null, stdout: "9 true 1 Red js 7\n1\n", stderr: "" })
  t.equal((await run(["main.ts"])).stdout, "9 true 1 Red js 7\n1\n", "the second time, with what was kept")
  t.same(await run(["main.cts"]), { code: 0, signal: null, stdout: "5 6\n", stderr: "" })
})

t.test("what was kept of a TypeScript file is not used for another source", async (t) => {
  const { run, path } = folder(t, { "a.ts": `const a: number = 1; console.log(a)` })
  t.equal((await run(["a.ts"])).stdout, "1\n")
  writeFileSync(join(path, "a.ts"), `const a: number = 2; console.log(a)`)
  t.equal((await run(["a.ts"])).stdout, "2\n")
  const { stdout } = await run(["a.ts"], { env: { XDG_CACHE_HOME: "/dev/null" } })
  t.equal(stdout, "2\n", "a cache that cannot be is no matter")
})

t.test("top-level await, Node's timers and promises beside coroutines", async (t) => {
  const { run } = folder(t, {
    "a.mjs": `import cqueues from "cqueues"
      import { setTimeout as later } from "node:timers/promises"
      const seen = []
      cq.wrap(function* () { for (let i = 0; i < 3; i++) { yield* cqueues.sleep(0.01); seen.push("c") } })
      setTimeout(() => seen.push("t"), 5)
      await cqueues.sleep(0.05)
      cq.wrap(function* () { seen.push(yield* cqueues.await(later(5, "p"))) })
      await later(20)
      await cq.loop()
      console.log(seen.join(""))
      setTimeout(() => cq.wrap(function* () { console.log("added when it was empty") }), 5)`,
  })
  const { code, stdout, stderr } = await run(["a.mjs"])
  t.same([code, stdout, stderr], [0, "tcccp\nadded when it was empty\n", ""])
})

t.test("a script may close the controller, and run others", async (t) => {
  const { run } = folder(t, {
    "a.mjs": `import cqueues from "cqueues"
      cq.wrap(function* () { try { yield* cqueues.sleep(10) } finally { console.log("closed") } })
      await cqueues.sleep(0.01)
      cq.close()
      const other = cqueues.new()
      other.wrap(function* () { yield* cqueues.sleep(0); console.log("other") })
      console.log(other.loop().sync())`,
  })
  t.same((await run(["a.mjs"])).stdout, "closed\nother\n[ true ]\n")
})

t.test("coroutines go on while the top level blocks in sync()", async (t) => {
  const { run } = folder(t, {
    "a.mjs": `import { socket } from "cqueues"
      const [here, there] = socket.pair()
      cq.wrap(function* () { yield* there.write("from a coroutine\\n"); yield* there.flush() })
      console.log(here.read().sync()[0])
      here.close(), there.close()`,
  })
  t.equal((await run(["a.mjs"])).stdout, "from a coroutine\n")
})

t.test("a shebang makes a script a command, also through a link and without an extension", async (t) => {
  const code = `#!${process.execPath} ${CQ_RUN}\nconsole.log(typeof cq.wrap)\n`
  const { run: cqRun, path } = folder(t, { tool: code, "a.mjs": code, "b.ts": code })
  symlinkSync(join(path, "a.mjs"), join(path, "linked.mjs"))
  for (const name of ["tool", "a.mjs", "b.ts", "linked.mjs"])
    t.equal((await cqRun([`./${name}`])).stdout, "function\n", name)
  symlinkSync(CQ_RUN, join(path, "cq-run"))
  t.equal((await run(t, process.execPath, [join(path, "cq-run"), join(path, "a.mjs")])).stdout, "function\n")
})

t.test("--sync blocks: coroutines run to their end before Node's timers do", async (t) => {
  const { run } = folder(t, {
    "a.mjs": `import cqueues from "cqueues"
      setTimeout(() => console.log("timer"), 1)
      cq.wrap(function* () { yield* cqueues.sleep(0.05); console.log("coroutine") })
      cq.wrap(function* () { yield* cqueues.await(new Promise(() => {})) })
      export default function* () { console.log("first") }`,
  })
  const { code, stdout, stderr } = await run(["--sync", "a.mjs"])
  t.equal(stdout, "first\ncoroutine\ntimer\n")
  t.match(stderr, /EDEADLK/, "to wait for a promise would never end")
  t.equal(code, 1)
})

t.test("-r loads modules first, by path or by name", async (t) => {
  const { run } = folder(t, {
    "one.mjs": `console.log("one", typeof cq)`,
    "two.ts": `const x: string = "two"; console.log(x)`,
    "node_modules/three/package.json": `{ "main": "x.js" }`,
    "node_modules/three/x.js": `console.log("three")`,
    "a.cjs": `console.log("script")`,
    "bad.cjs": `null.x`,
  })
  const { stdout } = await run(["-r", "./one.mjs", "--require=./two.ts", "-rthree", "-r", "node:fs", "a.cjs"])
  t.equal(stdout, "one object\ntwo\nthree\nscript\n")
  const failed = await run(["-r", "./bad.cjs", "a.cjs"])
  t.same([failed.code, failed.stdout], [1, ""])
  t.match(failed.stderr, /bad\.cjs:1/)
  t.equal((await run(["-r", "nothing-of-this-name", "a.cjs"])).code, 1)
})
