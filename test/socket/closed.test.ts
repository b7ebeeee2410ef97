// After close: every method says that the socket is closed, and what gets the same descriptor number is
// never mistaken for it.
import { closeSync, openSync } from "node:fs"
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { fdOf, pair, peek, poke, returning, turn } from "./kit.js"

await census(t)

const operations: Record<string, (con: Socket) => unknown> = {
  connect: (con) => con.connect(),
  listen: (con) => con.listen(),
  accept: (con) => con.accept(),
  read: (con) => con.read(),
  "read of bytes": (con) => con.bytes.read(),
  xread: (con) => con.xread(),
  fill: (con) => con.fill(1),
  write: (con) => con.write("x"),
  xwrite: (con) => con.xwrite("x"),
  flush: (con) => con.flush(),
  sendfd: (con) => con.sendfd("x", undefined),
  recvfd: (con) => con.recvfd(),
  recvfrom: (con) => con.recvfrom(),
  sendto: (con) => con.sendto("x", "/nowhere"),
  recv: (con) => con.recv(),
  send: (con) => con.send("x"),
  unget: (con) => con.unget("x"),
  pending: (con) => con.pending(),
  setvbuf: (con) => con.setvbuf("full"),
  setmode: (con) => con.setmode("b"),
  setbufsiz: (con) => con.setbufsiz(1),
  setmaxline: (con) => con.setmaxline(1),
  settimeout: (con) => con.settimeout(1),
  setmaxerrs: (con) => con.setmaxerrs(1),
  onerror: (con) => con.onerror(),
  error: (con) => con.error(),
  clearerr: (con) => con.clearerr(),
  seterror: (con) => con.seterror("r", 1),
  eof: (con) => con.eof(),
  shutdown: (con) => con.shutdown("w"),
  uncork: (con) => con.uncork(),
  peername: (con) => con.peername(),
  localname: (con) => con.localname(),
  peereid: (con) => con.peereid(),
  peerpid: (con) => con.peerpid(),
  stat: (con) => con.stat(),
}

for (const [name, call] of Object.entries(operations)) {
  t.test(`${name} of a closed socket throws an error that says so`, async (t) => {
    const [con] = pair(t)
    returning(con)
    con.close()
    await t.rejects(async () => await call(con), /closed/)
  })
}

t.test("an operation made before the close and waited for after it says so too", async (t) => {
  const [con] = pair(t)
  returning(con)
  const reading = con.read()
  const writing = con.write("x")
  con.close()
  await t.rejects(async () => await reading, /closed/)
  await t.rejects(async () => await writing, /closed/)
})

t.test("the iterations of a closed socket say so or end", async (t) => {
  const [con] = pair(t)
  const lines = con.lines()
  con.close()
  await t.rejects(async () => await lines.next(), /closed/)
  await t.rejects(async () => await con.lines().each(() => {}), /closed/)
  t.equal(await Promise.resolve(con.clients().next()).catch(() => undefined), undefined)
})

t.test("a closed socket has no descriptor, is ready when polled, and has its type", async (t) => {
  const [con] = pair(t)
  t.equal(socket.type(con), "socket")
  con.close()
  t.equal(socket.type(con), "closed socket")
  t.equal(con.pollfd(), undefined)
  t.strictSame(await cqueues.poll(con, 5), [con])
  for (const other of [undefined, null, {}, 5, "socket", cqueues.new]) t.equal(socket.type(other), undefined)
  cqueues.cancel(con)
  t.throws(() => socket.dup(con))
})

t.test("a closed socket is not passed on", async (t) => {
  const [con, peer] = pair(t)
  peer.close()
  await t.rejects(async () => await con.sendfd("x", peer))
})

t.test("who waited for the old socket is not woken by the new one of the same number", (t) => {
  const cq = cqueues.new()
  const [con] = pair(t)
  returning(con)
  const log: string[] = []
  cq.wrap(function* () {
    const [line, error] = yield* con.read()
    log.push(`old ${line} ${error === errno.EBADF ? "EBADF" : error}`)
  })
  turn(cq)
  const number = fdOf(con)
  con.close()
  const [one, two] = pair(t)
  const [reused, far] = fdOf(one) === number ? [one, two] : [two, one]
  t.equal(fdOf(reused), number, "the number is used again")
  poke(far, "for the new one\n")
  turn(cq)
  t.strictSame(log, ["old undefined EBADF"])
  t.strictSame(reused.recv(), ["for the new one"])
  cq.wrap(function* () {
    log.push(`new ${(yield* reused.read())[0]}`)
  })
  turn(cq)
  poke(far, "again\n")
  turn(cq)
  t.equal(log[1], "new again")
  cq.close()
  t.end()
})

t.test("a socket that is closed and replaced within one step takes none of the other's events", (t) => {
  const cq = cqueues.new()
  const [first, firstPeer] = pair(t)
  let [second, secondPeer] = pair(t)
  const log: string[] = []
  const number = fdOf(second)
  let fresh: [Socket, Socket] | undefined
  cq.wrap(function* () {
    yield* first.read()
    second.close()
    fresh = pair(t)
    if (fdOf(fresh[1]) === number) fresh.reverse()
    ;[second, secondPeer] = fresh
    cq.wrap(function* () {
      log.push(`new ${(yield* second.read())[0]}`)
    })
  })
  const old = returning(second)
  cq.wrap(function* () {
    const [line, error] = yield* old.read()
    log.push(`old ${line} ${error === errno.EBADF ? "EBADF" : error}`)
  })
  turn(cq)
  // both become readable for the same wait of the kernel
  poke(firstPeer, "go\n")
  poke(secondPeer, "for the old one\n")
  turn(cq)
  t.equal(fdOf(second), number, "the number is used again")
  t.ok(log.length === 1 && /^old (for the old one undefined|undefined EBADF)$/.test(log[0] ?? ""), `${log}`)
  poke(secondPeer, "for the new one\n")
  turn(cq)
  t.equal(log[1], "new for the new one")
  cq.close()
  t.end()
})

t.test("a writer that waited is not woken by the new socket, and writes nothing to it", (t) => {
  const cq = cqueues.new()
  const [con] = pair(t)
  returning(con)
  let outcome: unknown[] = []
  cq.wrap(function* () {
    outcome = yield* con.write(Buffer.alloc(3_000_000, "old"))
  })
  turn(cq)
  const number = fdOf(con)
  con.close()
  const [one, two] = pair(t)
  t.ok([fdOf(one), fdOf(two)].includes(number))
  turn(cq)
  t.strictSame(outcome, [undefined, errno.EBADF])
  t.equal(peek(one), undefined)
  t.equal(peek(two), undefined)
  cq.close()
  t.end()
})

t.test("lines that wait for the end of the step go to the old socket, not to the new one", async (t) => {
  const [con, peer] = pair(t)
  const cq = cqueues.new()
  let fresh: Socket[] = []
  cq.wrap(function* () {
    yield* con.write("old\n")
    con.close()
    fresh = pair(t)
  })
  turn(cq)
  t.equal(peek(peer), "old\r\n")
  for (const one of fresh) t.equal(peek(one), undefined)
  cq.close()
})

t.test("closing does not touch a descriptor of somebody else that has the number now", (t) => {
  const [con] = pair(t)
  const number = fdOf(con)
  con.close()
  const file = openSync("/dev/null", "r")
  t.equal(file, number)
  con.close()
  con.bytes.close()
  closeSync(file)
  t.end()
})
