// The main module (guide section 3.2.1): what it says of itself, its small functions, and how it is imported.
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import t from "tap"
import cqueues, * as all from "../core/index.js"
import { finish, step } from "./loop/tools.js"
import { census } from "./support/census.js"

await census(t)

t.test("VENDOR, VERSION and COMMIT describe the build", async (t) => {
  t.type(cqueues.VENDOR, "string")
  t.ok(cqueues.VENDOR.length > 0)
  t.notMatch(cqueues.VENDOR, /william/i, "a fork says whose it is")
  t.type(cqueues.VERSION, "number")
  t.match(String(cqueues.VERSION), /^20\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/)
  t.type(cqueues.COMMIT, "string")
  t.match(cqueues.COMMIT, /^([0-9a-f]{40})?$/)
})

t.test("type tells controllers, closed ones, and everything else", async (t) => {
  const cq = cqueues.new()
  t.equal(cqueues.type(cq), "controller")
  cq.close()
  t.equal(cqueues.type(cq), "closed controller")
  for (const other of [undefined, null, 1, "x", {}, all.condition.new(), all.Controller, cqueues]) {
    t.equal(cqueues.type(other), undefined)
  }
})

t.test("monotime is the monotonic clock, in seconds", async (t) => {
  const before = cqueues.monotime()
  t.type(before, "number")
  let last = before
  for (let i = 0; i < 100_000; i++) {
    const now = cqueues.monotime()
    if (now < last) t.fail("it went back")
    last = now
  }
  t.ok(last > before)
  const hr = Number(process.hrtime.bigint()) / 1e9
  t.ok(Math.abs(cqueues.monotime() - hr) < 1, "the same clock as Node's")
})

t.test("running outside of coroutines gives [undefined, false]", async (t) => {
  t.strictSame(cqueues.running(), [undefined, false])
  await cqueues.sleep(0)
  t.strictSame(cqueues.running(), [undefined, false])
  cqueues.sleep(0).sync()
  t.strictSame(cqueues.running(), [undefined, false])
})

t.test("running inside gives the controller and true; after a failure it is as before", async (t) => {
  const cq = cqueues.new()
  const seen: unknown[] = []
  cq.wrap(() => {
    seen.push(cqueues.running())
    throw new Error("x")
  })
  cq.wrap(() => {
    seen.push(cqueues.running())
  })
  t.equal(cq.step().sync()[0], false)
  t.strictSame(cqueues.running(), [undefined, false])
  finish(cq)
  for (const each of seen) {
    t.ok((each as unknown[])[0] === cq)
    t.equal((each as unknown[])[1], true)
  }
  t.strictSame(cqueues.running(), [undefined, false])
  const main = await cqueues.operation(function* () {
    yield
    return cqueues.running()
  })()
  t.equal(cqueues.type(main[0]), "controller", "under await it is the thread's main controller")
  t.equal(main[1], true)
  cq.close()
})

t.test("running is right in callbacks between the turns of coroutines", async (t) => {
  const cq = cqueues.new()
  cq.wrap(function* () {
    yield* cqueues.sleep(0.001)
  })
  step(cq)
  await new Promise((done) => setImmediate(done))
  t.strictSame(cqueues.running(), [undefined, false])
  finish(cq)
  cq.close()
})

t.test("everything of the table of contents is exported, under its name", async (t) => {
  t.equal(all.default, cqueues)
  t.equal(all.cqueues, cqueues)
  for (const name of ["errno", "condition", "promise", "auxlib", "socket"] as const) t.ok(all[name], name)
  for (const name of ["Controller", "Condition", "Socket", "SystemError"] as const) {
    t.type(all[name], "function")
  }
  t.equal(cqueues.errno, all.errno)
})

t.test("each subpath of the package gives its module by name and as default", async (t) => {
  const root = new URL("../../", import.meta.url)
  const { exports } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
    exports: Record<string, string>
  }
  for (const [subpath, file] of Object.entries(exports)) {
    if (!file.endsWith(".js")) continue
    const module = (await import(new URL(file, root).href)) as Record<string, unknown>
    const name = subpath === "." ? "cqueues" : (subpath.split("/").at(-1) as string)
    t.ok(module.default, subpath)
    t.equal(module.default, module[name], subpath)
  }
})

t.test("loading one module does not load the others", async (t) => {
  const root = new URL("../core/", import.meta.url)
  const probe = `
    import { register } from "node:module"
    register("data:text/javascript," + encodeURIComponent(\`
      export async function load(url, context, next) { console.log(url); return next(url, context) }
    \`))
    await import(process.argv[1])
  `
  for (const [file, without] of [
    ["errno.js", ["loop/", "socket/"]],
    ["condition.js", ["socket/"]],
    ["promise.js", ["socket/"]],
    ["cqueues.js", ["socket/"]],
    ["auxlib.js", ["socket/"]],
  ] as const) {
    const url = new URL(file, root).href
    const loaded = execFileSync(process.execPath, ["--input-type=module", "-e", probe, url], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    })
    t.match(loaded, file)
    for (const other of without) t.notMatch(loaded, new RegExp(`core/${other}`), `${file} without ${other}`)
  }
})
