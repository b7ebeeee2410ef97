// The command as its user meets it: help, mistakes, addresses that cannot be had, output that goes nowhere.
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import net from "node:net"
import t from "tap"
import { child, run } from "../../support/child.js"
import { connectPeer, listenPeer } from "../../support/nodepeer.js"
import type { Owner } from "../../support/owner.js"
import { tmp } from "../../support/tmp.js"
import { CQ_ECHO, echo } from "./kit.js"

const ESCAPE = String.fromCharCode(27)

const cqEcho = (t: Owner, ...args: string[]) => run(t, CQ_ECHO, args)

t.test("--help has two examples, the options and the exit codes; --version the version", async (t) => {
  const help = await cqEcho(t, "--help")
  t.equal(help.code, 0)
  t.match(help.stdout, /^cq-echo: .*\n\nExamples:\n {2}cq-echo .*\n(.*\n)* {2}cq-echo .*\n/)
  for (const part of ["--max-conns N", "--unlink", "--json", "Exit status:\n  0 "])
    t.ok(help.stdout.includes(part))
  t.ok(help.stdout.split("\n").every((line) => line.length <= 80))
  t.match(await cqEcho(t, "-V"), { code: 0, stdout: /^cq-echo \d+\.\d+\.\d+\n$/, stderr: "" })
})

t.test("mistakes are told in one line and end with 2", async (t) => {
  const wrong: [args: string[], why: RegExp][] = [
    [["--tiemout", "3"], /unknown option --tiemout; did you mean --timeout\?/],
    [["-x"], /unknown option -x/],
    [["--line=yes"], /--line takes no value/],
    [["--timeout"], /--timeout needs a value/],
    [["--timeout", "soon", "127.0.0.1:0"], /--timeout: not a duration: "soon"; write 500ms, 2s or 1m/],
    [["--timeout", "0", "127.0.0.1:0"], /--timeout: 0 would end every connection at once/],
    [["--line", "--maxline", "0", "127.0.0.1:0"], /out of range/],
    [["--max-conns=-1", "127.0.0.1:0"], /"-1" is out of range: 1 or more/],
    [["--mode", "999", "unix:/tmp/x"], /not permissions/],
    [["--mode", "660", "127.0.0.1:0"], /--mode needs a unix: or unix-dgram: address/],
    [["--maxline", "10", "127.0.0.1:0"], /--maxline needs --line/],
    [["--timeout", "1s", "udp:127.0.0.1:0"], /--timeout needs an address with connections/],
    [["7007"], /address "7007": write host:port/],
    [["::1:7007"], /write an IPv6 address in brackets/],
    [["127.0.0.1:70000"], /ports go up to 65535/],
    [["unix:"], /a path is missing/],
    [["fd:x"], /fd: takes a number/],
    [["--", "--line"], /address "--line"/],
  ]
  await Promise.all(
    wrong.map(async ([args, why]) => {
      const { code, stdout, stderr } = await cqEcho(t, ...args)
      t.match({ code, stdout, stderr }, { code: 2, stdout: "", stderr: why }, args.join(" "))
      t.match(stderr, /^cq-echo: [^\n]*\n$/, "in one line")
    }),
  )
})

t.test("an address that cannot be had ends it with 1, and says why and what to do", async (t) => {
  const taken = await listenPeer(t)
  const folder = tmp(t, { file: "not a socket" })
  const failures: [args: string[], why: RegExp][] = [
    [
      [`127.0.0.1:${taken.port}`],
      /listen 127\.0\.0\.1:\d+: Address already in use \(EADDRINUSE\); another program/,
    ],
    [[`unix:${folder}/file`], /listen \S+: Address already in use \(EADDRINUSE\); .*--unlink/],
    [["192.0.2.1:0"], /EADDRNOTAVAIL\); no interface of this machine has that address/],
    [[`unix:${folder}/${"x".repeat(120)}`], /ENAMETOOLONG/],
    [[`unix:${folder}/none/s`], /No such file or directory/],
    [["no-such-host.invalid:0"], /listen no-such-host\.invalid:0: /],
    [["fd:77"], /fd:77: not an open socket/],
    [["fd:0"], /fd:0: not an open socket/],
  ]
  for (const [args, why] of failures) {
    const { code, stdout, stderr } = await run(t, CQ_ECHO, args, { stdin: "ignore" })
    t.match({ code, stdout, stderr }, { code: 1, stdout: "", stderr: why }, args.join(" "))
    t.match(stderr, /^cq-echo: [^\n]*\n$/)
  }
  const both = await cqEcho(t, "--json", `unix:${folder}/good`, `127.0.0.1:${taken.port}`)
  t.equal(both.code, 1)
  t.notOk(existsSync(`${folder}/good`), "what was bound before is taken back")
  const [failure, ...more] = both.stdout.trim().split("\n")
  t.match(JSON.parse(failure ?? ""), { v: 1, event: "error", code: "EADDRINUSE", message: /^listen/ })
  t.same(more, [])
  const usage = await cqEcho(t, "--json", "--line=3")
  t.match(JSON.parse(usage.stdout), { v: 1, event: "error", message: /--line takes no value/ })
})

