// Random writes, flushes and changes of mode to a peer that reads at random: what arrives is what was
// written, once and in order, and never later than the mode promises. A failure names its seed.
import t from "tap"
import { cqueues } from "../../core/cqueues.js"
import type { Coroutine } from "../../core/loop/task.js"
import { type Socket, socket } from "../../core/socket/module.js"
import { census } from "../support/census.js"
import { peek, randoms, turn } from "./kit.js"

await census(t)

const MODES = ["n", "l", "f"]

interface Game {
  con: Socket
  peer: Socket
  next(): number
  log: string[]
  /** What was written, as it must arrive, one character a byte. */
  wanted: string
  received: string
  mode: string
  text: boolean
}

function read(game: Game, size: number): void {
  game.received += peek(game.peer, size) ?? ""
}

/** Data of a write, and what it must arrive as. */
function data(game: Game, large: number): [data: string | Buffer, wire: string] {
  const { next } = game
  const size = next() % 4 === 0 ? next() % large : next() % 30
  let text = ""
  while (text.length < size) text += next() % 6 === 0 ? "\n" : `${next() % 1000}`
  if (next() % 2) return [Buffer.from(text), text]
  return [text, game.text ? text.replaceAll("\n", "\r\n") : text]
}

function check(game: Game, what: string, good: boolean): void {
  if (good) return
  const { received, wanted } = game
  const at = [...received].findIndex((byte, i) => byte !== wanted[i])
  game.log.push(`received ${received.length} of ${wanted.length}, first difference at ${at}`)
  throw new Error(what)
}

function* move(game: Game, large: number): Coroutine<void> {
  const { con, next, log } = game
  switch (next() % 9) {
    case 0: {
      game.mode = MODES[next() % 3] as string
      game.text = next() % 2 === 0
      con.setmode(undefined, `${game.text ? "t" : "b"}${game.mode}`)
      log.push(`mode ${game.mode} text ${game.text}`)
      return
    }
    case 1: {
      const size = next() % 5 === 0 ? -1 : next() % 100
      con.setvbuf(game.mode, size)
      con.setmaxline(undefined, next() % 3 === 0 ? -1 : next() % 100)
      log.push(`size ${size}`)
      return
    }
    case 2: {
      const result = yield* con.flush()
      log.push(`flush ${result}`)
      check(game, "flush", con.pending()[1] === 0)
      return
    }
    case 3: {
      const [bytes, wire] = data(game, large)
      const before = game.wanted
      let taken = 0
      while (taken < Buffer.byteLength(bytes)) {
        const [count] = con.send(bytes, taken)
        taken += count
        if (count === 0) yield* cqueues.sleep(0)
      }
      game.wanted = before + wire
      log.push(`send ${wire.length}`)
      return
    }
    default: {
      const parts = Array.from({ length: 1 + (next() % 3) }, () => data(game, large))
      game.wanted += parts.map(([, wire]) => wire).join("")
      const pieces = parts.map(([piece]) => piece)
      log.push(`write ${pieces.map((piece) => piece.length)}`)
      const result = yield* con.write(...pieces)
      check(game, "write", result[0] === con)
      if (game.mode === "n") check(game, "mode n leaves something", con.pending()[1] === 0)
    }
  }
}

function play(seed: number, large: number, log: string[]): void {
  const [con, peer] = socket.pair()
  const cq = cqueues.new()
  const next = randoms(seed)
  const game: Game = { con, peer, next, log, wanted: "", received: "", mode: "l", text: true }
  let over = false
  try {
    cq.wrap(function* () {
      for (let i = 0; i < 40; i++) yield* move(game, large)
      if (next() % 2) con.shutdown("w")
      else con.close()
      over = true
    })
    for (let i = 0; i < 100_000 && !(over && cq.empty()); i++) {
      turn(cq, 1)
      read(game, 1 + (next() % (large * 2)))
    }
    for (let before = -1; before < game.received.length; ) {
      before = game.received.length
      read(game, 1 << 20)
    }
    check(game, "the end", over && cq.empty())
    check(game, "what arrived", game.received === game.wanted)
  } finally {
    cq.close()
    con.close()
    peer.close()
  }
}

for (const [title, large, rounds] of [
  ["small", 100, 600],
  ["large", 600_000, 12],
] as const) {
  t.test(`random writes, ${title}`, async (t) => {
    const given = process.env.CQUEUES_SEED
    for (let seed = Number(given ?? 0); seed < Number(given ?? rounds - 1) + 1; seed++) {
      const log: string[] = []
      try {
        play(seed, large, log)
      } catch (error) {
        return void t.fail(`CQUEUES_SEED=${seed} ${error}\n${log.join("\n")}`)
      }
    }
    t.pass(`${rounds} rounds`)
  })
}

t.test("after each step, line mode holds back no whole line and full mode no full buffer", async (t) => {
  for (let seed = 0; seed < 150; seed++) {
    const next = randoms(seed)
    const [con, peer] = socket.pair()
    const mode = seed % 2 ? "l" : "f"
    const size = 1 + (next() % 60)
    con.setmode("b", `b${mode}`)
    con.setvbuf(mode, size)
    const cq = cqueues.new()
    let wanted = ""
    let received = ""
    for (let i = 0; i < 20; i++) {
      const piece = Array.from({ length: next() % 40 }, () => (next() % 8 === 0 ? "\n" : "x")).join("")
      wanted += piece
      cq.wrap(function* () {
        yield* con.write(piece)
      })
      turn(cq, 1)
      received += peek(peer) ?? ""
      const held = wanted.slice(received.length)
      if (wanted !== received + held || con.pending()[1] !== held.length) return void t.fail(`seed ${seed}`)
      if (held.length >= size) return void t.fail(`seed ${seed}: holds ${held.length} of ${size}`)
      if (mode === "l" && held.includes("\n")) return void t.fail(`seed ${seed}: holds a line`)
    }
    cq.close()
    con.close()
    peer.close()
  }
  t.pass("150 rounds")
})
