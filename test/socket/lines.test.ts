// Iterating over a socket: lines and xlines, waited for with next, each, for await and sync.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import { census } from "../support/census.js"
import { everyCut } from "../support/chunks.js"
import { feed, latin, pair, poke, returning } from "./kit.js"

await census(t)

t.test("each runs a function or a coroutine for every line", async (t) => {
  await everyCut(
    t,
    "function",
    "one\r\ntwo\r\nthree",
    (p) =>
      feed(p, function* (con) {
        const found: string[] = []
        const result = yield* con.lines().each((line) => void found.push(line))
        return [found, result]
      }),
    [["one", "two", "three"], undefined],
  )
  await everyCut(
    t,
    "coroutine",
    "1\n2\n3\n",
    (p) =>
      feed(p, function* (con) {
        const found: string[] = []
        yield* con.lines("*L").each(function* (line) {
          yield* cqueues.sleep(0)
          found.push(line)
        })
        return found
      }),
    ["1\n", "2\n", "3\n"],
  )
})

t.test("next gives one line at a time, and undefined at the end, again and again", async (t) => {
  await everyCut(
    t,
    "next",
    "a\nb",
    (p) =>
      feed(p, function* (con) {
        const lines = con.lines("l")
        const found: (string | undefined)[] = []
        for (let i = 0; i < 4; i++) found.push(yield* lines.next())
        return found
      }),
    ["a", "b", undefined, undefined],
  )
})

t.test("for await reads lines in an async function", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "one\r\ntwo\r\nthr")
  setImmediate(() => {
    poke(peer, "ee\r\nfour")
    peer.shutdown("w")
  })
  const found: string[] = []
  for await (const line of con.lines()) found.push(line)
  t.strictSame(found, ["one", "two", "three", "four"])
})

t.test("leaving a for await leaves the rest to others", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "one\ntwo\n")
  for await (const line of con.lines()) {
    t.equal(line, "one")
    break
  }
  t.strictSame(await con.read(), ["two"])
})

t.test("sync reads lines in an ordinary loop", (t) => {
  const [con, peer] = pair(t)
  poke(peer, "one\ntwo\n")
  peer.shutdown("w")
  t.strictSame([...con.lines("*L").sync()], ["one\n", "two\n"])
  t.strictSame([...con.lines("*L").sync()], [])
  t.end()
})

t.test("several formats give the tuple of their values", async (t) => {
  await everyCut(
    t,
    "*l 3",
    "one\r\n123two\r\n456three",
    (p) =>
      feed(p, function* (con) {
        const found: unknown[] = []
        yield* con.lines("*l", 3).each((values) => void found.push(values))
        return found
      }),
    [
      ["one", "123"],
      ["two", "456"],
      ["three", undefined],
    ],
  )
})

t.test("one format that is a number gives blocks", async (t) => {
  await everyCut(
    t,
    "3",
    "abcdefgh",
    (p) =>
      feed(p, function* (con) {
        const found: string[] = []
        yield* con.lines(3).each((block) => void found.push(block))
        return found
      }),
    ["abc", "def", "gh"],
  )
})

t.test("the lines of bytes are Buffers, as they came", async (t) => {
  await everyCut(
    t,
    "*L",
    latin("a\xff\r\nb\r\n"),
    (p) =>
      feed(p, function* (con) {
        const found: string[] = []
        yield* con.bytes.lines("*L").each((line) => void found.push(line.toString("latin1")))
        return found
      }),
    ["a\xff\r\n", "b\r\n"],
  )
})

t.test("xlines takes format and mode for this iteration alone", async (t) => {
  await everyCut(
    t,
    "*L b",
    "a\r\nb\r\n",
    (p) =>
      feed(p, function* (con) {
        const lines = con.xlines("*L", "b")
        const first = yield* lines.next()
        const [second] = yield* con.read("*L")
        return [first, second, con.setmode()]
      }),
    ["a\r\n", "b\n", ["t-", "tl"]],
  )
})

t.test("xlines has the time-out of its own for each line, and ends when it is up", async (t) => {
  const [con, peer] = pair(t)
  con.settimeout(60)
  poke(peer, "one\ntwo")
  const lines = con.xlines("*l", undefined, 0.01)
  t.strictSame([await lines.next(), await lines.next()], ["one", undefined])
  t.strictSame(con.error("r"), [errno.ETIMEDOUT])
  t.strictSame(con.clearerr("r"), [errno.ETIMEDOUT])
  poke(peer, "\n")
  t.equal(await lines.next(), "two", "an iteration that a time-out ended may go on once it is cleared")
})

t.test("an error in the middle goes to the error handler and ends the iteration", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "one\n")
  const told: unknown[] = []
  con.onerror((_con: unknown, method: string, number: number) => {
    told.push(method, number)
    return number
  })
  const found: string[] = []
  for await (const line of con.lines()) {
    found.push(line)
    con.seterror("r", errno.ECONNRESET)
  }
  t.strictSame(found, ["one"])
  t.equal(told[1], errno.ECONNRESET)
  con.clearerr()
  con.onerror(() => {
    throw new Error("told")
  })
  con.seterror("r", errno.ECONNRESET)
  await t.rejects(async () => await con.lines().next(), /told/)
})

t.test("an error that the body throws leaves the loop", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "one\ntwo\n")
  const broken = con.lines().each(() => {
    throw new Error("enough")
  })
  await t.rejects(async () => await broken, /enough/)
  t.strictSame(await con.read(), ["two"])
})

t.test("settings that change within the loop hold for the next line", async (t) => {
  await everyCut(
    t,
    "*L",
    "a\r\nb\r\nc\r\n",
    (p) =>
      feed(p, function* (con) {
        const found: string[] = []
        yield* con.lines("*L").each((line) => {
          found.push(line)
          if (found.length === 1) con.setmode("b")
          if (found.length === 2) con.setmaxline(2)
        })
        return found
      }),
    ["a\n", "b\r\n", "c\r", "\n"],
  )
})

t.test("a line put back within the loop comes next", async (t) => {
  await everyCut(
    t,
    "unget",
    "a\nb\n",
    (p) =>
      feed(p, function* (con) {
        const found: string[] = []
        yield* con.lines().each((line) => {
          found.push(line)
          if (line === "a") con.unget("back\n")
        })
        return found
      }),
    ["a", "back", "b"],
  )
})

t.test("a read within the loop takes its share", async (t) => {
  await everyCut(
    t,
    "read",
    "2\nx\ny\n1\nz\n",
    (p) =>
      feed(p, function* (con) {
        const found: string[] = []
        yield* con.lines().each(function* (count) {
          for (let i = 0; i < Number(count); i++) found.push((yield* con.read())[0] ?? "")
        })
        return found
      }),
    ["x", "y", "z"],
  )
})

t.test("a socket that is closed within the loop ends it with an error or at once", async (t) => {
  const [con, peer] = pair(t)
  returning(con)
  poke(peer, "one\ntwo\n")
  let count = 0
  const looped = con.lines().each(() => {
    count++
    con.close()
  })
  await Promise.resolve(looped).catch((error: Error) => t.match(error.message, /closed/))
  t.equal(count, 1)
})
