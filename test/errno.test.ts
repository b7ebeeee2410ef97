// Error numbers: the table both ways, the texts, and the error that carries a number (guide section 3.2.3).
import { execFileSync } from "node:child_process"
import os from "node:os"
import t from "tap"
import cqueues, { errno, SystemError } from "../core/index.js"
import { census } from "./support/census.js"

await census(t)

t.test("names give numbers and numbers give names", async (t) => {
  t.equal(errno.EAGAIN, os.constants.errno.EAGAIN)
  t.equal(errno[errno.EAGAIN], "EAGAIN")
  t.equal(errno[11], process.platform === "linux" ? "EAGAIN" : errno[11])
  t.equal(errno[0], undefined)
  t.equal(errno[99999], undefined)
  t.equal((errno as unknown as Record<string, unknown>).ENOSUCHNAME, undefined)
})

t.test("every error that Node knows is there with the same number", async (t) => {
  for (const [name, number] of Object.entries(os.constants.errno)) {
    t.equal((errno as unknown as Record<string, number>)[name], number, name)
  }
})

t.test("every number has one name, and that name leads back to it", async (t) => {
  const numbers = Object.keys(errno).filter((key) => /^-?\d+$/.test(key))
  t.ok(numbers.length > 100, `${numbers.length} errors`)
  for (const key of numbers) {
    const name = errno[Number(key)] as string
    t.match(name, /^(E[A-Z0-9]+|[A-Z]+_E[A-Z0-9]+)$/)
    t.equal((errno as unknown as Record<string, number>)[name], Number(key))
  }
})

t.test("every system error number from 1 on has a name where strerror knows a text", async (t) => {
  for (let number = 1; number < 134; number++) {
    const known = !/^Unknown error/.test(errno.strerror(number))
    t.equal(errno[number] !== undefined, known, `${number} ${errno.strerror(number)}`)
  }
})

t.test("of names with one number the usual one is given", async (t) => {
  t.equal(errno.EWOULDBLOCK, errno.EAGAIN)
  t.equal(errno[errno.EWOULDBLOCK], "EAGAIN")
  t.equal(errno[errno.EDEADLK], "EDEADLK")
  for (const name of ["ESHUTDOWN", "EOWNERDEAD", "ENOTRECOVERABLE", "EHOSTDOWN", "EADDRINUSE"] as const) {
    t.equal(errno[errno[name]], name)
  }
})

t.test("strerror gives the text of strerror(3)", async (t) => {
  t.equal(errno.strerror(errno.ENOENT), "No such file or directory")
  t.equal(errno.strerror(errno.ECONNREFUSED), "Connection refused")
  t.equal(errno.strerror(errno.EPIPE), "Broken pipe")
  t.type(errno.strerror(0), "string")
  t.match(errno.strerror(99999), /99999/)
  t.match(errno.strerror(-5), /-5/)
  for (const wrong of ["2", undefined, null, 1.5, Number.NaN, {}]) {
    t.throws(() => errno.strerror(wrong as never), TypeError)
  }
})

t.test("the texts are those of another program on this system", async (t) => {
  const script = "import os,json;print(json.dumps({str(n):os.strerror(n) for n in range(1,134)}))"
  const python = ["/usr/bin/python3", "/usr/local/bin/python3"].find((path) => {
    try {
      execFileSync(path, ["--version"], { stdio: "ignore" })
      return true
    } catch {
      return false
    }
  })
  if (python === undefined) return t.pass("no other program here", { skip: "needs python3" })
  const texts = JSON.parse(execFileSync(python, ["-c", script], { encoding: "utf8" })) as Record<
    string,
    string
  >
  for (const [number, text] of Object.entries(texts)) t.equal(errno.strerror(Number(number)), text)
})

t.test("failures of DNS have negative codes, with names in the same table and texts", async (t) => {
  const names = [
    "DNS_ENOBUFS",
    "DNS_EILLEGAL",
    "DNS_EORDER",
    "DNS_ESECTION",
    "DNS_EUNKNOWN",
    "DNS_EADDRESS",
    "DNS_ENOQUERY",
    "DNS_ENOANSWER",
    "DNS_EFETCHED",
    "DNS_ESERVICE",
    "DNS_ENONAME",
    "DNS_EFAIL",
  ] as const
  const seen = new Set<number>()
  for (const name of names) {
    const code = errno[name]
    t.ok(Number.isInteger(code) && code < 0, name)
    t.equal(errno[code], name)
    t.match(errno.strerror(code), /\w+ \w+/)
    t.notMatch(errno.strerror(code), /Unknown error/)
    seen.add(code)
  }
  t.equal(seen.size, names.length)
})

t.test("the table cannot be changed by mistake", async (t) => {
  t.throws(() => {
    ;(errno as unknown as Record<string, number>).EAGAIN = 1
  }, TypeError)
  t.throws(() => {
    ;(errno as unknown as Record<string, number>).ENEW = 1
  }, TypeError)
})

t.test("a SystemError is an Error that is readable by itself", async (t) => {
  const error = new SystemError(errno.ECONNREFUSED, "connect", { address: "127.0.0.1", port: 1 })
  t.ok(error instanceof Error)
  t.equal(error.message, "connect 127.0.0.1:1: Connection refused (ECONNREFUSED)")
  t.equal(error.name, "SystemError")
  t.match(error, {
    errno: errno.ECONNREFUSED,
    code: "ECONNREFUSED",
    syscall: "connect",
    address: "127.0.0.1",
    port: 1,
  })
  t.match(String(error), /^SystemError: connect 127/)
  t.match(error.stack, /errno\.test/)
  t.notOk("path" in error, "what is not known is not there")
  t.equal(cqueues.SystemError, SystemError)
})

t.test("its message names what is known of the place", async (t) => {
  const message = (where?: object) => new SystemError(errno.EACCES, "bind", where).message
  t.equal(message(), "bind: Permission denied (EACCES)")
  t.equal(message({ address: "::1", port: 80 }), "bind [::1]:80: Permission denied (EACCES)")
  t.equal(message({ address: "10.0.0.1" }), "bind 10.0.0.1: Permission denied (EACCES)")
  t.equal(message({ path: "/run/x" }), "bind /run/x: Permission denied (EACCES)")
  t.match(message({ path: "\0name" }), /^bind @name: /)
  t.match(new SystemError(99999, "odd").message, /^odd: .*99999/)
  t.match(new SystemError(errno.DNS_ENONAME, "query"), { code: "DNS_ENONAME", errno: errno.DNS_ENONAME })
})

t.test("errno works in a subpath of its own", async (t) => {
  const own = await import("../core/errno.js")
  t.equal(own.default, errno)
  t.equal(own.errno, errno)
})
