// Without descriptors left: constructors throw, accept tells its caller and does not spin, and the listener
// lives on. It happens in a child that may open few.
import { fileURLToPath } from "node:url"
import t from "tap"
import { census } from "../support/census.js"
import { run } from "../support/child.js"

await census(t)

const script = fileURLToPath(new URL("programs/exhausted.js", import.meta.url))

t.test("EMFILE", async (t) => {
  const command = `ulimit -n 60 && exec "$0" "$1"`
  const { code, stdout, stderr } = await run(t, "sh", ["-c", command, process.execPath, script], {
    timeout: 30,
  })
  t.equal(code, 0, stderr)
  const found = JSON.parse(stdout || "{}")
  t.test("constructors throw a SystemError", async (t) => {
    t.equal(found.connect, "SystemError EMFILE socket")
    t.equal(found.path, "SystemError EMFILE socket")
    t.equal(found.listen, "SystemError EMFILE socket")
    t.equal(found.pair, "SystemError EMFILE socketpair")
    t.equal(found.dup, "SystemError EMFILE dup")
  })
  t.test("accept throws it or returns it, as the handler says", async (t) => {
    t.match(found.thrown, /^accept.*Too many open files \(EMFILE\)$/)
    t.equal(found.accept, "EMFILE")
  })
  t.test("a descriptor that cannot be received is no crash", async (t) => {
    t.equal(found.recvfd?.length, 2)
  })
  t.test("who asks again and again is slowed down", async (t) => {
    t.ok(found.attempts >= 2 && found.attempts <= 50, `${found.attempts} attempts in half a second`)
    t.ok(found.cpu < 0.25, `${found.cpu} s of processor time`)
  })
  t.test("clients waits, at rest, and goes on when there are descriptors", async (t) => {
    t.equal(found.early, 0)
    t.ok(found.idle < 0.15, `${found.idle} s of processor time`)
    t.equal(found.accepted, 2)
    t.equal(found.line, "hello")
  })
})
