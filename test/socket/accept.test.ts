// Accepting connections: their settings, clients, many at once, errors of what was waiting, and real
// programs on the other end.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { errno } from "../../core/errno.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { child } from "../support/child.js"
import { connectPeer } from "../support/nodepeer.js"
import type { Owner } from "../support/owner.js"
import { withProgram } from "../support/programs.js"
import { tmp } from "../support/tmp.js"
import { closing, failure, fdOf, turn } from "./kit.js"

await census(t)

async function listening(t: Owner): Promise<[Socket, number]> {
  const listener = closing(t, socket.listen("127.0.0.1", 0))
  await listener.listen()
  return [listener, listener.localname()[2] as number]
}

t.test("accept gives connections in the order they came, with the module's settings", async (t) => {
  const [listener, port] = await listening(t)
  listener.setmode("b", "bf")
  listener.settimeout(5)
  const peers = [await connectPeer(t, port), await connectPeer(t, port), await connectPeer(t, port)]
  for (const peer of peers) {
    const [con] = (await listener.accept()) as [Socket]
    closing(t, con)
    t.equal(con.peername()[2], peer.socket.localPort)
    t.strictSame(con.setmode(), ["t-", "tl"], "not the listener's")
    t.equal(con.settimeout(), undefined)
    await peer.send("hello\r\n")
    t.strictSame(await con.read(), ["hello"])
    await con.write("bye\n")
    con.close()
    t.equal((await peer.collect()).toString(), "bye\r\n")
  }
})

t.test("accept takes options, a time-out, or both", async (t) => {
  const [listener, port] = await listening(t)
  for (const args of [
    [],
    [5],
    [{}],
    [{ nodelay: true }, 5],
    [{ nodelay: true, oobinline: true }],
    [undefined, 5],
  ]) {
    await connectPeer(t, port)
    const [con] = await listener.accept(...(args as [undefined, number]))
    t.equal(socket.type(closing(t, con as Socket)), "socket")
  }
  for (const wrong of ["5", null, { no_such: 1 }, [], true])
    t.equal(await failure(() => listener.accept(wrong as never)), "TypeError", JSON.stringify(wrong))
})

t.test("clients goes over the connections, with each, for await and next", async (t) => {
  const [listener, port] = await listening(t)
  const connect = () => connectPeer(t, port)
  let count = 0
  await Promise.all([connect(), connect()])
  for await (const con of listener.clients()) {
    con.close()
    if (++count === 2) break
  }
  await connect()
  const clients = listener.clients(5)
  const con = await clients.next()
  t.equal(socket.type(con), "socket")
  con?.close()
  const cq = cqueues.new()
  const served: string[] = []
  cq.wrap(function* () {
    yield* listener.clients().each(function* (con) {
      served.push(`${(yield* con.read())[0]}`)
      yield* con.write("bye\n")
      con.close()
    })
  })
  for (const name of ["one", "two"]) await (await connect()).send(`${name}\n`)
  for (let i = 0; i < 1000 && served.length < 2; i++) turn(cq, 1)
  t.strictSame(served, ["one", "two"])
  cq.close()
})

t.test("several coroutines may accept from one listener", async (t) => {
  const [listener, port] = await listening(t)
  const accepting = Promise.all([listener.accept(), listener.accept(), listener.accept()])
  const ports = new Set<unknown>()
  for (let i = 0; i < 3; i++) ports.add((await connectPeer(t, port)).socket.localPort)
  for (const [con] of await accepting) ports.delete(closing(t, con as Socket).peername()[2])
  t.equal(ports.size, 0)
})

t.test("a connection that was reset before it was accepted ends nothing", async (t) => {
  const [listener, port] = await listening(t)
  const reset = await connectPeer(t, port)
  reset.reset()
  const good = await connectPeer(t, port)
  for (;;) {
    const [con] = (await listener.accept(5)) as [Socket]
    closing(t, con)
    if (con.peername()[2] === good.socket.localPort) break
  }
  await good.end()
  t.pass("the next was accepted")
})

t.test("a listener is ready when a connection waits", async (t) => {
  const [listener, port] = await listening(t)
  t.strictSame(await cqueues.poll(listener, 0), [0])
  const polling = Promise.resolve(cqueues.poll(listener, 5))
  await connectPeer(t, port)
  t.strictSame(await polling, [listener])
  const [con] = await listener.accept(0)
  closing(t, con as Socket)
})

