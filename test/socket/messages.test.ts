// recvfrom and sendto: datagrams with their sender, unbuffered, for servers with many peers.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import { type Socket, type socket as Sockets, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { child } from "../support/child.js"
import type { Owner } from "../support/owner.js"
import { withProgram } from "../support/programs.js"
import { tmp } from "../support/tmp.js"
import { closing, failure, pair, poke, returning } from "./kit.js"

await census(t)

const { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM } = socket

async function bound(t: Owner, options: Parameters<typeof Sockets.listen>[0] & object): Promise<Socket> {
  const con = closing(t, socket.listen({ port: 0, type: SOCK_DGRAM, ...options }))
  await con.listen()
  return con
}

for (const [host, family] of [
  ["127.0.0.1", AF_INET],
  ["::1", AF_INET6],
] as const) {
  t.test(`a server answers each of its clients over ${host}`, async (t) => {
    const server = await bound(t, { host })
    const port = server.localname()[2] as number
    const clients = [await bound(t, { host }), await bound(t, { host })]
    for (const [i, client] of clients.entries())
      t.strictSame(await client.sendto(`question ${i}\n`, host, port), [true])
    for (let i = 0; i < clients.length; i++) {
      const [data, from] = await server.recvfrom()
      t.ok(Buffer.isBuffer(data))
      t.equal(data?.toString(), `question ${i}\n`, "bytes as they are, not translated")
      t.strictSame(from, [family, host, clients[i]?.localname()[2]])
      if (from) t.strictSame(await server.sendto(`answer ${i}`, from), [true])
    }
    for (const [i, client] of clients.entries()) {
      const [data, from] = await client.recvfrom(100, 5)
      t.equal(data?.toString(), `answer ${i}`)
      t.strictSame(from, [family, host, port])
    }
  })
}

t.test("UNIX datagrams are sent to a path, and come from a path or from nobody", async (t) => {
  const folder = tmp(t)
  const server = closing(t, socket.listen({ path: `${folder}/server`, type: SOCK_DGRAM }))
  const client = closing(t, socket.listen({ path: `${folder}/client`, type: SOCK_DGRAM }))
  await server.listen()
  await client.listen()
  t.strictSame(await client.sendto("hello", `${folder}/server`), [true])
  const [data, from] = await server.recvfrom()
  t.strictSame([data?.toString(), from], ["hello", [AF_UNIX, `${folder}/client`]])
  if (from) t.strictSame(await server.sendto("back", from), [true])
  t.equal((await client.recvfrom())[0]?.toString(), "back")
  const [one, two] = pair(t, SOCK_DGRAM)
  poke(one, "x")
  const [message, sender] = await two.recvfrom()
  t.equal(message?.toString(), "x")
  t.match(sender, [/0|1/])
  t.equal(sender?.[1], undefined)
})

t.test("one recvfrom is one datagram: cut at its size, empty ones too", async (t) => {
  const server = await bound(t, { host: "127.0.0.1" })
  const port = server.localname()[2] as number
  const client = await bound(t, { host: "127.0.0.1" })
  for (const data of ["0123456789", "", "next", Buffer.alloc(60_000, "x")])
    await client.sendto(data, "127.0.0.1", port)
  t.equal((await server.recvfrom(4))[0]?.toString(), "0123")
  t.equal((await server.recvfrom())[0]?.length, 0)
  t.equal((await server.recvfrom(4))[0]?.toString(), "next")
  t.equal((await server.recvfrom())[0]?.length, 60_000)
  t.strictSame(await server.recvfrom(10, 0.01), [undefined, undefined, errno.ETIMEDOUT])
})

t.test("buffers that recvfrom gave stay what they are", async (t) => {
  const server = await bound(t, { host: "127.0.0.1" })
  const client = await bound(t, { host: "127.0.0.1" })
  const got: Buffer[] = []
  for (let i = 0; i < 50; i++) {
    await client.sendto(`datagram ${i}`, "127.0.0.1", server.localname()[2] as number)
    got.push((await server.recvfrom())[0] as Buffer)
  }
  for (const [i, data] of got.entries()) t.equal(data.toString(), `datagram ${i}`)
})

t.test("sendto takes numeric addresses only, and what is none is refused", async (t) => {
  const con = returning(await bound(t, { host: "127.0.0.1" }))
  for (const address of ["localhost", "", "127.0.0.1.5", "no address", undefined, null, 5])
    t.equal(await failure(() => con.sendto("x", address as string, 9)), "TypeError", `${address}`)
  t.equal(await failure(() => con.sendto(5 as never, "127.0.0.1", 9)), "TypeError")
  t.match(await failure(() => con.sendto("x", "127.0.0.1", 65_536)), /EINVAL|RangeError|TypeError/)
  t.match(await failure(() => con.sendto("x", "::1", 9)), /EAFNOSUPPORT|EINVAL/)
  const big = Buffer.alloc(70_000)
  t.strictSame(await con.sendto(big, "127.0.0.1", con.localname()[2] as number), [false, errno.EMSGSIZE])
  con.clearerr()
  t.strictSame(await con.sendto("fits", "127.0.0.1", con.localname()[2] as number), [true])
  t.equal((await con.recvfrom())[0]?.toString(), "fits")
})

t.test("an IPv6 socket of both families sends to IPv4 addresses", async (t) => {
  const server = await bound(t, { host: "127.0.0.1" })
  const client = await bound(t, { host: "::", v6only: false })
  t.strictSame(await client.sendto("x", "127.0.0.1", server.localname()[2] as number), [true])
  const [data, from] = await server.recvfrom(10, 5)
  t.equal(data?.toString(), "x")
  if (from) await server.sendto("y", from)
  const [answer, sender] = await client.recvfrom(10, 5)
  t.equal(answer?.toString(), "y")
  t.equal(sender?.[1], "::ffff:127.0.0.1")
  if (sender) t.strictSame(await client.sendto("z", sender), [true])
  t.equal((await server.recvfrom(10, 5))[0]?.toString(), "z")
})

t.test("broadcast has to be allowed", async (t) => {
  const plain = returning(await bound(t, { host: "127.0.0.1" }))
  t.strictSame(await plain.sendto("x", "255.255.255.255", 9), [false, errno.EACCES])
  const allowed = returning(await bound(t, { host: "127.0.0.1", broadcast: true }))
  t.not((await allowed.sendto("x", "127.255.255.255", 9))[1], errno.EACCES)
})

t.test("recvfrom leaves what is buffered alone, and waits without holding up writers", async (t) => {
  const [con, peer] = pair(t, SOCK_DGRAM)
  poke(peer, "one\ntwo")
  t.strictSame(await con.read("*l"), ["one"])
  poke(peer, "next")
  t.equal((await con.recvfrom())[0]?.toString(), "next")
  t.strictSame(await con.read("*l"), ["two"])
  const waiting = Promise.resolve(con.recvfrom(10, 5))
  await cqueues.sleep(0)
  await con.write("out\n")
  poke(peer, "in")
  t.equal((await waiting)[0]?.toString(), "in")
})

t.test("socat asks over UDP and gets its answer", async (t) => {
  await withProgram(t, "socat", async (program) => {
    const server = await bound(t, { host: "127.0.0.1" })
    const client = child(t, program, ["-t5", "-", `UDP:127.0.0.1:${server.localname()[2]}`])
    client.write("hello\n")
    const [data, from] = await server.recvfrom(100, 5)
    t.equal(data?.toString(), "hello\n")
    if (from) await server.sendto("good day\n", from)
    await client.line(/^good day$/)
  })
})
