// Random reads of random input in random pieces, compared with a reader so simple that it cannot be wrong:
// it has all of the input in one array. A failure names its seed.
import { isDeepStrictEqual } from "node:util"
import t from "tap"
import type { Coroutine } from "../../core/loop/task.js"
import type { Socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { escaped, feed, latin, randoms } from "./kit.js"

await census(t)

const LF = 10
const CR = 13

class Model {
  bytes: Buffer
  text = true
  maxline = -1

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  #take(length: number): Buffer {
    const taken = this.bytes.subarray(0, length)
    this.bytes = this.bytes.subarray(length)
    return taken
  }

  line(keep: boolean, raw: boolean): Buffer | undefined {
    if (this.bytes.length === 0) return undefined
    const window = this.maxline < 0 ? this.bytes.length : Math.min(this.maxline, this.bytes.length)
    const at = this.bytes.subarray(0, window).indexOf(LF)
    if (at < 0) return this.#take(window)
    let line = this.#take(at + 1).subarray(0, at)
    if (this.text && !raw && line.at(-1) === CR) line = line.subarray(0, -1)
    return keep ? Buffer.concat([line, Buffer.from("\n")]) : line
  }

  /** What `count` bytes are, and how many of the input they take. */
  block(count: number, raw: boolean): Buffer | undefined {
    if (this.bytes.length === 0) return undefined
    if (!this.text || raw) return this.#take(Math.min(count, this.bytes.length))
    const out: number[] = []
    let at = 0
    while (out.length < count && at < this.bytes.length) {
      if (this.bytes[at] === CR && this.bytes[at + 1] === LF) at++
      out.push(this.bytes[at++] as number)
    }
    this.#take(at)
    return Buffer.from(out)
  }

  unget(bytes: Buffer): void {
    this.bytes = Buffer.concat([bytes, this.bytes])
  }
}

const shown = (bytes: Buffer | undefined, raw: boolean) =>
  bytes === undefined ? undefined : raw ? bytes.toString("latin1") : escaped(bytes)

function* play(con: Socket, model: Model, next: () => number, log: string[]): Coroutine<boolean> {
  const check = (what: string, found: unknown, wanted: unknown) => {
    log.push(`${what}: ${JSON.stringify(found)}`)
    if (isDeepStrictEqual(found, wanted)) return true
    log.push(`wanted ${JSON.stringify(wanted)}`)
    return false
  }
  for (let end = 0; end < 2; ) {
    const raw = next() % 3 === 0
    const view = (raw ? con.bytes : con) as Socket
    const text = (value: unknown) => (Buffer.isBuffer(value) ? value.toString("latin1") : value)
    const size = next() % 12
    switch (next() % 8) {
      case 0:
      case 1: {
        const keep = next() % 2 === 0
        const format = keep ? "*L" : "*l"
        const [value] = yield* view.read(format)
        if (!check(`${format} raw=${raw}`, text(value), shown(model.line(keep, raw), raw))) return false
        if (value === undefined) end++
        break
      }
      case 2:
      case 3: {
        const [value] = yield* view.read(size)
        if (!check(`${size} raw=${raw}`, text(value), shown(model.block(size, raw), raw))) return false
        if (value === undefined) end++
        break
      }
      case 4: {
        const [value] = yield* view.read(-size - 1)
        const length = raw ? (text(value) as string | undefined)?.length : lengthOf(value)
        if (length === 0 || (length ?? 0) > size + 1) return check(`${-size - 1}`, text(value), "a piece")
        const wanted = length === undefined ? model.block(1, raw) : model.block(length, raw)
        if (!check(`${-size - 1} raw=${raw}`, text(value), shown(wanted, raw))) return false
        if (value === undefined) end++
        break
      }
      case 5: {
        const data = Buffer.from(Array.from({ length: size }, () => byte(next)))
        con.unget(data)
        model.unget(data)
        log.push(`unget ${JSON.stringify(data.toString("latin1"))}`)
        break
      }
      case 6: {
        model.text = next() % 2 === 0
        con.setmode(model.text ? "t" : "b")
        log.push(`text=${model.text}`)
        break
      }
      default: {
        model.maxline = next() % 3 === 0 ? -1 : 1 + (next() % 10)
        con.setmaxline(model.maxline)
        log.push(`maxline=${model.maxline}`)
      }
    }
  }
  return true
}

/** The number of bytes that a string stands for. */
function lengthOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  return Buffer.byteLength(
    text.replace(/[\udc80-\udcff]/g, (unit, at) => {
      const before = text.charCodeAt(at - 1)
      return before >= 0xd800 && before < 0xdc00 ? unit : "x"
    }),
  )
}

function byte(next: () => number): number {
  const special = [LF, LF, CR, CR, 0x41, 0x80, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0xff, 0]
  return special[next() % special.length] as number
}

t.test("reads of random input in random pieces give what a simple reader gives", async (t) => {
  const first = Number(process.env.CQUEUES_SEED ?? 0)
  const rounds = process.env.CQUEUES_SEED ? 1 : 2500
  for (let seed = first; seed < first + rounds; seed++) {
    const next = randoms(seed)
    const input = Buffer.from(Array.from({ length: next() % 80 }, () => byte(next)))
    const pieces: Buffer[] = []
    for (let at = 0; at < input.length; ) {
      const size = 1 + (next() % 20)
      pieces.push(input.subarray(at, at + size))
      at += size
    }
    const log = [`input ${JSON.stringify(pieces.map((piece) => piece.toString("latin1")))}`]
    let good = false
    try {
      good = feed(pieces, (con) => play(con, new Model(input), next, log))
    } catch (error) {
      log.push(String(error))
    }
    if (!good) return void t.fail(`CQUEUES_SEED=${seed}\n${log.join("\n")}`)
  }
  t.pass(`${rounds} rounds`)
})

t.test("the model itself", async (t) => {
  const model = new Model(latin("a\r\nb\rc\n"))
  t.equal(shown(model.line(false, false), false), "a")
  t.equal(shown(model.block(3, false), false), "b\rc")
  t.equal(shown(model.block(3, false), false), "\n")
  t.equal(model.line(true, false), undefined)
  t.equal(lengthOf("\udc80a\u20ac\ud83d\ude00\udcff"), 1 + 1 + 3 + 4 + 1)
})
