// The input buffer by hand: unget, fill, pending, and recv, which never waits and never asks the error handler.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import { census } from "../support/census.js"
import { everyCut } from "../support/chunks.js"
import { failure, feed, latin, pair, peek, poke, returning, turn } from "./kit.js"

await census(t)

t.test("unget puts data before what is buffered, the last first", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "tail\n")
  await con.fill(5)
  t.equal(con.unget("two "), true)
  t.equal(con.unget(Buffer.from("one ")), true)
  t.strictSame(con.pending(), [13, 0])
  t.strictSame(await con.read("*L"), ["one two tail\n"])
})

t.test("unget works before anything has arrived, and beyond the buffer's size", async (t) => {
  const [con, peer] = pair(t)
  const long = "x".repeat(50_000)
  con.unget("\n")
  con.unget(long)
  con.setmaxline(-1)
  t.strictSame(await con.read("*l"), [long])
  poke(peer, "next\n")
  t.strictSame(await con.read("*l"), ["next"])
  con.unget("")
  t.strictSame(con.pending(), [0, 0])
})

t.test("unget of text is translated when it is read again, not before", async (t) => {
  const [con] = pair(t)
  con.unget("a\r\nb\n")
  t.strictSame(await con.read("*L"), ["a\n"])
  con.unget("a\r\n")
  t.strictSame(await con.bytes.read("*L"), [Buffer.from("a\r\n")])
  t.strictSame(await con.read("*L"), ["b\n"])
})

t.test("what was read and put back is read the same, however it arrived", async (t) => {
  await everyCut(
    t,
    "round trip",
    "one\ntwo\nthree\n",
    (p) =>
      feed(p, function* (con) {
        const found: (string | undefined)[] = []
        for (let i = 0; i < 3; i++) {
          const [line] = yield* con.read("*L")
          con.unget(line ?? "")
          found.push((yield* con.read("*l"))[0])
        }
        return found
      }),
    ["one", "two", "three"],
  )
})

t.test("a reader that waits is not disturbed by unget, and finds it with what comes", async (t) => {
  const [con, peer] = pair(t)
  const reading = Promise.resolve(con.read("*l"))
  await cqueues.sleep(0)
  con.unget("un")
  poke(peer, "got\n")
  t.strictSame(await reading, ["ungot"])
})

t.test("fill waits until that much is buffered, and takes nothing", async (t) => {
  await everyCut(
    t,
    "fill(5)",
    "abcdefg",
    (p) =>
      feed(p, function* (con) {
        const result = yield* con.fill(5)
        const enough = con.pending()[0] >= 5
        return [result, enough, yield* con.read("*a")]
      }),
    [[true], true, ["abcdefg"]],
  )
})

t.test("fill of what is there already, or of nothing, is done at once", async (t) => {
  const [con, peer] = pair(t)
  t.strictSame(await con.fill(0), [true])
  poke(peer, "abc")
  t.strictSame(await con.fill(3), [true])
  t.strictSame(await con.fill(2, 0), [true])
})

t.test("fill counts bytes as they came", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "\r\n\u20ac")
  t.strictSame(await con.fill(5, 1), [true])
  t.strictSame(con.pending(), [5, 0])
})

t.test("fill beyond the end of the stream is EPIPE, and what there is stays", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "abc")
  peer.shutdown("w")
  t.strictSame(await con.fill(4), [false, errno.EPIPE])
  t.strictSame(con.error(), [undefined, undefined], "which is no error of the channel")
  t.strictSame(await con.read("*a"), ["abc"])
})

t.test("fill may exceed the buffer's size, and times out like a read", async (t) => {
  const [con, peer] = pair(t)
  con.setbufsiz(16)
  poke(peer, "x".repeat(5000))
  t.strictSame(await con.fill(5000), [true])
  t.strictSame(await con.fill(5001, 0.01), [false, errno.ETIMEDOUT])
  con.clearerr()
  t.equal((await con.read(5000))[0]?.length, 5000)
})

t.test("fill of what is no count is refused", async (t) => {
  const [con] = pair(t)
  for (const size of [Number.NaN, 1.5, "5", undefined, null])
    t.match(await failure(() => con.fill(size as number)), /^(Type|Range)Error$/, `fill(${size})`)
})

t.test("pending counts what is buffered here, not what the kernel holds", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "one\ntwo\n")
  t.strictSame(con.pending(), [0, 0])
  await con.read()
  t.strictSame(con.pending(), [4, 0])
  await con.write("abc")
  t.strictSame(con.pending(), [4, 3])
  await con.flush()
  t.strictSame(con.pending(), [4, 0])
  await con.write("\u20ac\n")
  await con.flush()
  t.equal(peek(peer), "abc\xe2\x82\xac\r\n")
})

