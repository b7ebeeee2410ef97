// Sockets that somebody else has opened: a listener, a bound UDP socket, one connection as inetd hands it.
import { once } from "node:events"
import t from "tap"
import { child, run } from "../../support/child.js"
import { connectPeer } from "../../support/nodepeer.js"
import { withProgram } from "../../support/programs.js"
import { CQ_ECHO, Echo, type Listening } from "./kit.js"

/** Opens a socket, starts cq-echo with it as descriptor 3, and lets go of it. */
const HAND_OVER = `
const start = (socket, { fd }) => {
  const stdio = ["ignore", "inherit", "inherit", fd]
  require("node:child_process").spawn(process.argv[1], ["--json", "fd:3"], { stdio })
  socket.close()
}
if (process.argv[2] === "tcp") {
  const server = require("node:net").createServer()
  server.listen(0, "127.0.0.1", () => start(server, server._handle))
} else {
  const socket = require("node:dgram").createSocket("udp4")
  const state = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === "state symbol")
  socket.bind(0, "127.0.0.1", () => start(socket, socket[state].handle))
}
`

t.test("a listening socket", async (t) => {
  const server = new Echo(child(t, process.execPath, ["-e", HAND_OVER, CQ_ECHO, "tcp"]))
  const listening = await server.event<Listening>("listening")
  t.match(listening, { address: "fd:3", host: "127.0.0.1" })
  const peer = await connectPeer(t, listening.port ?? 0)
  await peer.end("through fd 3")
  t.equal((await peer.collect()).toString(), "through fd 3")
  t.match(await server.close(), { reason: "eof" })
})

t.test("a UDP socket", async (t) => {
  const server = new Echo(child(t, process.execPath, ["-e", HAND_OVER, CQ_ECHO, "udp"]))
  const { address, port = 0 } = await server.event<Listening>("listening")
  t.equal(address, "fd:3")
  const dgram = await import("node:dgram")
  const peer = dgram.createSocket("udp4")
  t.teardown(() => peer.close())
  const answer = once(peer, "message")
  peer.send("datagram", port, "127.0.0.1")
  t.equal(String((await answer)[0]), "datagram")
})

t.test("one connection, which is all there is to do", async (t) => {
  await withProgram(t, "socat", async (socat) => {
    const made = await run(t, socat, ["-t5", "-", `EXEC:${CQ_ECHO} fd\\:0`], { input: "like inetd\n" })
    t.match(made, { code: 0, stdout: "like inetd\n", stderr: "" })
  })
})