t.test("accept of what does not listen is an error", async (t) => {
  const [listener, port] = await listening(t)
  const con = closing(t, socket.connect("127.0.0.1", port))
  await con.connect()
  t.equal(await failure(() => con.accept(1)), "EINVAL")
  closing(t, (await listener.accept())[0] as Socket)
  const [one, two] = socket.pair()
  t.equal(await failure(() => one.accept(1)), "EINVAL")
  t.match(await failure(() => one.clients(1).next()), /EINVAL|succeeded with undefined/)
  one.close()
  two.close()
})

t.test("accepted descriptors are closed on exec", { skip: process.platform !== "linux" }, async (t) => {
  const [listener, port] = await listening(t)
  await connectPeer(t, port)
  const con = closing(t, (await listener.accept())[0] as Socket)
  await connectPeer(t, port)
  const kept = closing(t, (await listener.accept({ cloexec: false }))[0] as Socket)
  const other = closing(t, socket.connect("127.0.0.1", port))
  await other.connect()
  closing(t, (await listener.accept())[0] as Socket)
  const [one, two] = socket.pair()
  const inherited = child(t, "ls", ["/proc/self/fd"])
  await inherited.exit()
  const open = inherited.stdout.trim().split("\n").map(Number)
  for (const each of [listener, con, other, one, two]) t.notOk(open.includes(fdOf(each)), `${fdOf(each)}`)
  t.type(kept.pollfd(), "number")
  one.close()
  two.close()
})

t.test("socat and ncat talk to an echo server", async (t) => {
  const path = `${tmp(t)}/s`
  const [tcp, port] = await listening(t)
  const unix = closing(t, socket.listen({ path }))
  await unix.listen()
  const cq = cqueues.new()
  for (const listener of [tcp, unix]) {
    cq.wrap(function* () {
      yield* listener.clients().each((con) => {
        cq.wrap(function* () {
          yield* con.lines("*L").each(function* (line) {
            yield* con.write(line.toUpperCase())
          })
          con.shutdown("w")
          con.close()
        })
      })
    })
  }
  const loop = Promise.resolve(cq.loop())
  const clients: ["socat" | "ncat", string[]][] = [
    ["socat", ["-t5", "-", `TCP:127.0.0.1:${port}`]],
    ["socat", ["-t5", "-", `UNIX-CONNECT:${path}`]],
    ["socat", ["-t5", "-", `TCP:127.0.0.1:${port},crnl`]],
    ["ncat", ["127.0.0.1", `${port}`]],
    ["ncat", ["-U", path]],
  ]
  for (const [name, args] of clients) {
    await withProgram(t, name, async (program) => {
      const client = child(t, program, args)
      client.write("one\ntwo\n")
      await client.line(/^ONE\r?$/)
      await client.line(/^TWO\r?$/)
      client.end("without end")
      t.strictSame(await client.exit(), { code: 0, signal: null }, `${name} ${args.join(" ")}`)
      t.match(client.stdout, /WITHOUT END$/)
    })
  }
  tcp.close()
  unix.close()
  await loop.catch(() => {})
  cq.close()
})

t.test("a client talks to socat's echo", async (t) => {
  await withProgram(t, "socat", async (program) => {
    const path = `${tmp(t)}/s`
    const server = child(t, program, ["-d", "-d", `UNIX-LISTEN:${path}`, "EXEC:cat"])
    await server.line(/listening on/, { from: "stderr" })
    const con = closing(t, socket.connect({ path }))
    for (let i = 0; i < 100; i++) {
      await con.write(`line ${i}\n`)
      t.strictSame(await con.read("*l"), [`line ${i}`])
    }
    con.shutdown("w")
    t.strictSame(await con.read("*l"), [undefined])
    await server.exit()
  })
})

t.test("a thousand connections come and go", async (t) => {
  const [listener] = await listening(t)
  const port = listener.localname()[2] as number
  const cq = cqueues.new()
  let served = 0
  let answered = 0
  cq.wrap(function* () {
    for (let i = 0; i < 1000; i++) {
      const [con] = yield* listener.accept(10)
      if (con === undefined) throw new Error(`accept ${i}`)
      cq.wrap(function* () {
        const [line] = yield* con.read()
        yield* con.write(`${line}!\n`)
        con.close()
        served++
      })
    }
  })
  for (let worker = 0; worker < 50; worker++) {
    cq.wrap(function* () {
      for (let i = 0; i < 20; i++) {
        const con = socket.connect("127.0.0.1", port)
        yield* con.write(`${worker}.${i}\n`)
        const [line, error] = yield* con.read()
        if (line !== `${worker}.${i}!`) throw new Error(`${line} ${error && errno[error]}`)
        con.close()
        answered++
      }
    })
  }
  t.strictSame(cq.loop(30).sync(), [true])
  t.strictSame([served, answered], [1000, 1000])
  cq.close()
})
