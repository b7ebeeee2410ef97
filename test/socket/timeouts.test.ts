// Time-outs of everything that may wait: they are never early, zero and less look once at what is there,
// NaN is refused and Infinity is none.
import { connect as netConnect } from "node:net"
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import type { Operation } from "../../core/loop/operation.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { tmp } from "../support/tmp.js"
import { closing, pair, peek, poke, returning } from "./kit.js"

await census(t)

const { ETIMEDOUT } = errno
const { SOCK_DGRAM } = socket

/** Everything that waits for input with a time-out of its own, or with the socket's when that is undefined. */
const readers: Record<string, (con: Socket, timeout?: number) => Operation<unknown[]>> = {
  xread: (con, timeout) => con.xread("*l", undefined, timeout),
  "xread of a count": (con, timeout) => con.xread(5, undefined, timeout),
  fill: (con, timeout) => con.fill(5, timeout),
  recvfd: (con, timeout) => con.recvfd(10, timeout),
  recvfrom: (con, timeout) => con.recvfrom(10, timeout),
}

for (const [name, start] of Object.entries(readers)) {
  t.test(`${name} waits as long as it is told and no less`, async (t) => {
    const [con] = pair(t)
    for (const timeout of [0.03, undefined]) {
      con.settimeout(timeout === undefined ? 0.03 : 60)
      const begin = cqueues.monotime()
      const result = await start(con, timeout)
      const elapsed = cqueues.monotime() - begin
      t.equal(result.at(-1), ETIMEDOUT)
      t.ok(elapsed >= 0.03 && elapsed < 5, `${elapsed} s`)
      con.clearerr()
    }
  })

  t.test(`${name} with a time-out of zero or less looks once at what is there`, async (t) => {
    for (const timeout of [0, -1, Number.NEGATIVE_INFINITY]) {
      const [con, peer] = pair(t)
      t.equal((await start(con, timeout)).at(-1), ETIMEDOUT)
      con.clearerr()
      poke(peer, "line\n")
      t.not((await start(con, timeout)).at(-1), ETIMEDOUT, `with ${timeout} s`)
    }
  })

  t.test(`${name} refuses NaN and takes Infinity for none`, async (t) => {
    const [con, peer] = pair(t)
    await t.rejects(async () => await start(con, Number.NaN), RangeError)
    await t.rejects(async () => await start(con, "1" as unknown as number), TypeError)
    con.settimeout(0)
    const waiting = Promise.resolve(start(con, Number.POSITIVE_INFINITY))
    await cqueues.sleep(0.001)
    poke(peer, "line\n")
    t.not((await waiting).at(-1), ETIMEDOUT)
  })
}

t.test("read and lines have the time-out of the socket", async (t) => {
  const [con, peer] = pair(t)
  con.settimeout(0.01)
  t.strictSame(await con.read(), [undefined, ETIMEDOUT])
  con.clearerr()
  t.equal(await con.lines().next(), undefined)
  t.strictSame(con.clearerr("r"), [ETIMEDOUT])
  con.settimeout(0)
  poke(peer, "a\nb\n")
  t.strictSame(await con.read("*l", "*l"), ["a", "b"])
  t.strictSame(await con.read(), [undefined, ETIMEDOUT])
  con.clearerr()
  poke(peer, "part")
  t.strictSame(await con.read(), [undefined, ETIMEDOUT])
  con.clearerr()
  con.settimeout()
  poke(peer, " of it\n")
  t.strictSame(await con.read(), ["part of it"], "nothing is lost by a time-out")
})

t.test("the time-out covers the whole of a read, not each wait of it", async (t) => {
  const [con, peer] = pair(t)
  con.settimeout(0.05)
  let dripping = true
  const begin = cqueues.monotime()
  const reading = Promise.resolve(con.read("*l")).finally(() => {
    dripping = false
  })
  while (dripping) {
    poke(peer, "x")
    await cqueues.sleep(0.005)
  }
  t.strictSame(await reading, [undefined, ETIMEDOUT])
  t.ok(cqueues.monotime() - begin < 5)
})

t.test("a datagram that never comes times out, one that has come is taken", async (t) => {
  const [con, peer] = pair(t, SOCK_DGRAM)
  t.strictSame(await con.xread("*a", undefined, 0), [undefined, ETIMEDOUT])
  con.clearerr()
  poke(peer, "x")
  t.strictSame(await con.xread("*a", undefined, 0), ["x"])
  t.strictSame(await con.xread("*a", undefined, 0.01), [undefined, ETIMEDOUT])
})

const writers: Record<string, (con: Socket, data: Buffer, timeout?: number) => Operation<unknown[]>> = {
  write: (con, data, timeout) => {
    con.settimeout(timeout)
    return con.write(data)
  },
  "write of a string": (con, data, timeout) => {
    con.settimeout(timeout)
    return con.write(data.toString())
  },
  xwrite: (con, data, timeout) => con.xwrite(data, undefined, timeout),
}

