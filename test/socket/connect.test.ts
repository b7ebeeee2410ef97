// Connecting: what the constructor refuses, and the errors that appear in the first operation.
import t from "tap"
import { errno, SystemError } from "../../core/errno.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { listenPeer } from "../support/nodepeer.js"
import { tmp } from "../support/tmp.js"
import { closing, failure, returning } from "./kit.js"

await census(t)

const { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM } = socket

/** A port of 127.0.0.1 where nobody listens: it was free a moment ago. */
async function freePort(): Promise<number> {
  const listener = socket.listen("127.0.0.1", 0)
  await listener.listen()
  const port = listener.localname()[2] as number
  listener.close()
  return port
}

async function thrown(what: () => PromiseLike<unknown>): Promise<SystemError> {
  try {
    await what()
  } catch (error) {
    if (error instanceof SystemError) return error
    throw error
  }
  throw new Error("it did not throw")
}

t.test("a socket can be used at once: the first operation connects", async (t) => {
  const listener = await listenPeer(t)
  for (const make of [
    () => socket.connect("127.0.0.1", listener.port),
    () => socket.connect("127.0.0.1", `${listener.port}`),
    () => socket.connect({ host: "127.0.0.1", port: listener.port }),
    () => socket.connect("localhost", listener.port),
    () => socket.connect("localhost", listener.port, AF_INET),
    () =>
      socket.connect({ host: "127.0.0.1", port: listener.port, nodelay: true, nopush: false, time: true }),
  ]) {
    const con = closing(t, make())
    await con.write("hello\n")
    const peer = await listener.next()
    t.equal((await peer.read(7)).toString(), "hello\r\n")
    await peer.end("bye\n")
    t.strictSame([await con.read(), await con.read()], [["bye"], [undefined]])
    t.strictSame(con.peername(), [AF_INET, "127.0.0.1", listener.port])
    con.close()
  }
})

t.test("reading connects too, and connect after that is done at once", async (t) => {
  const listener = await listenPeer(t)
  const con = closing(t, socket.connect("127.0.0.1", listener.port))
  const reading = Promise.resolve(con.read())
  await (await listener.next()).send("hello\n")
  t.strictSame(await reading, ["hello"])
  t.strictSame(await con.connect(0), [con])
  t.strictSame(await con.connect(), [con])
})

t.test("several coroutines may wait for the connection", async (t) => {
  const listener = await listenPeer(t)
  const con = closing(t, socket.connect("127.0.0.1", listener.port))
  const all = Promise.all([con.connect(), con.connect(), con.read(), con.write("x\n"), con.connect()])
  const peer = await listener.next()
  t.equal((await peer.read(3)).toString(), "x\r\n")
  await peer.send("y\n")
  t.strictSame(await all, [[con], [con], ["y"], [con], [con]])
})

t.test("an IPv6 address connects to IPv6", async (t) => {
  const listener = await listenPeer(t, { host: "::1", port: 0 })
  const con = closing(t, socket.connect("::1", listener.port))
  t.strictSame(await con.connect(), [con])
  t.strictSame(con.peername(), [AF_INET6, "::1", listener.port])
})

t.test("a name with addresses of both families connects where somebody listens", async (t) => {
  for (const host of ["127.0.0.1", "::1"]) {
    const listener = await listenPeer(t, { host, port: 0 })
    const con = closing(t, socket.connect("localhost", listener.port))
    t.strictSame(await con.connect(5), [con], host)
    t.equal(con.peername()[1], host)
  }
})

t.test("a refused connection throws an error that can be read by itself", async (t) => {
  const port = await freePort()
  for (const start of [
    (con: Socket) => con.connect(),
    (con: Socket) => con.read(),
    (con: Socket) => con.write("x"),
    (con: Socket) => con.flush(),
    (con: Socket) => con.fill(1),
    (con: Socket) => con.lines().next(),
  ]) {
    const con = closing(t, socket.connect("127.0.0.1", port))
    const error = await thrown(() => start(con))
    t.equal(error.message, `connect 127.0.0.1:${port}: Connection refused (ECONNREFUSED)`)
    t.match(error, {
      code: "ECONNREFUSED",
      errno: errno.ECONNREFUSED,
      syscall: "connect",
      name: "SystemError",
    })
    t.match(error, { address: "127.0.0.1", port })
    t.ok(error instanceof Error)
  }
  const six = closing(t, socket.connect("::1", port))
  t.match(
    (await thrown(() => six.connect())).message,
    /^connect \[?::1\]?:\d+: Connection refused \(ECONNREFUSED\)$/,
  )
})

t.test("a refused connection is an errno where the handler returns it", async (t) => {
  const port = await freePort()
  const con = returning(closing(t, socket.connect("127.0.0.1", port)))
  t.strictSame(await con.connect(), [undefined, errno.ECONNREFUSED])
  t.strictSame(await con.read(), [undefined, errno.ECONNREFUSED])
})

