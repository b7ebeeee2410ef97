// How connections end: half-closes in both directions, shutdown, close with bytes unsent, and close while
// other coroutines wait for the socket.
import { createHash } from "node:crypto"
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import type { Operation } from "../../core/loop/operation.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { listenPeer, type Peer } from "../support/nodepeer.js"
import type { Owner } from "../support/owner.js"
import { tmp } from "../support/tmp.js"
import { closing, failure, pair, peek, poke, returning, turn } from "./kit.js"

await census(t)

/** A connection of ours over TCP, and the node:net peer of it. */
async function tcp(t: Owner): Promise<[Socket, Peer]> {
  const listener = await listenPeer(t)
  const con = closing(t, socket.connect("127.0.0.1", listener.port))
  await con.connect()
  return [con, await listener.next()]
}

t.test("shutdown of the output ends the peer's input, and reading goes on", async (t) => {
  const [con, peer] = await tcp(t)
  await con.write("question\n")
  t.strictSame(con.shutdown("w"), [true])
  t.equal((await peer.collect()).toString(), "question\r\n")
  await peer.end("answer\n")
  t.strictSame(await con.read(), ["answer"])
  t.strictSame(await con.read(), [undefined])
})

t.test("after the peer has shut its output down, writing goes on", async (t) => {
  const [con, peer] = await tcp(t)
  await peer.end("question\n")
  t.strictSame([await con.read(), await con.read()], [["question"], [undefined]])
  t.strictSame(await con.write("answer\n"), [con])
  t.strictSame(await con.flush(), [true])
  con.close()
  t.equal((await peer.collect()).toString(), "answer\r\n")
})

t.test("what is buffered goes out before a shutdown of the output, also to a slow reader", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bf")
  con.setvbuf("full", -1)
  const data = Buffer.alloc(3_000_000, "0123456789abcdef")
  await con.write(data.toString())
  t.strictSame(con.shutdown("w"), [true])
  const [all] = await peer.bytes.read("*a")
  t.ok(all?.equals(data))
  peer.setmode("b", "bl")
  await peer.write("answer\n")
  t.strictSame(await con.read(), ["answer"], "reading goes on")
})

t.test("writing after a shutdown of the output is EPIPE", async (t) => {
  const [con, peer] = pair(t)
  con.shutdown("w")
  t.strictSame(await peer.read(), [undefined])
  con.setmode("b", "bn")
  t.strictSame(await con.write("x"), [undefined, errno.EPIPE])
  con.clearerr()
  t.strictSame(con.send("x"), [0, errno.EPIPE])
})

t.test("shutdown of the input ends one's own reading at what has arrived", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "here\n")
  t.strictSame(con.shutdown("r"), [true])
  t.strictSame([await con.read(), await con.read()], [["here"], [undefined]])
  t.strictSame(await con.write("out\n"), [con])
  await con.flush()
  t.equal(peek(peer), "out\r\n")
})

t.test("shutdown of both ends both, a reader that waits sees the end", async (t) => {
  const [con, peer] = pair(t)
  const reading = Promise.resolve(con.read())
  await cqueues.sleep(0)
  t.strictSame(con.shutdown("rw"), [true])
  t.strictSame(await reading, [undefined])
  t.strictSame(await peer.read(), [undefined])
})

t.test("shutdown of an unconnected socket is an error code, of other letters a TypeError", async (t) => {
  const listener = closing(t, socket.listen("127.0.0.1", 0))
  await listener.listen()
  const udp = closing(t, socket.listen({ host: "127.0.0.1", port: 0, type: socket.SOCK_DGRAM }))
  await udp.listen()
  t.strictSame(udp.shutdown("w"), [false, errno.ENOTCONN])
  const [con] = pair(t)
  for (const how of ["x", "rx", "", undefined, 1])
    t.throws(() => con.shutdown(how as string), TypeError, `${how}`)
})

t.test("close sends what is buffered, in every mode", async (t) => {
  for (const mode of ["bl", "bf"]) {
    const [con, peer] = await tcp(t)
    con.setmode("b", mode)
    await con.write("no line end")
    t.strictSame(con.close(), [true])
    t.equal((await peer.collect()).toString(), "no line end", mode)
  }
})

t.test("close with much unsent: a peer that reads slowly gets all of it", async (t) => {
  const [con, peer] = await tcp(t)
  con.setmode("b", "bf")
  con.setvbuf("full", -1)
  const data = Buffer.alloc(20_000_000, "0123456789abcdef!")
  const ended = new Promise((resolve) => peer.socket.once("end", resolve))
  const hash = createHash("sha1")
  let received = 0
  peer.socket.removeAllListeners("data")
  peer.socket.on("data", (chunk) => {
    hash.update(chunk)
    received += chunk.length
    peer.socket.pause()
    setImmediate(() => peer.socket.resume())
  })
  await con.write(data.toString())
  t.strictSame(con.close(), [true])
  t.ok(received < data.length, "it is still under way")
  t.equal(socket.type(con), "closed socket")
  await ended
  t.equal(hash.digest("hex"), createHash("sha1").update(data).digest("hex"))
})

