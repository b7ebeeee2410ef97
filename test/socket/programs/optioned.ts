// Makes sockets with every option, for a test that looks at its system calls. It prints a mark before each.
import { writeSync } from "node:fs"
import { type Socket, socket } from "../../../core/socket/module.js"
import type { SocketOptions } from "../../../core/socket/options.js"

const listener = socket.listen({ host: "127.0.0.1", port: 0 })
await listener.listen()
const port = listener.localname()[2] as number
const options: SocketOptions[] = [
  {},
  { reuseaddr: false },
  { nodelay: true },
  { nodelay: false },
  { nopush: true },
  { oobinline: true },
  { reuseport: true },
]
for (const each of options) {
  writeSync(2, `mark connect ${JSON.stringify(each)}\n`)
  const con = socket.connect({ host: "127.0.0.1", port, ...each })
  await con.connect()
  writeSync(2, `mark accept ${JSON.stringify(each)}\n`)
  const [accepted] = (await listener.accept(each)) as [Socket]
  con.close()
  accepted.close()
}
writeSync(2, "mark datagram\n")
socket.listen({ host: "127.0.0.1", port: 0, type: socket.SOCK_DGRAM, broadcast: true }).close()
writeSync(2, "mark six\n")
socket.listen({ host: "::1", port: 0, v6only: true }).close()
writeSync(2, "mark pair\n")
for (const one of socket.pair()) one.close()
writeSync(2, "mark write\n")
const [one, two] = socket.pair()
one.setmode("b", "bn")
await one.write("a")
await one.write("b")
one.setmode("b", "bf")
await one.write("c")
await one.write("d")
await one.flush()
writeSync(2, "mark end\n")
one.close()
two.close()
listener.close()
