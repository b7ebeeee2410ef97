// The end of the stream: what is left comes first, eof() is true only when nothing is left, and after it
// every read says so again without an error.
import { constants } from "node:os"
import t from "tap"
import { errno } from "../../core/errno.js"
import { socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { everyCut } from "../support/chunks.js"
import { connectPeer } from "../support/nodepeer.js"
import { closing, failure, feed, latin, pair, poke, returning } from "./kit.js"

await census(t)

t.test("eof is false while bytes are left, and true when the end has been met and nothing is", async (t) => {
  await everyCut(
    t,
    "read(2)",
    "abcd",
    (p) =>
      feed(p, function* (con) {
        const seen: unknown[] = []
        for (;;) {
          seen.push(con.eof("r")[0])
          const [value] = yield* con.read(2)
          if (value === undefined) break
        }
        return [...seen, con.eof("r")[0]]
      }),
    [false, false, false, true],
  )
})

t.test("the end that is known beside buffered bytes is not told before they are read", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "ab\ncd")
  peer.shutdown("w")
  t.strictSame(await con.fill(100), [false, errno.EPIPE], "which meets the end")
  t.strictSame(con.eof(), [false, false])
  t.strictSame(await con.read("*l"), ["ab"])
  t.strictSame(con.eof("r"), [false])
  t.strictSame(await con.read("*l"), ["cd"])
  t.strictSame(await con.read("*l"), [undefined])
  t.strictSame(con.eof("r"), [true])
  t.strictSame(con.eof("rw"), [true, false])
  t.strictSame(con.eof("wr"), [false, true], "in the order asked")
})

t.test("a shutdown of one's own does not change eof until it is met", async (t) => {
  const [con] = pair(t)
  con.shutdown("rw")
  t.strictSame(con.eof(), [false, false])
  t.strictSame(await con.read(), [undefined])
  t.strictSame(con.eof("r"), [true])
  t.equal(await failure(() => con.write("x\n").then(() => con.flush())), "EPIPE")
  t.strictSame(con.eof(), [true, true])
})

t.test("the output has ended when the peer has gone", async (t) => {
  const [con, peer] = pair(t)
  peer.close()
  t.strictSame(con.eof(), [false, false], "which is not known before something is tried")
  await con.write("x\n")
  t.strictSame(await con.flush(), [false, errno.EPIPE])
  t.strictSame(con.eof("w"), [true])
})

t.test("every format says the end, again and again, and without an error", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "x")
  peer.shutdown("w")
  t.strictSame(await con.read("*a"), ["x"])
  for (const format of ["*l", "*L", "*h", "*H", 1, -1, 0, 100]) {
    for (let i = 0; i < 2; i++) t.strictSame(await con.read(format), [undefined], `${format}`)
    t.strictSame(await con.bytes.read(format), [undefined], `${format} as bytes`)
    t.strictSame(con.recv(format), [undefined, errno.EPIPE], `recv ${format}`)
  }
  t.strictSame(await con.read("*a"), [""], "*a never fails, as in Lua")
  t.strictSame(con.error(), [undefined, undefined])
})

t.test("the end of the stream is no end of a MIME part: it is an error after what is left", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "part\r\n--mar")
  peer.shutdown("w")
  let body = ""
  for (;;) {
    const [chunk, error] = await con.read("--mark")
    if (chunk === undefined) {
      t.equal(error, errno.EPIPE)
      break
    }
    body += chunk
  }
  t.equal(body, "part\n--mar")
  t.strictSame(con.recv("--mark"), [undefined, errno.EPIPE])
})

t.test("a CR at the end of the stream is data for every format", async (t) => {
  for (const format of ["*l", "*L", "*a", 2, 3, -3]) {
    const script = (p: Buffer[]) =>
      feed(p, function* (con) {
        let all = ""
        for (;;) {
          const [value] = yield* con.read(format)
          if (!value) return all
          all += value
        }
      })
    await everyCut(t, `${format}`, "a\r", script, "a\r")
    await everyCut(t, `${format} of CRs`, "\r\r", script, "\r\r")
  }
})

t.test("what is put back after the end is read, then comes the end again", async (t) => {
  const [con, peer] = pair(t)
  peer.close()
  t.strictSame(await con.read(), [undefined])
  t.strictSame(con.eof("r"), [true])
  con.unget("back\n")
  t.strictSame(con.eof("r"), [false])
  t.strictSame(await con.read(), ["back"])
  t.strictSame(await con.read(), [undefined])
  t.strictSame(con.eof("r"), [true])
})

t.test("a reset is an error and no end", async (t) => {
  const listener = closing(t, socket.listen("127.0.0.1", 0))
  await listener.listen()
  const [, , port] = listener.localname()
  const peer = await connectPeer(t, port as number)
  const [accepted] = await listener.accept()
  const con = returning(closing(t, accepted as NonNullable<typeof accepted>))
  await peer.send("left\n")
  t.strictSame(await con.read(), ["left"])
  const reading = Promise.resolve(con.read())
  peer.reset()
  t.strictSame(await reading, [undefined, errno.ECONNRESET])
  t.strictSame(con.eof("r"), [false])
  t.strictSame(con.error("r"), [constants.errno.ECONNRESET])
})

t.test("a binary stream that ends within a character gives its bytes", async (t) => {
  await everyCut(
    t,
    "*a",
    latin("a\xe2\x82"),
    (p) =>
      feed(p, function* (con) {
        return yield* con.read("*a")
      }),
    ["a\udce2\udc82"],
  )
})
