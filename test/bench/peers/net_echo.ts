/**
 * The echo server on node:net, in the fewest steps it allows: what arrives is written back, lines or not.
 *   net_echo.js [data|pipe]
 * A second port answers each connection with the heap's size after a collection.
 */
import { createServer, type Socket } from "node:net"
import { heapReport } from "../heap.js"

const how = process.argv[2] ?? "data"

const server = createServer({ noDelay: true }, (socket: Socket) => {
  socket.on("error", () => socket.destroy())
  if (how === "pipe") socket.pipe(socket)
  else socket.on("data", (data) => socket.write(data))
})

const report = createServer((socket) => socket.end(heapReport()))

function port(of: typeof server): number {
  const address = of.address()
  return typeof address === "object" && address ? address.port : 0
}

report.listen(0, "127.0.0.1", () => {
  process.stdout.write(`report ${port(report)}\n`)
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
    process.stdout.write(`listening ${port(server)}\n`)
  })
})