t.test("recv gives what there is at once, else EAGAIN, at the end EPIPE", (t) => {
  const [con, peer] = pair(t)
  t.strictSame(con.recv("*l"), [undefined, errno.EAGAIN])
  poke(peer, "one\r\nrest")
  t.strictSame(con.recv("*l"), ["one"])
  t.strictSame(con.recv("*l"), [undefined, errno.EAGAIN], "a line that is not whole")
  t.strictSame(con.recv(2), ["re"])
  t.strictSame(con.recv(-10), ["st"])
  t.strictSame(con.recv(-10), [undefined, errno.EAGAIN])
  poke(peer, "last")
  peer.shutdown("w")
  t.strictSame(con.recv("*a"), ["last"])
  t.strictSame(con.recv("*l"), [undefined, errno.EPIPE])
  t.strictSame(con.recv(1), [undefined, errno.EPIPE])
  t.end()
})

t.test("recv without a format takes a line, with a mode that mode", (t) => {
  const [con, peer] = pair(t)
  poke(peer, "one\r\ntwo\r\nthree\r\n")
  t.strictSame(con.recv(), ["one"])
  t.strictSame(con.recv("*L", "b"), ["two\r\n"])
  t.strictSame(con.recv("*L"), ["three\n"])
  poke(peer, "\xff\r\n")
  t.strictSame(con.bytes.recv("*L"), [Buffer.from("\u00ff\r\n")])
  t.end()
})

t.test("recv is cut anywhere and loses nothing", async (t) => {
  await everyCut(
    t,
    "*L by hand",
    "one\r\n\r\ntwo",
    (p) =>
      feed(p, function* (con) {
        const found: (string | undefined)[] = []
        for (;;) {
          const [line, error] = con.recv("*L")
          if (line !== undefined) found.push(line)
          else if (error === errno.EPIPE) return found
          else yield* cqueues.poll(con)
        }
      }),
    ["one\n", "\n", "two"],
  )
})

t.test("recv never asks the error handler, and leaves no error behind", async (t) => {
  const [con, peer] = pair(t)
  con.onerror(() => {
    throw new Error("asked")
  })
  t.strictSame(con.recv(), [undefined, errno.EAGAIN])
  peer.close()
  t.strictSame(con.recv(), [undefined, errno.EPIPE])
  t.strictSame(con.error(), [undefined, undefined])
})

t.test("recv tells the error that sticks to the channel", (t) => {
  const [con, peer] = pair(t)
  con.onerror(() => {
    throw new Error("asked")
  })
  poke(peer, "one\n")
  con.seterror("r", errno.ECONNRESET)
  t.strictSame(con.recv(), [undefined, errno.ECONNRESET])
  con.clearerr("r")
  t.strictSame(con.recv(), ["one"])
  t.end()
})

t.test("a socket with buffered input is ready when it is polled", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "one\ntwo\n")
  await con.read()
  t.strictSame(await cqueues.poll(con, 5), [con])
  await con.read()
  t.strictSame(await cqueues.poll(con, 0), [0])
})

t.test("after EAGAIN the socket is polled for what was missing, though part of it is there", (t) => {
  const cq = cqueues.new()
  const [con, peer] = pair(t)
  let polls = 0
  let line: string | undefined
  poke(peer, "part")
  cq.wrap(function* () {
    for (;;) {
      ;[line] = con.recv("*l")
      if (line !== undefined) return
      polls++
      yield* cqueues.poll(con)
    }
  })
  turn(cq, 10)
  t.equal(polls, 1, "it does not turn round and round")
  poke(peer, " whole\n")
  turn(cq, 3)
  t.equal(line, "part whole")
  t.ok(polls <= 2)
  cq.close()
  t.end()
})

t.test("events tells what recv and send wait for, clear forgets it", (t) => {
  const [con] = pair(t)
  con.setmode("b", "bn")
  t.equal(con.events(), "r")
  const data = latin("x".repeat(1 << 20))
  while (con.send(data)[1] !== errno.EAGAIN);
  t.equal(con.events(), "w")
  con.recv()
  t.equal([...con.events()].sort().join(""), "rw")
  con.clear()
  t.equal(con.events(), "r")
  t.end()
})

t.test("errors of a read that was tried are told by the next operation too, until cleared", async (t) => {
  const [con] = pair(t)
  returning(con)
  t.strictSame(await con.xread("*l", undefined, 0), [undefined, errno.ETIMEDOUT])
  t.strictSame(con.error(), [errno.ETIMEDOUT, undefined])
  t.strictSame(await con.fill(1, 60), [false, errno.ETIMEDOUT])
  t.strictSame(con.clearerr(), [errno.ETIMEDOUT, undefined])
})
