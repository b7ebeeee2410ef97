// What cq-echo is for: every byte comes back as it was, on every kind of address, to the end of file and
// past the peer's half-close.
import { setTimeout as sleep } from "node:timers/promises"
import t from "tap"
import { run } from "../../support/child.js"
import { everyCut } from "../../support/chunks.js"
import { connectPeer, type Where } from "../../support/nodepeer.js"
import { withProgram } from "../../support/programs.js"
import { tmp } from "../../support/tmp.js"
import { echo, noise } from "./kit.js"

/** Sends and half-closes; all that comes back. */
async function exchange(t: Parameters<typeof connectPeer>[0], where: Where, data: Uint8Array) {
  const peer = await connectPeer(t, where)
  await peer.end(data)
  return await peer.collect()
}

t.test("every byte comes back, to the end of file, on several addresses at once", async (t) => {
  const path = `${tmp(t)}/s`
  const server = await echo(t, ["127.0.0.1:0", "[::1]:0", `unix:${path}`, "localhost:0", ":0"])
  const [v4, v6, unix, name, any] = server.listening
  t.match(v4, { host: "127.0.0.1", address: /^127\.0\.0\.1:\d+$/ })
  t.match(v6, { host: "::1", address: /^\[::1\]:\d+$/ })
  t.match(unix, { address: `unix:${path}`, path })
  const data = noise("all", 300_000)
  const places: Where[] = [
    v4?.port ?? 0,
    { host: "::1", port: v6?.port ?? 0 },
    path,
    { host: "localhost", port: name?.port ?? 0 },
    any?.port ?? 0,
  ]
  for (const where of places) {
    const back = await exchange(t, where, data)
    t.ok(back.equals(data), `${JSON.stringify(where)}: ${back.length} bytes`)
    t.match(await server.close(), { in: data.length, out: data.length, reason: "eof" })
  }
  t.same(await exchange(t, v4?.port ?? 0, Buffer.alloc(0)), Buffer.alloc(0), "nothing gives nothing")
})

t.test("however the bytes are cut, raw and by lines", async (t) => {
  const input = Buffer.from("a\r\nb\n\n\0\xff\xfe\r\r\nno newline", "latin1")
  for (const args of [["127.0.0.1:0"], ["--line", "127.0.0.1:0"], ["--line", "--maxline=2", "127.0.0.1:0"]]) {
    const server = await echo(t, args)
    await everyCut(
      t,
      args.join(" "),
      input,
      async (pieces) => {
        const peer = await connectPeer(t, server.port)
        await peer.drip(pieces, pieces.length > 2 ? 0.001 : 0.004)
        await peer.end()
        return (await peer.collect()).toString("latin1")
      },
      input.toString("latin1"),
      [1, 2, 3, 5, 9, 12],
    )
  }
})

t.test("raw mode answers each piece, line mode whole lines, or as much as a line may have", async (t) => {
  const raw = await connectPeer(t, (await echo(t, ["127.0.0.1:0"])).port)
  await raw.send("no line")
  t.equal((await raw.read(7)).toString(), "no line")
  const server = await echo(t, ["-l", "--maxline", "8", "127.0.0.1:0"])
  const peer = await connectPeer(t, server.port)
  await peer.send("one\ntwo")
  t.equal((await peer.read(4)).toString(), "one\n")
  await sleep(50)
  await t.rejects(peer.read(1, 0.05), /no 1 bytes/)
  await peer.send("\n12345678")
  t.equal((await peer.read(12)).toString(), "two\n12345678", "a line as long as can be does not wait")
  await peer.send("9")
  await peer.end()
  t.equal((await peer.collect()).toString(), "9", "what is no line comes at the end of file")
})

t.test("the peer may go on to read after its half-close, and ours comes when all is sent", async (t) => {
  const server = await echo(t)
  const peer = await connectPeer(t, server.port)
  peer.socket.pause()
  const data = noise("half", 8 << 20)
  await peer.end(data.subarray(0, 1 << 20))
  await sleep(100)
  peer.socket.resume()
  t.ok((await peer.collect()).equals(data.subarray(0, 1 << 20)))
  const events = server.events().map(({ event }) => event)
  t.same(events.slice(0, 3), ["listening", "accept", "eof"])
})

t.test("a reset ends one connection and nothing else", async (t) => {
  const server = await echo(t)
  const peer = await connectPeer(t, server.port)
  await peer.send("x")
  await peer.read(1)
  peer.reset()
  t.match(await server.close(), { reason: "reset", code: "ECONNRESET", in: 1, out: 1 })
  t.equal((await exchange(t, server.port, Buffer.from("still there"))).toString(), "still there")
})

t.test("other people's clients", async (t) => {
  const path = `${tmp(t)}/s`
  const server = await echo(t, ["127.0.0.1:0", `unix:${path}`, "unix:@cq-echo-test"])
  const input = noise("clients", 200_000)
  await withProgram(t, "socat", async (socat) => {
    for (const to of [`TCP:127.0.0.1:${server.port}`, `UNIX:${path}`, "ABSTRACT:cq-echo-test"]) {
      const made = await run(t, socat, ["-t5", "-", to], { input: input.toString("hex") })
      t.equal(made.stdout, input.toString("hex"), `socat ${to}`)
    }
  })
  await withProgram(t, "ncat", async (ncat) => {
    for (const to of [
      ["127.0.0.1", `${server.port}`],
      ["-U", path],
    ]) {
      const made = await run(t, ncat, to, { input: input.toString("hex") })
      t.equal(made.stdout, input.toString("hex"), `ncat ${to.join(" ")}`)
    }
  })
})
