// Passing descriptors: a message and perhaps a descriptor, past the buffers, in both directions.
import { spawnSync } from "node:child_process"
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs"
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census, changes, descriptors } from "../support/census.js"
import { locate } from "../support/programs.js"
import { tmp } from "../support/tmp.js"
import { closing, failure, fdOf, pair, peek, poke, returning } from "./kit.js"

await census(t)

const { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET } = socket

for (const type of [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET]) {
  t.test(`a socket goes over ${socket.SOCK[type]} with a message, and stays its sender's`, async (t) => {
    const [con, peer] = pair(t, type)
    const [one, two] = pair(t)
    t.strictSame(await con.sendfd("take this", one), [true])
    const [message, passed] = await peer.recvfd()
    t.equal(message, "take this")
    closing(t, passed as Socket)
    t.equal(socket.type(passed), "socket")
    t.not(passed?.pollfd(), one.pollfd())
    await passed?.write("hello\n")
    t.strictSame(await two.read(), ["hello"])
    await one.write("still mine\n")
    t.strictSame(await two.read(), ["still mine"])
    await two.write("to either\n")
    t.strictSame(await passed?.read(), ["to either"])
  })

  t.test(`a message over ${socket.SOCK[type]} may come without a descriptor`, async (t) => {
    const [con, peer] = pair(t, type)
    t.strictSame(await con.sendfd("alone", undefined), [true])
    t.strictSame(await peer.recvfd(), ["alone", undefined])
    t.strictSame(await con.sendfd(Buffer.from("\xff\0", "latin1"), undefined), [true])
    t.strictSame(await peer.bytes.recvfd(), [Buffer.from("\xff\0", "latin1"), undefined])
    await con.sendfd("\udcff\u20ac", undefined)
    t.strictSame(await peer.recvfd(), ["\udcff\u20ac", undefined])
  })
}

t.test("a number or a socket may be passed, of a file, a pipe or a listener", async (t) => {
  const [con, peer] = pair(t)
  const file = openSync("/dev/null", "r")
  t.strictSame(await con.sendfd("file", file), [true])
  fstatSync(file)
  closeSync(file)
  const [, passed] = await peer.recvfd()
  t.equal(fstatSync(fdOf(closing(t, passed as Socket))).isCharacterDevice(), true)
  const listener = closing(t, socket.listen("127.0.0.1", 0))
  await listener.listen()
  await con.sendfd("listener", listener)
  const [, second] = await peer.recvfd()
  const client = closing(t, socket.connect("127.0.0.1", listener.localname()[2] as number))
  await client.connect()
  closing(t, (await closing(t, second as Socket).accept(5))[0] as Socket)
})

t.test(
  "received descriptors are closed on exec and non-blocking",
  { skip: process.platform !== "linux" },
  async (t) => {
    const [con, peer] = pair(t)
    await con.sendfd("x", con)
    const [, passed] = await peer.recvfd()
    const flags = readFileSync(`/proc/self/fdinfo/${fdOf(closing(t, passed as Socket))}`, "latin1")
    t.match(flags, /flags:\s*0?2\d*4\d\d\d\s/)
  },
)

t.test("a stream gives one message at a time, at most as much as asked", async (t) => {
  const [con, peer] = pair(t)
  await con.sendfd("0123456789", con)
  const [first, passed] = await peer.recvfd(4)
  closing(t, passed as Socket)
  t.equal(first, "0123")
  t.strictSame(await peer.recvfd(), ["456789", undefined], "the rest comes without the descriptor")
  await con.sendfd("one", con)
  await con.sendfd("two", con)
  for (const wanted of ["one", "two"]) {
    const [message, each] = await peer.recvfd(100)
    t.equal(message, wanted)
    closing(t, each as Socket)
  }
})

