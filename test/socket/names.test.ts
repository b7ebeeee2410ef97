// Who is on the other end: peername and localname of every family, peereid, peerpid; and stat.
import t from "tap"
import { errno } from "../../core/errno.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { child } from "../support/child.js"
import { connectPeer, listenPeer } from "../support/nodepeer.js"
import { withProgram } from "../support/programs.js"
import { tmp } from "../support/tmp.js"
import { closing, failure, pair, peek, poke } from "./kit.js"

await census(t)

const { AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC, SOCK_DGRAM } = socket

t.test("names over IPv4 and IPv6 are family, address and port", async (t) => {
  for (const [host, family] of [
    ["127.0.0.1", AF_INET],
    ["::1", AF_INET6],
  ] as const) {
    const peers = await listenPeer(t, { host, port: 0 })
    const con = closing(t, socket.connect(host, peers.port))
    await con.connect()
    const peer = await peers.next()
    t.strictSame(con.peername(), [family, host, peers.port])
    t.strictSame(con.localname(), [family, host, peer.socket.remotePort])
  }
})

t.test("an IPv4 client of an IPv6 listener has a mapped address", async (t) => {
  const listener = closing(t, socket.listen({ host: "::", port: 0, v6only: false }))
  await listener.listen()
  const peer = await connectPeer(t, listener.localname()[2] as number)
  const con = closing(t, (await listener.accept())[0] as Socket)
  t.strictSame(con.peername(), [AF_INET6, "::ffff:127.0.0.1", peer.socket.localPort])
})

t.test("UNIX names are family and path, and only the family where there is no path", async (t) => {
  const path = `${tmp(t)}/s`
  const listener = closing(t, socket.listen({ path }))
  const con = closing(t, socket.connect({ path }))
  await listener.listen()
  await con.connect()
  const accepted = closing(t, (await listener.accept())[0] as Socket)
  t.strictSame(con.peername(), [AF_UNIX, path])
  for (const name of [con.localname(), accepted.peername()]) {
    t.equal(name[0], AF_UNIX)
    t.equal(name[1], undefined, "no garbage")
  }
  t.strictSame(accepted.localname(), [AF_UNIX, path])
  const [one] = pair(t)
  t.equal(one.peername()[0], AF_UNIX)
  t.equal(one.peername()[1], undefined)
})

t.test("the longest path is told whole", async (t) => {
  const folder = tmp(t)
  const path = `${folder}/${"x".repeat(107 - folder.length - 1)}`
  const listener = closing(t, socket.listen({ path }))
  t.strictSame(await listener.listen(), [listener])
  t.strictSame(listener.localname(), [AF_UNIX, path])
  t.match(
    await failure(() => closing(t, socket.listen({ path: `${path}xx` })).listen()),
    /ENAMETOOLONG|EINVAL/,
  )
})

t.test("unconnected sockets have a peer of AF_UNSPEC", async (t) => {
  const listener = closing(t, socket.listen("127.0.0.1", 0))
  t.strictSame(listener.peername(), [AF_UNSPEC])
  await listener.listen()
  t.strictSame(listener.peername(), [AF_UNSPEC])
  const udp = closing(t, socket.listen({ host: "127.0.0.1", port: 0, type: SOCK_DGRAM }))
  await udp.listen()
  t.strictSame(udp.peername(), [AF_UNSPEC])
  t.equal(udp.localname()[1], "127.0.0.1")
  const con = closing(t, socket.connect({ path: `${tmp(t)}/nobody` }))
  t.strictSame(con.peername(), [AF_UNSPEC])
})

t.test("peereid and peerpid tell who a UNIX peer is", async (t) => {
  const [con] = pair(t)
  t.strictSame(con.peereid(), [process.geteuid?.(), process.getegid?.()])
  t.equal(con.peerpid(), process.pid)
  await withProgram(t, "socat", async (socat) => {
    const path = `${tmp(t)}/s`
    const listener = closing(t, socket.listen({ path }))
    await listener.listen()
    const client = child(t, socat, ["-", `UNIX-CONNECT:${path}`])
    const accepted = closing(t, (await listener.accept(5))[0] as Socket)
    t.equal(accepted.peerpid(), client.pid)
    t.strictSame(accepted.peereid(), [process.geteuid?.(), process.getegid?.()])
  })
})

