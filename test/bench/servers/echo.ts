/**
 * The guide's echo server (its section 4.2) on this library, as a user would write it, with the ways of
 * reading it can be set to.
 *   echo.js [mode] [each|next|read|bytes] [bufsize]
 * A second port answers each connection with the heap's size after a collection.
 */
import { writeSync } from "node:fs"
import cqueues, { type Socket, socket } from "../../../core/index.js"
import { heapReport } from "../heap.js"

const [mode = "bl", how = "each", size = "4096"] = process.argv.slice(2)

const ways = {
  *each(con: Socket) {
    yield* con.lines("*L").each(function* (line) {
      yield* con.write(line)
    })
  },
  *next(con: Socket) {
    const lines = con.lines("*L")
    for (;;) {
      const line = yield* lines.next()
      if (line === undefined) return
      yield* con.write(line)
    }
  },
  *read(con: Socket) {
    for (;;) {
      const [line] = yield* con.read("*L")
      if (line === undefined) return
      yield* con.write(line)
    }
  },
  *bytes(con: Socket) {
    for (;;) {
      const [line] = yield* con.bytes.read("*L")
      if (line === undefined) return
      yield* con.write(line)
    }
  },
}

const serve = ways[how as keyof typeof ways]
const vbuf = mode.includes("f") ? "full" : mode.includes("n") ? "no" : "line"
const cq = cqueues.new()

// One function for all connections, with the connection as its argument: every closure that is a function* has
// generators of a hidden class of its own, and one for each connection made the engine's caches useless.
function* connection(con: Socket) {
  con.setmode(mode, mode)
  con.setvbuf(vbuf, Number(size))
  yield* serve(con)
  con.shutdown("w")
  con.close()
}

// written to the descriptor, because a stream would wait for Node's loop, which stands still under sync()
function* announce(word: string, srv: Socket) {
  cqueues.assert(yield* srv.listen())
  const [, , port] = srv.localname()
  writeSync(1, `${word} ${port}\n`)
}

cq.wrap(function* () {
  const report = socket.listen({ host: "127.0.0.1", port: 0 })
  yield* announce("report", report)
  const srv = socket.listen({ host: "127.0.0.1", port: 0, nodelay: true, backlog: 4096 })
  cq.wrap(function* () {
    yield* announce("listening", srv)
    yield* srv.clients().each((con) => {
      cq.wrap(connection, con)
    })
  })
  yield* report.clients().each(function* (con) {
    yield* con.write(heapReport())
    yield* con.flush()
    con.close()
  })
})

cqueues.assert(cq.loop().sync())
