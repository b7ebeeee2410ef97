// Random MIME parts and headers in random pieces, compared with readers that have all of the input at hand.
// A failure names its seed.
import t from "tap"
import { census } from "../support/census.js"
import { everyBytes, feed, latin, pair, poke, randoms } from "./kit.js"

await census(t)

const MARKER = "--m"

function pieces(input: Buffer, next: () => number): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < input.length; ) {
    const size = 1 + (next() % 12)
    found.push(input.subarray(at, at + size))
    at += size
  }
  return found
}

const pick = (next: () => number, from: readonly string[], count: number) =>
  Array.from({ length: count }, () => from[next() % from.length]).join("")

/** The body up to the first marker at the start of a line, without the line end before it, and the rest. */
function partOf(input: string): [body: string, rest: string] {
  const at = new RegExp(`(^|\\r?\\n)${MARKER}`).exec(input)
  if (!at) return [input, ""]
  return [input.slice(0, at.index), input.slice(at.index + at[0].length - MARKER.length)]
}

t.test("random parts", (t) => {
  const given = process.env.CQUEUES_SEED
  for (let seed = Number(given ?? 0); seed < Number(given ?? 2999) + 1; seed++) {
    const next = randoms(seed)
    const input = pick(next, ["-", "-", "--", "--m", "m", "\r", "\n", "\r\n", "a"], next() % 40)
    const maxline = next() % 3 === 0 ? -1 : 2 + (next() % 20)
    const wanted = partOf(input)
    const found = feed(pieces(latin(input), next), function* (con) {
      con.setmaxline(maxline)
      const chunks: string[] = []
      for (;;) {
        const [chunk] = yield* con.bytes.read(MARKER)
        if (chunk === undefined) break
        chunks.push(chunk.toString("latin1"))
      }
      if (maxline >= 0 && chunks.some((chunk) => chunk.length > maxline)) chunks.push("a chunk is too long")
      return [chunks.join(""), (yield* con.bytes.read("*a"))[0]?.toString("latin1") ?? ""]
    })
    if (found[0] === wanted[0] && found[1] === wanted[1]) continue
    t.strictSame(found, wanted, `CQUEUES_SEED=${seed} maxline ${maxline} input ${JSON.stringify(input)}`)
    break
  }
  t.pass("all rounds")
  t.end()
})

/** Fields unfolded, up to the first line that begins none, and the rest. */
function headersOf(input: string): [fields: string[], rest: string] {
  const fields: string[] = []
  let rest = input
  for (;;) {
    const field = /^[!-9;-~]+[ \t]*:[^\n]*(\n[ \t][^\n]*)*(\n|$)/.exec(rest)
    if (!field) return [fields, rest]
    fields.push(field[0].replaceAll(/\r?\n/g, ""))
    rest = rest.slice(field[0].length)
  }
}

t.test("random headers", (t) => {
  const given = process.env.CQUEUES_SEED
  for (let seed = Number(given ?? 0); seed < Number(given ?? 2999) + 1; seed++) {
    const next = randoms(seed)
    const words = ["a", "B:", ": ", " ", "\t", "\r\n", "\n", "\r\n ", "c: d\r\n", "\xff", "\r"]
    const input = pick(next, words, next() % 25)
    const wanted = headersOf(input)
    const found = feed(pieces(latin(input), next), function* (con) {
      const fields = yield* everyBytes(con, "*h")
      return [fields, (yield* con.bytes.read("*a"))[0]?.toString("latin1") ?? ""]
    })
    if (JSON.stringify(found) === JSON.stringify(wanted)) continue
    t.strictSame(found, wanted, `CQUEUES_SEED=${seed} input ${JSON.stringify(input)}`)
    break
  }
  t.pass("all rounds")
  t.end()
})

t.test("a marker is the bytes of its string", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "body\r\n--gr\u00fcn\r\n")
  t.strictSame(await con.read("--gr\u00fcn"), ["body"])
  t.strictSame(await con.read("--gr\u00fcn"), [undefined])
  t.strictSame(await con.read("*l"), ["--gr\u00fcn"])
})
