/** The guide's example 4.2: one server and its clients as coroutines of one process, over TCP and over UNIX. */
import { equal } from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Controller, type Coroutine, type Socket, type SocketOptions, socket } from "cqueues"
import { serve } from "../examples/echo.js"
import type { Show, Step } from "./step.js"

const CLIENTS = 3

export const echo: Step = {
  title: "An echo server and its clients in one process (the guide's example 4.2)",
  *run(show, cq) {
    yield* overTcp(show, cq)
    yield* overUnix(show, cq)
  },
}

function* overTcp(show: Show, cq: Controller): Coroutine<void> {
  const server = socket.listen({ host: "127.0.0.1", port: 0 })
  yield* server.listen()
  const [, host, port] = server.localname() as [family: number, address: string, port: number]
  yield* talk(cq, server, { host, port })
  show(`TCP ${host}:${port}: ${CLIENTS} clients at a time, what they said came back`)
}

function* overUnix(show: Show, cq: Controller): Coroutine<void> {
  const folder = mkdtempSync(join(tmpdir(), "cq-tour-"))
  try {
    const path = join(folder, "echo")
    const server = socket.listen({ path })
    yield* server.listen()
    yield* talk(cq, server, { path })
    show("UNIX: the same code, with a path for an address")
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function* talk(cq: Controller, server: Socket, address: SocketOptions): Coroutine<void> {
  cq.wrap(serve, cq, server)
  const clients = Array.from({ length: CLIENTS }, () => socket.connect(address))
  // All of them write before the first of them reads.
  for (const [i, con] of clients.entries()) yield* con.write(`I am client ${i}\n`)
  for (const [i, con] of clients.entries()) {
    const [line] = yield* con.read("*l")
    equal(line, `I am client ${i}`)
    con.close()
  }
  server.close()
}
