// Errors of a socket's channels: they stick, are cleared and set by hand, go to the handler, and who ignores
// them too often is stopped.
import t from "tap"
import { errno, SystemError } from "../../core/errno.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { closing, pair, peek, poke, returning } from "./kit.js"

await census(t)

const { EPIPE, ETIMEDOUT, ECONNRESET } = errno

t.test("without an error, error and clearerr give undefined for each channel", (t) => {
  const [con] = pair(t)
  t.strictSame(con.error(), [undefined, undefined])
  t.strictSame(con.error("r"), [undefined])
  t.strictSame(con.error("w"), [undefined])
  t.strictSame(con.clearerr("wr"), [undefined, undefined])
  t.throws(() => con.error("x"), TypeError)
  t.throws(() => con.clearerr("rx"), TypeError)
  t.throws(() => con.eof("x"), TypeError)
  t.end()
})

t.test("seterror sets a channel's error, which error gives in the order asked", (t) => {
  const [con] = pair(t)
  con.seterror("r", ECONNRESET)
  t.strictSame(con.error(), [ECONNRESET, undefined])
  con.seterror("w", EPIPE)
  t.strictSame(con.error("rw"), [ECONNRESET, EPIPE])
  t.strictSame(con.error("wr"), [EPIPE, ECONNRESET])
  t.strictSame(con.error("w"), [EPIPE])
  t.strictSame(con.clearerr("r"), [ECONNRESET])
  t.strictSame(con.error(), [undefined, EPIPE])
  t.strictSame(con.clearerr(), [undefined, EPIPE])
  t.strictSame(con.error(), [undefined, undefined])
  con.seterror("rw", ETIMEDOUT)
  t.strictSame(con.error(), [ETIMEDOUT, ETIMEDOUT])
  con.seterror("rw")
  t.strictSame(con.error(), [undefined, undefined], "seterror without a number clears")
  t.throws(() => con.seterror("x", 1), TypeError)
  t.end()
})

t.test("an error sticks to its channel: everything that reads gives it, until it is cleared", async (t) => {
  const [con, peer] = pair(t)
  returning(con)
  poke(peer, "line\n")
  con.seterror("r", ECONNRESET)
  for (let i = 0; i < 3; i++) t.strictSame(await con.read(), [undefined, ECONNRESET])
  t.strictSame(await con.read("*l", 5, "*a"), [undefined, undefined, undefined, ECONNRESET])
  t.strictSame(await con.xread("*l"), [undefined, ECONNRESET])
  t.strictSame(await con.bytes.read(), [undefined, ECONNRESET])
  t.strictSame(await con.fill(1), [false, ECONNRESET])
  t.equal(await con.lines().next(), undefined)
  t.strictSame(await con.recvfd(), [undefined, undefined, ECONNRESET])
  t.strictSame(con.recv(), [undefined, ECONNRESET])
  t.strictSame(con.error(), [ECONNRESET, undefined])
  t.strictSame(await con.write("out\n"), [con], "the other channel is not touched")
  t.strictSame(con.clearerr("r"), [ECONNRESET])
  t.strictSame(await con.read(), ["line"])
})

t.test("everything that writes gives the error of its channel, and sends nothing", async (t) => {
  const [con, peer] = pair(t)
  returning(con)
  con.setmode("b", "bn")
  con.seterror("w", ECONNRESET)
  t.strictSame(await con.write("a"), [undefined, ECONNRESET])
  t.strictSame(await con.xwrite("a"), [undefined, ECONNRESET])
  t.strictSame(await con.flush(), [false, ECONNRESET])
  t.strictSame(await con.sendfd("a", con), [false, ECONNRESET])
  t.strictSame(con.send("a"), [0, ECONNRESET])
  t.equal(peek(peer), undefined)
  poke(peer, "line\n")
  t.strictSame(await con.read(), ["line"], "the other channel is not touched")
  con.clearerr()
  await con.write("b")
  t.equal(peek(peer), "b")
})

t.test("the default handler returns EPIPE and ETIMEDOUT and throws everything else", async (t) => {
  const [con] = pair(t)
  t.equal(con.onerror(), undefined)
  for (const number of [EPIPE, ETIMEDOUT]) {
    con.seterror("rw", number)
    t.strictSame(await con.read(), [undefined, number])
    t.strictSame(await con.write("x"), [undefined, number])
  }
  for (const name of ["ECONNRESET", "EBADF", "EINVAL", "EMFILE"] as const) {
    con.seterror("rw", errno[name])
    const failed = { name: "SystemError", errno: errno[name], code: name }
    await t.rejects(async () => await con.read(), { ...failed, syscall: "read" })
    await t.rejects(async () => await con.write("x"), { ...failed, syscall: "write" })
    await t.rejects(async () => await con.flush(), failed)
    await t.rejects(async () => await con.fill(1), failed)
    await t.rejects(async () => await con.lines().next(), failed)
  }
  con.seterror("r", ECONNRESET)
  const error = (await Promise.resolve(con.read()).catch((thrown) => thrown)) as SystemError
  t.ok(error instanceof SystemError && error instanceof Error)
  t.match(error.message, /read.*Connection reset by peer \(ECONNRESET\)$/)
})

