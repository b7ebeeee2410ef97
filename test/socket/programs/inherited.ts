// Uses descriptors that its parent has opened for it: 3 is a listener, 4 a connection, 5 is bound and
// connected to nothing. It prints what it finds.
import { errno } from "../../../core/errno.js"
import { socket } from "../../../core/socket/module.js"

const listener = socket.listen({ fd: 3, backlog: 9 })
await listener.listen()
console.log(JSON.stringify(listener.localname()))
const [accepted] = await listener.accept(5)
await accepted?.write("from the child\n")
accepted?.close()

const con = socket.connect({ fd: 4 })
await con.connect()
console.log(JSON.stringify(con.peername()))
await con.write(`${(await con.read())[0]}, said the child\n`)
con.close()

const wrong = socket.listen({ fd: 5 })
wrong.onerror((_socket: unknown, _method: string, number: number) => number)
console.log(errno[(await wrong.listen())[1] ?? 0])
wrong.close()
for (const make of [socket.listen, socket.connect]) {
  try {
    make({ fd: 99 })
  } catch (error) {
    console.log((error as { code: string }).code)
  }
}
