// A command from its arguments to its exit status: results and messages on their streams, output drained
// before the end, failures in one line, signals passed on.
import t from "tap"
import { child } from "../../support/child.js"
import { tmp } from "../../support/tmp.js"
import { CLI, command } from "./kit.js"

t.test("results go to stdout, messages to stderr, as many as were asked for", async (t) => {
  const body = `output.result("r " + args); output.event("e", { a: 1 }); output.note("n"); output.detail("d"); output.detail("dd", 2); return 3`
  t.match(await command(t, body, ["x"]), { code: 3, stdout: "r x\n", stderr: "cq-try: n\n" })
  t.match(await command(t, body, ["-q"]), { code: 3, stdout: "r \n", stderr: "" })
  t.match(await command(t, body, ["-vv"]), { stderr: "cq-try: n\ncq-try: d\ncq-try: dd\n" })
  t.match(await command(t, body, ["--json"]), { stdout: '{"v":1,"event":"e","a":1}\n' })
  const coloured = await command(t, body, ["--color"])
  t.match(coloured.stderr, "\u001b[1mcq-try:\u001b[22m n\n")
})

t.test("failures: a line on stderr, an event with --json, the status", async (t) => {
  const system = `throw Object.assign(new Error("listen 127.0.0.1:7: Permission denied (EACCES)"), { code: "EACCES", syscall: "listen", port: 7 })`
  t.match(await command(t, system), {
    code: 1,
    stderr: "cq-try: listen 127.0.0.1:7: Permission denied (EACCES); ports below 1024 need privileges\n",
  })
  const json = await command(t, system, ["--json"])
  t.match(JSON.parse(json.stdout), { v: 1, event: "error", code: "EACCES", message: /^listen/ })
  t.match(await command(t, `throw new CommandError("no\\nway", 7)`), {
    code: 7,
    stderr: "cq-try: no\\nway\n",
  })
  t.match(await command(t, `throw new UsageError("not so")`), {
    code: 2,
    stderr: "cq-try: not so (see cq-try --help)\n",
  })
  t.match(await command(t, `null.x`), { code: 1, stderr: /^cq-try: Cannot read[^\n]*\n$/ })
  t.match(await command(t, `null.x`, ["-v"]), {
    code: 1,
    stderr: /^cq-try: Cannot read[^\n]*\ncq-try: TypeError.*\n +at /,
  })
  t.match(await command(t, `throw "text\\x1b[2J"`), { code: 1, stderr: "cq-try: text\\x1b[2J\n" })
})

t.test("a megabyte is drained before the end, into a slow reader too", async (t) => {
  const body = `for (let i = 0; i < 1000; i++) output.result("x".repeat(999)); return 5`
  const made = await command(t, body)
  t.match({ code: made.code, size: made.stdout.length }, { code: 5, size: 1_000_000 })
  const slow = await command(t, body, [], {
    shell: `"$0" "$@" | (sleep 0.5; wc -c); echo "\${PIPESTATUS[0]}"`,
  })
  t.equal(slow.stdout, "1000000\n5\n")
})

t.test("nobody reads: the command ends quietly with 0", async (t) => {
  const endless = `
    let reading = true
    output.onUnread(() => { reading = false })
    while (reading) { output.result("y"); await new Promise((done) => setTimeout(done, 1)) }
    return 9`
  const made = await command(t, endless, [], { shell: `"$0" "$@" | head -n 1; echo "\${PIPESTATUS[0]}"` })
  t.match(made, { stdout: "y\n0\n", stderr: "" })
  const closed = await command(t, `output.result("y"); return 9`, [], {
    shell: `"$0" "$@" | sleep 0; echo "\${PIPESTATUS[0]}"`,
  })
  t.match(closed, { stdout: /^[09]\n$/, stderr: "" })
})

t.test("stdout on a full disk is a failure, and stderr on one is none", async (t) => {
  const shell = (redirection: string) => `"$0" "$@" ${redirection}; echo "$?" >&2`
  t.match(await command(t, `output.result("y")`, [], { shell: shell("> /dev/full") }), {
    stderr: /^cq-try: stdout: .*ENOSPC.*\n1\n$/,
  })
  t.match(
    await command(t, `output.note("y"); return 4`, [], { shell: `("$0" "$@" 2> /dev/full); echo $?` }),
    {
      stdout: "4\n",
    },
  )
})

t.test("the first signal asks, the process dies of it in the end; the second kills", async (t) => {
  const script = `${tmp(t, {
    "try.mjs": `
      import { main } from ${JSON.stringify(`${CLI}command.js`)}
      import { common } from ${JSON.stringify(`${CLI}options.js`)}
      await main({ name: "cq-try", summary: "", usage: [], examples: [], exits: [], options: common }, async ({ args, output, signals }) => {
        await new Promise((done) => {
          const timer = setInterval(() => {}, 1000)
          signals.catch((signal) => {
            output.result("asked " + signal)
            setTimeout(() => { clearInterval(timer); output.result("cleaned up"); done() }, Number(args[0]))
          })
          output.result("ready")
        })
      })`,
  })}/try.mjs`
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const polite = child(t, process.execPath, [script, "50"])
    await polite.line(/ready/)
    await polite.kill(signal)
    t.same(await polite.exit(), { code: null, signal })
    t.equal(polite.stdout, `ready\nasked ${signal}\ncleaned up\n`)
  }
  const rude = child(t, process.execPath, [script, "60000"])
  await rude.line(/ready/)
  await rude.kill("SIGTERM")
  await rude.line(/asked/)
  await rude.kill("SIGINT")
  t.same(await rude.exit(2), { code: null, signal: "SIGINT" })
})
