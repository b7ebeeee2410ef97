// Run with few descriptors (ulimit -n): takes all of them, then tries what makes descriptors, and what a
// listener does meanwhile and afterwards. It prints what it finds, as JSON.
import { closeSync, openSync } from "node:fs"
import { cqueues } from "../../../core/cqueues.js"
import { errno } from "../../../core/errno.js"
import { type Socket, socket } from "../../../core/socket/module.js"

const found: Record<string, unknown> = {}

function attempt(what: () => unknown): string {
  try {
    what()
    return "succeeded"
  } catch (error) {
    const { name, code, syscall } = error as { name: string; code: string; syscall: string }
    return `${name} ${code} ${syscall}`
  }
}

function takeAll(): number[] {
  const taken: number[] = []
  for (;;) {
    try {
      taken.push(openSync("/dev/null", "r"))
    } catch {
      return taken
    }
  }
}

const name = (number: number | undefined) => (number === undefined ? undefined : errno[number])

const listener = socket.listen("127.0.0.1", 0)
await listener.listen()
const port = listener.localname()[2] as number
const clients = [socket.connect("127.0.0.1", port), socket.connect("127.0.0.1", port)] as const
for (const client of clients) await client.connect()
const [passer, receiver] = socket.pair()
await passer.sendfd("with a descriptor", 0)
await cqueues.sleep(0)

const taken = takeAll()
found.connect = attempt(() => socket.connect("127.0.0.1", port))
found.path = attempt(() => socket.connect({ path: "/tmp/x" }))
found.listen = attempt(() => socket.listen("127.0.0.1", 0))
found.pair = attempt(() => socket.pair())
found.dup = attempt(() => socket.dup(listener))
found.thrown = await Promise.resolve(listener.accept()).catch((error) => error.message)
listener.onerror((_socket: unknown, _method: string, number: number) => number)
found.accept = name((await listener.accept())[1])
receiver.onerror((_socket: unknown, _method: string, number: number) => number)
found.recvfd = (await receiver.recvfd(100, 0)).slice(0, 2).map((value) => typeof value)

// how much the process works while it asks again and again for half a second
const before = process.cpuUsage()
let attempts = 0
const end = cqueues.monotime() + 0.5
while (cqueues.monotime() < end) {
  if ((await listener.accept(1))[1] !== errno.EMFILE) throw new Error("expected EMFILE")
  attempts++
}
const { user, system } = process.cpuUsage(before)
found.attempts = attempts
found.cpu = (user + system) / 1e6

// clients() waits it out; descriptors come back after a while
listener.onerror(undefined)
const accepted: Socket[] = []
const serving = (async () => {
  for await (const con of listener.clients()) if (accepted.push(con) === 2) return
})()
const waited = process.cpuUsage()
await cqueues.sleep(0.3)
const { user: users, system: systems } = process.cpuUsage(waited)
found.idle = (users + systems) / 1e6
found.early = accepted.length
for (const fd of taken) closeSync(fd)
await serving
found.accepted = accepted.length
await clients[0].write("hello\n")
found.line = (await accepted[0]?.read())?.[0]
console.log(JSON.stringify(found))
