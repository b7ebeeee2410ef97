// How a script ends: its own status, signals, --timeout, a reader that goes away; and what is no script at all.
import { execFileSync } from "node:child_process"
import { chmodSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import t from "tap"
import { child, run as runProgram } from "../../support/child.js"
import { locate } from "../../support/programs.js"
import { CQ_RUN, folder } from "./kit.js"

t.test("the status is the script's own", async (t) => {
  const { run } = folder(t)
  const cases: [code: string, status: number][] = [
    ["", 0],
    ["process.exitCode = 5", 5],
    ["process.exit(6)", 6],
    ["cq.wrap(function* () { yield* cqueues.sleep(0); process.exitCode = 7 })", 7],
    ["cq.wrap(function* () { yield* cqueues.sleep(0); process.exit(8) })", 8],
    ["cq.wrap(function* () { throw 1 })", 1],
    ["process.exitCode = 9; cq.wrap(function* () { throw 1 })", 9],
    ["process.exitCode = 9; throw 1", 9],
    ["process.on('exit', () => { process.exitCode = 10 })", 10],
  ]
  for (const [code, status] of cases) t.equal((await run(["-e", code])).code, status, code)
})

t.test("no script: 127 when there is none, 126 when it cannot be read, 2 for wrong usage", async (t) => {
  const { run, path } = folder(t, { "a.mjs": "", "sub/x": "" })
  const cases: [args: string[], status: number, message: RegExp][] = [
    [["nope.mjs"], 127, /^cq-run: nope\.mjs: No such file or directory \(ENOENT\)\n$/],
    [["a.mjs/b"], 127, /^cq-run: a\.mjs\/b: Not a directory \(ENOTDIR\)\n$/],
    [["sub"], 126, /^cq-run: sub: Is a directory \(EISDIR\)\n$/],
    [[], 2, /^cq-run: no script is given \(see cq-run --help\)\n$/],
    [["--evil", "a.mjs"], 2, /unknown option --evil; did you mean --eval\?/],
    [["-e"], 2, /-e needs a value/],
    [["--timeout", "soon", "a.mjs"], 2, /not a duration: "soon"/],
  ]
  for (const [args, status, message] of cases) {
    const { code, stdout, stderr } = await run(args)
    t.same([code, stdout], [status, ""], args.join(" "))
    t.match(stderr, message)
  }
  chmodSync(join(path, "a.mjs"), 0)
  // Who may read everything, may read that.
  const unreadable = await run(["a.mjs"])
  if (process.getuid?.() !== 0) t.match(unreadable, { code: 126, stderr: /Permission denied \(EACCES\)/ })
})

t.test("--version and --help", async (t) => {
  const { run } = folder(t)
  const { version } = JSON.parse(readFileSync(new URL("../../../../package.json", import.meta.url), "utf8"))
  t.match(await run(["--version"]), { code: 0, stdout: `cq-run ${version}\n`, stderr: "" })
  const help = await run(["-h"])
  t.equal(help.code, 0)
  for (const word of ["cq-run tour", "--timeout", "--sync", "124", "126", "127"]) t.match(help.stdout, word)
  const last = "console.log(process.argv.at(-1))"
  t.equal((await run(["-e", last, "--", "--version"])).stdout, "--version\n")
  t.equal((await run(["-", "--version"], { input: last })).stdout, "--version\n")
})

const WAITS = `import cqueues from "cqueues"
  cq.wrap(function* () {
    try { console.log("waiting"); yield* cqueues.sleep(30) } finally { console.log("finally") }
  })`

t.test("a signal closes the controller, then ends the process as by itself", async (t) => {
  const { start } = folder(t, { "a.mjs": WAITS })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const script = start(["a.mjs"])
    await script.line(/waiting/)
    await sleep(50)
    await script.kill(signal)
    t.same(await script.exit(), { code: null, signal })
    t.equal(script.stdout, "waiting\nfinally\n")
    t.equal(script.stderr, "")
  }
})

t.test(
  "a script that is busy, or blocked, or listens itself: the signal does what it does in Node",
  async (t) => {
    const { start } = folder(t, {
      "busy.mjs": `console.log("waiting"); for (;;);`,
      "blocked.mjs": `import cqueues from "cqueues"
      cq.wrap(function* () { yield* cqueues.sleep(30) })
      await cqueues.sleep(0.01); console.log("waiting"); cqueues.sleep(30).sync()`,
      "sync.mjs": WAITS,
      "own.mjs": `${WAITS}; process.on("SIGTERM", () => { console.log("own"); process.exit(3) })`,
      "late.mjs": `${WAITS}; await cqueues.sleep(0.02)
      process.once("SIGTERM", () => { console.log("own"); process.exit(3) })`,
    })
    const expected = { code: null, signal: "SIGTERM" }
    for (const args of [["busy.mjs"], ["blocked.mjs"], ["--sync", "sync.mjs"]]) {
      const script = start(args)
      await script.line(/waiting/)
      await sleep(100)
      await script.kill("SIGTERM")
      t.same(await script.exit(), expected, args.join(" "))
    }
    for (const name of ["own.mjs", "late.mjs"]) {
      const script = start([name])
      await script.line(/waiting/)
      await sleep(150)
      await script.kill("SIGTERM")
      t.same(await script.exit(), { code: 3, signal: null }, name)
      t.equal(script.stdout, "waiting\nown\n")
    }
  },
)

