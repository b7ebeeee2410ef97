// What is printed when something throws: the line of the source, the script's own frames, where the coroutine
// was started; and what goes on afterwards.
import t from "tap"
import { folder } from "./kit.js"

t.test("an error of a coroutine: the others go on, the status is 1", async (t) => {
  const { run, path } = folder(t, {
    "a.mjs": [
      `import cqueues from "cqueues"`,
      `function deeper() { throw new TypeError("out of flour") }`,
      `function start() {`,
      `  cq.wrap(function* baker() { yield* cqueues.sleep(0.001); deeper() })`,
      `}`,
      `start()`,
      `cq.wrap(function* () { yield* cqueues.sleep(0.02); console.log("the others go on") })`,
    ].join("\n"),
  })
  const { code, stdout, stderr } = await run(["a.mjs"])
  t.same([code, stdout], [1, "the others go on\n"])
  t.equal(
    stderr,
    `${path}/a.mjs:2
function deeper() { throw new TypeError("out of flour") }
                          ^

TypeError: out of flour
    at deeper (file://${path}/a.mjs:2:27)
    at baker (file://${path}/a.mjs:4:60)
    started at start (file://${path}/a.mjs:4:6)
`,
  )
  const whole = await run(["-v", "a.mjs"])
  t.match(whole.stderr, /core\/loop\/engine/, "-v shows the library's frames")
  t.match(whole.stderr, /Generator\.next|baker\.next/)
})

t.test("TypeScript: lines and columns are the source's", async (t) => {
  const lines = [
    `interface Loaf<T> {`,
    `  name: T`,
    `}`,
    ``,
    `const a = <T,>(x: Loaf<T>, y: number = 1 as number): never => { throw new Error(\`no \${x.name as string}\`) }`,
    `cq.wrap(function* (this: void, x: Loaf<string>): Generator<unknown, void> { a<string>(x as Loaf<string>) }, { name: "rye" })`,
  ]
  const at = (line: number, text: string) => `${line}:${(lines[line - 1] as string).indexOf(text) + 1}`
  const { run, path } = folder(t, {
    "a.ts": lines.join("\n"),
    "b.cts": lines.join("\n"),
    "c.mts": lines.join("\n"),
  })
  for (const name of ["a.ts", "b.cts", "c.mts"]) {
    const { code, stderr } = await run([name])
    t.equal(code, 1)
    const found = stderr.split("\n").map((line) => line.replace("file://", ""))
    t.equal(found[0], `${path}/${name}:5`)
    t.equal(found[1], lines[4])
    t.equal(found[2]?.indexOf("^"), lines[4]?.indexOf("new Error"))
    t.equal(found[5], `    at a (${path}/${name}:${at(5, "new Error")})`)
    t.match(found[6], `${path}/${name}:${at(6, "a<string>")}`)
    t.match(found[7], `started at`)
    t.match(found[7], `${path}/${name}:${at(6, "wrap(")}`)
  }
})

