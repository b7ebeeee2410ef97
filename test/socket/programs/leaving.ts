// Writes to the UNIX socket that is named first and leaves the process in the way that is named second;
// what it wrote must not stay behind.
import { cqueues } from "../../../core/cqueues.js"
import { socket } from "../../../core/socket/module.js"

const [path = "", way] = process.argv.slice(2)
const con = socket.connect({ path })
con.setmode("b", "bl")

async function awaited(): Promise<void> {
  await con.write("written\n")
}

const ways: Record<string, () => unknown> = {
  // the event loop runs dry
  await: awaited,
  sync: () => con.write("written\n").sync(),
  exit: async () => {
    await awaited()
    process.exit(0)
  },
  "exit at once": () => {
    con.write("written\n").sync()
    process.exit(0)
  },
  controller: () => {
    const cq = cqueues.new()
    cq.wrap(function* () {
      yield* con.write("written\n")
    })
    cq.loop().sync()
    process.exit(0)
  },
  "exit within a coroutine": () => {
    const cq = cqueues.new()
    cq.wrap(function* () {
      yield* con.write("written\n")
      process.exit(0)
    })
    cq.loop().sync()
  },
  "error within a coroutine": async () => {
    const cq = cqueues.new()
    cq.wrap(function* () {
      yield* con.write("written\n")
      throw new Error("expected")
    })
    const [good] = await cq.loop()
    process.exit(good ? 1 : 0)
  },
  close: async () => {
    con.setvbuf("full", -1)
    await con.write("written\n".repeat(250_000))
    con.close()
  },
  "shutdown and close": async () => {
    con.setvbuf("full", -1)
    await con.write("written\n".repeat(250_000))
    con.shutdown("w")
  },
}
await ways[way as keyof typeof ways]?.()
