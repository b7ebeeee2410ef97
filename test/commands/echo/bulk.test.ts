// Runs alone: a gigabyte through one connection, whose digest has to come back. The other end is a process
// of its own, because this one would be the bottleneck.
import t from "tap"
import { run } from "../../support/child.js"
import { locate } from "../../support/programs.js"
import { echo } from "./kit.js"

const SIZE = 2 ** 30

/** Sends a key stream of AES, which no cut or doubled piece of itself resembles, and digests both ways. */
const PEER = `
const [port, size] = process.argv.slice(1).map(Number)
const { createCipheriv, createHash } = require("node:crypto")
const socket = require("node:net").connect({ port, host: "127.0.0.1", allowHalfOpen: true })
const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, 7), Buffer.alloc(16, 9))
const zeros = Buffer.alloc(1 << 18)
const sent = createHash("sha256"), received = createHash("sha256")
let left = size, got = 0
function send() {
  while (left > 0) {
    const piece = cipher.update(zeros.subarray(0, Math.min(left, zeros.length)))
    sent.update(piece)
    left -= piece.length
    if (!socket.write(piece)) return
  }
  socket.end()
  left = -1
}
socket.on("connect", send)
socket.on("drain", () => { if (left >= 0) send() })
socket.on("data", (data) => { got += data.length; received.update(data) })
socket.on("end", () => console.log(JSON.stringify({ got, same: sent.digest("hex") === received.digest("hex") })))
`

t.test("a gigabyte, both ways at once", { timeout: 80_000 }, async (t) => {
  const server = await echo(t)
  const made = await run(t, process.execPath, ["-e", PEER, `${server.port}`, `${SIZE}`], { timeout: 70 })
  t.same(JSON.parse(made.stdout), { got: SIZE, same: true })
  t.match(await server.close(), { in: SIZE, out: SIZE, reason: "eof" })
})

t.test("a hundred megabytes by lines, through another's client", { timeout: 60_000 }, async (t) => {
  const [socat, openssl] = [locate("socat"), locate("openssl")]
  if (socat === undefined || openssl === undefined) {
    t.pass("socat, openssl", { skip: "needs socat and openssl" })
    return
  }
  const server = await echo(t, ["--line", "--maxline", "1M", "127.0.0.1:0"])
  const bytes = `head -c 100000000 /dev/zero | "${openssl}" enc -aes-128-ctr -K 07 -iv 09 2>/dev/null`
  const script = `${bytes} | sha256sum; ${bytes} | "${socat}" -t30 - TCP:127.0.0.1:${server.port} | sha256sum`
  const { stdout } = await run(t, "sh", ["-c", script], { timeout: 50 })
  const [sent, received] = stdout.split("\n")
  t.match(sent, /^[0-9a-f]{64} /)
  t.equal(received, sent)
})
