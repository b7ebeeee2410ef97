// How it ends: after a signal every byte that it accepted has been answered, and the process dies of that
// very signal; the second signal ends it at once.
import { spawnSync } from "node:child_process"
import net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import t from "tap"
import { connectPeer } from "../../support/nodepeer.js"
import { locate } from "../../support/programs.js"
import { tmp } from "../../support/tmp.js"
import { type Close, CQ_ECHO, echo, noise } from "./kit.js"

/** Sends piece after piece as fast as it is answered, until the other side ends; what came back was sent. */
class Busy {
  readonly #pieces: Buffer[] = []
  #sent = 0
  received = 0
  right = true
  readonly ended: Promise<void>

  constructor(port: number, seed: number, ahead: number) {
    const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
    const send = () => {
      while (this.#sent - this.received < ahead) {
        const piece = noise(`${seed} ${this.#pieces.length}`, 1000 + seed)
        this.#pieces.push(piece)
        this.#sent += piece.length
        socket.write(piece)
      }
    }
    socket.on("connect", send)
    socket.on("data", (data) => {
      const all = Buffer.concat(this.#pieces)
      if (!all.subarray(this.received, this.received + data.length).equals(data)) this.right = false
      this.received += data.length
      send()
    })
    this.ended = new Promise((resolve) => {
      socket.on("end", () => {
        socket.destroy()
        resolve()
      })
      socket.on("error", () => resolve())
    })
  }
}

t.test("SIGTERM while others send: what was received before is answered", async (t) => {
  const server = await echo(t)
  const size = 3 << 20
  const peers = await Promise.all(Array.from({ length: 8 }, () => connectPeer(t, server.port)))
  // Nobody reads at first: the kernels' buffers fill, and much is still on its way when the signal comes.
  for (const peer of peers) peer.socket.pause()
  for (const [i, peer] of peers.entries()) peer.socket.write(noise(i, size))
  await sleep(200)
  await server.child.kill("SIGTERM")
  await sleep(100)
  await t.rejects(connectPeer(t, server.port), "it accepts nobody any more")
  for (const peer of peers) peer.socket.resume()
  for (const [i, peer] of peers.entries()) t.ok((await peer.collect()).equals(noise(i, size)), `peer ${i}`)
  t.same(await server.child.exit(), { code: null, signal: "SIGTERM" })
  const closes = server.events().filter(({ event }) => event === "close") as unknown as Close[]
  t.same(closes.length, 8)
  t.ok(closes.every((close) => close.in === size && close.out === size && close.reason === "shutdown"))
  t.match(server.child.stderr, /^cq-echo: SIGTERM: finishing 8 connections; once more ends at once\n$/)
})

t.test("SIGINT while peers go on for ever: they get the time of grace, then an end of file", async (t) => {
  const server = await echo(t, ["--grace", "700ms", "127.0.0.1:0"])
  const peers = Array.from({ length: 10 }, (_, i) => new Busy(server.port, i, i % 2 ? 1 : 20_000))
  await sleep(300)
  const before = peers.map(({ received }) => received)
  await server.child.kill("SIGINT")
  const begun = performance.now()
  await Promise.all(peers.map(({ ended }) => ended))
  t.same(await server.child.exit(), { code: null, signal: "SIGINT" })
  const took = performance.now() - begun
  t.ok(took > 690 && took < 2500, `${Math.round(took)} ms`)
  t.ok(peers.every(({ right }) => right))
  t.ok(peers.every(({ received }, i) => received > (before[i] ?? 0)))
  const closes = server.events().filter(({ event }) => event === "close") as unknown as Close[]
  t.same(
    closes.map(({ reason }) => reason),
    Array(10).fill("shutdown"),
  )
  t.equal(
    closes.reduce((sum, close) => sum + close.out, 0),
    peers.reduce((sum, peer) => sum + peer.received, 0),
    "every answer arrived",
  )
})

t.test("SIGHUP: connections that wait in the kernel, and half a line, are answered too", async (t) => {
  const path = `${tmp(t)}/s`
  const server = await echo(t, ["--line", "--max-conns", "1", `unix:${path}`])
  const first = await connectPeer(t, path)
  await first.send("no end of line")
  const second = await connectPeer(t, path)
  await second.send("nor here")
  await sleep(100)
  t.equal(server.events().filter(({ event }) => event === "accept").length, 1)
  await server.child.kill("SIGHUP")
  t.equal((await first.collect()).toString(), "no end of line")
  await first.end()
  t.equal((await second.collect()).toString(), "nor here")
  await second.end()
  t.same(await server.child.exit(), { code: null, signal: "SIGHUP" })
})

t.test("idle connections end with an end of file, datagrams that have come are answered", async (t) => {
  const server = await echo(t, ["127.0.0.1:0", "udp:127.0.0.1:0"])
  const peer = await connectPeer(t, server.port)
  await peer.send("x")
  await peer.read(1)
  const begun = performance.now()
  await server.child.kill("SIGTERM")
  t.same(await peer.collect(), Buffer.alloc(0))
  peer.destroy()
  t.same(await server.child.exit(), { code: null, signal: "SIGTERM" })
  t.ok(performance.now() - begun < 1500)
})

t.test("the second signal ends it at once", async (t) => {
  const server = await echo(t, ["--grace", "1h", "127.0.0.1:0"])
  const deaf = await connectPeer(t, server.port)
  deaf.socket.pause()
  deaf.socket.on("error", () => {})
  deaf.socket.write(noise("deaf", 32 << 20))
  await sleep(200)
  await server.child.kill("SIGINT")
  await server.child.line(/finishing 1 connection;/, { from: "stderr" })
  await sleep(300)
  t.equal(server.child.process.exitCode, null)
  await server.child.kill("SIGTERM")
  t.same(await server.child.exit(1), { code: null, signal: "SIGTERM" })
})

t.test("Ctrl-C twice on a terminal", { timeout: 40_000 }, async (t) => {
  const tmux = locate("tmux")
  if (tmux === undefined) {
    t.pass("tmux", { skip: "needs tmux (Debian package tmux)" })
    return
  }
  const name = `cq-echo-${process.pid}`
  const call = (...args: string[]) =>
    spawnSync(tmux, ["-L", name, "-f", "/dev/null", ...args], { encoding: "utf8" })
  t.teardown(() => call("kill-server"))
  const shell = "env PS1='$ ' HISTFILE= bash --norc --noprofile"
  t.equal(call("new-session", "-d", "-x", "120", "-y", "30", shell).status, 0)
  const screen = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (let i = 0; i < 100; i++) {
      const match = pattern.exec(call("capture-pane", "-p").stdout)
      if (match) return match
      await sleep(100)
    }
    throw new Error(`no ${pattern} on the screen:\n${call("capture-pane", "-p").stdout}`)
  }
  const type = (text: string) => call("send-keys", text, "Enter")
  type(`${CQ_ECHO} --grace 1h 127.0.0.1:0`)
  const [, port] = await screen(/listening on 127\.0\.0\.1:(\d+)/)
  const deaf = await connectPeer(t, Number(port))
  deaf.socket.pause()
  deaf.socket.on("error", () => {})
  deaf.socket.write(noise("deaf", 32 << 20))
  await sleep(200)
  call("send-keys", "C-c")
  await screen(/SIGINT: finishing 1 connection; once more ends at once/)
  call("send-keys", "C-c")
  await screen(/\^C\n?\$ ?\n*$/)
  type("echo status $?")
  await screen(/^status 130$/m)
  // And once is enough when there is nothing to finish.
  type(`${CQ_ECHO} 127.0.0.1:0`)
  await screen(/status 130\n.*\n?listening on/)
  call("send-keys", "C-c")
  type("echo again $?")
  await screen(/^again 130$/m)
})
