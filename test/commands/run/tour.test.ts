// The tour: every step verified, in a time and a form that fit a first look; and what it says of a step that
// does not do what it should.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import t from "tap"
import { Output } from "../../../commands/cli/output.js"
import { playAll } from "../../../commands/run/tour/tour.js"
import { cqueues } from "../../../core/cqueues.js"
import { census } from "../../support/census.js"
import { run as runProgram } from "../../support/child.js"
import { connectPeer } from "../../support/nodepeer.js"
import { folder, ROOT } from "./kit.js"

const STEPS = 11

await census(t)

t.test("all steps are verified", async (t) => {
  const { run, path } = folder(t)
  const start = performance.now()
  const { code, stdout, stderr } = await run(["tour"], { env: { TMPDIR: path } })
  t.same([code, stderr], [0, ""])
  t.ok(performance.now() - start < 10_000)
  t.equal(stdout.match(/^ {3}✔ [\d.]+ ms$/gm)?.length, STEPS)
  t.match(stdout, /✔ 11 of 11 steps did what they should\n$/)
  for (const word of [
    "TCP 127.0.0.1:",
    "UNIX",
    "...3 is empty",
    "rye, spelt, oat",
    "ETIMEDOUT",
    "changed our mind",
  ])
    t.match(stdout, word)
  t.notMatch(stdout, String.fromCharCode(27), "plain in a pipe")
  t.match(await runProgram(t, "ls", ["-A", path]), { stdout: "" }, "nothing is left behind")
})

t.test("colour and quiet", async (t) => {
  const { run } = folder(t)
  t.match((await run(["--color", "tour"])).stdout, String.fromCharCode(27))
  t.equal((await run(["-q", "tour"])).stdout, "✔ 11 of 11 steps did what they should\n")
  for (const args of [
    ["tour", "again"],
    ["--sync", "tour"],
    ["--timeout=1s", "tour"],
  ])
    t.equal((await run(args)).code, 2, args.join(" "))
})

t.test("a script named tour is run by its path", async (t) => {
  const { run, path } = folder(t, { tour: `console.log("mine")` })
  t.equal((await run(["./tour"])).stdout, "mine\n")
  t.equal((await run([join(path, "tour")])).stdout, "mine\n")
  t.match((await run(["tour"])).stdout, "11 of 11")
})

t.test("npm start is the tour", async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))
  t.equal(scripts.start, "node bin/cq-run tour")
})

t.test("a step that does not do what it should fails the tour", async (t) => {
  const lines: string[] = []
  const output = new Output("cq-run")
  output.result = (line) => void lines.push(line)
  const steps = [
    { title: "good", *run() {} },
    {
      title: "bad",
      *run(show: (text: string) => void) {
        yield* cqueues.poll()
        show("seen")
        throw new Error("one\nis not two")
      },
    },
    { title: "async", run: async () => Promise.reject(new Error("late")) },
  ]
  t.equal(await playAll(steps, output, false), false)
  t.match(
    lines.join("\n"),
    /^1\. good\n {3}✔ .* ms\n\n2\. bad\n {3}seen\n {3}✘ one\n {5}is not two\n\n3\. async\n {3}✘ late\n\n✘ 1 of 3/,
  )
  lines.length = 0
  t.equal(await playAll(steps.slice(0, 2), output, true), false)
  t.same(lines.slice(0, 3), ["2. bad", "   seen", "   ✘ one\n     is not two"], "quiet tells of what fails")
})

t.test("the echo server of the guide is a script", async (t) => {
  const script = folder(t).start([join(ROOT, "dist/commands/run/examples/echo.js"), "127.0.0.1", "0", "1"])
  const [, port] = await script.line(/^listening on 127\.0\.0\.1 port (\d+)$/)
  const [one, other] = [await connectPeer(t, Number(port)), await connectPeer(t, Number(port))]
  await other.end("three\n")
  await one.end("one\r\ntwo\n")
  t.equal((await one.collect()).toString(), "one\r\ntwo\r\n", "in text mode, as the guide has it")
  t.equal((await other.collect()).toString(), "three\r\n")
  t.same(await script.exit(), { code: 0, signal: null }, "it ends when nobody comes")
})
