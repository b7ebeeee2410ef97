// Many coroutines on one socket: what one call writes or reads is never torn by another, and readers are
// served in the order in which they came.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import { census } from "../support/census.js"
import { pair, peek, poke, returning, turn } from "./kit.js"

await census(t)

/** A message of a writer, which tells its length and its author in every byte. */
const message = (writer: number, round: number, size: number) =>
  `<${writer}:${round}:${size}:${String.fromCharCode(97 + (writer % 26)).repeat(size)}>`

t.test("the writes of many coroutines come whole, each writer's in its order", (t) => {
  for (const mode of ["bn", "bl", "bf"]) {
    const [con, peer] = pair(t)
    con.setmode("b", mode)
    const cq = cqueues.new()
    for (let writer = 0; writer < 30; writer++) {
      cq.wrap(function* () {
        for (let round = 0; round < 20; round++) {
          const size = (writer * 37 + round * 211) % 30_000
          const data = message(writer, round, size)
          const middle = data.length >> 1
          if (round % 3 === 0) yield* con.write(data)
          else if (round % 3 === 1) yield* con.write(data.slice(0, middle), data.slice(middle))
          else yield* con.write(Buffer.from(data.slice(0, middle)), Buffer.from(data.slice(middle)))
          if (round % 5 === 0) yield* con.flush()
        }
        yield* con.flush()
      })
    }
    let received = ""
    for (let i = 0; i < 100_000 && !cq.empty(); i++) {
      received += peek(peer, 1 + ((i * 7919) % 50_000)) ?? ""
      turn(cq, 1)
    }
    t.ok(cq.empty())
    for (let more = peek(peer); more !== undefined; more = peek(peer)) received += more
    const next = new Array<number>(30).fill(0)
    let at = 0
    while (at < received.length) {
      const [, writer, round, size] = /^<(\d+):(\d+):(\d+):/.exec(received.slice(at, at + 40)) ?? []
      const whole = message(Number(writer), Number(round), Number(size))
      if (!received.startsWith(whole, at)) return void t.fail(`torn at ${at}: ${received.slice(at, at + 60)}`)
      if (next[Number(writer)] !== Number(round)) t.fail(`${writer} out of order`)
      next[Number(writer)] = Number(round) + 1
      at += whole.length
    }
    t.strictSame(next, new Array(30).fill(20), `all messages in mode ${mode}`)
    cq.close()
  }
  t.end()
})

t.test("readers that wait are served in the order they came, each with whole values", async (t) => {
  const [con, peer] = pair(t)
  const cq = cqueues.new()
  const found: unknown[] = []
  for (let reader = 0; reader < 10; reader++) {
    cq.wrap(function* () {
      found.push([reader, ...(yield* reader % 2 ? con.read("*l", 3) : con.read("*l"))])
    })
  }
  turn(cq)
  let wanted = ""
  for (let reader = 0; reader < 10; reader++)
    wanted += reader % 2 ? `line ${reader}\n${reader}.0` : `line ${reader}\n`
  for (const byte of Buffer.from(wanted)) {
    poke(peer, Buffer.from([byte]))
    turn(cq, 2)
  }
  turn(cq)
  t.strictSame(
    found,
    Array.from({ length: 10 }, (_, i) => (i % 2 ? [i, `line ${i}`, `${i}.0`] : [i, `line ${i}`])),
  )
  t.ok(cq.empty())
  cq.close()
})

t.test("a reader that comes while others wait does not overtake them", (t) => {
  const [con, peer] = pair(t)
  const cq = cqueues.new()
  const found: string[] = []
  const reader = (name: string, count: number) =>
    cq.wrap(function* () {
      for (let i = 0; i < count; i++) found.push(`${name} ${(yield* con.read())[0]}`)
    })
  reader("first", 3)
  reader("second", 3)
  turn(cq)
  poke(peer, "1\n2\n3\n4\n5\n6\n")
  turn(cq, 10)
  t.strictSame(found, ["first 1", "second 2", "first 3", "second 4", "first 5", "second 6"])
  cq.close()
  t.end()
})