t.test("errors of the first coroutine, of nested ones, of operations", async (t) => {
  const { run } = folder(t, {
    "first.mjs": `export default function* () { throw new RangeError("first") }`,
    "connect.mjs": `import { socket } from "cqueues"
      cq.wrap(function* () {
        yield* socket.connect({ path: "/nonexistent/socket" }).read()
      })`,
    "nested.mjs": `import cqueues from "cqueues"
      cq.wrap(function* outer() {
        const inner = cqueues.new()
        inner.wrap(function* () { yield* cqueues.sleep(0); throw new Error("inner") })
        const [good, error] = yield* inner.loop()
        console.log(good, error.message)
        throw new Error("outer", { cause: error })
      })`,
  })
  const first = await run(["first.mjs"])
  t.equal(first.code, 1)
  t.match(first.stderr, /first\.mjs:1\n.*\n\s+\^\n\nRangeError: first\n\s+at .*first\.mjs:1:\d+\)\n$/)

  const connect = await run(["connect.mjs"])
  t.equal(connect.code, 1)
  t.match(connect.stderr, /connect\.mjs:3\n/, "the line of the script, not of the library")
  t.match(connect.stderr, /SystemError: connect \/nonexistent\/socket: No such file or directory \(ENOENT\)/)
  t.match(connect.stderr, /code: 'ENOENT'/)
  t.notMatch(connect.stderr, /\/core\//)

  const nested = await run(["nested.mjs"])
  t.same([nested.code, nested.stdout], [1, "false inner\n"])
  t.match(nested.stderr, /Error: outer/)
  t.match(nested.stderr, /\[cause\]: Error: inner/)
  t.notMatch(nested.stderr, /\/core\//)
})

t.test("what is thrown and is no error", async (t) => {
  const { run } = folder(t, {
    "a.mjs": `cq.wrap(function* () { throw 42 })
      cq.wrap(function* () { throw undefined })
      cq.wrap(function* () { throw { a: [1] } })`,
    "b.cjs": `throw "text"`,
    "c.mjs": `throw null`,
    "d.mjs": `cq.wrap(function* () { throw { [Symbol.for("nodejs.util.inspect.custom")]() { throw 1 } } })
      cq.wrap(function* () { console.log("on") })`,
  })
  const { code, stderr } = await run(["a.mjs"])
  t.equal(code, 1)
  t.match(
    stderr,
    /^Uncaught 42\n {4}started at .*a\.mjs:1:4\nUncaught undefined\n.*\nUncaught \{ a: \[ 1 \] \}\n/,
  )
  t.match(await run(["b.cjs"]), { code: 1, stderr: /^Uncaught 'text'\n$/ })
  t.match(await run(["c.mjs"]), { code: 1 })
  t.match(await run(["d.mjs"]), { code: 1, stdout: "on\n", stderr: /^Uncaught/ })
})

t.test("the top level throws, a timer throws, a promise is rejected", async (t) => {
  const { run } = folder(t, {
    "a.mjs": `cq.wrap(function* () { console.log("never") })\nthrow new Error("top")`,
    "b.cjs": `throw new Error("top")`,
    "c.ts": `const x: number = 1\n\nthrow new Error("top") as never\nexport {}`,
    "d.mjs": `import "cqueues"; await 0\nthrow new Error("top")`,
    "timer.mjs": `setTimeout(() => {\nthrow new Error("top")\n}, 1); setTimeout(() => console.log("never"), 50)`,
    "reject.mjs": `void Promise.reject(new Error("top"))`,
    "await.mjs": `import cqueues from "cqueues"
      await cqueues.operation(function* () { yield* cqueues.sleep(0); throw new Error("top") })()`,
  })
  for (const name of ["a.mjs", "b.cjs", "c.ts", "d.mjs", "timer.mjs", "reject.mjs", "await.mjs"]) {
    const { code, stdout, stderr } = await run([name])
    t.same([code, stdout], [1, ""], name)
    t.match(stderr, new RegExp(`${name}:\\d+\n.*new Error\\("top"\\)`), `${name}: the line`)
    t.match(stderr, /^Error: top$/m)
    t.notMatch(stderr, /node:internal|\/commands\/run\//)
  }
})

t.test("a script that listens for uncaught exceptions has them", async (t) => {
  const { run } = folder(t, {
    "a.mjs": `process.on("uncaughtException", (error) => console.log("mine:", error.message))
      setTimeout(() => { throw new Error("later") }, 1)
      setTimeout(() => console.log("still here"), 20)`,
    "b.mjs": `process.on("unhandledRejection", (error) => console.log("mine:", error.message))
      void Promise.reject(new Error("later"))`,
  })
  t.match(await run(["a.mjs"]), { code: 0, stdout: "mine: later\nstill here\n", stderr: "" })
  t.match(await run(["b.mjs"]), { code: 0, stdout: "mine: later\n", stderr: "" })
})

t.test("syntax errors: the line is shown, of the script and of what it imports", async (t) => {
  const good = "const a = 1\n"
  const bad = `${good}let b = = 2\n`
  const { run } = folder(t, {
    "a.mjs": bad,
    "b.cjs": bad,
    "c.ts": bad,
    "d.mts": `${good}const x: = 3\n`,
    "e.cts": `${good}const x: = 3\n`,
    "imports.mjs": `import "./a.mjs"`,
    "requires.cjs": `require("./b.cjs")`,
    "imports.ts": `import "./d.mjs"`,
  })
  const lines: [string, RegExp][] = [
    ["a.mjs", /a\.mjs:2\nlet b = = 2\n {8}\^/],
    ["b.cjs", /b\.cjs:2\nlet b = = 2\n {8}\^/],
    ["c.ts", /c\.ts:2\nlet b = = 2\n {8}\^/],
    ["d.mts", /d\.mts:2\nconst x: = 3\n {9}\^/],
    ["e.cts", /e\.cts:2\nconst x: = 3\n {9}\^/],
    ["imports.mjs", /a\.mjs:2\nlet b = = 2\n/],
    ["requires.cjs", /b\.cjs:2\nlet b = = 2\n/],
    ["imports.ts", /d\.mts:2\nconst x: = 3\n/],
  ]
  for (const [name, pattern] of lines) {
    const { code, stderr } = await run([name])
    t.equal(code, 1, name)
    t.match(stderr, pattern, name)
    t.match(stderr, /SyntaxError: /)
  }
  const missing = await folder(t, { "a.mjs": `import { nope } from "cqueues"` }).run(["a.mjs"])
  t.equal(missing.code, 1)
  t.match(missing.stderr, /does not provide an export named 'nope'/)
})

t.test("colour: never in a pipe unless it is asked for", async (t) => {
  const { run } = folder(t, { "a.mjs": `import { socket } from "cqueues"\nsocket.connect({})` })
  const esc = String.fromCharCode(27)
  const colours = async (...args: string[]) => (await run(args)).stderr.includes(esc)
  t.notOk(await colours("-v", "a.mjs"))
  t.ok(await colours("-v", "--color", "a.mjs"))
  t.notOk(await colours("-v", "--no-color", "a.mjs"))
  const { stderr } = await run(["-v", "a.mjs"], { env: { FORCE_COLOR: "1" } })
  t.ok(stderr.includes(esc))
})