t.test("Ctrl-C at a terminal", async (t) => {
  const tmux = locate("tmux")
  if (tmux === undefined) {
    t.pass("tmux", { skip: "needs tmux (Debian package tmux)" })
    return
  }
  const { path } = folder(t, { "a.mjs": WAITS })
  const server = ["-L", `cq-run-${process.pid}`, "-f", "/dev/null"]
  const command = `trap : INT; ${process.execPath} ${CQ_RUN} a.mjs; echo "status $?"; exec sleep 60`
  const session = child(t, tmux, [
    ...server,
    "-C",
    "new-session",
    "-x",
    "80",
    "-y",
    "24",
    "-c",
    path,
    "sh",
    "-c",
    command,
  ])
  t.teardown(() => {
    try {
      execFileSync(tmux, [...server, "kill-server"], { stdio: "ignore" })
    } catch {}
  })
  await session.line(/waiting/)
  await sleep(100)
  session.write("send-keys C-c\n")
  await session.line(/finally/)
  await session.line(/status 130/)
})

t.test("--timeout ends a script that waits, blocks or computes", async (t) => {
  const { run } = folder(t)
  const cases: [name: string, ...args: string[]][] = [
    [
      "coroutines",
      "-e",
      "cq.wrap(function* () { try { yield* cqueues.sleep(30) } finally { console.log('finally') } })",
    ],
    ["Node's timers", "-e", "setTimeout(() => {}, 30_000)"],
    ["a blocked thread", "-e", "cqueues.sleep(30).sync()"],
    ["a busy thread", "-e", "for (;;);"],
    ["--sync", "--sync", "-e", "cq.wrap(function* () { yield* cqueues.sleep(30) })"],
  ]
  await Promise.all(
    cases.map(async ([name, ...args]) => {
      const { code, stdout, stderr } = await run(["--timeout", "800ms", ...args])
      t.equal(code, 124, name)
      t.equal(stderr, "cq-run: still running after 0.8 s (--timeout)\n", name)
      t.equal(stdout, name === "coroutines" ? "finally\n" : "", name)
    }),
  )
  const start = performance.now()
  t.match(await run(["--timeout=30s", "-e", "console.log('done')"]), {
    code: 0,
    stdout: "done\n",
    stderr: "",
  })
  t.ok(performance.now() - start < 10_000, "it is not waited for")
})

t.test("a reader that goes away ends the script quietly", async (t) => {
  const { path } = folder(t, {
    "much.mjs": `for (let i = 0; i < 400_000; i++) console.log("line", i)`,
    "write.mjs": `for (let i = 0; i < 400_000; i++) process.stdout.write("line " + i + "\\n")`,
    "endless.mjs": `import cqueues from "cqueues"
      cq.wrap(function* () { for (let i = 0; ; i++) { console.log("line", i); yield* cqueues.poll() } })`,
  })
  for (const name of ["much.mjs", "write.mjs", "endless.mjs"]) {
    const script = `{ ${process.execPath} ${CQ_RUN} ${name}; echo "status $?" >&2; } | head -1`
    const { stdout, stderr } = await runProgram(t, "sh", ["-c", script], { cwd: path })
    t.same([stdout, stderr], ["line 0\n", "status 0\n"], name)
  }
  const all = await runProgram(t, "sh", ["-c", `${process.execPath} ${CQ_RUN} much.mjs | tail -1`], {
    cwd: path,
  })
  t.equal(all.stdout, "line 399999\n", "and to one that stays everything is written")
})

t.test("fetch in a coroutine, from a server of Node's in another process and in the same", async (t) => {
  const server = createServer((_request, response) => response.end("hello"))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const { run } = folder(t, {
    "client.ts": `import cqueues from "cqueues"
      export default function* (port: string): Generator<unknown, void> {
        let beats = 0
        cq.wrap(function* () { while (beats < 3) { yield* cqueues.sleep(0.001); beats++ } })
        const response: Response = yield* cqueues.await(fetch(\`http://127.0.0.1:\${port}/\`))
        console.log(response.status, yield* cqueues.await(response.text()))
      }`,
    "both.mjs": `import { createServer } from "node:http"
      import cqueues, { socket } from "cqueues"
      const server = createServer((request, response) => response.end(request.url))
      server.listen(0, "127.0.0.1", () => cq.wrap(function* () {
        const con = socket.connect("127.0.0.1", server.address().port)
        yield* con.write("GET /path HTTP/1.0\\n\\n")
        let last
        yield* con.lines("*l").each((line) => { last = line })
        console.log(last)
        con.close()
        server.close()
      }))`,
  })
  t.match(await run(["client.ts", String(port)]), { code: 0, stdout: "200 hello\n", stderr: "" })
  t.match(await run(["both.mjs"]), { code: 0, stdout: "/path\n", stderr: "" })
})
