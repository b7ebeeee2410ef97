// Datagrams and sequenced packets: each message ends like a stream, none is merged with another or split,
// and one that is longer than the input buffer is cut.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { closing, failure, latin, pair, peek, poke, returning } from "./kit.js"

await census(t)

const { SOCK_DGRAM, SOCK_SEQPACKET } = socket

for (const [name, type] of [
  ["datagrams", SOCK_DGRAM],
  ["packets", SOCK_SEQPACKET],
] as const) {
  t.test(`${name}: each read ends at the end of the message`, async (t) => {
    const [con, peer] = pair(t, type)
    for (const message of ["one\r\ntwo", "three", "fo\nur\n", "abcdef", "ghi"]) poke(peer, message)
    t.strictSame(await con.read("*l"), ["one"])
    t.strictSame(await con.read("*l"), ["two"], "without a line end")
    t.strictSame(await con.read("*a"), ["three"], "one message")
    t.strictSame(await con.read("*a"), ["fo\nur\n"])
    t.strictSame(await con.read(4), ["abcd"])
    t.strictSame(await con.read(4), ["ef"], "what is left of the message")
    t.strictSame(await con.read(-100), ["ghi"])
    t.strictSame(con.eof("r"), [false])
  })

  t.test(`${name}: several formats may take several messages`, async (t) => {
    const [con, peer] = pair(t, type)
    for (const message of ["one", "two\nrest", "last"]) poke(peer, message)
    t.strictSame(await con.read("*l", "*l", "*a", 2, "*l"), ["one", "two", "rest", "la", "st"])
  })

  t.test(`${name}: a CR at the end of a message waits for nothing`, async (t) => {
    const [con, peer] = pair(t, type)
    for (const format of ["*l", "*L", "*a", 2, 9, -9]) {
      poke(peer, "a\r")
      poke(peer, "\nb")
      t.strictSame(await con.read(format), ["a\r"], `${format}`)
      t.strictSame(await con.read("*a"), ["\nb"])
    }
  })

  t.test(`${name}: a message that is longer than the input buffer is cut, the next is whole`, async (t) => {
    const [con, peer] = pair(t, type)
    con.setbufsiz(8)
    for (const message of ["0123456789", "abcdefgh", "abc"]) poke(peer, message)
    t.strictSame(await con.bytes.read("*a"), [Buffer.from("01234567")])
    t.strictSame(await con.bytes.read("*a"), [Buffer.from("abcdefgh")])
    t.strictSame(await con.bytes.read("*a"), [Buffer.from("abc")])
  })

  t.test(`${name}: by default up to 4096 bytes arrive, and more with a larger buffer`, async (t) => {
    const [con, peer] = pair(t, type)
    poke(peer, "x".repeat(4096))
    t.strictSame((await con.read("*a"))[0]?.length, 4096)
    con.setbufsiz(60_000)
    poke(peer, "x".repeat(50_000))
    t.strictSame((await con.read("*a"))[0]?.length, 50_000)
  })

  t.test(`${name}: each write is a message of its own`, async (t) => {
    for (const mode of ["bn", "bl"]) {
      const [con, peer] = pair(t, type)
      con.setmode("b", mode)
      for (const message of ["one\n", "two", "th\nree", Buffer.from("four\n")]) await con.write(message)
      await con.flush()
      t.strictSame(
        [peek(peer), peek(peer), peek(peer), peek(peer)],
        ["one\n", "two", "th\nree", "four\n"],
        mode,
      )
      t.equal(peek(peer), undefined)
    }
  })

  t.test(`${name}: in full buffering a flush makes the message`, async (t) => {
    const [con, peer] = pair(t, type)
    con.setmode("b", "bf")
    con.setvbuf("full", 8)
    for (const part of ["0123456789", "ab\n", "cd"]) await con.write(part)
    t.equal(peek(peer), undefined)
    await con.flush()
    t.equal(peek(peer), "0123456789ab\ncd")
    t.equal(peek(peer), undefined)
  })

  t.test(`${name}: the parts of one write are one message`, async (t) => {
    const [con, peer] = pair(t, type)
    con.setmode("b", "bn")
    await con.write("a", 1, Buffer.from("b\n"), "c")
    t.equal(peek(peer), "a1b\nc")
    t.equal(peek(peer), undefined)
  })

  t.test(`${name}: a message larger than the output buffer and the line limit is not split`, async (t) => {
    for (const mode of ["bn", "bl", "bf", "tl"]) {
      const [con, peer] = pair(t, type)
      con.setmode("b", mode)
      con.setbufsiz(16, 16)
      con.setmaxline(16, 16)
      await con.write("x".repeat(20_000))
      await con.flush()
      t.equal(peek(peer)?.length, 20_000, mode)
      t.equal(peek(peer), undefined)
    }
  })

  t.test(`${name}: send sends one message at once`, async (t) => {
    const [con, peer] = pair(t, type)
    t.strictSame(con.send("abcdef", 1, 4, "bn"), [3])
    t.strictSame(con.send(Buffer.from("ghi"), 0, 3, "bn"), [3])
    t.strictSame([peek(peer), peek(peer), peek(peer)], ["bcd", "ghi", undefined])
    const text = "line\n".repeat(3000)
    t.strictSame(con.send(text, 0, text.length, "t"), [15_000])
    t.equal(peek(peer), text.replaceAll("\n", "\r\n"), "in text mode too")
    t.strictSame(con.send(Buffer.alloc(64 << 20)), [0, errno.EMSGSIZE])
    t.strictSame(con.send("after"), [5])
    t.equal(peek(peer), "after")
  })

  t.test(`${name}: a message that was given up is not sent with the next`, async (t) => {
    const [con, peer] = pair(t, type)
    con.setmode("b", "bn")
    con.settimeout(0.01)
    let sent = 0
    while ((await con.write(`message ${sent}`))[1] === undefined) sent++
    t.strictSame(con.clearerr("w"), [errno.ETIMEDOUT])
    const abort = new AbortController()
    setImmediate(() => abort.abort(new Error("enough")))
    con.settimeout()
    await t.rejects(async () => await cqueues.abortable(con.write("aborted"), abort.signal), /enough/)
    const received = Array.from({ length: sent }, () => peek(peer))
    t.strictSame(
      received,
      Array.from({ length: sent }, (_, i) => `message ${i}`),
    )
    await con.write("next")
    t.equal(peek(peer), "next")
    t.equal(peek(peer), undefined)
  })

  t.test(`${name}: a message that no kernel takes is EMSGSIZE, and the next goes through`, async (t) => {
    const [con, peer] = pair(t, type)
    returning(con)
    con.setmode("b", "bn")
    t.strictSame(await con.write(Buffer.alloc(64 << 20)), [undefined, errno.EMSGSIZE])
    con.clearerr()
    t.strictSame(await con.write("next"), [con])
    t.equal(peek(peer), "next")
  })
}

