// send: a slice of a string or of bytes to the kernel at once, what of it was taken, and why no more.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import { census } from "../support/census.js"
import { latin, pair, peek, poke, turn } from "./kit.js"

await census(t)

t.test("send gives the count of bytes taken, without an error when that is all", (t) => {
  const [con, peer] = pair(t)
  t.strictSame(con.send("hello", 0, 5, "b"), [5])
  t.equal(peek(peer), "hello")
  t.strictSame(con.send(Buffer.from("world")), [5])
  t.equal(peek(peer), "world")
  t.strictSame(con.send(""), [0])
  t.strictSame(con.send("abc", 2, 2), [0])
  t.equal(peek(peer), undefined)
  t.end()
})

t.test("start and end count bytes from zero, the end is not included", (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "b")
  t.strictSame(con.send("0123456789", 2, 5), [3])
  t.strictSame(con.send("0123456789", 7), [3])
  t.strictSame(con.send(Buffer.from("0123456789"), 4, 6), [2])
  t.equal(peek(peer), "23478945")
  t.strictSame(con.send("a\u20acb", 1, 4), [3], "the bytes of one character")
  t.strictSame(con.send("a\u20acb", 2, 3), [1], "one of them")
  t.equal(peek(peer), "\xe2\x82\xac\x82")
  t.end()
})

t.test("a larger view's bytes outside of it stay where they are", (t) => {
  const [con, peer] = pair(t)
  const whole = Buffer.from("0123456789")
  t.strictSame(con.send(whole.subarray(3, 7), 1), [3])
  t.strictSame(con.send(new Uint8Array(whole.buffer, whole.byteOffset + 8, 2)), [2])
  t.equal(peek(peer), "45689")
  t.end()
})

t.test("in text mode a string's LF becomes CRLF and counts as one byte, bytes stay as they are", (t) => {
  const [con, peer] = pair(t)
  t.strictSame(con.send("a\nb\n"), [4])
  t.equal(peek(peer), "a\r\nb\r\n")
  t.strictSame(con.send(Buffer.from("a\nb\n")), [4])
  t.equal(peek(peer), "a\nb\n")
  t.strictSame(con.send("a\nb\n", 0, 4, "b"), [4])
  t.equal(peek(peer), "a\nb\n")
  t.strictSame(con.bytes.send("a\n"), [2], "the bytes view is binary")
  t.equal(peek(peer), "a\n")
  t.end()
})

t.test("to a peer that does not read: what fits is taken, then EAGAIN, and it goes on from there", (t) => {
  for (const data of [Buffer.alloc(3_000_000, "0123456789abcdef"), "0123456789abcdef".repeat(187_500)]) {
    const [con, peer] = pair(t)
    con.setmode("b", "b")
    const [first, error] = con.send(data)
    t.ok(first > 0 && first < data.length, `${first} taken`)
    t.equal(error, errno.EAGAIN)
    t.strictSame(con.send(data, first), [0, errno.EAGAIN])
    t.strictSame(con.error(), [undefined, undefined])
    let received = ""
    for (let at = first; received.length < data.length; ) {
      received += peek(peer) ?? ""
      at += con.send(data, at)[0]
    }
    t.ok(received === data.toString(), "everything came, in order, once")
  }
  t.end()
})

t.test("text with many lines to a peer that does not read is translated once", async (t) => {
  const [con, peer] = pair(t)
  const data = "line of text\n".repeat(100_000)
  let received = ""
  for (let at = 0; at < data.length; ) {
    const [taken] = con.send(data, at)
    at += taken
    received += peek(peer) ?? ""
  }
  await Promise.all([
    con.flush(),
    (async () => {
      while (con.pending()[1] > 0) {
        received += peek(peer) ?? ""
        await cqueues.sleep(0)
      }
    })(),
  ])
  for (let more = peek(peer); more !== undefined; more = peek(peer)) received += more
  t.equal(received.length, data.length + 100_000)
  t.ok(received === data.replaceAll("\n", "\r\n"))
})

t.test("send sends first what a write has left in the buffer", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bf")
  await con.write("one ")
  t.strictSame(con.send("two"), [3])
  t.equal(peek(peer), "one two")
  t.strictSame(con.pending(), [0, 0])
})

t.test("in every mode the system call is made at once", (t) => {
  for (const mode of ["n", "l", "f"]) {
    const [con, peer] = pair(t)
    con.setmode("b", `b${mode}`)
    t.strictSame(con.send("no line"), [7])
    t.equal(peek(peer), "no line", mode)
    t.strictSame(con.send("no line", 0, 7, mode), [7])
    t.equal(peek(peer), "no line", mode)
  }
  t.end()
})

t.test("to a peer that has gone it gives EPIPE and asks no handler", (t) => {
  const [con, peer] = pair(t)
  con.onerror(() => {
    throw new Error("asked")
  })
  peer.close()
  t.strictSame(con.send("x"), [0, errno.EPIPE])
  t.strictSame(con.send("x"), [0, errno.EPIPE])
  t.strictSame(con.eof("w"), [true])
  t.end()
})

t.test("send tells the error that sticks to the channel", (t) => {
  const [con, peer] = pair(t)
  con.seterror("w", errno.ECONNRESET)
  t.strictSame(con.send("x"), [0, errno.ECONNRESET])
  t.equal(peek(peer), undefined)
  con.clearerr("w")
  t.strictSame(con.send("x"), [1])
  t.end()
})

t.test("what is neither a string nor bytes is refused", (t) => {
  const [con] = pair(t)
  for (const data of [undefined, null, 5, {}, [1], new ArrayBuffer(3)])
    t.throws(() => con.send(data as unknown as string), TypeError, String(data))
  t.end()
})

t.test("send does not cut into a write that waits for its peer", (t) => {
  const [con, peer] = pair(t)
  const cq = cqueues.new()
  const data = Buffer.alloc(2_000_000, "x")
  let written = false
  cq.wrap(function* () {
    yield* con.write(data)
    yield* con.flush()
    written = true
  })
  turn(cq)
  let received = ""
  let sent = 0
  for (let i = 0; i < 10_000 && !(written && sent === 1); i++) {
    received += peek(peer, 10_000) ?? ""
    if (sent === 0) sent = con.send("!", 0, 1, "b")[0]
    turn(cq, 1)
  }
  for (let more = peek(peer); more !== undefined; more = peek(peer)) received += more
  t.equal(received.indexOf("!"), data.length)
  t.equal(received.length, data.length + 1)
  cq.close()
  t.end()
})

t.test("send after EAGAIN: the socket is polled until the peer has read", (t) => {
  const [con, peer] = pair(t)
  const cq = cqueues.new()
  const data = latin("x".repeat(1_000_000))
  let at = 0
  let polls = 0
  cq.wrap(function* () {
    while (at < data.length) {
      const [taken, error] = con.send(data, at)
      at += taken
      if (error === errno.EAGAIN) {
        polls++
        yield* cqueues.poll(con)
      }
    }
  })
  turn(cq, 10)
  t.equal(polls, 1, "and not before")
  poke(peer, "something to read is no room to write")
  turn(cq, 5)
  t.equal(polls, 1)
  let received = 0
  for (let i = 0; i < 1000 && received < data.length; i++) {
    received += peek(peer)?.length ?? 0
    turn(cq, 1)
  }
  t.equal(received, data.length)
  t.ok(cq.empty())
  cq.close()
  t.end()
})
