// Calls every function of the addon with random arguments, right and wrong, as a process of its own: it has to
// end by itself. Descriptors come from a pool of its own, for a number of Node's could be closed under it.
//   fuzz-binding.js SEED CALLS
import { closeSync, openSync } from "node:fs"
import { createRequire } from "node:module"
import { random } from "../loop/tools.js"

type Fn = (...args: unknown[]) => unknown
type Exports = Record<string, Fn> & { errnos: unknown[]; constants: Record<string, number> }

const addon = createRequire(import.meta.url)("../../../native/build/Release/cqueues.node") as Exports
const [seed, calls] = process.argv.slice(2).map(Number) as [number, number]
const below = random(seed)
const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T

const call = (name: string, ...args: unknown[]): number => (addon[name] as Fn)(...args) as number

const out = new Int32Array(16)
const control = new Int32Array(8 + 256 * 4 + 256 * 4)
const arena = Buffer.from(new ArrayBuffer(65536))
const results = call("regionAdd", out)
call("results", results)
const controlRegion = call("regionAdd", control)
const arenaRegion = call("regionAdd", arena)
call("stepMemory", controlRegion, arenaRegion)

const files = [openSync("/dev/null", "r+"), openSync("/etc/passwd", "r")]
const fds: number[] = [-1, -2, 5000, 1 << 30, -(2 ** 31), 2 ** 31 - 1, ...files]
const regions: number[] = [results, controlRegion, arenaRegion, -1, 9999]
const pollers: number[] = [-1, 9999]
const loops: number[] = [-1, 9999]

function keep(list: number[], made: number): void {
  if (made < 0) return
  list.push(made)
  if (list.length > 60) list.splice(10, 20)
}

function forget(fd: number): void {
  for (let at = fds.indexOf(fd); at >= 0; at = fds.indexOf(fd)) fds.splice(at, 1)
}

const NUMBERS = [
  0,
  1,
  2,
  3,
  4,
  5,
  7,
  8,
  16,
  255,
  256,
  257,
  4096,
  65535,
  65536,
  -1,
  -2,
  2 ** 31 - 1,
  -(2 ** 31),
]
const numberOf = () => (below(4) ? pick(NUMBERS) : below(300))
const JUNK = [
  undefined,
  null,
  "",
  "text\u{1f600}\udc80\ud800",
  "x".repeat(5000),
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1.5,
  2 ** 53,
  -0,
  true,
  {},
  [],
  () => {},
  Symbol("s"),
  1n,
  new Uint8Array(0),
  new Uint8Array(10),
  new Int32Array(4),
  new Float64Array(3),
  new ArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
  new Proxy({}, {}),
  new Proxy([], {}),
  Object.defineProperty([1, 2], 1, {
    get() {
      throw new Error("a getter")
    },
  }),
  new Date(),
  addon,
]
const ADDRESSES = [
  "127.0.0.1",
  "::1",
  "fe80::1%lo",
  "fe80::1%",
  "::%99999999999",
  "1.2.3",
  "x\0y",
  "9".repeat(300),
  Buffer.from("/tmp/nonexistent/socket"),
  Buffer.from("\0abstract"),
  Buffer.alloc(108),
  Buffer.alloc(200, "x"),
  Buffer.alloc(0),
]
const TEXTS = [
  "",
  "abc\n",
  "é\n\r\n",
  "\udc80\udcff",
  "\ud83d\ude00",
  "\ud83d",
  "�",
  "a".repeat(4096),
  "\n".repeat(3000),
]

const fd = () => pick(fds)
const region = () => pick(regions)
const bytes = () => new Uint8Array(below(100))
const on = () => below(2)

