// Modes, sizes, limits and time-outs: each setter gives what was set before, changes only what it is given,
// and the module's own setters hold for new sockets alone. The module's defaults are put back at the end.
import t from "tap"
import { errno } from "../../core/errno.js"
import { socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { closing, pair, peek, poke } from "./kit.js"

await census(t)

t.test("the settings of a new socket are those of the guide", (t) => {
  const [con] = pair(t)
  t.strictSame(con.setmode(), ["t-", "tl"])
  t.strictSame(con.setbufsiz(), [4096, 4096])
  t.strictSame(con.setmaxline(), [4096, 4096])
  t.strictSame(con.setvbuf("line"), ["line", 4096])
  t.equal(con.settimeout(), undefined)
  t.strictSame(con.setmaxerrs(), [100, 100])
  t.equal(con.onerror(), undefined)
  t.equal(con.timeout(), undefined)
  t.end()
})

t.test("setmode changes the flags it is given, of the channel it is given for", (t) => {
  const [con] = pair(t)
  t.strictSame(con.setmode("b"), ["t-", "tl"])
  t.strictSame(con.setmode(undefined, "b"), ["b-", "tl"])
  t.strictSame(con.setmode("t", "n"), ["b-", "bl"])
  t.strictSame(con.setmode("", ""), ["t-", "bn"])
  t.strictSame(con.setmode(undefined, "tf"), ["t-", "bn"])
  t.strictSame(con.setmode(undefined, "bl"), ["t-", "tf"])
  t.strictSame(con.setmode(), ["t-", "bl"])
  t.end()
})

t.test("what setmode gives can be given to it again", (t) => {
  const [con] = pair(t)
  for (const [input, output] of [
    ["b", "bn"],
    ["tA", "tfA"],
    ["tP", "blP"],
    ["bAP", "bnAP"],
  ] as const) {
    con.setmode(input, output)
    const [inputs, outputs] = con.setmode("tap", "tlap")
    const plain = con.setmode(inputs.replace("-", ""), outputs.replace("-", ""))
    t.strictSame(plain, ["t-", "tl"])
    t.strictSame(con.setmode("tap", "tlap"), [inputs, outputs])
  }
  t.end()
})

t.test("an unknown mode is refused and changes nothing", (t) => {
  const [con] = pair(t)
  for (const mode of ["x", "bx", "tb!", 5, null, {}]) {
    t.throws(() => con.setmode(mode as string), TypeError)
    t.throws(() => con.setmode("b", mode as string), TypeError)
    t.throws(() => con.xread("*l", mode as string), TypeError)
    t.throws(() => con.xwrite("x", mode as string), TypeError)
    t.throws(() => con.xlines("*l", mode as string), TypeError)
    t.throws(() => con.recv("*l", mode as string), TypeError)
  }
  t.strictSame(con.setmode(), ["t-", "tl"])
  t.end()
})

t.test("setvbuf sets the output's buffering by word or letter, and perhaps its size", (t) => {
  const [con] = pair(t)
  const before = con.setvbuf("full", 100)
  t.strictSame(before, ["line", 4096])
  t.strictSame(con.setvbuf("no"), ["full", 100])
  t.strictSame(con.setmode(), ["t-", "tn"])
  t.strictSame(con.setvbuf("l", 200), ["no", 100])
  t.strictSame(con.setvbuf("f"), ["line", 200])
  t.strictSame(con.setvbuf("n"), ["full", 200])
  t.strictSame(con.setbufsiz(), [4096, 200], "it is the size that setbufsiz knows")
  t.strictSame(con.setvbuf(...before), ["no", 200])
  t.strictSame(con.setvbuf("full", -1), ["line", 4096])
  t.strictSame(con.setvbuf("full"), ["full", -1])
  for (const mode of ["", "x", "lines", 5, undefined, null])
    t.throws(() => con.setvbuf(mode as string), TypeError, String(mode))
  t.end()
})

t.test("setbufsiz and setmaxline change one side or both", (t) => {
  const [con] = pair(t)
  for (const name of ["setbufsiz", "setmaxline"] as const) {
    t.strictSame(con[name](10), [4096, 4096])
    t.strictSame(con[name](undefined, 20), [10, 4096])
    t.strictSame(con[name](30, 40), [10, 20])
    t.strictSame(con[name](-1, -1), [30, 40])
    t.strictSame(con[name](), [-1, -1])
    for (const size of [Number.NaN, 1.5, -2, "5", null])
      t.throws(() => con[name](size as number), /^/, `${name}(${size})`)
    t.strictSame(con[name](), [-1, -1])
  }
  t.end()
})

t.test("an input buffer of another size reads the same, with other system calls", async (t) => {
  for (const size of [1, 7, 100_000, -1]) {
    const [con, peer] = pair(t)
    con.setbufsiz(size)
    poke(peer, "one\ntwo\nthree")
    peer.shutdown("w")
    t.strictSame(await con.read("*l", 2, "*l", "*a"), ["one", "tw", "o", "three"], `${size}`)
  }
})

t.test("settimeout gives the time-out before, and without an argument clears it", (t) => {
  const [con] = pair(t)
  t.equal(con.settimeout(1.5), undefined)
  t.equal(con.timeout(), 1.5)
  t.equal(con.settimeout(0), 1.5)
  t.equal(con.settimeout(2), 0)
  t.equal(con.settimeout(), 2)
  t.equal(con.settimeout(), undefined)
  t.equal(con.settimeout(Number.POSITIVE_INFINITY), undefined)
  t.equal(con.settimeout(1), undefined, "for ever is none")
  t.throws(() => con.settimeout(Number.NaN), RangeError)
  t.throws(() => con.settimeout("1" as unknown as number), TypeError)
  t.equal(con.settimeout(), 1)
  t.end()
})

t.test("setmaxerrs sets the limit of both channels or of one", (t) => {
  const [con] = pair(t)
  t.strictSame(con.setmaxerrs(5), [100, 100])
  t.strictSame(con.setmaxerrs("r", 1), [5, 5])
  t.strictSame(con.setmaxerrs("w", 2), [1, 5])
  t.strictSame(con.setmaxerrs("rw", 3), [1, 2])
  t.strictSame(con.setmaxerrs(), [3, 3])
  t.throws(() => con.setmaxerrs("x", 1), TypeError)
  t.throws(() => con.setmaxerrs(1.5), /^/)
  t.end()
})

t.test("both views of a socket have the same settings", (t) => {
  const [con] = pair(t)
  con.bytes.setmaxline(5)
  con.settimeout(7)
  t.strictSame(con.setmaxline(), [5, 4096])
  t.equal(con.bytes.settimeout(), 7)
  t.equal(socket.type(con.bytes), "socket")
  t.equal(con.bytes.pollfd(), con.pollfd())
  con.bytes.close()
  t.equal(socket.type(con), "closed socket")
  t.end()
})

t.test("the module's setters hold for new sockets, and give what was set before", async (t) => {
  const [old] = pair(t)
  const mode = socket.setmode("b", "bn")
  const vbuf = socket.setvbuf("full", 300)
  const bufsiz = socket.setbufsiz(100, 200)
  const maxline = socket.setmaxline(10, 20)
  const timeout = socket.settimeout(3)
  const maxerrs = socket.setmaxerrs("w", 7)
  const handler = (_con: unknown, _method: string, number: number) => number
  const onerror = socket.onerror(handler)
  t.teardown(restore)
  function restore() {
    socket.setmode("t", "tl")
    socket.setvbuf("line", 4096)
    socket.setbufsiz(4096, 4096)
    socket.setmaxline(4096, 4096)
    socket.settimeout()
    socket.setmaxerrs(100)
    socket.onerror(undefined)
  }
  t.strictSame(mode, ["t-", "tl"])
  t.strictSame(vbuf, ["no", 4096])
  t.strictSame(bufsiz, [4096, 300])
  t.strictSame(maxline, [4096, 4096])
  t.equal(timeout, undefined)
  t.strictSame(maxerrs, [100, 100])
  t.equal(onerror, undefined)

  const [con, peer] = pair(t)
  const listener = closing(t, socket.listen("127.0.0.1", 0))
  await listener.listen()
  const port = listener.localname()[2] as number
  const client = closing(t, socket.connect("127.0.0.1", port as number))
  const [accepted] = await Promise.all([listener.accept(), client.connect()]).then(([first]) => first)
  for (const each of [con, closing(t, socket.dup(con)), listener, client, closing(t, accepted ?? con)]) {
    t.strictSame(each.setmode(), ["b-", "bf"])
    t.strictSame(each.setbufsiz(), [100, 200])
    t.strictSame(each.setmaxline(), [10, 20])
    t.equal(each.settimeout(3), 3)
    t.strictSame(each.setmaxerrs(), [100, 7])
    t.equal(each.onerror(), handler)
  }
  poke(peer, "0123456789abc\r\n")
  t.strictSame(await con.read("*L"), ["0123456789"])
  t.strictSame(await con.read("*L"), ["abc\r\n"])
  t.strictSame(await con.xread("*l", undefined, 0), [undefined, errno.ETIMEDOUT], "by the default handler")

  t.strictSame(old.setmode(), ["t-", "tl"], "sockets that were there keep theirs")
  t.strictSame(old.setbufsiz(), [4096, 4096])
  t.equal(old.onerror(), undefined)
  restore()
  const [later] = pair(t)
  t.strictSame(later.setmode(), ["t-", "tl"])
  t.equal(later.onerror(), undefined)
})

t.test("the module's setters refuse what a socket's refuse", (t) => {
  t.throws(() => socket.setmode("x"), TypeError)
  t.throws(() => socket.setvbuf("x"), TypeError)
  t.throws(() => socket.setbufsiz(-5), /^/)
  t.throws(() => socket.setmaxline(Number.NaN), /^/)
  t.throws(() => socket.settimeout(Number.NaN), RangeError)
  t.throws(() => socket.onerror("x" as never), TypeError)
  const [con, peer] = pair(t)
  t.strictSame(con.setmode(), ["t-", "tl"])
  t.equal(peek(peer), undefined)
  t.end()
})

t.test("constants have their names by number where one name fits", (t) => {
  t.equal(socket.AF[socket.AF_INET], "AF_INET")
  t.equal(socket.AF[socket.AF_INET6], "AF_INET6")
  t.equal(socket.AF[socket.AF_UNIX], "AF_UNIX")
  t.equal(socket.AF[socket.AF_UNSPEC], "AF_UNSPEC")
  t.equal(socket.SOCK[socket.SOCK_STREAM], "SOCK_STREAM")
  t.equal(socket.SOCK[socket.SOCK_DGRAM], "SOCK_DGRAM")
  t.equal(socket.SOCK[socket.SOCK_SEQPACKET], "SOCK_SEQPACKET")
  if (process.platform === "linux") {
    t.strictSame([socket.AF_UNSPEC, socket.AF_UNIX, socket.AF_INET, socket.AF_INET6], [0, 1, 2, 10])
    t.strictSame([socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET], [1, 2, 5])
  }
  t.end()
})

t.test("interpose replaces a method of all sockets, living ones too, and gives the one before", async (t) => {
  const [con, peer] = pair(t)
  const before = socket.interpose("pending", () => [7, 7])
  t.strictSame(con.pending(), [7, 7])
  t.strictSame(con.bytes.pending(), [7, 7])
  socket.interpose("pending", before as never)
  t.strictSame(con.pending(), [0, 0])
  t.equal(
    socket.interpose("hello", function (this: typeof con, name: string) {
      return this.write(`hello ${name}\n`)
    } as never),
    undefined,
  )
  await (con as unknown as { hello(name: string): PromiseLike<unknown> }).hello("you")
  await con.flush()
  t.equal(peek(peer), "hello you\r\n")
})
