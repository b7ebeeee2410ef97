// Datagrams: each one comes back to the peer it came from, whole, whoever else is sending.
import dgram from "node:dgram"
import { once } from "node:events"
import t from "tap"
import { run } from "../../support/child.js"
import { withProgram } from "../../support/programs.js"
import { tmp } from "../../support/tmp.js"
import { echo, noise } from "./kit.js"

/** The port that the answer came from. A kernel whose buffers are full drops datagrams: then they are sent again. */
async function answered(peer: dgram.Socket, data: Buffer, host: string, port: number) {
  for (let attempt = 0; attempt < 50; attempt++) {
    const answer = once(peer, "message", { signal: AbortSignal.timeout(300) })
    peer.send(data, port, host)
    try {
      const [message, from] = await answer
      if (message.equals(data)) return from.port as number
    } catch {}
  }
  return undefined
}

t.test("many peers on UDP, each with its own datagrams of every size", async (t) => {
  const server = await echo(t, ["udp:127.0.0.1:0", "udp:[::1]:0"])
  const places = server.listening.map(({ host = "", port = 0 }) => ({ host, port }))
  await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const { host, port } = places[i % 2] as { host: string; port: number }
      const peer = dgram.createSocket(i % 2 ? "udp6" : "udp4")
      t.teardown(() => peer.close())
      for (const size of [0, 1, 100 + i, 9000, i === 0 ? 65507 : 1472]) {
        const data = noise(`${i} ${size}`, size)
        const from = await answered(peer, data, host, port)
        if (from !== port) t.fail(`peer ${i}, ${size} bytes: ${from ?? "no answer"}`)
      }
    }),
  )
  t.pass("all answers were right")
})

t.test("UNIX datagrams; who has no address or does not read holds up nobody", async (t) => {
  const folder = tmp(t)
  const server = await echo(t, ["-v", `unix-dgram:${folder}/s`])
  await withProgram(t, "socat", async (socat) => {
    const to = (name: string) => `UNIX-SENDTO:${folder}/s,bind=${folder}/${name}`
    const silent = await run(t, socat, ["-u", "-", `UNIX-SENDTO:${folder}/s`], { input: "nobody" })
    t.equal(silent.code, 0)
    await server.child.line(/has no address/, { from: "stderr" })
    // -u: it never reads, so the kernel's queue of it is full after a few of these.
    for (let i = 0; i < 40; i++) await run(t, socat, ["-u", "-", to(`deaf${i % 2}`)], { input: "deaf" })
    const heard = await run(t, socat, ["-t0.5", "-", to("good")], { input: "hello" })
    t.equal(heard.stdout, "hello")
  })
  await server.child.kill("SIGTERM")
  t.same(await server.child.exit(), { code: null, signal: "SIGTERM" })
  t.match(server.events().at(-1), { event: "close", address: `unix-dgram:${folder}/s`, datagrams: 42 })
})
