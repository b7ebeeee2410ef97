// Sockets of descriptors: pairs of every type, dup, and fdopen of sockets, pipes and what is none.
import { spawn } from "node:child_process"
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs"
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno, SystemError } from "../../core/errno.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { tmp } from "../support/tmp.js"
import { closing, failure, fdOf, pair, peek, poke } from "./kit.js"

await census(t)

const { AF_UNIX, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET } = socket

/** The flags of a descriptor, as /proc has them. */
const flagsOf = (fd: number) =>
  Number.parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1] ?? "", 8)
const O_NONBLOCK = 0o4000
const O_CLOEXEC = 0o2000000

t.test("pair gives two connected sockets of a type", async (t) => {
  for (const type of [undefined, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, "stream", "dgram", "seqpacket"]) {
    const [one, two] = socket.pair(type as number)
    closing(t, one)
    closing(t, two)
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      await from.write("hello\n")
      await from.flush()
      t.match((await to.read())[0], /^hello\r?$/, `${type}`)
    }
    t.equal(one.localname()[0], AF_UNIX)
  }
  for (const options of [{}, { type: SOCK_DGRAM }, { type: SOCK_STREAM, nonblock: true }]) {
    for (const one of socket.pair(options)) closing(t, one)
  }
  for (const wrong of ["tcp", null, {}, Number.NaN, 1.5, { no_such: 1 }, [], true]) {
    if (
      wrong !== null &&
      typeof wrong === "object" &&
      Object.keys(wrong).length === 0 &&
      !Array.isArray(wrong)
    )
      continue
    t.throws(() => socket.pair(wrong as number), TypeError, JSON.stringify(wrong))
  }
})

t.test(
  "descriptors are non-blocking and closed on exec",
  { skip: process.platform !== "linux" },
  async (t) => {
    const [one, two] = pair(t)
    const listener = closing(t, socket.listen("127.0.0.1", 0))
    await listener.listen()
    const client = closing(t, socket.connect("127.0.0.1", listener.localname()[2] as number))
    await client.connect()
    const accepted = closing(t, (await listener.accept())[0] as Socket)
    const copy = closing(t, socket.dup(one))
    for (const each of [one, two, listener, client, accepted, copy])
      t.equal(flagsOf(fdOf(each)) & (O_NONBLOCK | O_CLOEXEC), O_NONBLOCK | O_CLOEXEC)
    const given = closing(
      t,
      socket.connect({
        host: "127.0.0.1",
        port: listener.localname()[2] as number,
        cloexec: false,
        nonblock: false,
      }),
    )
    await given.connect()
    t.equal(flagsOf(fdOf(given)) & (O_NONBLOCK | O_CLOEXEC), 0, "unless told otherwise")
    closing(t, (await listener.accept())[0] as Socket)
  },
)

t.test("dup makes a socket of a copy: each is closed on its own", async (t) => {
  const [con, peer] = pair(t)
  for (const given of [con, fdOf(con), { fd: fdOf(con) }, { fd: con }]) {
    const copy = socket.dup(given)
    t.not(copy.pollfd(), con.pollfd())
    await copy.write("from the copy\n")
    copy.close()
    t.strictSame(await peer.read(), ["from the copy"])
  }
  await con.write("still there\n")
  t.strictSame(await peer.read(), ["still there"])
  const copy = closing(t, socket.dup(con))
  con.close()
  poke(peer, "for the copy\n")
  t.strictSame(await copy.read(), ["for the copy"])
})

t.test("a copy knows its type: datagrams stay datagrams, a listener accepts", async (t) => {
  const [con, peer] = pair(t, SOCK_DGRAM)
  const copy = closing(t, socket.dup(con))
  poke(peer, "one")
  poke(peer, "two")
  t.strictSame([await copy.read("*a"), await copy.read("*a")], [["one"], ["two"]])
  const listener = closing(t, socket.listen("127.0.0.1", 0))
  await listener.listen()
  const second = closing(t, socket.dup(listener))
  const client = closing(t, socket.connect("127.0.0.1", listener.localname()[2] as number))
  await client.connect()
  t.equal(socket.type(closing(t, (await second.accept(5))[0] as Socket)), "socket")
})

