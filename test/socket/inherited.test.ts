// The option fd: descriptors that somebody else has opened, as a child gets them from its parent.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import t from "tap"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { closing, fdOf, pair } from "./kit.js"

await census(t)

const script = fileURLToPath(new URL("programs/inherited.js", import.meta.url))

t.test("listen takes a bound descriptor, connect one that is connected", async (t) => {
  const listener = closing(t, socket.listen("127.0.0.1", 0))
  await listener.listen()
  const [con, theirs] = pair(t)
  const [one] = pair(t)
  const child = spawn(process.execPath, [script], {
    stdio: ["ignore", "pipe", "inherit", fdOf(listener), fdOf(theirs), fdOf(one)],
  })
  t.teardown(() => child.kill("SIGKILL"))
  let output = ""
  child.stdout?.on("data", (chunk) => {
    output += chunk
  })
  const ended = once(child, "close")
  const client = closing(t, socket.connect("127.0.0.1", listener.localname()[2] as number))
  t.strictSame(await client.read(), ["from the child"])
  await con.write("hello\n")
  t.strictSame(await con.read(), ["hello, said the child"])
  t.strictSame(await ended, [0, null])
  const [name, peer, ...errors] = output.trim().split("\n")
  t.strictSame(JSON.parse(name ?? ""), listener.localname())
  t.equal(JSON.parse(peer ?? "")[0], socket.AF_UNIX)
  t.strictSame(errors, ["EINVAL", "EBADF", "EBADF"])
})

t.test("a descriptor that a socket has already is refused", (t) => {
  const [con] = pair(t) as [Socket, Socket]
  t.throws(() => socket.connect({ fd: fdOf(con) }))
  t.throws(() => socket.listen({ fd: fdOf(con) }))
  for (const fd of [-1, 1.5, "3", null, Number.NaN])
    t.throws(() => socket.listen({ fd } as never), /^/, `${fd}`)
  t.equal(socket.type(con), "socket")
  t.end()
})