t.test("the handler is given socket, method, errno and level, and its result is returned", async (t) => {
  const [con] = pair(t)
  const calls: unknown[][] = []
  const handler = (...args: [unknown, string, number, number]) => {
    calls.push(args)
    return errno.EINVAL
  }
  t.equal(con.onerror(handler), undefined)
  con.seterror("rw", EPIPE)
  t.strictSame(await con.read(), [undefined, errno.EINVAL])
  t.strictSame(await con.write("x"), [undefined, errno.EINVAL])
  t.strictSame(await con.flush(), [false, errno.EINVAL])
  t.strictSame(await con.fill(1), [false, errno.EINVAL])
  t.strictSame(
    calls.map((args) => args[1]),
    ["read", "write", "flush", "fill"],
  )
  for (const [given, , number, level, ...more] of calls) {
    t.equal(given, con)
    t.equal(number, EPIPE)
    t.type(level, "number")
    t.strictSame(more, [])
  }
  t.strictSame(con.error(), [EPIPE, EPIPE], "what sticks is the error itself")
})

t.test("what the handler throws comes out of the operation", async (t) => {
  const [con] = pair(t)
  const mine = new Error("mine")
  con.onerror(() => {
    throw mine
  })
  con.seterror("rw", EPIPE)
  await t.rejects(async () => await con.read(), mine)
  await t.rejects(async () => await con.write("x"), mine)
})

t.test("onerror gives the handler before; undefined brings the default one back", async (t) => {
  const [con] = pair(t)
  const one = () => 1
  const two = () => 2
  t.equal(con.onerror(one), undefined)
  t.equal(con.onerror(two), one)
  t.equal(con.onerror(), two, "asking changes nothing")
  t.equal(con.onerror(), two)
  t.equal(con.onerror(undefined), two)
  t.equal(con.onerror(), undefined)
  con.seterror("r", ECONNRESET)
  await t.rejects(async () => await con.read(), { code: "ECONNRESET" })
  for (const wrong of [5, "x", {}, null]) t.throws(() => con.onerror(wrong as never), TypeError)
})

t.test("the end of the stream is not told to the handler by read", async (t) => {
  const [con, peer] = pair(t)
  con.onerror(() => {
    throw new Error("told")
  })
  peer.close()
  t.strictSame(await con.read(), [undefined])
  t.equal(await con.lines().next(), undefined)
})

t.test("an error that is ignored too often throws, whatever the handler returns", async (t) => {
  for (const [channel, method] of [
    ["r", (con: Socket) => con.read()],
    ["w", (con: Socket) => con.write("x")],
  ] as const) {
    const [con] = pair(t)
    returning(con)
    con.setmaxerrs(5)
    con.seterror(channel, EPIPE)
    for (let i = 0; i < 5; i++) t.strictSame(await method(con), [undefined, EPIPE], `${channel} ${i}`)
    await t.rejects(async () => await method(con), /./, `${channel}: one more`)
    await t.rejects(async () => await method(con), /./, `${channel}: and again`)
    t.strictSame(con.clearerr(channel), [EPIPE])
    con.seterror(channel, EPIPE)
    t.strictSame(await method(con), [undefined, EPIPE], "clearerr begins to count anew")
  }
})

t.test("by default an error may be ignored a hundred times", async (t) => {
  const [con] = pair(t)
  con.seterror("r", ETIMEDOUT)
  for (let i = 0; i < 100; i++) {
    const [, error] = await con.read()
    if (error !== ETIMEDOUT) t.fail(`read ${i} gave ${error}`)
  }
  await t.rejects(async () => await con.read(), /./)
})

t.test("the limit of errors is each channel's own", async (t) => {
  const [con] = pair(t)
  con.setmaxerrs("r", 1)
  con.seterror("rw", EPIPE)
  await con.read()
  await t.rejects(async () => await con.read())
  for (let i = 0; i < 10; i++) t.strictSame(await con.write("x"), [undefined, EPIPE])
})

t.test("a time-out sticks until it is cleared, and then reading goes on with what has come", async (t) => {
  const [con, peer] = pair(t)
  poke(peer, "par")
  t.strictSame(await con.xread("*l", undefined, 0.01), [undefined, ETIMEDOUT])
  poke(peer, "tial\n")
  t.strictSame(await con.read(), [undefined, ETIMEDOUT])
  t.strictSame(con.clearerr(), [ETIMEDOUT, undefined])
  t.strictSame(await con.read(), ["partial"])
})

t.test("a connection that failed gives its error again and again", async (t) => {
  const con = returning(closing(t, socket.connect({ path: "/nonexistent/socket" })))
  for (let i = 0; i < 3; i++) t.strictSame(await con.connect(), [undefined, errno.ENOENT])
  t.strictSame(await con.read(), [undefined, errno.ENOENT])
  t.strictSame(await con.write("x"), [undefined, errno.ENOENT])
  t.strictSame(await con.flush(), [false, errno.ENOENT])
  t.strictSame(con.recv(), [undefined, errno.ENOENT])
  t.strictSame(con.send("x"), [0, errno.ENOENT])
})
