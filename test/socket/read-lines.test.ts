// Reading lines: "*l" and "*L", in text and binary mode and as bytes, the input cut at every byte.
import t from "tap"
import { census } from "../support/census.js"
import { everyCut } from "../support/chunks.js"
import { escaped, every, everyBytes, feed, latin, pair } from "./kit.js"

await census(t)

const binary = { setup: (con: { setmode(input: string): unknown }) => con.setmode("b") }

const cases: [title: string, input: string, trimmed: string[], kept: string[]][] = [
  ["lines", "one\ntwo\n", ["one", "two"], ["one\n", "two\n"]],
  ["lines that end in CRLF", "one\r\ntwo\r\n", ["one", "two"], ["one\n", "two\n"]],
  ["empty lines", "\n\r\n\n", ["", "", ""], ["\n", "\n", "\n"]],
  ["a last line without its end", "one\ntwo", ["one", "two"], ["one\n", "two"]],
  ["a CR within a line, which stays", "o\rne\n\rtwo\r\r\n", ["o\rne", "\rtwo\r"], ["o\rne\n", "\rtwo\r\n"]],
  ["a CR at the end of the stream, which stays", "one\r", ["one\r"], ["one\r"]],
  ["a lone CR", "\r", ["\r"], ["\r"]],
  ["a CRLF and a CR", "\r\n\r", ["", "\r"], ["\n", "\r"]],
  ["NUL bytes and control characters", "a\0b\n\x01\x7f\n", ["a\0b", "\x01\x7f"], ["a\0b\n", "\x01\x7f\n"]],
  [
    "UTF-8",
    "h\u00e9\n\u20ac\ud83d\ude00\n",
    ["h\u00e9", "\u20ac\ud83d\ude00"],
    ["h\u00e9\n", "\u20ac\ud83d\ude00\n"],
  ],
]

for (const [title, input, trimmed, kept] of cases) {
  t.test(`text mode reads ${title}`, async (t) => {
    for (const format of ["*l", "l"]) {
      await everyCut(t, format, input, (pieces) => feed(pieces, (con) => every(con, format)), trimmed)
    }
    for (const format of ["*L", "L"]) {
      await everyCut(t, format, input, (pieces) => feed(pieces, (con) => every(con, format)), kept)
    }
  })
}

const untouched: [title: string, input: string, kept: string[]][] = [
  ["LF", "one\ntwo\n", ["one\n", "two\n"]],
  ["CRLF", "one\r\n\r\ntwo", ["one\r\n", "\r\n", "two"]],
  ["CR", "o\rne\n\r\r\n\r", ["o\rne\n", "\r\r\n", "\r"]],
  ["any byte", "\x80\xff\xc3\n\xc3\xa9", ["\x80\xff\xc3\n", "\xc3\xa9"]],
]

for (const [title, input, kept] of untouched) {
  t.test(`binary mode and bytes leave ${title} alone`, async (t) => {
    const bytes = latin(input)
    const trimmed = kept.map((line) => line.replace(/\n$/, ""))
    const utf8 = (lines: string[]) => lines.map((line) => escaped(latin(line)))
    await everyCut(t, "*L binary", bytes, (p) => feed(p, (con) => every(con, "*L"), binary), utf8(kept))
    await everyCut(t, "*l binary", bytes, (p) => feed(p, (con) => every(con, "*l"), binary), utf8(trimmed))
    await everyCut(t, "*L bytes", bytes, (p) => feed(p, (con) => everyBytes(con, "*L")), kept)
    await everyCut(t, "*l bytes", bytes, (p) => feed(p, (con) => everyBytes(con, "*l")), trimmed)
  })
}

t.test("reading without a format reads a line without its end", async (t) => {
  await everyCut(
    t,
    "read()",
    "one\r\ntwo",
    (pieces) =>
      feed(pieces, function* (con) {
        return [yield* con.read(), yield* con.read(), yield* con.read()]
      }),
    [["one"], ["two"], [undefined]],
  )
})

t.test("a line is given as soon as it is there, though the stream goes on", async (t) => {
  await everyCut(
    t,
    "*l",
    "one\r\ntwo",
    (pieces) =>
      feed(
        pieces,
        function* (con) {
          return yield* con.read("*l")
        },
        { eof: false },
      ),
    ["one"],
  )
})

t.test("the end of the stream is no error, and stays", async (t) => {
  const [con, peer] = pair(t)
  peer.close()
  for (let i = 0; i < 3; i++) t.strictSame(await con.read("*l"), [undefined])
  t.strictSame(con.error(), [undefined, undefined])
})

t.test("a mode set between two reads holds from there on, for what is buffered too", async (t) => {
  const input = "one\r\ntwo\r\nthree\r\n"
  await everyCut(
    t,
    "*L",
    input,
    (pieces) =>
      feed(pieces, function* (con) {
        const first = yield* con.read("*L")
        con.setmode("b")
        const second = yield* con.read("*L")
        con.setmode("t")
        return [first, second, yield* con.read("*L")]
      }),
    [["one\n"], ["two\r\n"], ["three\n"]],
  )
})

t.test("xread takes the mode of one read alone", async (t) => {
  await everyCut(
    t,
    "*L",
    "one\r\ntwo\r\nthree\r\n",
    (pieces) =>
      feed(pieces, function* (con) {
        return [yield* con.xread("*L", "b"), yield* con.xread("*L"), yield* con.xread("*l", "t")]
      }),
    [["one\r\n"], ["two\n"], ["three"]],
  )
})

t.test("the bytes of a socket and the socket share their buffer", async (t) => {
  await everyCut(
    t,
    "in turns",
    "one\r\ntwo\r\nthree\r\n",
    (pieces) =>
      feed(pieces, function* (con) {
        const [first] = yield* con.read("*L")
        const [second] = yield* con.bytes.read("*L")
        const [third] = yield* con.read("*L")
        return [first, second, third]
      }),
    ["one\n", Buffer.from("two\r\n"), "three\n"],
  )
})