/** What each function wants; the number of a region and its bounds are random too. */
const ARGUMENTS: Record<string, () => unknown[]> = {
  monotime: () => [],
  regionAdd: () => [
    pick([new Uint8Array(below(9000)), new Int32Array(below(3000)), Buffer.alloc(below(100))]),
  ],
  regionDrop: () => [region()],
  results: () => [region()],
  stepMemory: () => [region(), region()],
  step: () => [pick(pollers), pick([0, 0, 1, 3, 256, 257, -1])],
  flush: () => [pick([0, 1, 3, 256, 257, -1])],
  pollerOpen: () => [region()],
  pollerClose: () => [pick(pollers)],
  pollerFd: () => [pick(pollers)],
  pollerSlots: () => [pick(pollers), region()],
  pollerSet: () => [pick(pollers), fd(), numberOf(), below(3), below(9), below(9)],
  pollerPrepareAlert: () => [pick(pollers)],
  pollerRaiseAlert: () => [pick(pollers)],
  pollerReset: () => [pick(pollers)],
  pause: () => [
    pick(pollers),
    0,
    pick([0, 1000, -1, 10 ** 9]),
    pick([[], [10], [0], [64, 65], ["x"], [10, 10, 12], 5]),
  ],
  loopStart: () => [pick(pollers), () => {}],
  loopRef: () => [pick(loops), 0],
  loopStop: () => [pick(loops)],
  socket: () => [pick([1, 2, 10, 99]), pick([1, 2, 5, 99]), pick([0, 6, 17, -1])],
  socketpair: () => [pick([1, 2]), pick([1, 2, 5, 9])],
  accept: () => [fd()],
  listen: () => [fd(), numberOf()],
  dup: () => [fd()],
  adopt: () => [fd()],
  close: () => [fd()],
  shutdown: () => [fd(), below(5)],
  setsockopt: () => [fd(), pick([1, 6, 41, 999]), below(60), numberOf()],
  getsockopt: () => [fd(), pick([1, 6, 41, 999]), below(60)],
  peercred: () => [fd()],
  setNonblock: () => [fd(), 1],
  setCloexec: () => [fd(), on()],
  umask: () => [pick([0o22, 0o77, 0])],
  connect: () => [fd(), pick([1, 2, 10, 0]), pick(ADDRESSES), pick([0, 1, 9, 70000, -1])],
  bind: () => [fd(), pick([1, 2, 10, 0]), pick(ADDRESSES), pick([0, 70000, -1])],
  peername: () => [fd()],
  sockname: () => [fd()],
  isAddress: () => [pick([1, 2, 10, 0]), pick(ADDRESSES)],
  send: () => [fd(), region(), numberOf(), numberOf()],
  sendBytes: () => [fd(), bytes(), numberOf(), numberOf()],
  recv: () => [fd(), region(), numberOf(), numberOf()],
  sendto: () => [fd(), bytes(), pick([1, 2, 10]), pick(ADDRESSES), pick([0, 9])],
  recvfrom: () => [fd(), region(), numberOf(), numberOf()],
  sendmsg: () => [fd(), region(), numberOf(), numberOf(), fd()],
  recvmsg: () => [fd(), region(), numberOf(), numberOf()],
  put: () => [pick(TEXTS)],
  text: () => [region(), numberOf(), numberOf()],
  readLine: () => [],
  findLine: () => [region(), numberOf(), numberOf()],
  compact: () => [region(), numberOf(), numberOf(), numberOf(), on()],
  measure: () => [region(), numberOf(), numberOf(), numberOf(), on()],
  strerror: () => [numberOf()],
}

const names = Object.keys(addon).filter((name) => typeof addon[name] === "function")
const unknown = names.filter((name) => !(name in ARGUMENTS))
// What is new here waits for its line above; it is called with junk until then.
for (const name of unknown) ARGUMENTS[name] = () => [pick(NUMBERS), pick(NUMBERS)]

function args(name: string): unknown[] {
  const wanted = (ARGUMENTS[name] as () => unknown[])()
  if (below(8) > 0) return wanted
  const kind = below(3)
  // Without its seconds this one waits for ever.
  if (kind === 0 && name !== "pause") return wanted.slice(0, below(wanted.length + 1))
  if (kind === 1) return [...wanted, pick(JUNK)]
  const at = name === "pause" ? pick([0, 3]) : below(wanted.length + 1)
  const junk = pick(JUNK)
  // A number that is none becomes 0, and descriptor 0 is not ours.
  if (typeof junk === "number" && at === 0) return wanted
  return wanted.map((value, i) => (i === at ? junk : value))
}

let wrong: string | undefined
for (let i = 0; i < calls && wrong === undefined; i++) {
  const name = pick(names)
  control.fill(0, 0, 8)
  if (below(4) === 0) for (let k = 0; k < 20; k++) control[8 + k] = pick([...NUMBERS, fd(), region()])
  if (name === "step" || name === "flush") for (let k = 8; k < 8 + 1024; k += 4) control[k] = fd()
  for (let k = 8; k < 16; k++) out[k] = below(3) ? numberOf() : region()
  const given = args(name)
  let result: unknown
  try {
    result = (addon[name] as Fn)(...given)
  } catch (error) {
    if (!/a getter|stack/.test(String(error))) wrong = `${name} threw ${String(error)}`
    continue
  }
  // Its number may be Node's next.
  if (name === "close" && result === 0) forget(given[0] as number)
  // The addon goes on with the memory that is known here.
  if (name === "results") call("results", results)
  if (name === "stepMemory") call("stepMemory", controlRegion, arenaRegion)
  if (typeof result === "number" && !Number.isFinite(result)) wrong = `${name} gave ${result}`
  const made = typeof result === "number" ? result : -1
  if (name === "regionAdd") keep(regions, made)
  if (name === "pollerOpen") keep(pollers, made)
  if (name === "loopStart") keep(loops, made)
  if (["socket", "accept", "dup"].includes(name)) keep(fds, made)
  if (name === "socketpair" && made >= 0) {
    keep(fds, made)
    keep(fds, out[0] as number)
  }
  if (i % 1000 === 0) {
    // The loop turns: its callbacks run, closed handles go.
    await new Promise((done) => setImmediate(done))
    globalThis.gc?.()
    // Not more descriptors than there is room for.
    for (const each of fds.slice(6)) {
      call("close", each)
      forget(each)
    }
    for (const each of pollers.splice(2)) call("pollerClose", each)
    const extra = openSync("/dev/null", "r")
    closeSync(extra)
  }
}
for (const each of loops) call("loopStop", each)
console.log(wrong ?? `survived; without a line of their own: ${unknown.join(" ") || "none"}`)
process.exitCode = wrong === undefined ? 0 : 1
