// The options of sockets as the kernel is told them: the system calls of a child, seen with strace.
import { fileURLToPath } from "node:url"
import t from "tap"
import { census } from "../support/census.js"
import { run } from "../support/child.js"
import { withProgram } from "../support/programs.js"

await census(t)

const script = fileURLToPath(new URL("programs/optioned.js", import.meta.url))
const CALLS =
  "trace=socket,socketpair,accept4,accept,setsockopt,fcntl,sendto,sendmsg,write,close,bind,connect"

t.test("system calls", async (t) => {
  await withProgram(t, "strace", async (strace) => {
    const args = ["-f", "-e", CALLS, "-s", "64", process.execPath, script]
    const { code, stderr } = await run(t, strace, args, { timeout: 60 })
    t.equal(code, 0)
    const marks = new Map<string, string>()
    for (const part of stderr.split(/write\(2, "mark /).slice(1)) {
      const name = part.slice(0, part.indexOf("\\n")).replaceAll("\\", "")
      marks.set(name, part)
    }
    const calls = (mark: string) => marks.get(mark) ?? t.fail(`no mark ${mark}`).toString()
    const optionOf = (mark: string, name: string) =>
      new RegExp(`setsockopt\\(\\d+, \\w+, ${name}, \\[(\\d)\\]`).exec(calls(mark))?.[1]

    t.test("descriptors are made non-blocking and closed on exec in one call", async (t) => {
      t.match(calls("connect {}"), /socket\(AF_INET, SOCK_STREAM\|SOCK_CLOEXEC\|SOCK_NONBLOCK, /)
      t.match(calls("accept {}"), /accept4\(\d+, .*SOCK_CLOEXEC\|SOCK_NONBLOCK\)/)
      t.match(calls("pair"), /socketpair\(AF_UNIX, SOCK_STREAM\|SOCK_CLOEXEC\|SOCK_NONBLOCK, /)
      for (const [mark, text] of marks) t.notMatch(text, /F_SETFL|F_SETFD/, mark)
    })

    t.test("reuseaddr is on unless it is turned off", async (t) => {
      t.equal(optionOf("connect {}", "SO_REUSEADDR"), "1")
      t.not(optionOf('connect {"reuseaddr":false}', "SO_REUSEADDR"), "1")
    })

    t.test("nodelay and nopush, of connections made and accepted", async (t) => {
      for (const side of ["connect", "accept"]) {
        t.equal(optionOf(`${side} {}`, "TCP_NODELAY"), undefined)
        t.equal(optionOf(`${side} {"nodelay":true}`, "TCP_NODELAY"), "1")
        t.not(optionOf(`${side} {"nodelay":false}`, "TCP_NODELAY"), "1")
        t.equal(optionOf(`${side} {"nopush":true}`, "TCP_CORK"), "1")
        t.equal(optionOf(`${side} {"oobinline":true}`, "SO_OOBINLINE"), "1")
      }
    })

    t.test("reuseport, broadcast, v6only", async (t) => {
      t.equal(optionOf('connect {"reuseport":true}', "SO_REUSEPORT"), "1")
      t.equal(optionOf("connect {}", "SO_REUSEPORT"), undefined)
      t.equal(optionOf("datagram", "SO_BROADCAST"), "1")
      t.equal(optionOf("six", "IPV6_V6ONLY"), "1")
    })

    t.test("no write raises SIGPIPE, and each is the system call that its mode says", async (t) => {
      const sent = calls("write").match(/sendto\(\d+, "\w+", \d+, [A-Z_|]+/g) ?? []
      t.strictSame(
        sent.map((call) => /"(\w+)"/.exec(call)?.[1]),
        ["a", "b", "cd"],
      )
      for (const call of sent) t.match(call, /MSG_NOSIGNAL/)
    })
  })
})
