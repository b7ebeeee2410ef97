// The line limit: a line that is longer comes in pieces of that size, as if the stream had ended there, and
// nothing beyond it is waited for; written lines are sent at the latest at this length.
import t from "tap"
import { socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { everyCut } from "../support/chunks.js"
import { every, everyBytes, feed, latin, pair, peek, poke } from "./kit.js"

await census(t)

const limit = (size: number, mode = "t") => ({
  setup(con: { setmaxline(size: number): unknown; setmode(mode: string): unknown }) {
    con.setmaxline(size)
    con.setmode(mode)
  },
})

t.test("a line longer than the limit comes in pieces of it, a shorter one whole", async (t) => {
  const input = "123456789\n12\n1234\n12345\n"
  const pieces = ["1234", "5678", "9", "12", "1234", "", "1234", "5"]
  await everyCut(t, "*l", input, (p) => feed(p, (con) => every(con, "*l"), limit(4)), pieces)
  const kept = ["1234", "5678", "9\n", "12\n", "1234", "\n", "1234", "5\n"]
  await everyCut(t, "*L", input, (p) => feed(p, (con) => every(con, "*L"), limit(4)), kept)
  await everyCut(t, "*L binary", input, (p) => feed(p, (con) => every(con, "*L"), limit(4, "b")), kept)
  await everyCut(t, "*L bytes", input, (p) => feed(p, (con) => everyBytes(con, "*L"), limit(4)), kept)
})

t.test("the end of the line counts towards the limit", async (t) => {
  await everyCut(t, "*L", "123\n123\n", (p) => feed(p, (con) => every(con, "*L"), limit(4)), [
    "123\n",
    "123\n",
  ])
})

t.test("pieces lose no byte where the limit falls between CR and LF", async (t) => {
  const together = (format: string) => (p: Buffer[]) =>
    feed(p, (con) => every(con, format), limit(4))
      .join("")
      .replaceAll("\r\n", "\n")
  await everyCut(t, "*L", "123\r\nab\r\nabc\r\na\rb\r\n", together("*L"), "123\nab\nabc\na\rb\n")
  const bytes = (p: Buffer[]) => feed(p, (con) => everyBytes(con, "*L"), limit(4)).join("")
  await everyCut(t, "bytes", "123\r\nab\r\nabc\r\n\r\r\r\n", bytes, "123\r\nab\r\nabc\r\n\r\r\r\n")
})

t.test("a piece may end within a character, and no byte is lost", async (t) => {
  const input = "\u00e9\u20ac\ud83d\ude00\u20ac\n"
  const wanted = Buffer.from(input).toString("hex")
  const script = (p: Buffer[]) =>
    feed(
      p,
      function* (con) {
        const [copy, end] = pair(t)
        copy.setmode("b", "b")
        for (const piece of yield* every(con, "*L")) yield* copy.write(piece ?? "")
        yield* copy.flush()
        const hex = latin(peek(end) ?? "").toString("hex")
        copy.close()
        end.close()
        return hex
      },
      limit(4),
    )
  await everyCut(t, "written again", input, script, wanted)
})

t.test("a piece at the limit is given without waiting for what follows", (t) => {
  const script = function* (con: Parameters<typeof every>[0]) {
    return [yield* con.read("*l"), yield* con.read("*l")]
  }
  const got = feed([latin("1234"), latin("5678")], script, { ...limit(4), eof: false })
  t.strictSame(got, [["1234"], ["5678"]])
  t.end()
})

t.test("by default a line has 4096 bytes", (t) => {
  const line = "x".repeat(10_000)
  const lines = feed([latin(`${line}\n`)], (con) => every(con, "*l"))
  t.strictSame(
    lines.map((piece) => piece?.length),
    [4096, 4096, 1808],
  )
  t.end()
})

t.test("a limit of -1 is none", (t) => {
  const line = "x".repeat(100_000)
  const lines = feed(
    [latin(line.slice(0, 60_000)), latin(`${line.slice(60_000)}\n`)],
    (con) => every(con, "*l"),
    limit(-1),
  )
  t.strictSame(
    lines.map((piece) => piece?.length),
    [100_000],
  )
  t.end()
})

t.test("a limit of 0 for what is read is refused, for it would give empty pieces for ever", (t) => {
  const [con] = pair(t)
  t.throws(() => con.setmaxline(0), RangeError)
  t.throws(() => con.setmaxline(0, 5), RangeError)
  t.throws(() => socket.setmaxline(0), RangeError)
  t.strictSame(con.setmaxline(undefined, 0), [4096, 4096])
  t.strictSame(con.setmaxline(1), [4096, 0])
  t.end()
})

t.test("the limit holds however much has been buffered before", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "123456789\n")
  await con.fill(10)
  con.setmaxline(4)
  t.strictSame([await con.read(), await con.read(), await con.read()], [["1234"], ["5678"], ["9"]])
})

t.test("the input never buffers without bound", (t) => {
  const most = feed([latin("x".repeat(200_000))], function* (con) {
    let most = 0
    for (;;) {
      const [piece] = yield* con.read("*l")
      if (piece === undefined) return most
      most = Math.max(most, con.pending()[0])
    }
  })
  t.ok(most <= 65_536, `${most} bytes were buffered`)
  t.end()
})

t.test("a written line longer than the limit is sent at the limit", async (t) => {
  const [con, peer] = pair(t)
  con.setmaxline(undefined, 8)
  await con.write("1234567890abcdefXY")
  const sent = peek(peer) ?? ""
  t.ok(sent.length >= 16, sent)
  await con.flush()
  t.equal(sent + (peek(peer) ?? ""), "1234567890abcdefXY")
})

t.test("by default a written line is held back up to 4096 bytes", async (t) => {
  const [con, peer] = pair(t)
  await con.write("x".repeat(4095))
  t.equal(peek(peer), undefined)
  t.strictSame(con.pending(), [0, 4095])
  await con.write("x".repeat(10))
  t.ok(Number(peek(peer)?.length) >= 4096)
  await con.flush()
})
