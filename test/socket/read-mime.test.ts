// Reading MIME headers ("*h" unfolds them, "*H" keeps their line ends) and the parts of a multipart body
// ("--marker"), the input cut at every byte.
import t from "tap"
import { census } from "../support/census.js"
import { everyCut } from "../support/chunks.js"
import { every, everyBytes, feed, latin } from "./kit.js"

await census(t)

/** All headers, then the rest of the stream as it is. */
const headers =
  (format: string, mode = "t") =>
  (pieces: Buffer[]) =>
    feed(
      pieces,
      function* (con) {
        const found = yield* every(con, format)
        return [found, (yield* con.bytes.read("*a"))[0]?.toString("latin1") ?? ""]
      },
      { setup: (con) => con.setmode(mode) },
    )

t.test("headers are read one by one, up to the empty line, which stays", async (t) => {
  const input = "Host: example\r\nAccept: */*\r\nEmpty:\r\n\r\nbody\r\n"
  const unfolded = ["Host: example", "Accept: */*", "Empty:"]
  for (const format of ["*h", "h"])
    await everyCut(t, format, input, headers(format), [unfolded, "\r\nbody\r\n"])
  for (const format of ["*H", "H"]) {
    await everyCut(t, format, input, headers(format), [unfolded.map((h) => `${h}\n`), "\r\nbody\r\n"])
    const kept = [unfolded.map((h) => `${h}\r\n`), "\r\nbody\r\n"]
    await everyCut(t, `${format} in binary mode`, input, headers(format, "b"), kept)
  }
})

t.test("line ends may be bare LF", async (t) => {
  await everyCut(t, "*h", "A: 1\nB: 2\n\nbody", headers("*h"), [["A: 1", "B: 2"], "\nbody"])
  await everyCut(t, "*H", "A: 1\nB: 2\n\nbody", headers("*H"), [["A: 1\n", "B: 2\n"], "\nbody"])
})

t.test("*h unfolds a header that goes on in the next lines, *H keeps its lines", async (t) => {
  const input = "A: one\r\n two\r\n\tthree\r\nB: x\r\n\r\n"
  await everyCut(t, "*h", input, headers("*h"), [["A: one two\tthree", "B: x"], "\r\n"])
  await everyCut(t, "*h in binary mode", input, headers("*h", "b"), [["A: one two\tthree", "B: x"], "\r\n"])
  await everyCut(t, "*H", input, headers("*H"), [["A: one\n two\n\tthree\n", "B: x\n"], "\r\n"])
})

t.test("there may be a blank before the colon", async (t) => {
  await everyCut(t, "*h", "A : 1\r\nB\t: 2\r\n\r\n", headers("*h"), [["A : 1", "B\t: 2"], "\r\n"])
})

t.test("what is no header ends the headers and stays", async (t) => {
  for (const rest of ["no header\r\nA: 1\r\n", ": nothing before\r\n", "GET / HTTP/1.0\r\n", " folded\r\n"]) {
    await everyCut(
      t,
      JSON.stringify(rest),
      `A: 1\r\n${rest}`,
      headers("*h"),
      rest.startsWith(" ") ? [["A: 1 folded"], ""] : [["A: 1"], rest],
    )
  }
})

t.test("a header that the end of the stream follows is still given", async (t) => {
  await everyCut(t, "*h", "A: 1\r\nB: 2\r\n", headers("*h"), [["A: 1", "B: 2"], ""])
  await everyCut(t, "*H", "A: 1\r\nB: 2\r\n c\r\n", headers("*H"), [["A: 1\n", "B: 2\n c\n"], ""])
})

t.test("the bytes of a header are given as they are", async (t) => {
  const input = latin("A: \xff\xc3\r\n \xe9\r\n\r\n")
  const script = (format: string) => (p: Buffer[]) => feed(p, (con) => everyBytes(con, format))
  await everyCut(t, "*H", input, script("*H"), ["A: \xff\xc3\r\n \xe9\r\n"])
  await everyCut(t, "*h", input, script("*h"), ["A: \xff\xc3 \xe9"])
})

