// Writing: strings, numbers and bytes, little and much, to fast and slow readers.
import { createHash } from "node:crypto"
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { connectPeer, listenPeer } from "../support/nodepeer.js"
import { tmp } from "../support/tmp.js"
import { closing, failure, pair, peek, turn } from "./kit.js"

await census(t)

t.test("write takes strings, numbers and bytes, and gives the socket", async (t) => {
  const [con, peer] = pair(t)
  t.strictSame(await con.write("a", 1, 2.5, -0, Buffer.from("b"), new Uint8Array([99, 10])), [con])
  await con.flush()
  t.equal(peek(peer), "a12.50bc\n")
  t.strictSame(await con.write(), [con])
  t.strictSame(await con.write("", Buffer.alloc(0)), [con])
  t.strictSame(con.pending(), [0, 0])
})

t.test("writing no bytes sends nothing, whatever was sent before", async (t) => {
  const [con, peer] = pair(t)
  await con.write("secret\n")
  await con.flush()
  t.equal(peek(peer), "secret\r\n")
  await con.write(Buffer.alloc(0))
  t.strictSame(con.pending(), [0, 0])
  t.strictSame(await con.flush(), [true])
  t.equal(peek(peer), undefined)
  await con.write("next\n")
  await con.flush()
  t.equal(peek(peer), "next\r\n")
})

t.test("numbers are written as JavaScript prints them", async (t) => {
  const [con, peer] = pair(t)
  await con.write(1e21, " ", 0.1, " ", 123456789012)
  await con.flush()
  t.equal(peek(peer), "1e+21 0.1 123456789012")
})

t.test("in text mode the LF of a string becomes CRLF, everything else stays", async (t) => {
  const [con, peer] = pair(t)
  await con.write("a\nb\r\nc\r\n\n", Buffer.from("d\ne\r\n"))
  await con.flush()
  t.equal(peek(peer), "a\r\nb\r\r\nc\r\r\n\r\nd\ne\r\n")
  con.setmode(undefined, "b")
  await con.write("a\nb\r\n")
  await con.flush()
  t.equal(peek(peer), "a\nb\r\n")
})

t.test("xwrite takes the mode of one write alone", async (t) => {
  const [con, peer] = pair(t)
  t.strictSame(await con.xwrite("a\nb", "bn"), [con])
  t.equal(peek(peer), "a\nb")
  await con.write("a\n")
  await con.flush()
  t.equal(peek(peer), "a\r\n")
  t.strictSame(con.setmode(), ["t-", "tl"])
})

t.test("the bytes view writes strings as they are", async (t) => {
  const [con, peer] = pair(t)
  t.strictSame((await con.bytes.write("a\n\u20ac")).length, 1)
  await con.flush()
  t.equal(peek(peer), "a\n\xe2\x82\xac")
})

t.test("a view of a larger buffer writes its own bytes, small and large", async (t) => {
  const whole = Buffer.alloc(200_000, "0123456789")
  for (const [from, to] of [
    [3, 8],
    [11, 50_011],
  ] as const) {
    const [con, peer] = pair(t)
    await con.write(whole.subarray(from, to))
    await con.flush()
    t.equal(peek(peer), whole.toString("latin1", from, to))
  }
})

t.test("what is nothing to write is refused, and nothing of it is written", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bn")
  for (const data of [
    undefined,
    null,
    {},
    [1],
    true,
    new ArrayBuffer(1),
    new Uint16Array(1),
    1n,
    Symbol("x"),
  ])
    t.equal(await failure(() => con.write("before", data as string)), "TypeError", String(data))
  t.equal(peek(peer), undefined)
})

t.test("a write does nothing until it is waited for", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bn")
  const writing = con.write("x")
  t.equal(peek(peer), undefined)
  await writing
  t.equal(peek(peer), "x")
  await t.rejects(async () => await writing)
})

const MEGABYTES = 10

for (const kind of ["TCP", "UNIX"]) {
  t.test(`${MEGABYTES} MB of text and of bytes reach a slow reader over ${kind}`, async (t) => {
    const path = kind === "UNIX" ? `${tmp(t)}/s` : undefined
    const listener = closing(t, path ? socket.listen({ path }) : socket.listen("127.0.0.1", 0))
    await listener.listen()
    const peer = await connectPeer(t, path ?? (listener.localname()[2] as number))
    const [con] = (await listener.accept()) as [Socket]
    closing(t, con)
    con.setmode("b", "bf")
    const text = "0123456789\u20ac\ud83d\ude00\n".repeat((MEGABYTES << 20) / 18)
    const bytes = Buffer.alloc(MEGABYTES << 20, "any bytes \xff\0\r\n", "latin1")
    const wanted = createHash("sha1").update(text).update(bytes).update("end").digest("hex")
    const hash = createHash("sha1")
    const ended = new Promise<void>((resolve) => peer.socket.once("end", resolve))
    peer.socket.removeAllListeners("data")
    peer.socket.on("data", (chunk) => {
      hash.update(chunk)
      peer.socket.pause()
      setImmediate(() => peer.socket.resume())
    })
    t.strictSame(await con.write(text, bytes, "end"), [con])
    t.strictSame(await con.flush(), [true])
    con.shutdown("w")
    await ended
    t.equal(hash.digest("hex"), wanted)
    t.equal(con.stat().sent.count, Buffer.byteLength(text) + bytes.length + 3)
  })
}

t.test("a long text in text mode is translated in all its pieces", async (t) => {
  const listener = await listenPeer(t)
  const con = closing(t, socket.connect("127.0.0.1", listener.port))
  const text = `${"\n".repeat(20_000)}${"x\n".repeat(20_000)}\ud83d\ude00\n`.repeat(20)
  await con.write(text)
  con.shutdown("w")
  const peer = await listener.next()
  t.ok((await peer.collect()).equals(Buffer.from(text.replaceAll("\n", "\r\n"))))
})

t.test("many small writes arrive whole and in order", async (t) => {
  const listener = await listenPeer(t)
  const con = closing(t, socket.connect("127.0.0.1", listener.port))
  let wanted = ""
  for (let i = 0; i < 5000; i++) {
    await con.write(i, i % 3 ? "\n" : " ")
    wanted += `${i}${i % 3 ? "\r\n" : " "}`
  }
  con.shutdown("w")
  t.equal((await (await listener.next()).collect()).toString(), wanted)
})

t.test("a write to a reader that stands still holds the writer back, and memory with it", (t) => {
  const [con, peer] = pair(t)
  const cq = cqueues.new()
  const line = `${"x".repeat(99)}\n`
  let written = 0
  cq.wrap(function* () {
    for (; written < 50_000; written++) yield* con.write(line)
  })
  turn(cq, 200)
  t.ok(written < 20_000, `${written} lines were taken`)
  t.ok(con.pending()[1] < 1 << 20, `${con.pending()[1]} bytes are buffered`)
  let received = 0
  for (let i = 0; i < 100_000 && !cq.empty(); i++) {
    received += peek(peer)?.length ?? 0
    turn(cq, 1)
  }
  t.ok(cq.empty())
  for (let more = peek(peer); more !== undefined; more = peek(peer)) received += more.length
  t.equal(received + con.pending()[1], 50_000 * 101)
  cq.close()
  t.end()
})