t.test("a copy that is polled is not confused by the close of the original", async (t) => {
  const [con, peer] = pair(t)
  const copy = closing(t, socket.dup(con))
  const reading = Promise.resolve(copy.read())
  const original = failure(() => con.read())
  await cqueues.sleep(0)
  con.close()
  t.match(await original, /EBADF|Error/)
  poke(peer, "here\n")
  t.strictSame(await reading, ["here"])
})

t.test("fdopen takes a descriptor over, and closes it at its end", async (t) => {
  const [con, peer] = pair(t)
  const before = fdOf(con)
  // a descriptor that is nobody's: the copy that another process would have sent
  await peer.sendfd("x", con)
  const fd = await foreign(t)
  const taken = socket.fdopen(fd)
  t.equal(taken.pollfd(), fd)
  await taken.write("x\n")
  taken.close()
  t.throws(() => fstatSync(fd), { code: "EBADF" })
  t.equal(con.pollfd(), before)
  const other = await foreign(t)
  const second = socket.fdopen({ fd: other, nonblock: true })
  second.close()
  t.throws(() => fstatSync(other), { code: "EBADF" })
})

t.test("fdopen of a pipe reads and writes it", async (t) => {
  const fifo = `${tmp(t)}/fifo`
  await new Promise((resolve) => spawn("mkfifo", [fifo]).once("close", resolve))
  const both = openSync(fifo, "r+")
  const reader = closing(t, socket.fdopen(openSync(fifo, "r")))
  const writer = closing(t, socket.fdopen(openSync(fifo, "w")))
  closeSync(both)
  await writer.write("through a pipe\n")
  await writer.flush()
  t.strictSame(await reader.read(), ["through a pipe"])
  const data = Buffer.alloc(300_000, "0123456789")
  const writing = Promise.resolve(writer.bytes.write(data)).then(() => writer.flush())
  t.ok((await reader.bytes.read(data.length))[0]?.equals(data))
  await writing
  t.strictSame(await reader.xread("*l", undefined, 0.01), [undefined, errno.ETIMEDOUT])
  reader.clearerr()
  const waiting = Promise.resolve(reader.read())
  await writer.write("later\n")
  t.strictSame(await waiting, ["later"])
  writer.close()
  t.strictSame(await reader.read(), [undefined], "the end")
})

t.test("a pipe whose reader has gone is EPIPE, and no signal", async (t) => {
  const fifo = `${tmp(t)}/fifo`
  await new Promise((resolve) => spawn("mkfifo", [fifo]).once("close", resolve))
  const both = openSync(fifo, "r+")
  const writer = closing(t, socket.fdopen(openSync(fifo, "w")))
  closeSync(both)
  writer.setmode("b", "bn")
  t.strictSame(await writer.write("x"), [undefined, errno.EPIPE])
})

t.test("what is no descriptor is refused", (t) => {
  for (const wrong of [undefined, null, "5", 1.5, Number.NaN, {}, { fd: "x" }, -1, { fd: -1 }]) {
    t.throws(() => socket.fdopen(wrong as number), TypeError, `fdopen(${JSON.stringify(wrong)})`)
    t.throws(() => socket.dup(wrong as number), TypeError, `dup(${JSON.stringify(wrong)})`)
  }
  for (const make of [socket.fdopen, socket.dup]) {
    try {
      make(99_999)
      t.fail("it did not throw")
    } catch (error) {
      t.ok(error instanceof SystemError)
      t.equal((error as SystemError).code, "EBADF")
    }
  }
  t.end()
})

t.test("fdopen of a descriptor that a socket has already is refused, for both would close it", (t) => {
  const [con, peer] = pair(t)
  t.throws(() => socket.fdopen(fdOf(con)))
  poke(peer, "x")
  t.equal(peek(con), "x", "it is untouched")
  t.end()
})

/** The number of a descriptor that belongs to no socket object: one end of a pipe to a child. */
async function foreign(t: { teardown(handler: () => unknown): unknown }): Promise<number> {
  const fifo = `${tmp(t)}/p`
  await new Promise((resolve) => spawn("mkfifo", [fifo]).once("close", resolve))
  return openSync(fifo, "r+")
}
