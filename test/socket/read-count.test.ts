// Reading by count and to the end: numbers, negative numbers, zero, "*a"; several formats in one read; and
// what is no format. The input is cut at every byte.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import { socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { everyCut } from "../support/chunks.js"
import { every, everyBytes, failure, feed, latin, pair, poke, returning, turn } from "./kit.js"

await census(t)

const binary = { setup: (con: { setmode(input: string): unknown }) => con.setmode("b") }

t.test("a number reads that many bytes, and at the end what is left", async (t) => {
  const input = "abcdefgh"
  const wanted = ["abc", "def", "gh"]
  await everyCut(t, "text", input, (p) => feed(p, (con) => every(con, 3)), wanted)
  await everyCut(t, "binary", input, (p) => feed(p, (con) => every(con, 3), binary), wanted)
  await everyCut(t, "bytes", input, (p) => feed(p, (con) => everyBytes(con, 3)), wanted)
})

t.test("in text mode a number counts what it gives: a CRLF is one", async (t) => {
  const wanted = ["ab\n", "cd\n", "\ne\r", "f\n\r"]
  await everyCut(t, "read(3)", "ab\r\ncd\r\n\r\ne\rf\n\r", (p) => feed(p, (con) => every(con, 3)), wanted)
})

t.test("in binary mode a number counts bytes and leaves CRLF alone", async (t) => {
  const input = latin("a\r\n\r\n\x80\xff\r")
  const wanted = ["a\r", "\n\r", "\n\x80", "\xff\r"]
  await everyCut(t, "bytes", input, (p) => feed(p, (con) => everyBytes(con, 2)), wanted)
  const escaped = ["a\r", "\n\r", "\n\udc80", "\udcff\r"]
  await everyCut(t, "binary", input, (p) => feed(p, (con) => every(con, 2), binary), escaped)
})

t.test("a number that ends within a character gives its bytes one by one, escaped", async (t) => {
  await everyCut(t, "read(2)", "a\u20ac\ud83d\ude00", (p) => feed(p, (con) => every(con, 2)), [
    "a\udce2",
    "\udc82\udcac",
    "\udcf0\udc9f",
    "\udc98\udc80",
  ])
})

t.test("a number that is satisfied does not wait for what follows a CR", (t) => {
  const got = feed(
    [latin("ab\r")],
    function* (con) {
      return yield* con.read(2)
    },
    { eof: false },
  )
  t.strictSame(got, ["ab"])
  t.end()
})

t.test("a CR that ends what is asked for waits for its LF or the end of the stream", async (t) => {
  const script = (p: Buffer[]) => feed(p, (con) => every(con, 3))
  await everyCut(t, "followed by LF", "ab\r\nc", script, ["ab\n", "c"])
  await everyCut(t, "followed by something else", "ab\rc", script, ["ab\r", "c"])
  await everyCut(t, "followed by the end", "ab\r", script, ["ab\r"])
})

t.test(
  "a negative number gives what there is, at most that much, and waits only for the first",
  async (t) => {
    t.strictSame(
      feed([latin("ab"), latin("cdefgh")], (con) => every(con, -4)),
      ["ab", "cdef", "gh"],
    )
    t.strictSame(
      feed([latin("ab\r\n"), latin("\r\n")], (con) => every(con, -9)),
      ["ab\n", "\n"],
    )
    t.strictSame(
      feed([latin("ab\r\n")], (con) => every(con, -9), binary),
      ["ab\r\n"],
    )
    t.strictSame(
      feed([latin("ab\r"), latin("\ncd")], (con) => every(con, -9)),
      ["ab", "\ncd"],
    )
    t.strictSame(
      feed([latin("ab\r"), latin("cd\r")], (con) => every(con, -9)),
      ["ab", "\rcd", "\r"],
    )
    const together = (p: Buffer[]) => feed(p, (con) => every(con, -3)).join("")
    await everyCut(t, "all of it comes", "a\r\nbc\r\r\nd\r", together, "a\nbc\r\nd\r")
    const bytes = (p: Buffer[]) => feed(p, (con) => everyBytes(con, -3)).join("")
    await everyCut(t, "all of it comes as bytes", "a\r\nbc\r\r\nd\r", bytes, "a\r\nbc\r\r\nd\r")
  },
)

t.test("zero reads nothing, and tells the end of the stream from data", async (t) => {
  await everyCut(
    t,
    "read(0)",
    "ab\n",
    (p) =>
      feed(p, function* (con) {
        yield* con.read(1)
        const within = yield* con.read(0)
        const rest = yield* con.read("*l")
        return [within, rest, yield* con.read(0)]
      }),
    [[""], ["b"], [undefined]],
  )
})