for (const [name, start] of Object.entries(writers)) {
  t.test(`${name} to a peer that does not read ends with ETIMEDOUT`, async (t) => {
    for (const mode of ["bn", "bl", "bf"]) {
      const [con, peer] = pair(t)
      con.setmode("b", mode)
      const begin = cqueues.monotime()
      const data = Buffer.alloc(5_000_000, "x")
      t.strictSame(await start(con, data, 0.03), [undefined, ETIMEDOUT], mode)
      const elapsed = cqueues.monotime() - begin
      t.ok(elapsed >= 0.03 && elapsed < 5, `${elapsed} s`)
      t.strictSame(con.error("w"), [ETIMEDOUT])
      t.strictSame(await con.write("more"), [undefined, ETIMEDOUT], "until it is cleared")
      con.clearerr()
      con.settimeout()
      const received = Number(peek(peer, 10_000_000)?.length)
      t.ok(received > 0 && received < data.length)
    }
  })
}

t.test(
  "flush to a peer that does not read ends with ETIMEDOUT, and what is left can be flushed later",
  async (t) => {
    const [con, peer] = pair(t)
    con.setmode("b", "bf")
    con.setvbuf("full", -1)
    const data = "0123456789".repeat(100_000)
    await con.write(data)
    t.strictSame(await con.flush("n", 0.01), [false, ETIMEDOUT])
    con.clearerr()
    t.strictSame(await con.flush("n", 0), [false, ETIMEDOUT])
    con.clearerr()
    let received = ""
    const flushing = Promise.resolve(con.flush())
    while (received.length < data.length) {
      received += peek(peer) ?? ""
      await cqueues.sleep(0)
    }
    t.strictSame(await flushing, [true])
    t.ok(received === data, "nothing is lost and nothing is sent twice")
  },
)

t.test("small writes in line mode to a peer that does not read end with ETIMEDOUT too", async (t) => {
  const [con] = pair(t)
  con.settimeout(0.02)
  let result: unknown[] = []
  for (let i = 0; i < 100_000 && result.at(-1) !== ETIMEDOUT; i++)
    result = await con.write("x".repeat(99), "\n")
  t.strictSame(result, [undefined, ETIMEDOUT])
})

t.test("accept and clients time out, and accept goes on afterwards", async (t) => {
  const listener = returning(closing(t, socket.listen("127.0.0.1", 0)))
  const begin = cqueues.monotime()
  t.strictSame(await listener.accept(0.03), [undefined, ETIMEDOUT])
  t.ok(cqueues.monotime() - begin >= 0.03)
  t.strictSame(await listener.accept({}, 0.01), [undefined, ETIMEDOUT])
  t.strictSame(await listener.accept(0), [undefined, ETIMEDOUT])
  t.equal(await listener.clients(0.01).next(), undefined)
  t.equal(await listener.clients({}, 0.01).next(), undefined)
  listener.settimeout(0.01)
  t.strictSame(await listener.accept(), [undefined, ETIMEDOUT])
  t.equal(await listener.clients().next(), undefined)
  await t.rejects(async () => await listener.accept(Number.NaN), RangeError)
  const client = netConnect(listener.localname()[2] as number, "127.0.0.1")
  await new Promise((resolve) => client.once("connect", resolve))
  const [con] = await listener.accept(-1)
  t.equal(socket.type(con), "socket", "what has come is taken though the time is up")
  con?.close()
  client.destroy()
})

t.test("connect times out where nobody accepts, and so does what needs the connection", async (t) => {
  const path = `${tmp(t)}/full`
  const listener = closing(t, socket.listen({ path, backlog: 0 }))
  await listener.listen()
  const first = closing(t, socket.connect({ path }))
  t.strictSame(await first.connect(1), [first], "the queue holds one")
  const waits: Record<string, (con: Socket) => Operation<unknown[]>> = {
    connect: (con) => con.connect(0.03),
    xread: (con) => con.xread("*l", undefined, 0.03),
    xwrite: (con) => con.xwrite("x", "n", 0.03),
    fill: (con) => con.fill(1, 0.03),
  }
  for (const [name, start] of Object.entries(waits)) {
    const con = closing(t, socket.connect({ path }))
    const begin = cqueues.monotime()
    const result = await start(con)
    t.equal(result.at(-1), ETIMEDOUT, name)
    t.ok(cqueues.monotime() - begin >= 0.03)
  }
  const last = closing(t, socket.connect({ path }))
  t.equal((await last.connect(0)).at(-1), ETIMEDOUT)
  last.clearerr()
  const connecting = Promise.resolve(last.connect())
  ;(await listener.accept())[0]?.close()
  t.strictSame(await connecting, [last], "a connection goes on after a time-out")
})