t.test("close in a controller of one's own: the loop goes on until everything is sent", (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bf")
  con.setvbuf("full", -1)
  const cq = cqueues.new()
  let received = 0
  cq.wrap(function* () {
    yield* con.write("x".repeat(2_000_000))
    con.close()
  })
  cq.wrap(function* () {
    for (;;) {
      const [chunk] = yield* peer.read(-65536)
      if (chunk === undefined) return
      received += chunk.length
    }
  })
  t.strictSame(cq.loop(10).sync(), [true])
  t.equal(received, 2_000_000)
  cq.close()
  t.end()
})

t.test("closing the controller too loses nothing of what was unsent", async (t) => {
  for (const how of ["close", "shutdown"]) {
    const [con, peer] = pair(t)
    con.setmode("b", "bf")
    con.setvbuf("full", -1)
    const cq = cqueues.new()
    cq.wrap(function* () {
      yield* con.write("x".repeat(2_000_000))
      if (how === "close") con.close()
      else con.shutdown("w")
    })
    turn(cq)
    cq.close()
    t.equal((await peer.read("*a"))[0]?.length, 2_000_000, how)
  }
})

t.test("lines that a closed controller was sending go on to the peer", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bl")
  const cq = cqueues.new()
  let written = 0
  cq.wrap(function* () {
    for (;;) {
      yield* con.write(`${"x".repeat(99)}\n`)
      written += 100
    }
  })
  turn(cq, 50)
  cq.close()
  t.ok(con.pending()[1] > 0)
  t.equal((await peer.read(written))[0]?.length, written)
})

t.test("a peer that has gone keeps nobody waiting at close", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bf")
  await con.write("x".repeat(2000))
  peer.close()
  t.ok(Array.isArray(con.close()))
  t.equal(socket.type(con), "closed socket")
})

t.test("closing twice is fine", (t) => {
  const [con] = pair(t)
  t.strictSame(con.close(), [true])
  t.strictSame(con.close(), [true])
  t.strictSame(con.bytes.close(), [true])
  con[Symbol.dispose]()
  t.end()
})

t.test("using and await using close, and the latter waits until all is sent", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bf")
  con.setvbuf("full", -1)
  await con.write("x".repeat(1_000_000))
  const disposing = con[Symbol.asyncDispose]()
  const [all] = await peer.read("*a")
  await disposing
  t.equal(all?.length, 1_000_000)
  t.equal(socket.type(con), "closed socket")
  peer[Symbol.dispose]()
  t.equal(socket.type(peer), "closed socket")
})

const waits: Record<string, (con: Socket) => Operation<unknown>> = {
  read: (con) => con.read(),
  "read of several": (con) => con.read("*l", 5),
  fill: (con) => con.fill(5),
  lines: (con) => con.lines().next(),
  recvfd: (con) => con.recvfd(),
  recvfrom: (con) => con.recvfrom(),
  write: (con) => con.write(Buffer.alloc(4_000_000)),
  "write of a string": (con) => con.write("x".repeat(4_000_000)),
  sendfd: (con) => con.sendfd(Buffer.alloc(4_000_000), con),
}

for (const [name, start] of Object.entries(waits)) {
  t.test(`close wakes a coroutine that waits in ${name}, with an error`, async (t) => {
    const [con] = pair(t)
    const cq = cqueues.new()
    let outcome: unknown
    cq.wrap(function* () {
      try {
        outcome = yield* start(con)
      } catch (error) {
        outcome = error
      }
    })
    turn(cq)
    t.equal(cq.count(), 1, "it waits")
    con.close()
    turn(cq)
    t.equal(cq.count(), 0, "it has been woken")
    if (outcome instanceof Error) t.match(outcome.message, /closed|Bad file descriptor/)
    else t.ok(name === "lines" ? outcome === undefined : typeof (outcome as unknown[]).at(-1) === "number")
    cq.close()
  })
}

t.test("close wakes all who wait: the reader, those in line behind it, and who polls", (t) => {
  const [con] = pair(t)
  returning(con)
  const cq = cqueues.new()
  const woken: string[] = []
  for (const name of ["first", "second", "third"]) {
    cq.wrap(function* () {
      yield* con.read()
      woken.push(name)
    })
  }
  cq.wrap(function* () {
    t.strictSame(yield* cqueues.poll(con), [con])
    woken.push("poll")
  })
  turn(cq)
  con.close()
  turn(cq, 5)
  t.strictSame(woken.sort(), ["first", "poll", "second", "third"])
  t.ok(cq.empty())
  cq.close()
  t.end()
})

t.test("close of a listener wakes who accepts, and ends clients", async (t) => {
  const listener = socket.listen("127.0.0.1", 0)
  await listener.listen()
  const accepting = failure(() => listener.accept())
  await cqueues.sleep(0)
  listener.close()
  t.match(await accepting, /EBADF|Error/)
  const other = socket.listen("127.0.0.1", 0)
  await other.listen()
  const clients = Promise.resolve(other.clients().next())
  await cqueues.sleep(0)
  other.close()
  t.equal(await clients.catch(() => undefined), undefined)
})

t.test("close of a socket that still connects wakes who waits for it", async (t) => {
  const path = `${tmp(t)}/full`
  const listener = closing(t, socket.listen({ path, backlog: 0 }))
  await listener.listen()
  const first = closing(t, socket.connect({ path }))
  await first.connect()
  const con = socket.connect({ path })
  const waiting = [failure(() => con.connect()), failure(() => con.read()), failure(() => con.write("x"))]
  await cqueues.sleep(0)
  con.close()
  for (const outcome of await Promise.all(waiting)) t.match(outcome, /EBADF|Error/)
})