t.test("a message that is cut is an error, and its descriptor is closed", async (t) => {
  for (const type of [SOCK_DGRAM, SOCK_SEQPACKET]) {
    const [con, peer] = pair(t, type)
    returning(peer)
    await con.sendfd("0123456789", con)
    const before = descriptors()
    const [message, passed, error] = await peer.recvfd(4)
    t.strictSame([message, passed], [undefined, undefined])
    t.ok(error === errno.EMSGSIZE || error === errno.ENOBUFS, `${error && errno[error]}`)
    t.strictSame(changes(before), [])
    peer.clearerr()
    await con.sendfd("next", undefined)
    t.strictSame(await peer.recvfd(), ["next", undefined])
  }
})

t.test("surplus descriptors of a hostile peer are closed", async (t) => {
  const python = locate("python3")
  if (!python) return void t.pass("python3", { skip: "needs python3 to send several descriptors" })
  const path = `${tmp(t)}/s`
  const listener = closing(t, socket.listen({ path }))
  await listener.listen()
  const script = `import socket,sys
s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
f=open("/dev/null"); socket.send_fds(s,[b"many"],[f.fileno()]*10)`
  spawnSync(python, ["-c", script, path])
  const con = closing(t, (await listener.accept(5))[0] as Socket)
  const before = descriptors()
  const [message, passed] = await con.recvfd()
  t.equal(message, "many")
  passed?.close()
  t.strictSame(changes(before), [])
  t.equal(await failure(() => con.recvfd()), "EPIPE", "the end")
})

t.test("a descriptor that a plain read meets is not left open", async (t) => {
  const [con, peer] = pair(t)
  await con.sendfd("line\n", con)
  const before = descriptors()
  t.strictSame(await peer.read(), ["line"])
  t.strictSame(changes(before), [])
})

t.test("sendfd sends first what was written, recvfd leaves what is buffered", async (t) => {
  const [con, peer] = pair(t)
  con.setmode("b", "bf")
  await con.write("written ")
  await con.sendfd("passed", undefined)
  t.equal(peek(peer), "written passed")
  poke(con, "line\nrest")
  await peer.read()
  t.strictSame(peer.pending(), [4, 0])
  await con.sendfd("message", undefined)
  t.strictSame(await peer.recvfd(), ["message", undefined])
  t.strictSame(await peer.xread("*a", undefined, 0).then(() => peer.pending()), [4, 0])
})

t.test("bad arguments are refused, a bad descriptor is EBADF", async (t) => {
  const [con, peer] = pair(t)
  returning(con)
  t.equal(await failure(() => con.sendfd("", con)), "TypeError", "no empty message")
  for (const wrong of ["x", {}, null, true])
    t.equal(await failure(() => con.sendfd("x", wrong as never)), "TypeError")
  for (const wrong of [undefined, 5, {}])
    t.equal(await failure(() => con.sendfd(wrong as never, con)), "TypeError")
  t.equal(await failure(() => con.sendfd("x", 99_999)), "EBADF")
  t.match(await failure(() => con.sendfd("x", -1)), /TypeError|EBADF/)
  t.equal(peek(peer), undefined)
})

t.test("recvfd waits, times out, and tells the end", async (t) => {
  const [con, peer] = pair(t)
  t.strictSame(await peer.recvfd(10, 0.01), [undefined, undefined, errno.ETIMEDOUT])
  peer.clearerr()
  const waiting = Promise.resolve(peer.recvfd(undefined, 5))
  await cqueues.sleep(0)
  await con.sendfd("x", undefined, 5)
  t.strictSame(await waiting, ["x", undefined])
  con.close()
  t.strictSame(await peer.recvfd(), [undefined, undefined, errno.EPIPE])
})

t.test("a large message to a slow receiver comes whole, with one descriptor", async (t) => {
  const [con, peer] = pair(t)
  const data = Buffer.alloc(2_000_000, "0123456789")
  const sending = Promise.resolve(con.sendfd(data, con))
  let received = ""
  let passed = 0
  while (received.length < data.length) {
    const [message, socket] = await peer.recvfd(100_000)
    received += message
    if (socket) passed++
    socket?.close()
  }
  t.strictSame(await sending, [true])
  t.ok(received === data.toString())
  t.equal(passed, 1)
})