t.test("*a reads to the end of the stream", async (t) => {
  for (const format of ["*a", "a"]) {
    const script = (p: Buffer[]) =>
      feed(p, function* (con) {
        return yield* con.read(format)
      })
    await everyCut(t, format, "a\r\nb\rc\n\xe9\r", script, ["a\nb\rc\n\xe9\r"])
    const asBytes = (p: Buffer[]) =>
      feed(p, function* (con) {
        return yield* con.bytes.read(format)
      })
    await everyCut(t, `${format} bytes`, "a\r\nb\rc\n\r", asBytes, [Buffer.from("a\r\nb\rc\n\r")])
  }
})

t.test("*a is no line and knows no line limit and no buffer size", (t) => {
  const input = Buffer.alloc(300_000, "0123456789abcdef")
  const got = feed(
    [input.subarray(0, 70_000), input.subarray(70_000, 140_000), input.subarray(140_000)],
    function* (con) {
      con.setmaxline(16)
      con.setbufsiz(16)
      return yield* con.read("*a")
    },
  )
  t.ok(got[0] === input.toString(), "300000 bytes")
  t.end()
})

t.test("a number may be larger than the input buffer and the line limit", (t) => {
  const input = Buffer.alloc(100_000, "0123456789abcdef")
  const got = feed([input.subarray(0, 50_000), input.subarray(50_000)], function* (con) {
    return [yield* con.read(99_999), yield* con.read(99_999)]
  })
  t.ok(got[0]?.[0] === input.toString("latin1", 0, 99_999))
  t.strictSame(got[1], ["f"])
  t.end()
})

t.test("several formats in one read give one value each", async (t) => {
  await everyCut(
    t,
    "text",
    "one\r\ntwo\r\n12345rest\r\nall\r\nthe rest",
    (p) =>
      feed(p, function* (con) {
        return yield* con.read("*l", "*L", 5, "l", "*a")
      }),
    ["one", "two\n", "12345", "rest", "all\nthe rest"],
  )
  await everyCut(
    t,
    "bytes",
    "one\r\n12345two",
    (p) =>
      feed(p, function* (con) {
        return yield* con.bytes.read("*l", 5, "*L")
      }),
    [Buffer.from("one\r"), Buffer.from("12345"), Buffer.from("two")],
  )
})

t.test("from the first format that fails the values are undefined, and the end is no error", async (t) => {
  await everyCut(
    t,
    "*l *l 5 *l",
    "one\ntwo",
    (p) =>
      feed(p, function* (con) {
        return yield* con.read("*l", "*l", 5, "*l")
      }),
    ["one", "two", undefined, undefined],
  )
})

t.test("an error comes after the values of all formats", async (t) => {
  const [con, peer] = pair(t)
  returning(con)
  con.settimeout(0)
  poke(peer, "one\ntwo")
  t.strictSame(await con.read("*l", "*l", 5), ["one", undefined, undefined, errno.ETIMEDOUT])
  con.clearerr()
  t.strictSame(await con.read(3), ["two"], "what had arrived is still there")
})

t.test("what is no format is refused, and nothing is read", async (t) => {
  const [con, peer] = pair(t)
  peer.write("one\n").sync()
  peer.flush().sync()
  t.match(await failure(() => con.read("*n")), /Error$/)
  await t.rejects(async () => await con.read("*n"), /unsupported|not supported/i)
  for (const format of ["*x", "", "*", "lines", Number.NaN, 1.5, null, {}, true]) {
    t.equal(await failure(() => con.read(format as string)), "TypeError", `read(${format})`)
    t.equal(await failure(() => con.read("*l", format as string)), "TypeError", `read("*l", ${format})`)
    t.throws(() => con.recv(format as string), TypeError, `recv(${format})`)
    t.throws(() => con.lines(format as string), TypeError, `lines(${format})`)
  }
  t.strictSame(await con.read("*l"), ["one"])
})

t.test("many reads of what is buffered are one kernel read", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "a\nb\nc\n")
  t.strictSame(await con.read("*l"), ["a"])
  t.strictSame(con.pending(), [4, 0])
  t.strictSame([await con.read("*l"), await con.read("*l")], [["b"], ["c"]])
})

t.test("a read that waits holds the controller for nobody else", (t) => {
  const cq = cqueues.new()
  const [con, peer] = pair(t)
  const order: string[] = []
  cq.wrap(function* () {
    order.push(`read ${(yield* con.read("*l"))[0]}`)
  })
  cq.wrap(function* () {
    yield* cqueues.sleep(0)
    order.push("write")
    yield* peer.write("x\n")
  })
  turn(cq, 6)
  t.strictSame(order, ["write", "read x"])
  t.ok(cq.empty())
  cq.close()
  t.equal(socket.type(con), "socket")
  t.end()
})
