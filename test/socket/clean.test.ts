// Strings are 8-bit clean: any bytes survive being read as text and written again, and what is no part of
// valid UTF-8 comes as PEP 383 has it, byte by byte as U+DC80 to U+DCFF.
import t from "tap"
import type { Socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { everyCut } from "../support/chunks.js"
import { feed, latin, pair, peek, poke, randoms } from "./kit.js"

await census(t)

const binary = { setup: (con: Socket) => con.setmode("b") }

/** Characters as their code units in hexadecimal, for failures that can be read. */
const units = (text: string) =>
  Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16)).join(" ")

// What Python gives for bytes.decode("utf-8", "surrogateescape").
const decodings: [title: string, bytes: string, text: string][] = [
  ["ASCII", "a\0\x7f", "a\0\x7f"],
  ["two bytes, first and last", "\xc2\x80\xdf\xbf", "\u0080\u07ff"],
  ["three bytes, first and last", "\xe0\xa0\x80\xef\xbf\xbf", "\u0800\uffff"],
  ["around the surrogates", "\xed\x9f\xbf\xee\x80\x80", "\ud7ff\ue000"],
  ["four bytes, first and last", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\ud800\udc00\udbff\udfff"],
  ["a byte order mark", "\xef\xbb\xbfa", "\ufeffa"],
  ["noncharacters", "\xef\xb7\x90\xf0\x9f\xbf\xbe", "\ufdd0\ud83f\udffe"],
  ["the replacement character", "\xef\xbf\xbd", "\ufffd"],
  ["a lone continuation byte", "a\x80b\xbf", "a\udc80b\udcbf"],
  ["overlong two bytes", "\xc0\x80\xc1\xbf", "\udcc0\udc80\udcc1\udcbf"],
  ["overlong three bytes", "\xe0\x80\x80\xe0\x9f\xbf", "\udce0\udc80\udc80\udce0\udc9f\udcbf"],
  [
    "overlong four bytes",
    "\xf0\x80\x80\x80\xf0\x8f\xbf\xbf",
    "\udcf0\udc80\udc80\udc80\udcf0\udc8f\udcbf\udcbf",
  ],
  ["surrogates as CESU-8 has them", "\xed\xa0\x80\xed\xb0\x80", "\udced\udca0\udc80\udced\udcb0\udc80"],
  ["an escape itself, encoded", "\xed\xb2\x80", "\udced\udcb2\udc80"],
  ["beyond the last character", "\xf4\x90\x80\x80", "\udcf4\udc90\udc80\udc80"],
  ["bytes that begin nothing", "\xf5\xf8\xfb\xfc\xfe\xff", "\udcf5\udcf8\udcfb\udcfc\udcfe\udcff"],
  [
    "a character cut short by another",
    "\xe2\x82a\xf0\x9f\x98\xc3\xa9",
    "\udce2\udc82a\udcf0\udc9f\udc98\u00e9",
  ],
  ["a character cut short by the end", "a\xf0\x9f\x98", "a\udcf0\udc9f\udc98"],
  ["a start byte after a start byte", "\xc3\xc3\xa9\xc3", "\udcc3\u00e9\udcc3"],
]

for (const [title, bytes, text] of decodings) {
  t.test(`read and written again: ${title}`, async (t) => {
    for (const format of ["*a", "*l", "*L", 100]) {
      const script = (p: Buffer[]) =>
        feed(
          p,
          function* (con) {
            return units((yield* con.read(format))[0] ?? "")
          },
          binary,
        )
      await everyCut(t, `read ${format}`, latin(bytes), script, units(text))
    }
    const [con, peer] = pair(t)
    con.setmode("b", "bn")
    await con.write(text)
    t.equal(latin(peek(peer) ?? "").toString("hex"), latin(bytes).toString("hex"), "written")
    t.strictSame(con.send(text, 0, bytes.length), [bytes.length], "sent")
    t.equal(latin(peek(peer) ?? "").toString("hex"), latin(bytes).toString("hex"))
  })
}

t.test("any bytes survive being read as text and written, in binary mode", async (t) => {
  const [source, con] = pair(t)
  const [out, sink] = pair(t)
  con.setmode("b")
  out.setmode("b", "bf")
  const next = randoms(20_261_123)
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(Array.from({ length: 1 + (next() % 40) }, () => tricky(next)))
    poke(source, bytes)
    for (let left = bytes.length; left > 0; ) {
      const size = 1 + (next() % left)
      const [text, error] = await con.read(round % 3 === 0 ? -size : size)
      if (text === undefined) throw new Error(`${error}`)
      const before = out.pending()[1]
      await out.write(text)
      left -= out.pending()[1] - before
    }
    await out.flush()
    const found = latin(peek(sink) ?? "")
    if (!found.equals(bytes)) t.equal(found.toString("hex"), bytes.toString("hex"), `round ${round}`)
  }
  t.pass("2000 rounds")
})

t.test("any bytes survive line by line, in both directions of text mode but for their CRs", async (t) => {
  const next = randoms(7)
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(
      Array.from({ length: 200 }, () => (next() % 7 === 0 ? 10 : tricky(next))).filter((byte) => byte !== 13),
    )
    const [out, sink] = pair(t)
    feed([bytes.subarray(0, 77), bytes.subarray(77)], function* (con) {
      yield* con.lines("*L").each(function* (line) {
        yield* out.write(line)
      })
    })
    await out.flush()
    const found = (peek(sink) ?? "").replaceAll("\r\n", "\n")
    if (found !== bytes.toString("latin1")) t.equal(found, bytes.toString("latin1"), `round ${round}`)
    out.close()
    sink.close()
  }
  t.pass("300 rounds")
})

t.test("a lone surrogate that stands for no byte is written as U+FFFD, as Node does", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bn")
  await con.write("a\ud800b\udc7fc\udd00\udbff")
  t.equal(latin(peek(peer) ?? "").toString(), "a\ufffdb\ufffdc\ufffd\ufffd")
})

t.test("two strings that halve a surrogate pair are two strings", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bn")
  await con.write("\ud83d\ude00")
  t.equal(latin(peek(peer) ?? "").toString(), "\ud83d\ude00")
  await con.write("\udc80", "\udcff", "x")
  t.equal(peek(peer), "\x80\xffx")
})

t.test("unget puts text back as the bytes it stands for", async (t) => {
  const [con] = pair(t)
  con.setmode("b")
  con.unget("\udc80\u00e9\udcff\n")
  t.strictSame(con.pending(), [5, 0])
  t.strictSame(await con.bytes.read("*L"), [latin("\x80\xc3\xa9\xff\n")])
})

/** A byte, often one that UTF-8 or line ends care about. */
function tricky(next: () => number): number {
  const special = [
    0, 10, 13, 0x41, 0x80, 0xbf, 0xc2, 0xc3, 0xa9, 0xe0, 0xe2, 0xed, 0xa0, 0xf0, 0x9f, 0xf4, 0x8f, 0xff,
  ]
  return next() % 3 === 0 ? next() % 256 : (special[next() % special.length] ?? 0)
}