t.test("a port that needs privileges", { skip: cannotTry() }, async (t) => {
  const made = await run(t, "setpriv", ["--reuid=65534", "--clear-groups", CQ_ECHO, "127.0.0.1:7"])
  if (!made.stderr.startsWith("cq-echo: ")) {
    t.pass("ports", { skip: `nobody cannot run it here: ${made.stderr.split("\n")[0]}` })
    return
  }
  t.match(made, {
    code: 1,
    stderr: "cq-echo: listen 127.0.0.1:7: Permission denied (EACCES); ports below 1024 need privileges\n",
  })
})

t.test("a UNIX socket's permissions, its removal before and after", async (t) => {
  const path = `${tmp(t)}/s`
  writeFileSync(path, "in the way")
  const server = await echo(t, ["--unlink", "--mode", "rw-rw----", `unix:${path}`])
  t.ok(statSync(path).isSocket())
  t.equal(statSync(path).mode & 0o777, 0o660)
  await server.child.kill("SIGINT")
  t.same(await server.child.exit(), { code: null, signal: "SIGINT" })
  t.notOk(existsSync(path))
  const masked = await echo(t, ["--mask", "077", `unix:${path}`])
  t.equal(statSync(path).mode & 0o777, 0o700)
  // Another server takes the path over: that one is not removed.
  const next = await echo(t, ["--unlink", `unix:${path}`])
  await masked.child.kill("SIGTERM")
  await masked.child.exit()
  t.ok(existsSync(path))
  t.equal((await connectPeer(t, path)).socket.destroyed, false)
  await next.child.kill("SIGTERM")
  await next.child.exit()
})

t.test("plain output: a ready line for each address, colour only when asked for", async (t) => {
  const plain = child(t, CQ_ECHO, ["127.0.0.1:0", "udp:127.0.0.1:0"])
  const [, port] = await plain.line(/^listening on 127\.0\.0\.1:(\d+)$/)
  await plain.line(/^listening on udp:127\.0\.0\.1:\d+$/)
  await (await connectPeer(t, Number(port))).end("x")
  t.equal(plain.stderr, "")
  const coloured = child(t, CQ_ECHO, ["--color", "-v", "127.0.0.1:0"])
  await coloured.line(new RegExp(`^listening on ${ESCAPE}\\[1m127\\.0\\.0\\.1:\\d+${ESCAPE}\\[22m$`))
  const forced = child(t, CQ_ECHO, ["127.0.0.1:0"], { env: { FORCE_COLOR: "1", NO_COLOR: undefined } })
  await forced.line(new RegExp(ESCAPE))
  const never = child(t, CQ_ECHO, ["127.0.0.1:0"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } })
  await never.line(/^listening on 127\.0\.0\.1:\d+$/)
})

t.test("when nobody reads its output any more it ends quietly with 0", async (t) => {
  const script = `{ "$0" --json 127.0.0.1:0; echo "status $?" >&2; } | head -n 1`
  const shell = child(t, "bash", ["-c", script, CQ_ECHO])
  const [, port] = await shell.line(/"port":(\d+)/)
  const peer = net.connect(Number(port), "127.0.0.1")
  peer.on("error", () => {})
  t.teardown(() => peer.destroy())
  peer.end("x")
  t.same(await shell.exit(), { code: 0, signal: null })
  t.equal(shell.stderr, "status 0\n")
})

t.test("a full disk is an error", { skip: !existsSync("/dev/full") && "no /dev/full" }, async (t) => {
  const made = await run(t, "sh", ["-c", '"$0" 127.0.0.1:0 > /dev/full', CQ_ECHO])
  t.match(made, { code: 1, stderr: /^cq-echo: stdout: .*ENOSPC/ })
})

function cannotTry(): string | false {
  if (process.getuid?.() !== 0) return "needs root to give it up"
  const file = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
  return existsSync(file) && Number(readFileSync(file, "latin1")) > 7
    ? false
    : "everybody may bind low ports here"
}
