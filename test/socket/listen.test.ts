// Listening: addresses, and the options of binding as the file system and the kernel's tables show them.
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import t from "tap"
import { errno } from "../../core/errno.js"
import { type Socket, socket } from "../../core/socket/module.js"
import type { SocketOptions } from "../../core/socket/options.js"
import { census } from "../support/census.js"
import { connectPeer } from "../support/nodepeer.js"
import type { Owner } from "../support/owner.js"
import { withProgram } from "../support/programs.js"
import { tmp } from "../support/tmp.js"
import { closing, failure, returning } from "./kit.js"

await census(t)

const { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM } = socket

async function listening(t: Owner, options: SocketOptions): Promise<Socket> {
  const listener = closing(t, socket.listen(options))
  await listener.listen()
  return listener
}

const permissionsOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)

/** Names of UNIX sockets as /proc/net/unix has them, abstract ones with an @. */
const unixNames = () =>
  readFileSync("/proc/net/unix", "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[7])

t.test("port 0 takes any free port, which localname tells", async (t) => {
  const listener = closing(t, socket.listen("127.0.0.1", 0))
  t.strictSame(await listener.listen(), [listener])
  const [family, address, port] = listener.localname()
  t.strictSame([family, address], [AF_INET, "127.0.0.1"])
  t.ok(Number(port) > 0)
  t.strictSame(listener.peername(), [socket.AF_UNSPEC])
  const peer = await connectPeer(t, port as number)
  const [con] = await listener.accept()
  t.equal(closing(t, con as Socket).localname()[2], port)
  peer.destroy()
})

t.test("accept binds if nobody has, and localname does too", async (t) => {
  const one = closing(t, socket.listen("127.0.0.1", "0"))
  t.strictSame(await returning(one).accept(0), [undefined, errno.ETIMEDOUT])
  await connectPeer(t, one.localname()[2] as number)
  closing(t, (await one.accept())[0] as Socket)
  const two = closing(t, socket.listen({ host: "127.0.0.1", port: 0 }))
  t.ok(Number(two.localname()[2]) > 0)
})

t.test("an address that is in use or not ours is an error of the first operation", async (t) => {
  const listener = await listening(t, { host: "127.0.0.1", port: 0 })
  const port = listener.localname()[2] as number
  const second = closing(t, socket.listen("127.0.0.1", port))
  const error = await Promise.resolve(second.listen()).catch((thrown) => thrown)
  t.equal(error.message, `listen 127.0.0.1:${port}: Address already in use (EADDRINUSE)`)
  t.equal(await failure(() => second.accept()), "EADDRINUSE", "and of the next")
  t.equal(await failure(() => closing(t, socket.listen("192.0.2.1", 0)).listen()), "EADDRNOTAVAIL")
  const folder = tmp(t)
  t.equal(await failure(() => closing(t, socket.listen({ path: `${folder}/no/s` })).listen()), "ENOENT")
  const returned = returning(closing(t, socket.listen("127.0.0.1", port)))
  t.strictSame(await returned.listen(), [undefined, errno.EADDRINUSE])
  t.strictSame(returned.localname(), [undefined, errno.EADDRINUSE])
})

t.test("IPv6, with v6only or without", async (t) => {
  for (const v6only of [true, false]) {
    const listener = await listening(t, { host: "::", port: 0, v6only })
    const port = listener.localname()[2] as number
    t.equal(listener.localname()[0], AF_INET6)
    const outcome = await connectPeer(t, port).then(
      () => "connected",
      (error) => error.code,
    )
    t.equal(outcome, v6only ? "ECONNREFUSED" : "connected")
    await connectPeer(t, { host: "::1", port })
  }
})

t.test("a UNIX listener makes its path, and localname tells it", async (t) => {
  const path = `${tmp(t)}/s`
  const listener = await listening(t, { path })
  t.ok(statSync(path).isSocket())
  t.strictSame(listener.localname(), [AF_UNIX, path])
  await connectPeer(t, path)
  const [con] = await listener.accept()
  t.strictSame(closing(t, con as Socket).localname(), [AF_UNIX, path])
  t.strictSame(con?.peername(), [AF_UNIX, undefined].slice(0, con?.peername().length), "its peer has no name")
})

t.test("a path that exists is in use; with unlink it is removed before", async (t) => {
  const folder = tmp(t)
  const path = `${folder}/s`
  const first = await listening(t, { path })
  first.close()
  t.ok(existsSync(path), "close leaves it")
  t.equal(await failure(() => closing(t, socket.listen({ path })).listen()), "EADDRINUSE")
  const again = await listening(t, { path, unlink: true })
  await connectPeer(t, path)
  closing(t, (await again.accept())[0] as Socket)
  await listening(t, { path: `${folder}/new`, unlink: true })
  writeFileSync(`${folder}/dir`, "")
  t.match(
    await failure(() => closing(t, socket.listen({ path: folder, unlink: true })).listen()),
    /EISDIR|EPERM|EACCES|ENOTEMPTY|EADDRINUSE/,
  )
})

t.test("mode sets the permissions of the path, as number, octal digits or letters", async (t) => {
  const folder = tmp(t)
  for (const [mode, wanted] of [
    [0o600, "600"],
    ["660", "660"],
    ["0777", "777"],
    ["rw-r-----", "640"],
    ["rwx--x--x", "711"],
    [0, "0"],
  ] as const) {
    const path = `${folder}/mode${mode}`
    await listening(t, { path, mode })
    t.equal(permissionsOf(path), wanted, `${mode}`)
  }
})

t.test("mask is the umask while the path is made, and only then", async (t) => {
  const folder = tmp(t)
  const before = process.umask()
  for (const [mask, wanted] of [
    [0o077, "700"],
    ["007", "770"],
    ["---rwxrwx", "700"],
    [0, "777"],
  ] as const) {
    const path = `${folder}/mask${mask}`
    await listening(t, { path, mask })
    t.equal(permissionsOf(path), wanted, `${mask}`)
    t.equal(process.umask(), before)
  }
  const both = `${folder}/both`
  await listening(t, { path: both, mask: 0o777, mode: 0o640 })
  t.equal(permissionsOf(both), "640")
  await failure(() => closing(t, socket.listen({ path: `${folder}/no/s`, mask: 0 })).listen())
  t.equal(process.umask(), before, "also after an error")
})

t.test(
  "a name that begins with NUL is an abstract one",
  { skip: process.platform !== "linux" },
  async (t) => {
    for (const rest of ["plain", "with\0NUL", "\udcff\udc80 bytes"]) {
      const path = `\0cq-${process.pid}-${rest}`
      const bad = rest.includes("\0")
      if (bad) {
        t.throws(() => socket.listen({ path }), TypeError)
        continue
      }
      const listener = await listening(t, { path, mode: 0o600, unlink: true })
      t.strictSame(listener.localname(), [AF_UNIX, path])
      const bytes = Buffer.from(`@cq-${process.pid}-${rest === "plain" ? rest : "\xff\x80 bytes"}`, "latin1")
      t.ok(unixNames().includes(bytes.toString("latin1").split(" ")[0]), "without padding")
      const con = closing(t, socket.connect({ path }))
      t.strictSame(await con.connect(), [con])
      t.strictSame(con.peername(), [AF_UNIX, path])
      closing(t, (await listener.accept())[0] as Socket)
    }
  },
)

t.test("socat connects to an abstract name", async (t) => {
  await withProgram(t, "socat", async (socat) => {
    const name = `cq-socat-${process.pid}`
    const listener = await listening(t, { path: `\0${name}` })
    const { status } = spawnSync(socat, ["-u", "/dev/null", `ABSTRACT-CONNECT:${name}`])
    t.equal(status, 0)
    closing(t, (await listener.accept())[0] as Socket)
  })
})

t.test("a path may hold any bytes", async (t) => {
  const path = `${tmp(t)}/s-\udcff\u20ac`
  const listener = await listening(t, { path, mode: 0o600, unlink: true })
  t.strictSame(listener.localname(), [AF_UNIX, path])
  const con = closing(t, socket.connect({ path }))
  t.strictSame(await con.connect(), [con])
  const name = Buffer.concat([Buffer.from(path.slice(0, -2)), Buffer.from([0xff, 0xe2, 0x82, 0xac])])
  t.ok(statSync(name).isSocket())
})

t.test("backlog is the length of the kernel's queue", async (t) => {
  const listener = await listening(t, { host: "127.0.0.1", port: 0, backlog: 7 })
  const plain = await listening(t, { host: "127.0.0.1", port: 0 })
  await withProgram(t, "ss", (ss) => {
    const queue = (one: Socket) => {
      const { stdout } = spawnSync(ss, ["-Hltn", `sport = :${one.localname()[2]}`], { encoding: "utf8" })
      return Number(stdout.trim().split(/\s+/)[2])
    }
    t.equal(queue(listener), 7)
    t.ok(queue(plain) >= 128)
  })
})

t.test("reuseaddr is on: a port can be taken again at once after a connection", async (t) => {
  const listener = await listening(t, { host: "127.0.0.1", port: 0 })
  const port = listener.localname()[2] as number
  const peer = await connectPeer(t, port)
  const [con] = await listener.accept()
  con?.close()
  await peer.collect()
  listener.close()
  peer.destroy()
  const strict = returning(closing(t, socket.listen({ host: "127.0.0.1", port, reuseaddr: false })))
  t.strictSame(await strict.listen(), [undefined, errno.EADDRINUSE], "our side waits in TIME_WAIT")
  const again = closing(t, socket.listen({ host: "127.0.0.1", port }))
  t.strictSame(await again.listen(), [again])
})

t.test("reuseport lets several listen on one port, if all say so", async (t) => {
  for (const type of [socket.SOCK_STREAM, SOCK_DGRAM]) {
    const first = await listening(t, { host: "127.0.0.1", port: 0, reuseport: true, type, reuseaddr: false })
    const port = first.localname()[2] as number
    await listening(t, { host: "127.0.0.1", port, reuseport: true, type, reuseaddr: false })
    const third = closing(t, socket.listen({ host: "127.0.0.1", port, type, reuseaddr: false }))
    t.equal(await failure(() => third.listen()), "EADDRINUSE")
  }
})

t.test("a datagram listener is bound and does not listen", async (t) => {
  const path = `${tmp(t)}/d`
  const listener = await listening(t, { path, type: SOCK_DGRAM })
  const client = closing(t, socket.connect({ path, type: SOCK_DGRAM }))
  await client.write("x\n")
  t.strictSame(
    await listener.read("*a"),
    ["x\r\n"].map((text) => text.replace("\r", "")),
  )
  t.match(await failure(() => listener.accept(0)), /EOPNOTSUPP|EINVAL|ENOTSUP/)
})
