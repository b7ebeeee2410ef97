// A peer that never lets up does not keep a coroutine busy for ever: others of the controller have their
// turns. And what cannot go on waits at rest.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import type { Coroutine } from "../../core/loop/task.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { tmp } from "../support/tmp.js"
import { closing, pair, peek, poke } from "./kit.js"

await census(t)

const { SOCK_DGRAM, SOCK_SEQPACKET } = socket

/** How often a coroutine goes round before another one has had its first turn. */
function rounds(busy: () => Coroutine): number {
  const cq = cqueues.new()
  let round = 0
  let seen = -1
  cq.wrap(function* () {
    for (; round < 1000; round++) yield* busy()
  })
  cq.wrap(function* () {
    yield* cqueues.sleep(0)
    seen = round
  })
  const [good, error] = cq.loop(20).sync()
  if (!good) throw error
  cq.close()
  return seen
}

const readers: [title: string, type: number, read: (con: Socket) => Coroutine][] = [
  ["read of a stream", socket.SOCK_STREAM, (con) => con.read("*l") as unknown as Coroutine],
  ["read of datagrams", SOCK_DGRAM, (con) => con.read("*a") as unknown as Coroutine],
  ["read of packets", SOCK_SEQPACKET, (con) => con.read("*l") as unknown as Coroutine],
  ["lines of datagrams", SOCK_DGRAM, (con) => con.lines().next() as unknown as Coroutine],
  [
    "xread without waiting",
    socket.SOCK_STREAM,
    (con) => con.xread("*l", undefined, 0) as unknown as Coroutine,
  ],
  ["recvfrom", SOCK_DGRAM, (con) => con.recvfrom() as unknown as Coroutine],
  ["recvfd", SOCK_DGRAM, (con) => con.recvfd() as unknown as Coroutine],
]

for (const [title, type, read] of readers) {
  t.test(`${title}: a sender that never stops leaves others their turns`, (t) => {
    const [con, peer] = pair(t, type)
    const round = rounds(function* () {
      poke(peer, "x\n")
      yield* read(con)
    })
    t.ok(round >= 0 && round < 100, `after ${round} rounds`)
    t.end()
  })
}

t.test("write to a receiver that takes everything leaves others their turns", (t) => {
  for (const mode of ["bn", "bl", "bf"]) {
    const [con, peer] = pair(t)
    con.setmode("b", mode)
    const round = rounds(function* () {
      yield* con.write("x\n")
      yield* con.flush()
      peek(peer)
    })
    t.ok(round >= 0 && round < 100, `mode ${mode}: after ${round} rounds`)
  }
  t.end()
})

t.test("accept of connections that never end leaves others their turns", async (t) => {
  const path = `${tmp(t)}/s`
  const listener = closing(t, socket.listen({ path }))
  await listener.listen()
  const round = rounds(function* () {
    const con = socket.connect({ path })
    yield* con.connect()
    const [accepted] = yield* listener.accept()
    accepted?.close()
    con.close()
  })
  t.ok(round >= 0 && round < 100, `after ${round} rounds`)
})

t.test("sendto to a full UNIX queue waits at rest", async (t) => {
  const path = `${tmp(t)}/s`
  const server = closing(t, socket.listen({ path, type: SOCK_DGRAM }))
  const client = closing(t, socket.listen({ path: `${path}c`, type: SOCK_DGRAM }))
  await server.listen()
  await client.listen()
  let sent = 0
  while ((await client.sendto(`${sent}`, path, undefined, 0))[0]) sent++
  client.clearerr()
  const before = process.cpuUsage()
  t.strictSame(await client.sendto("late", path, undefined, 0.3), [false, errno.ETIMEDOUT])
  const { user, system } = process.cpuUsage(before)
  t.ok((user + system) / 1e6 < 0.15, `${(user + system) / 1e6} s of processor time in 0.3 s`)
  client.clearerr()
  const sending = Promise.resolve(client.sendto("last", path, undefined, 5))
  for (let i = 0; i < sent; i++) t.equal((await server.recvfrom())[0]?.toString(), `${i}`)
  t.strictSame(await sending, [true])
  t.equal((await server.recvfrom())[0]?.toString(), "last")
})

t.test("waiting for a peer that does nothing costs nothing", async (t) => {
  const [con] = pair(t)
  const [full] = pair(t)
  full.setmode("b", "bn")
  const before = process.cpuUsage()
  await Promise.all([
    con.xread("*l", undefined, 0.3),
    full.xwrite(Buffer.alloc(5_000_000), "n", 0.3),
    closing(t, socket.listen("127.0.0.1", 0)).accept(0.3),
  ])
  const { user, system } = process.cpuUsage(before)
  t.ok((user + system) / 1e6 < 0.15, `${(user + system) / 1e6} s of processor time in 0.3 s`)
})