t.test("peereid and peerpid of other sockets are an errno", async (t) => {
  const listener = closing(t, socket.listen("127.0.0.1", 0))
  await listener.listen()
  const lonely = closing(t, socket.listen({ path: `${tmp(t)}/d`, type: SOCK_DGRAM }))
  await lonely.listen()
  for (const result of [listener.peereid(), listener.peerpid(), lonely.peereid(), lonely.peerpid()]) {
    if (!Array.isArray(result)) return void t.fail(`pid ${result}`)
    t.equal(result[0], undefined)
    t.type(result[1], "number")
    t.ok(errno[result[1] as number])
  }
})

t.test("stat counts bytes on the wire, in both directions", async (t) => {
  const [con, peer] = pair(t)
  t.match(con.stat(), { sent: { count: 0, eof: false }, rcvd: { count: 0, eof: false } })
  con.setvbuf("full")
  await con.write("a\n\u20ac")
  t.equal(con.stat().sent.count, 0, "not yet what is buffered")
  await con.flush()
  t.equal(con.stat().sent.count, 6)
  t.equal(peek(peer)?.length, 6)
  poke(peer, "one\r\ntwo")
  await con.read()
  t.equal(con.stat().rcvd.count, 8, "what has been received, read or not")
  con.recv(3)
  con.send("x", 0, 1, "b")
  t.match(con.stat(), { sent: { count: 7 }, rcvd: { count: 8 } })
  await con.write(Buffer.alloc(100_000))
  await con.flush()
  t.equal(con.stat().sent.count, 100_007)
  t.strictSame(con.bytes.stat(), con.stat(), "the bytes view has the same")
})

t.test("stat tells the time of the last bytes and whether a direction has ended", async (t) => {
  const [con, peer] = pair(t)
  const begin = Date.now() / 1000
  t.strictSame([con.stat().sent.time, con.stat().rcvd.time], [undefined, undefined])
  await con.write("x\n")
  await con.flush()
  poke(peer, "y\n")
  await con.read()
  t.equal(peek(peer), "x\r\n")
  for (const { time } of [con.stat().sent, con.stat().rcvd])
    t.ok(Number(time) >= begin - 0.01 && Number(time) <= Date.now() / 1000 + 0.01, `${time} in seconds`)
  peer.close()
  await con.read()
  await con.write("x\n")
  await con.flush()
  t.match(con.stat(), { sent: { eof: true }, rcvd: { eof: true } })
})

t.test("with the option time: false stat tells no times", async (t) => {
  const [con, peer] = socket.pair({ time: false })
  closing(t, con)
  closing(t, peer)
  const copy = closing(t, socket.dup({ fd: con, time: true }))
  for (const one of [con, copy]) {
    await one.write("x\n")
    await one.flush()
    poke(peer, "y\n")
    await one.read()
  }
  t.match(con.stat(), { sent: { count: 3, time: undefined }, rcvd: { count: 2, time: undefined } })
  t.type(copy.stat().sent.time, "number")
  t.type(copy.stat().rcvd.time, "number")
})

t.test("stat counts datagrams and messages past the buffers too", async (t) => {
  const [con, peer] = pair(t, SOCK_DGRAM)
  await con.write("abc")
  await con.flush()
  await con.sendfd("de", undefined)
  poke(peer, "12345")
  poke(peer, "67")
  await con.read("*a")
  await con.recvfd()
  t.match(con.stat(), { sent: { count: 5 }, rcvd: { count: 7 } })
})

t.test("uncork is an operation of TCP", async (t) => {
  const peers = await listenPeer(t)
  const con = closing(t, socket.connect({ host: "127.0.0.1", port: peers.port, nopush: true }))
  con.setmode("b", "bn")
  await con.write("corked")
  const peer = await peers.next()
  t.strictSame(con.uncork(), [true])
  t.equal((await peer.read(6)).toString(), "corked")
  const [one] = pair(t)
  t.equal(one.uncork()[0], false)
})
