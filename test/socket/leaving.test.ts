// Nothing that was written stays behind when a program ends, and sockets that nobody closed are closed when
// they are collected.

import { readdirSync } from "node:fs"
import { setImmediate as loopTurn } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import { socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { nodeChild } from "../support/child.js"
import { listenPeer } from "../support/nodepeer.js"
import { tmp } from "../support/tmp.js"
import { pair, poke } from "./kit.js"

await census(t)

const script = fileURLToPath(new URL("programs/leaving.js", import.meta.url))

for (const way of [
  "await",
  "sync",
  "exit",
  "exit at once",
  "controller",
  "exit within a coroutine",
  "error within a coroutine",
]) {
  t.test(`a line that was written arrives when the program ends: ${way}`, async (t) => {
    const path = `${tmp(t)}/s`
    const listener = await listenPeer(t, path)
    const program = nodeChild(t, script, [path, way])
    const peer = await listener.next(20)
    t.equal((await peer.collect()).toString(), "written\n")
    t.match(await program.exit(), { code: 0 }, program.stderr)
  })
}

for (const way of ["close", "shutdown and close"]) {
  t.test(`megabytes arrive at a slow reader before the program ends: ${way}`, async (t) => {
    const path = `${tmp(t)}/s`
    const listener = await listenPeer(t, path)
    const program = nodeChild(t, script, [path, way])
    const peer = await listener.next(20)
    peer.socket.pause()
    let size = 0
    peer.socket.on("data", (chunk) => {
      size += chunk.length
      peer.socket.pause()
      setImmediate(() => peer.socket.resume())
    })
    peer.socket.resume()
    await peer.collect(20)
    t.equal(size, 2_000_000)
    t.match(await program.exit(), { code: 0 }, program.stderr)
  })
}

const open = () => readdirSync("/proc/self/fd").length

/** Collects until the condition holds, or a few times; finalizers run in turns of the loop. */
async function collected(condition: () => boolean, times = 100): Promise<boolean> {
  for (let i = 0; i < times; i++) {
    globalThis.gc?.()
    await loopTurn()
    if (condition()) return true
  }
  return false
}

const collects = { skip: globalThis.gc ? false : "needs --expose-gc" }

t.test("sockets that are dropped are closed when they are collected", collects, async (t) => {
  const before = open()
  ;(() => {
    for (let i = 0; i < 50; i++) socket.pair()
    for (let i = 0; i < 20; i++) socket.connect("127.0.0.1", 9)
  })()
  t.ok(open() >= before + 120)
  t.ok(await collected(() => open() === before), `${open() - before} descriptors stayed open`)
})

t.test("a dropped socket that was used and polled is collected too", collects, async (t) => {
  const before = open()
  await (async () => {
    const [con, peer] = socket.pair()
    poke(peer, "one\ntwo")
    await con.read()
    await con.xread("*l", undefined, 0.001)
    await peer.write("x\n")
    await cqueues.poll(peer, 0)
    const listener = socket.listen("127.0.0.1", 0)
    await listener.listen()
    const client = socket.connect("127.0.0.1", listener.localname()[2] as number)
    await client.write("x\n")
    const [accepted] = await listener.accept()
    await accepted?.bytes.read()
  })()
  await cqueues.sleep(0)
  t.ok(await collected(() => open() === before), `${open() - before} descriptors stayed open`)
})

t.test(
  "a socket lives as long as its view of bytes or a coroutine that waits for it",
  collects,
  async (t) => {
    const { bytes, peer } = (() => {
      const [con, peer] = pair(t)
      return { bytes: con.bytes, peer }
    })()
    await collected(() => false, 5)
    poke(peer, "line\n")
    t.equal((await bytes.read())[0]?.toString(), "line")
    const waiting = Promise.resolve(bytes.read())
    await collected(() => false, 5)
    poke(peer, "later\n")
    t.equal((await waiting)[0]?.toString(), "later")
  },
)

t.test("a closed socket whose number somebody else has is collected without a trace", collects, async (t) => {
  let closed = 0
  ;(() => {
    for (let i = 0; i < 20; i++) {
      for (const one of socket.pair()) {
        one.close()
        closed++
      }
    }
  })()
  const pairs = Array.from({ length: 10 }, () => pair(t))
  await collected(() => false, 5)
  t.equal(closed, 40)
  for (const [con, peer] of pairs) {
    poke(peer, "alive\n")
    t.strictSame(await con.read(), ["alive"])
  }
})
