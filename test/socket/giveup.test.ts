// Operations that are given up: aborted, cancelled, or closed with their coroutine. Nothing is lost by it
// and the socket goes on.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import type { Operation } from "../../core/loop/operation.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { tmp } from "../support/tmp.js"
import { closing, pair, peek, poke, turn } from "./kit.js"

await census(t)

const { SOCK_DGRAM } = socket

t.test("an aborted read leaves what had arrived, and the next read has it", async (t) => {
  const [con, peer] = pair(t)
  for (const read of [
    () => con.read("*l"),
    () => con.read(9),
    () => con.fill(9),
    () => con.read("*l", "*l"),
  ]) {
    poke(peer, "some")
    const abort = new AbortController()
    const reading = cqueues.abortable(read() as Operation<unknown>, abort.signal)
    setImmediate(() => abort.abort(new Error("enough")))
    await t.rejects(async () => await reading, /enough/)
    poke(peer, "thing\n")
    t.strictSame(await con.read("*l"), ["something"])
    t.strictSame(con.error(), [undefined, undefined])
  }
})

t.test("an aborted wait for several formats keeps no value to itself that it has not given", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "one\ntw")
  const abort = new AbortController()
  const reading = cqueues.abortable(con.read("*l", "*l") as Operation<unknown>, abort.signal)
  setImmediate(() => abort.abort(new Error("enough")))
  await t.rejects(async () => await reading, /enough/)
  poke(peer, "o\n")
  const [line] = await con.read("*l")
  t.ok(line === "one" || line === "two", `${line}`)
})

t.test("an aborted write has sent a part, what follows goes behind it", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bn")
  const abort = new AbortController()
  const writing = cqueues.abortable(con.write(Buffer.alloc(3_000_000, "a")), abort.signal)
  setImmediate(() => abort.abort(new Error("enough")))
  await t.rejects(async () => await writing, /enough/)
  let received = peek(peer) ?? ""
  const next = Promise.resolve(con.write("END"))
  while (!received.endsWith("END")) {
    received += peek(peer) ?? ""
    await cqueues.sleep(0)
  }
  await next
  t.match(received, /^a+END$/)
})

t.test("aborted accepts and connects leave the socket as it was", async (t) => {
  const path = `${tmp(t)}/s`
  const listener = closing(t, socket.listen({ path, backlog: 0 }))
  await listener.listen()
  const aborted = async (operation: Operation<unknown>) => {
    const abort = new AbortController()
    setImmediate(() => abort.abort(new Error("enough")))
    await t.rejects(async () => await cqueues.abortable(operation, abort.signal), /enough/)
  }
  await aborted(listener.accept())
  await aborted(listener.clients().next())
  const first = closing(t, socket.connect({ path }))
  await first.connect()
  const second = closing(t, socket.connect({ path }))
  await aborted(second.connect())
  await aborted(second.read())
  const connecting = Promise.resolve(second.connect())
  closing(t, (await listener.accept())[0] as Socket)
  t.strictSame(await connecting, [second])
  closing(t, (await listener.accept())[0] as Socket)
})

t.test("cancel wakes who polls the socket; a read goes on waiting", (t) => {
  const [con, peer] = pair(t)
  const cq = cqueues.new()
  const log: unknown[] = []
  cq.wrap(function* () {
    log.push(yield* cqueues.poll(con))
  })
  cq.wrap(function* () {
    log.push(yield* con.read())
  })
  turn(cq)
  cqueues.cancel(con)
  turn(cq)
  t.strictSame(log, [[con]])
  poke(peer, "line\n")
  turn(cq)
  t.strictSame(log[1], ["line"])
  cq.close()
  t.end()
})

t.test("an error that is set by hand shows when a reader that waits is cancelled", (t) => {
  const [con] = pair(t)
  con.onerror((_con: unknown, _method: string, number: number) => number)
  const cq = cqueues.new()
  let found: unknown
  cq.wrap(function* () {
    found = yield* con.read()
  })
  turn(cq)
  con.seterror("r", errno.ECANCELED)
  cqueues.cancel(con)
  turn(cq)
  t.strictSame(found, [undefined, errno.ECANCELED])
  cq.close()
  t.end()
})

t.test("a controller that is closed gives up what its coroutines wait for", (t) => {
  const [con, peer] = pair(t)
  const [datagrams, sender] = pair(t, SOCK_DGRAM)
  const finished: string[] = []
  const waits: Record<string, () => Operation<unknown>> = {
    read: () => con.read(),
    lines: () => con.lines().each(() => {}),
    fill: () => con.fill(5),
    write: () => con.write(Buffer.alloc(3_000_000)),
    recvfrom: () => datagrams.recvfrom(),
    "read of a datagram": () => datagrams.read("*a"),
  }
  const cq = cqueues.new()
  for (const [name, start] of Object.entries(waits)) {
    cq.wrap(function* () {
      try {
        yield* start()
      } finally {
        finished.push(name)
      }
    })
  }
  turn(cq)
  t.strictSame(finished, [])
  cq.close()
  t.strictSame([...finished].sort(), Object.keys(waits).sort(), "their finally blocks ran")
  poke(peer, "line\n")
  poke(sender, "datagram")
  t.strictSame(con.read().sync(), ["line"])
  t.strictSame(datagrams.read("*a").sync(), ["datagram"])
  t.end()
})

t.test("an operation is waited for once", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "one\ntwo\n")
  for (const operation of [
    con.read(),
    con.write("x"),
    con.flush(),
    con.fill(1),
    con.lines().next(),
    con.connect(),
  ]) {
    await operation
    await t.rejects(async () => await operation, /./)
    t.throws(() => operation.sync())
  }
})

t.test("sync blocks until the peer, a child or a thread, has done its part", (t) => {
  const [con, peer] = pair(t)
  poke(peer, "one\n")
  t.strictSame(con.read().sync(), ["one"])
  t.strictSame(con.xread("*l", undefined, 0.01).sync(), [undefined, errno.ETIMEDOUT])
  con.clearerr()
  t.strictSame(con.write("out\n").sync(), [con])
  t.equal(peek(peer), "out\r\n", "what sync wrote is sent")
  t.end()
})
