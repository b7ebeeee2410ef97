// auxlib: what becomes of results with an error in them, and the string form of things.
import t from "tap"
import cqueues, { auxlib, errno, SystemError } from "../core/index.js"
import { inside, thrown } from "./loop/tools.js"
import { census } from "./support/census.js"

await census(t)

t.test("assert gives the value of a result", async (t) => {
  for (const value of [1, 0, "", "x", null, {}, [], true]) {
    t.equal(auxlib.assert([value]), value)
    t.equal(auxlib.assert([value, undefined]), value)
    t.equal(auxlib.assert([value, errno.EPIPE]), value, "whatever follows it")
  }
  t.equal(cqueues.assert, auxlib.assert)
})

t.test("assert throws the SystemError of a number", async (t) => {
  for (const result of [
    [undefined, errno.ECONNREFUSED],
    [false, errno.ECONNREFUSED],
    [undefined, undefined, errno.ECONNREFUSED],
  ]) {
    const error = thrown(() => auxlib.assert(result))
    t.type(error, SystemError)
    t.match(error, { errno: errno.ECONNREFUSED, code: "ECONNREFUSED", message: /Connection refused/ })
  }
})

t.test("assert throws an error itself, and makes one of anything else", async (t) => {
  const reason = new RangeError("r")
  t.equal(
    thrown(() => auxlib.assert([false, reason])),
    reason,
  )
  t.match(
    thrown(() => auxlib.assert([undefined, "text"])),
    { message: "text" },
  )
  t.type(
    thrown(() => auxlib.assert([undefined, "text"])),
    Error,
  )
  t.match(
    thrown(() => auxlib.assert([undefined])),
    { message: /assertion failed/ },
  )
  t.match(
    thrown(() => auxlib.assert([])),
    Error,
  )
  t.equal(
    thrown(() => auxlib.assert([false, reason, 5, undefined])),
    reason,
    "a failed step's error comes first",
  )
})

t.test("assert refuses what is no result", async (t) => {
  for (const wrong of [undefined, null, 5, "x", {}, cqueues.sleep(0)]) {
    t.throws(() => auxlib.assert(wrong as never), TypeError)
  }
})

t.test("fileresult gives value, text and number as Lua's files do", async (t) => {
  t.strictSame(auxlib.fileresult([5]), [5])
  t.strictSame(auxlib.fileresult(["x", undefined]), ["x"])
  t.strictSame(auxlib.fileresult([undefined, errno.ENOENT]), [
    undefined,
    "No such file or directory",
    errno.ENOENT,
  ])
  t.strictSame(auxlib.fileresult([false, errno.EPIPE]), [false, "Broken pipe", errno.EPIPE])
  t.strictSame(auxlib.fileresult([undefined, undefined, errno.EIO]), [
    undefined,
    errno.strerror(errno.EIO),
    errno.EIO,
  ])
  const error = new SystemError(errno.EACCES, "open", { path: "/x" })
  t.strictSame(auxlib.fileresult([undefined, error]), [undefined, error.message, errno.EACCES])
})

t.test("tostring answers at once", async (t) => {
  t.equal(auxlib.tostring(5), "5")
  t.equal(auxlib.tostring(undefined), "undefined")
  t.equal(auxlib.tostring("x"), "x")
  t.equal(auxlib.tostring({ toString: () => "own" }), "own")
  t.equal(auxlib.tostring(Symbol("s")), "Symbol(s)")
  t.type(auxlib.tostring(cqueues.new), "string")
})

t.test("resume and wrap are the main module's", async (t) => {
  t.equal(auxlib.resume, cqueues.resume)
  t.equal(auxlib.wrap, cqueues.wrap)
  t.strictSame(
    inside(function* () {
      return yield* auxlib.resume(
        (function* () {
          yield 1
        })(),
      )
    }),
    { done: false, value: 1 },
  )
})

t.test("it has a subpath of its own", async (t) => {
  const own = await import("../core/auxlib.js")
  t.equal(own.default, auxlib)
  t.equal(own.auxlib, auxlib)
})