t.test("a path that is missing, is no socket or has no listener", async (t) => {
  const folder = tmp(t, { file: "no socket" })
  for (const [path, code] of [
    [`${folder}/missing`, "ENOENT"],
    [`${folder}/file`, "ECONNREFUSED"],
    [`${folder}/file/below`, "ENOTDIR"],
    [`\0cq-nobody-${process.pid}`, "ECONNREFUSED"],
  ] as const) {
    const con = closing(t, socket.connect({ path }))
    const error = await thrown(() => con.connect())
    t.match(error, { code, syscall: "connect", path })
    t.match(error.message, `(${code})`)
  }
  const long = closing(t, socket.connect({ path: "/tmp/x" }))
  t.ok(long)
  t.match(
    await failure(() => closing(t, socket.connect({ path: `/${"x".repeat(200)}` })).connect()),
    /ENAMETOOLONG|EINVAL|TypeError|RangeError/,
  )
})

t.test("an address of another family than the one asked for is refused", async (t) => {
  const con = closing(t, socket.connect("127.0.0.1", 9, AF_INET6))
  t.match(await failure(() => con.connect()), /EAFNOSUPPORT|EADDRNOTAVAIL|DNS_|EINVAL/)
})

t.test("a family or type that the system does not know is refused by the constructor", (t) => {
  t.throws(() => socket.connect({ host: "127.0.0.1", port: 9, type: 99 }), SystemError)
  t.throws(() => socket.pair(99), SystemError)
  t.end()
})

t.test("bad arguments are a TypeError of the constructor", (t) => {
  const bad: unknown[][] = [
    [],
    [undefined],
    [null],
    [5],
    ["127.0.0.1"],
    ["127.0.0.1", {}],
    ["127.0.0.1", null],
    ["127.0.0.1", true],
    ["127.0.0.1", 9, "AF_INET"],
    ["127.0.0.1", 9, AF_INET, "tcp"],
    ["127.0.0.1", "no-such-service"],
    [{}],
    [{ host: "127.0.0.1" }],
    [{ port: 9 }],
    [{ host: 5, port: 9 }],
    [{ host: "127.0.0.1", port: 9, nodelay: "yes" }],
    [{ host: "127.0.0.1", port: 9, unlink: 1 }],
    [{ path: 5 }],
    [{ path: "/tmp/a\0b" }],
    [{ host: "a\0b", port: 9 }],
    [{ host: "127.0.0.1", port: 9, no_such_option: 1 }],
    [{ host: "127.0.0.1", port: 9, Host: "x" }],
    [{ path: "/tmp/x", mode: "rwx" }],
    [{ path: "/tmp/x", mask: "999" }],
    [{ host: "127.0.0.1", port: 9, bind: {} }],
    [{ host: "127.0.0.1", port: 9, bind: { addr: 5 } }],
    [{ host: "127.0.0.1", port: 9, bind: { addr: "127.0.0.1", port: {} } }],
    [[]],
  ]
  for (const args of bad) {
    for (const make of [socket.connect, socket.listen] as unknown as ((...args: unknown[]) => Socket)[]) {
      if (make === (socket.listen as unknown) && args.length > 2) continue
      t.throws(() => make(...args).close(), TypeError, JSON.stringify(args) ?? "nothing")
    }
  }
  t.throws(() => socket.connect({ host: "127.0.0.1", port: 9, hots: "x" } as never), /hots/, "it is named")
  for (const port of [-1, 65_536, 1.5, Number.NaN, "65536"])
    t.throws(() => socket.connect("127.0.0.1", port), /^/, `port ${port}`)
  t.end()
})

t.test("a service may be named", async (t) => {
  const con = closing(t, socket.connect("127.0.0.1", "https"))
  const error = await thrown(() => con.connect()).catch(() => undefined)
  if (error) t.equal(error.port, 443)
  else t.equal(con.peername()[2], 443)
})

t.test("bind gives the connection its own address and port", async (t) => {
  const listener = await listenPeer(t)
  for (const bind of ["127.0.0.2", { addr: "127.0.0.3" }, { addr: "127.0.0.4", port: 0 }]) {
    const con = closing(t, socket.connect({ host: "127.0.0.1", port: listener.port, bind }))
    t.strictSame(await con.connect(), [con])
    t.equal(con.localname()[1], typeof bind === "string" ? bind : bind.addr)
    t.equal((await listener.next()).socket.remoteAddress, con.localname()[1])
  }
  const port = await freePort()
  const con = closing(
    t,
    socket.connect({ host: "127.0.0.1", port: listener.port, bind: { addr: "127.0.0.1", port } }),
  )
  await con.connect()
  t.strictSame(con.localname(), [AF_INET, "127.0.0.1", port])
  const bad = closing(t, socket.connect({ host: "127.0.0.1", port: listener.port, bind: "192.0.2.1" }))
  t.equal(await failure(() => bad.connect()), "EADDRNOTAVAIL")
})

t.test("bind to a path gives a UNIX client its name", async (t) => {
  const folder = tmp(t)
  const listener = closing(t, socket.listen({ path: `${folder}/server` }))
  await listener.listen()
  for (const bind of [{ path: `${folder}/client` }, `${folder}/other`]) {
    const con = closing(t, socket.connect({ path: `${folder}/server`, bind }))
    await con.connect()
    const [accepted] = await listener.accept()
    const name = typeof bind === "string" ? bind : bind.path
    t.strictSame(closing(t, accepted as Socket).peername(), [AF_UNIX, name])
  }
})

t.test("a UDP socket connects without a word to its peer", async (t) => {
  const con = closing(t, socket.connect("127.0.0.1", 9, AF_INET, SOCK_DGRAM))
  t.strictSame(await con.connect(), [con])
  t.strictSame(con.peername(), [AF_INET, "127.0.0.1", 9])
})
