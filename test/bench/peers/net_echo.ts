/**
 * The echo server on node:net, in the fewest steps it allows: what arrives is written back, lines or not.
 *   net_echo.js [data|pipe|lines]
 * `lines` hands over one line at a time, as the others do, and corks what it writes for the same chunk.
 * A second port answers each connection with the heap's size after a collection.
 */
import { createServer, type Socket } from "node:net"
import { heapReport } from "../heap.js"

const how = process.argv[2] ?? "data"

function byLines(socket: Socket): void {
  let rest = ""
  socket.setEncoding("utf8")
  socket.on("data", (chunk: string) => {
    const text = rest + chunk
    let from = 0
    socket.cork()
    for (let to = text.indexOf("\n"); to >= 0; to = text.indexOf("\n", from)) {
      socket.write(text.slice(from, to + 1))
      from = to + 1
    }
    socket.uncork()
    rest = text.slice(from)
  })
}

const server = createServer({ noDelay: true }, (socket: Socket) => {
  socket.on("error", () => socket.destroy())
  if (how === "pipe") socket.pipe(socket)
  else if (how === "lines") byLines(socket)
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
