// The helpers by which everything else is tested: a census that misses a leak would make every test lie.
import { closeSync, existsSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import t from "tap"
import { census, changes, descriptors, settled } from "./census.js"
import { child, nodeChild, run } from "./child.js"
import { cuts, everyCut } from "./chunks.js"
import { leftovers } from "./leftovers.js"
import { connectPeer, listenPeer } from "./nodepeer.js"
import { MISSING, withProgram } from "./programs.js"
import { Tally } from "./tally.js"
import { tmp } from "./tmp.js"

await census(t)

t.test("census", async (t) => {
  const before = descriptors()
  t.same(await settled(before), [])
  const fd = openSync("/etc/passwd", "r")
  t.same(changes(before), [`left open: ${fd} /etc/passwd`])
  const opened = descriptors()
  closeSync(fd)
  t.same(changes(opened), [`closed by mistake: ${fd} /etc/passwd`])
  const listener = await listenPeer(t)
  t.match(await settled(before, 0), [
    new RegExp(`^left open: \\d+ socket:\\[\\d+\\] tcp port ${listener.port} to 0$`),
  ])
  await listener.close()
  t.same(await settled(before), [])
})

t.test("census fails the test that leaks", async (t) => {
  const handlers: (() => unknown)[] = []
  await census({ teardown: (handler) => handlers.push(handler) }, 50)
  const fd = openSync("/dev/null", "r")
  await t.rejects(async () => handlers[0]?.(), /left open: \d+ \/dev\/null/)
  closeSync(fd)
  await t.resolves(async () => handlers[0]?.())
})

t.test("peers over TCP and UNIX", async (t) => {
  for (const where of [0, join(tmp(t), "socket")]) {
    const listener = await listenPeer(t, where)
    const one = await connectPeer(t, where || listener.port)
    const other = await listener.next()
    await one.send("hello")
    t.equal((await other.read(3)).toString(), "hel")
    await one.end("!")
    t.equal((await other.collect()).toString(), "lo!")
    await other.drip([Buffer.from("b"), Buffer.from("ye")])
    await other.end()
    t.equal((await one.collect()).toString(), "bye")
    await t.rejects(one.read(1), /ended before 1 bytes/)
  }
  await t.rejects(connectPeer(t, join(tmp(t), "nothing")), { code: "ENOENT" })
})

t.test("children", async (t) => {
  const script =
    "echo one; echo two >&2; sleep 0.1; echo three; read x; echo got $x; sleep 100 & echo $!; wait"
  const shell = child(t, "sh", ["-c", script])
  t.equal((await shell.line(/^t(.*)/))[1], "hree")
  await shell.line(/two/, { from: "stderr" })
  await t.rejects(shell.line(/never/, { timeout: 0.05 }), /wrote no line/)
  shell.write("abc\n")
  t.equal((await shell.line(/got (.*)/))[1], "abc")
  const grandchild = Number((await shell.line(/^\d+$/))[0])
  await shell.kill("SIGKILL")
  t.match(await shell.exit(), { signal: "SIGKILL" })
  await sleep(50)
  t.notOk(alive(grandchild), "what the child started is gone too")
  await t.rejects(shell.line(/more/), /ended without a line/)
  t.same(await run(t, "tr", ["a-z", "A-Z"], { input: "abc" }), {
    code: 0,
    signal: null,
    stdout: "ABC",
    stderr: "",
  })
  await t.rejects(run(t, "/nonexistent"), { code: "ENOENT" })
  const folder = tmp(t, {
    "print.mjs": "console.log(process.env.NODE_OPTIONS, process.env.TAP, process.env.X)",
  })
  await nodeChild(t, join(folder, "print.mjs"), [], { env: { X: "x" } }).line(/^undefined undefined x$/)
})

t.test("a program that is missing skips by name", async (t) => {
  const said: unknown[] = []
  const fake = { pass: (...args: unknown[]) => said.push(args) }
  process.env[MISSING] = "ncat,socat"
  await withProgram(fake, "ncat", (path) => said.push(path))
  t.same(said, [["ncat", { skip: "needs ncat (Debian package ncat)" }]])
})

t.test("deliveries", async (t) => {
  t.same(
    Array.from(cuts("abc"), ({ name, pieces }) => [name, pieces.join("|")]),
    [
      ["whole", "abc"],
      ["cut at 1", "a|bc"],
      ["cut at 2", "ab|c"],
      ["byte by byte", "a|b|c"],
    ],
  )
  await everyCut(t, "joined", "abcd", (pieces) => Buffer.concat(pieces).toString(), "abcd")
  let failed = ""
  const fake = {
    pass: () => {},
    strictSame: (_found: unknown, _wanted: unknown, message: string) => (failed = message),
  }
  await everyCut(fake, "first piece", "abcd", (pieces) => String(pieces[0]), "abcd")
  t.equal(failed, "first piece: cut at 1")
})

t.test("a folder is removed", async (t) => {
  let folder = ""
  await t.test("made", async (t) => {
    folder = tmp(t, { "a/b": "x" })
    t.equal(readFileSync(join(folder, "a/b"), "utf8"), "x")
  })
  t.notOk(existsSync(folder))
})

t.test(
  "processes left behind are found",
  { skip: !existsSync("/proc/self/environ") && "no /proc" },
  async (t) => {
    const mark = `CQUEUES_TEST_TRIAL=${process.pid}`
    const left = child(t, "sleep", ["100"], { env: { CQUEUES_TEST_TRIAL: String(process.pid) } })
    await sleep(50)
    t.same(await leftovers(mark, 0), [`${left.pid} sleep 100`])
    t.match(await left.exit(), { signal: "SIGKILL" })
    t.same(await leftovers(mark, 0), [])
  },
)

t.test("figures", async (t) => {
  const lines: string[] = []
  const tally = new Tally((line) => lines.push(line))
  tally
    .parser()
    .end(
      [
        "TAP version 14\n1..4",
        "# Subtest: dist/test/a.test.js",
        "    ok 1 - one",
        "    # Subtest: inner\n        ok 1 - two\n        not ok 2 - three\n        1..2",
        "    not ok 2 - inner",
        "    ok 3 - four # SKIP needs x",
        "    1..3",
        "not ok 1 - dist/test/a.test.js",
        "# Subtest: dist/test/crash.test.js\n    ok 1 - one\n    # died",
        "not ok 2 - dist/test/crash.test.js\n  ---\n  signal: SIGSEGV\n  ...",
        "# Subtest: dist/test/empty.test.js\n    1..0 # no tests found",
        "ok 3 - dist/test/empty.test.js # SKIP no tests found",
        "# Subtest: dist/test/good.test.js\n    ok 1 - one\n    1..1",
        "ok 4 - dist/test/good.test.js # time=5ms",
        "",
      ].join("\n"),
    )
  t.equal(tally.summary(), "4 passed, 3 failed, 1 skipped")
  t.match(lines, [
    /^not ok {2}test\/a.test.ts > inner > three/,
    /^FAIL {2}test\/a/,
    /crash/,
    /^FAIL/,
    /empty/,
    /^FAIL/,
  ])
  t.equal(lines.at(-1), "ok    test/good.test.ts  1 passed  0.0 s")
  t.equal(tally.skips.get("needs x"), 1)
})

function alive(pid: number): boolean {
  try {
    // A zombie answers to signal 0; the state in /proc tells it apart where there is one.
    process.kill(pid, 0)
    return !existsSync("/proc/self/stat") || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}
