// Limits: connections, idle time, descriptors, and what a peer that does not read may cost.
import { readFileSync } from "node:fs"
import net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import t from "tap"
import { child } from "../../support/child.js"
import { connectPeer } from "../../support/nodepeer.js"
import { CQ_ECHO, Echo, echo, type Listening, noise } from "./kit.js"

/** Sends its number and waits for the answer before it ends; so many milliseconds after it came. */
function client(port: number, number: number, hold = 0): Promise<boolean> {
  return new Promise((resolve) => {
    const text = `client ${number}\n`
    let got = ""
    const socket = net.connect(port, "127.0.0.1", () => socket.write(text))
    socket.setTimeout(30_000, () => socket.destroy())
    socket.on("data", (data) => {
      got += data
      if (got === text) setTimeout(() => socket.end(), hold)
    })
    socket.on("error", () => {})
    socket.on("close", () => resolve(got === text))
  })
}

t.test("--max-conns lets others wait, and serves them all", async (t) => {
  const server = await echo(t, ["--max-conns", "3", "127.0.0.1:0"])
  const good = await Promise.all(Array.from({ length: 30 }, (_, i) => client(server.port, i, 5)))
  t.same(good.filter(Boolean).length, 30)
  let open = 0
  let most = 0
  for (let closed = 0; closed < 30; closed++) await server.close()
  for (const { event } of server.events()) {
    if (event === "accept") most = Math.max(most, ++open)
    if (event === "close") open--
  }
  t.equal(most, 3)
})

t.test("--timeout ends a connection on which nothing moves, and no other", async (t) => {
  const server = await echo(t, ["--timeout", "300ms", "--line", "127.0.0.1:0"])
  const begun = performance.now()
  const idle = await connectPeer(t, server.port)
  const slow = await connectPeer(t, server.port)
  // A line that takes longer than that to come, a byte at a time.
  const line = Buffer.from("slow line\n")
  const sent = slow.drip(
    Array.from(line, (byte) => Buffer.of(byte)),
    0.1,
  )
  t.same(await idle.collect(), Buffer.alloc(0))
  const waited = performance.now() - begun
  t.ok(waited >= 299 && waited < 900, `after ${Math.round(waited)} ms`)
  t.match(await server.close(), { conn: 1, reason: "timeout" })
  await sent
  t.same(await slow.read(line.length), line)
  t.same(await slow.collect(), Buffer.alloc(0))
  t.match(await server.close(), { conn: 2, reason: "timeout", in: line.length, out: line.length })
})

t.test("--timeout ends a peer that does not read its answers", async (t) => {
  const server = await echo(t, ["--timeout", "300ms", "127.0.0.1:0"])
  const peer = await connectPeer(t, server.port)
  peer.socket.pause()
  peer.socket.on("error", () => {})
  peer.socket.write(noise("deaf", 32 << 20))
  t.match(await server.close(), { reason: "timeout" })
})

t.test("out of descriptors it waits, and then serves", async (t) => {
  const shell = child(t, "sh", ["-c", 'ulimit -n 64; exec "$0" --json 127.0.0.1:0', CQ_ECHO])
  const server = new Echo(shell)
  server.listening.push(await server.event<Listening>("listening"))
  const good = await Promise.all(Array.from({ length: 200 }, (_, i) => client(server.port, i, 20)))
  t.equal(good.filter(Boolean).length, 200)
  for (let closed = 0; closed < 200; closed++) await server.close()
  t.equal(server.events().filter(({ code }) => code === "EMFILE").length, 1)
  t.match(shell.stderr, /^cq-echo: no descriptor is free for a new connection \(EMFILE\)[^\n]*\n$/)
})

t.test("peers that never read cost little, and hold up nobody", async (t) => {
  const server = await echo(t)
  const memory = () =>
    Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, "latin1"))?.[1])
  await client(server.port, 0)
  const before = memory()
  const block = noise("never", 1 << 20)
  for (let i = 0; i < 20; i++) {
    const peer = await connectPeer(t, server.port)
    peer.socket.pause()
    peer.socket.on("error", () => {})
    for (let k = 0; k < 16; k++) peer.socket.write(block)
  }
  await sleep(500)
  const begun = performance.now()
  t.ok(await client(server.port, 1))
  t.ok(performance.now() - begun < 3000)
  const grown = memory() - before
  t.ok(grown < 64 * 1024, `${grown} KiB more for 20 peers that were sent 320 MiB`)
})

t.test("a thousand connections at once", { timeout: 60_000 }, async (t) => {
  const server = await echo(t)
  const peers: net.Socket[] = []
  t.teardown(() => {
    for (const peer of peers) peer.destroy()
  })
  const data = Array.from({ length: 1000 }, (_, i) => noise(i, 1000))
  await Promise.all(
    data.map(
      (_, i) =>
        new Promise<void>((resolve, reject) => {
          const peer = net.connect(server.port, "127.0.0.1", resolve)
          peer.on("error", reject)
          peers[i] = peer
        }),
    ),
  )
  while (server.events().filter(({ event }) => event === "accept").length < 1000) await sleep(20)
  const answers = peers.map(async (peer) => {
    const pieces: Buffer[] = []
    for await (const piece of peer) pieces.push(piece)
    return Buffer.concat(pieces)
  })
  for (let round = 0; round < 2; round++) {
    data.forEach((bytes, i) => {
      peers[i]?.write(bytes.subarray(round * 500, round * 500 + 500))
    })
    await sleep(10)
  }
  for (const peer of peers) peer.end()
  const right = (await Promise.all(answers)).filter((answer, i) => answer.equals(data[i] as Buffer))
  t.equal(right.length, 1000)
  for (let closed = 0; closed < 1000; closed++) await server.close()
  const closes = server.events().filter(({ event }) => event === "close")
  t.ok(closes.every((close) => close.in === 1000 && close.out === 1000 && close.reason === "eof"))
})