t.test("an empty datagram is a message and not the end", async (t) => {
  const [con, peer] = pair(t, SOCK_DGRAM)
  poke(peer, "")
  poke(peer, "x")
  poke(peer, "")
  t.strictSame(await con.read("*a"), [""])
  t.strictSame(await con.read("*a"), ["x"])
  t.strictSame(await con.bytes.read("*a"), [Buffer.alloc(0)])
  t.strictSame(con.eof("r"), [false])
  poke(peer, "")
  poke(peer, "line\n")
  let value = (await con.read("*l"))[0]
  if (value === "") value = (await con.read("*l"))[0]
  t.equal(value, "line")
  t.strictSame(con.recv("*a"), [undefined, errno.EAGAIN])
})

t.test("an empty string is written as an empty datagram, or not at all", async (t) => {
  const [con, peer] = pair(t, SOCK_DGRAM)
  con.setmode("b", "bn")
  await con.write("")
  await con.write("x")
  const first = peek(peer)
  t.equal(first === "" ? peek(peer) : first, "x")
})

t.test("writing nothing to packets is not the end for the peer", async (t) => {
  const [con, peer] = pair(t, SOCK_SEQPACKET)
  con.setmode("b", "bn")
  await con.write("")
  await con.write(Buffer.alloc(0))
  await con.write("x")
  t.strictSame(await peer.read("*a"), ["x"])
})

t.test("packets of a peer that has ended are read before the end", async (t) => {
  const [con, peer] = pair(t, SOCK_SEQPACKET)
  poke(peer, "one")
  poke(peer, "two")
  peer.close()
  t.strictSame(
    [await con.read("*a"), await con.read("*l"), await con.read("*l")],
    [["one"], ["two"], [undefined]],
  )
  t.strictSame(con.eof("r"), [true])
})

t.test("recv takes datagrams without waiting", async (t) => {
  const [con, peer] = pair(t, SOCK_DGRAM)
  t.strictSame(con.recv("*l"), [undefined, errno.EAGAIN])
  poke(peer, "one\ntwo")
  poke(peer, "three")
  t.strictSame([con.recv("*l"), con.recv("*l"), con.recv(-99)], [["one"], ["two"], ["three"]])
  t.strictSame(con.recv("*a"), [undefined, errno.EAGAIN])
})

t.test("lines goes from one datagram to the next", async (t) => {
  const [con, peer] = pair(t, SOCK_DGRAM)
  for (const message of ["a\nb", "c", "d\n"]) poke(peer, message)
  const lines = con.lines()
  const found: (string | undefined)[] = []
  for (let i = 0; i < 4; i++) found.push(await lines.next())
  t.strictSame(found, ["a", "b", "c", "d"])
})

t.test("UDP: datagrams over IPv4 and IPv6, an unread one is lost with nobody listening", async (t) => {
  for (const host of ["127.0.0.1", "::1"]) {
    const server = closing(t, socket.listen({ host, port: 0, type: SOCK_DGRAM }))
    t.strictSame(await server.listen(), [server])
    const port = server.localname()[2] as number
    const client = closing(t, socket.connect({ host, port, type: SOCK_DGRAM }))
    client.setmode("b", "bn")
    await client.write("hello")
    await client.write(Buffer.from(""), "world")
    t.strictSame([await server.read("*a"), await server.read("*a")], [["hello"], ["world"]])
  }
})

t.test("UDP: a peer that is gone shows as ECONNREFUSED, and the socket stays usable", async (t) => {
  const server = socket.listen({ host: "127.0.0.1", port: 0, type: SOCK_DGRAM })
  await server.listen()
  const port = server.localname()[2] as number
  const client = returning(closing(t, socket.connect({ host: "127.0.0.1", port, type: SOCK_DGRAM })))
  await client.connect()
  server.close()
  t.strictSame(client.send("x", 0, 1, "bn"), [1])
  t.equal(await failure(() => client.read("*a")), "ECONNREFUSED")
  client.clearerr()
  const again = closing(t, socket.listen({ host: "127.0.0.1", port, type: SOCK_DGRAM }))
  await again.listen()
  t.strictSame(client.send("y", 0, 1, "bn"), [1])
  t.strictSame(await again.read("*a"), ["y"])
})

t.test("a datagram is put back and read as part of no other", async (t) => {
  const [con, peer] = pair(t, SOCK_DGRAM) as [Socket, Socket]
  poke(peer, latin("first"))
  const [first] = await con.read("*a")
  con.unget(first ?? "")
  poke(peer, "second")
  t.strictSame([await con.read("*a"), await con.read("*a")], [["first"], ["second"]])
})