t.test("lines iterates over the headers", async (t) => {
  await everyCut(
    t,
    "lines",
    "A: 1\r\nB: 2\r\n\r\nbody\r\n",
    (p) =>
      feed(p, function* (con) {
        const found: string[] = []
        yield* con.lines("*h").each((header) => void found.push(header))
        return [found, yield* con.read("*l"), yield* con.read("*l")]
      }),
    [["A: 1", "B: 2"], [""], ["body"]],
  )
})

t.test("a header stops at the line limit and takes no more memory", (t) => {
  const endless = Array.from({ length: 200 }, () => Buffer.alloc(4096, "x"))
  const pending: number[] = []
  feed([latin("A: "), ...endless], function* (con) {
    con.setmaxline(1000)
    for (;;) {
      const [piece] = yield* con.read("*h")
      pending.push(con.pending()[0])
      if (piece === undefined) {
        const [some] = yield* con.read(-4096)
        if (some === undefined) return
      } else {
        t.ok(piece.length <= 1000, `a piece of ${piece.length}`)
      }
    }
  })
  t.ok(Math.max(...pending) <= 64 * 1024, `at most ${Math.max(...pending)} bytes were buffered`)
  t.end()
})

/** The chunks of the part put together, then the rest of the stream as it is. */
const part =
  (marker: string, mode = "t") =>
  (pieces: Buffer[]) =>
    feed(
      pieces,
      function* (con) {
        const chunks = yield* every(con, marker)
        return [chunks.join(""), (yield* con.bytes.read("*a"))[0]?.toString("latin1") ?? ""]
      },
      { setup: (con) => con.setmode(mode) },
    )

t.test("a part goes up to its boundary, which stays, and loses the line end before it", async (t) => {
  const input = "one\r\ntwo\r\n--mark\r\nnext\r\n--mark--\r\n"
  const rest = "--mark\r\nnext\r\n--mark--\r\n"
  await everyCut(t, "text", input, part("--mark"), ["one\ntwo", rest])
  await everyCut(t, "binary", input, part("--mark", "b"), ["one\r\ntwo", rest])
  await everyCut(t, "LF", "one\ntwo\n--mark\nx", part("--mark"), ["one\ntwo", "--mark\nx"])
})

t.test("only a boundary at the start of a line is one", async (t) => {
  const input = "a --mark\r\n -- mark\r\n--mar\r\n-\r\n\r\n--mark\r\n"
  await everyCut(t, "text", input, part("--mark"), ["a --mark\n -- mark\n--mar\n-\n", "--mark\r\n"])
})

t.test("a part that ends in CR keeps it, and so does one with CRs in it", async (t) => {
  await everyCut(t, "binary", "a\r\r\n--mark", part("--mark", "b"), ["a\r", "--mark"])
  await everyCut(t, "text", "a\rb\r\r\n--mark", part("--mark"), ["a\rb\r", "--mark"])
})

t.test("an empty part ends at once", async (t) => {
  await everyCut(t, "boundary first", "--mark\r\n", part("--mark"), ["", "--mark\r\n"])
  await everyCut(t, "after a line end", "\r\n--mark\r\n", part("--mark"), ["", "--mark\r\n"])
})

t.test("any bytes are found again in a part", async (t) => {
  const input = latin("\x00\xff\r\xfe\n-\n--\xc3\r\n--mark")
  const script = (p: Buffer[]) => feed(p, (con) => everyBytes(con, "--mark"))
  await everyCut(t, "bytes", input, (p) => script(p).join(""), "\x00\xff\r\xfe\n-\n--\xc3")
})

t.test("a long part comes in chunks", (t) => {
  const line = `${"0123456789abcdef".repeat(10)}\r\n`
  const input = Buffer.from(`${line.repeat(2000)}--mark\r\n`)
  const pieces = Array.from({ length: Math.ceil(input.length / 7000) }, (_, i) =>
    input.subarray(i * 7000, (i + 1) * 7000),
  )
  const chunks = feed(pieces, (con) => everyBytes(con, "--mark"))
  t.ok(chunks.length > 10, `${chunks.length} chunks`)
  t.ok(chunks.join("") === line.repeat(2000).slice(0, -2))
  t.end()
})