t.test("a reader that gives up lets the next one have the socket", (t) => {
  const [con, peer] = pair(t)
  returning(con)
  const cq = cqueues.new()
  const found: unknown[] = []
  cq.wrap(function* () {
    found.push(yield* con.xread("*l", undefined, 0.01))
    con.clearerr()
  })
  cq.wrap(function* () {
    found.push(yield* con.xread("*l", undefined, 5))
  })
  for (let i = 0; i < 100 && found.length === 0; i++) cq.step(1).sync()
  t.strictSame(found, [[undefined, errno.ETIMEDOUT]])
  poke(peer, "for the second\n")
  for (let i = 0; i < 100 && !cq.empty(); i++) cq.step(1).sync()
  t.strictSame(found[1], ["for the second"])
  cq.close()
  t.end()
})

t.test("a reader whose time is up in the queue takes nothing", (t) => {
  const [con, peer] = pair(t)
  returning(con)
  const cq = cqueues.new()
  const found: unknown[] = []
  cq.wrap(function* () {
    found.push(yield* con.read())
  })
  cq.wrap(function* () {
    found.push(yield* con.xread("*l", undefined, 0.01))
  })
  for (let i = 0; i < 100 && found.length === 0; i++) cq.step(1).sync()
  t.strictSame(found, [[undefined, errno.ETIMEDOUT]])
  con.clearerr()
  poke(peer, "line\n")
  turn(cq)
  t.strictSame(found[1], ["line"])
  cq.close()
  t.end()
})

t.test("a coroutine that is closed while it reads or waits for its turn leaves the socket to others", (t) => {
  for (const which of [0, 1]) {
    const [con, peer] = pair(t)
    const [one, two, rest] = [cqueues.new(), cqueues.new(), cqueues.new()]
    let line: string | undefined
    const cqs = [one, two]
    for (const cq of cqs) {
      cq.wrap(function* () {
        yield* con.read()
      })
      turn(cq)
    }
    rest.wrap(function* () {
      ;[line] = yield* con.read()
    })
    turn(rest)
    cqs[which]?.close()
    cqs[1 - which]?.close()
    poke(peer, "found\n")
    turn(rest)
    t.equal(line, "found")
    rest.close()
  }
  t.end()
})

t.test("a writer that is closed in the middle leaves the socket to others", (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bn")
  const [one, two] = [cqueues.new(), cqueues.new()]
  one.wrap(function* () {
    yield* con.write(Buffer.alloc(4_000_000, "a"))
  })
  turn(one)
  two.wrap(function* () {
    yield* con.write("END")
  })
  turn(two)
  one.close()
  let received = ""
  for (let i = 0; i < 1000 && !received.endsWith("END"); i++) {
    received += peek(peer) ?? ""
    turn(two, 1)
  }
  t.match(received, /^a+END$/)
  two.close()
  t.end()
})

t.test("readers in different controllers of the thread share a socket", (t) => {
  const [con, peer] = pair(t)
  const cqs = [cqueues.new(), cqueues.new(), cqueues.new()]
  const found: string[] = []
  for (const [i, cq] of cqs.entries()) {
    cq.wrap(function* () {
      found.push(`${i} ${(yield* con.read())[0]}`)
    })
    turn(cq)
  }
  for (const line of ["a", "b", "c"]) {
    poke(peer, `${line}\n`)
    for (const cq of cqs) turn(cq)
  }
  t.strictSame(found, ["0 a", "1 b", "2 c"])
  for (const cq of cqs) cq.close()
  t.end()
})

t.test("reading and writing do not wait for each other", (t) => {
  const [con, peer] = pair(t)
  const cq = cqueues.new()
  let line: string | undefined
  cq.wrap(function* () {
    yield* con.write(Buffer.alloc(4_000_000))
  })
  cq.wrap(function* () {
    ;[line] = yield* con.read()
  })
  turn(cq)
  t.equal(cq.count(), 2)
  poke(peer, "in\n")
  turn(cq)
  t.equal(line, "in")
  t.equal(cq.count(), 1)
  cq.close()
  t.end()
})

t.test("a coroutine that polls the socket beside a reader goes on when something has arrived", (t) => {
  const [con, peer] = pair(t)
  const cq = cqueues.new()
  const order: string[] = []
  cq.wrap(function* () {
    order.push(`read ${(yield* con.read())[0]}`)
  })
  cq.wrap(function* () {
    yield* cqueues.poll(con)
    order.push("polled")
  })
  turn(cq)
  poke(peer, "x\n")
  turn(cq)
  t.strictSame([...order].sort(), ["polled", "read x"])
  cq.close()
  t.end()
})
