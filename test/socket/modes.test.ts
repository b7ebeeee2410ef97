// What is sent when: no, line and full buffering, flush and its modes, autoflush, and that what may wait
// for the end of the step waits no longer. The peer's descriptor is looked at past the socket.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { connectPeer } from "../support/nodepeer.js"
import { closing, failure, pair, peek, poke, returning, turn } from "./kit.js"

await census(t)

/** Runs writes in one coroutine and tells what the peer has before it looks, and after the step. */
function within(con: Socket, peer: Socket, data: string[]): { during: string; after: string } {
  const cq = cqueues.new()
  let during = ""
  cq.wrap(function* () {
    for (const item of data) yield* con.write(item)
    during = peek(peer) ?? ""
  })
  turn(cq, 2)
  cq.close()
  return { during, after: during + (peek(peer) ?? "") }
}

t.test("mode n sends with every write, at once", (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bn")
  t.strictSame(within(con, peer, ["a", "b\n", "c"]), { during: "ab\nc", after: "ab\nc" })
  t.strictSame(con.pending(), [0, 0])
  t.end()
})

t.test("mode l sends whole lines, at the end of the step at the latest", (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bl")
  t.equal(within(con, peer, ["a", "b"]).after, "")
  t.strictSame(con.pending(), [0, 2])
  t.equal(within(con, peer, ["c\nd\ne"]).after, "abc\nd\n")
  t.strictSame(con.pending(), [0, 1])
  t.equal(within(con, peer, ["\n"]).after, "e\n")
  t.end()
})

t.test("mode f sends when the buffer is full", (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bf")
  con.setvbuf("full", 10)
  t.equal(within(con, peer, ["a\n", "b\n"]).after, "")
  t.strictSame(con.pending(), [0, 4])
  const { after } = within(con, peer, ["0123456789"])
  t.ok(after.length >= 10, after)
  t.ok("a\nb\n0123456789".startsWith(after))
  t.end()
})

t.test("a full buffer of no limit sends nothing until it is flushed", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bf")
  con.setvbuf("full", -1)
  for (let i = 0; i < 10; i++) await con.write("x".repeat(20_000))
  t.equal(peek(peer), undefined)
  t.strictSame(con.pending(), [0, 200_000])
  const flushing = Promise.resolve(con.flush())
  let received = 0
  while (received < 200_000) {
    received += peek(peer)?.length ?? 0
    await cqueues.sleep(0)
  }
  t.strictSame(await flushing, [true])
})

t.test("line mode also sends when the buffer's size is reached without a line", (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bl")
  con.setbufsiz(undefined, 8)
  const { after } = within(con, peer, ["0123456789abcdef"])
  t.ok(after.length >= 8, after)
  t.end()
})

t.test("flush sends everything, at once", (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bf")
  const cq = cqueues.new()
  let during: string | undefined
  cq.wrap(function* () {
    yield* con.write("abc")
    t.strictSame(yield* con.flush(), [true])
    during = peek(peer)
  })
  turn(cq, 1)
  t.equal(during, "abc")
  cq.close()
  t.end()
})

t.test(
  "flush with a mode sends what that mode would: l lines, f what exceeds the buffer, n all",
  async (t) => {
    const [con, peer] = pair(t)
    con.setmode("b", "bf")
    await con.write("one\ntwo")
    t.strictSame(await con.flush("f"), [true])
    t.equal(peek(peer), undefined)
    t.strictSame(await con.flush(""), [true], "the configured mode")
    t.equal(peek(peer), undefined)
    t.strictSame(await con.flush("l"), [true])
    t.equal(peek(peer), "one\n")
    t.strictSame(await con.flush("n", 5), [true])
    t.equal(peek(peer), "two")
    await con.write("three")
    t.strictSame(await con.flush(5, "n"), [true], "in either order")
    t.equal(peek(peer), "three")
    await con.write("four")
    t.strictSame(await con.flush(5), [true])
    t.equal(peek(peer), "four")
    t.strictSame(await con.flush(), [true], "of nothing")
    t.equal(await failure(() => con.flush("x")), "TypeError")
  },
)

t.test("a read that has to wait sends first what is buffered, unless autoflush is off", (t) => {
  for (const [mode, wanted] of [
    ["bl", "prompt: "],
    ["bf", "prompt: "],
    ["bla", "prompt: "],
    ["blA", undefined],
  ] as const) {
    const [con, peer] = pair(t)
    con.setmode("b", mode)
    const cq = cqueues.new()
    let answer: string | undefined
    cq.wrap(function* () {
      yield* con.write("prompt: ")
      ;[answer] = yield* con.read()
    })
    turn(cq)
    t.equal(peek(peer), wanted, mode)
    poke(peer, "yes\n")
    turn(cq)
    t.equal(answer, "yes")
    cq.close()
  }
  t.end()
})

t.test("what is buffered goes out before a coroutine sleeps, polls or ends", (t) => {
  const [con, peer] = pair(t)
  const cq = cqueues.new()
  cq.wrap(function* () {
    yield* con.write("line\n")
    yield* cqueues.sleep(60)
  })
  cq.step(0).sync()
  turn(cq, 1)
  t.equal(peek(peer), "line\r\n")
  cq.close()
  const ended = cqueues.new()
  ended.wrap(function* () {
    yield* con.write("last\n")
  })
  ended.loop().sync()
  t.equal(peek(peer), "last\r\n", "after the loop has ended")
  ended.close()
  t.end()
})

t.test("what waits for the end of the step survives the controller's close", (t) => {
  const [con, peer] = pair(t)
  const cq = cqueues.new()
  cq.wrap(function* () {
    yield* con.write("line\n")
    throw new Error("ends the step")
  })
  cq.step(0).sync()
  cq.close()
  t.equal(peek(peer), "line\r\n")
  t.end()
})

t.test("await con.write sends a line without anything else being done", async (t) => {
  const listener = closing(t, socket.listen("127.0.0.1", 0))
  await listener.listen()
  const peer = await connectPeer(t, listener.localname()[2] as number)
  const [con] = (await listener.accept()) as [Socket]
  closing(t, con)
  await con.write("hello\n")
  t.equal((await peer.read(7)).toString(), "hello\r\n")
  con.write("sync\n").sync()
  t.equal((await peer.read(6)).toString(), "sync\r\n")
})

t.test("the error of a write that was sent later sticks and shows in the next", async (t) => {
  const [con, peer] = pair(t)
  returning(con)
  peer.close()
  t.strictSame(await con.write("a\n"), [con], "it is not known yet")
  await cqueues.sleep(0)
  t.strictSame(con.error(), [undefined, errno.EPIPE])
  t.strictSame(await con.write("b\n"), [undefined, errno.EPIPE])
  t.strictSame(await con.flush(), [false, errno.EPIPE])
  t.strictSame(con.clearerr("w"), [errno.EPIPE])
})

t.test("a change of the mode sends nothing and loses nothing", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bf")
  await con.write("a\nb")
  con.setmode(undefined, "n")
  t.strictSame(con.pending(), [0, 3])
  await con.write("c")
  t.equal(peek(peer), "a\nbc")
})

t.test("xwrite with mode n sends at once what was buffered too", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bf")
  await con.write("one ")
  await con.xwrite("two", "n")
  t.equal(peek(peer), "one two")
})
