// The poller by itself: what the kernel tells through it, in which slot, for how long it waits, and that a
// number which has another holder since is never taken for the one before.
import { closeSync, openSync, writeSync } from "node:fs"
import t from "tap"
import { binding, constant } from "../../core/kernel/binding.js"
import { monotime } from "../../core/kernel/clock.js"
import { arena, control, EVENTS, NOT_TRIED, Poller, READ, WRITE } from "../../core/kernel/poller.js"
import { Pair } from "../loop/tools.js"
import { census } from "../support/census.js"

await census(t)

interface Event {
  slot: number
  events: number
  received: number
  offset: number
}

function events(poller: Poller, timeout = 0): Event[] {
  const count = poller.step(0, timeout)
  if (count < 0) throw new Error(`step gave ${count}`)
  return Array.from({ length: count }, (_, i) => {
    const [slot, events, received, offset] = control.subarray(EVENTS + i * 4) as unknown as number[]
    return { slot, events, received, offset } as Event
  })
}

function watch(poller: Poller, fd: number, now = READ): number {
  const slot = poller.addSlot(fd)
  const error = poller.set(slot, 0, now)
  if (error < 0) throw new Error(`set gave ${error}`)
  return slot
}

t.test("an event names its slot and the directions that are ready", async (t) => {
  const poller = new Poller()
  const [one, two] = [new Pair(t), new Pair(t)]
  const a = watch(poller, one.a)
  const b = watch(poller, two.a, READ | WRITE)
  t.strictSame(events(poller), [{ slot: b, events: WRITE, received: NOT_TRIED, offset: 0 }])
  one.send()
  two.send()
  t.same(
    new Map(events(poller).map((event) => [event.slot, event.events])),
    new Map([
      [a, READ],
      [b, READ | WRITE],
    ]),
  )
  t.equal(events(poller).length, 2, "and again, as long as it is so")
  poller.set(b, READ | WRITE, READ)
  poller.set(a, READ, 0)
  t.strictSame(
    events(poller).map((event) => [event.slot, event.events]),
    [[b, READ]],
  )
  poller.close()
})

t.test("a hang-up is all directions", async (t) => {
  const poller = new Poller()
  const pair = new Pair(t)
  watch(poller, pair.a)
  pair.close("b")
  const [event] = events(poller) as [Event]
  t.equal(event.events & (READ | WRITE), READ | WRITE)
  poller.close()
})

t.test("a step waits as long as it is told, and not a moment less", async (t) => {
  const poller = new Poller()
  watch(poller, new Pair(t).a)
  for (const timeout of [0, 1e-9, 1e-6, 0.0005, 0.001, 0.0123, 0.9999999995e-2, 0.02]) {
    const start = monotime()
    t.strictSame(events(poller, timeout), [])
    const took = monotime() - start
    t.ok(took >= timeout && took < timeout + 1, `${timeout} took ${took}`)
  }
  poller.close()
})

t.test("bytes that are wanted are received in the same step, one after another in the arena", async (t) => {
  const poller = new Poller()
  const pairs = [new Pair(t), new Pair(t), new Pair(t)]
  const slots = pairs.map((pair) => watch(poller, pair.a))
  for (const [i, pair] of pairs.entries()) writeSync(pair.b, `text ${i}`)
  poller.want(slots[0] as number, 100)
  poller.want(slots[1] as number, 4)
  const told = events(poller)
  const text = (event: Event) => arena.bytes.toString("latin1", event.offset, event.offset + event.received)
  const by = (i: number) => told.find((event) => event.slot === slots[i]) as Event
  t.equal(text(by(0)), "text 0")
  t.equal(text(by(1)), "text", "no more than was wanted")
  t.equal(by(2).received, NOT_TRIED)
  t.equal(text(events(poller).find((event) => event.slot === slots[1]) as Event), " 1", "the rest next time")
  pairs[0]?.close("b")
  t.equal((events(poller).find((event) => event.slot === slots[0]) as Event).received, 0, "the end of file")
  poller.close()
})

t.test("what cannot be received is told by its errno, and a full arena is no error", async (t) => {
  const poller = new Poller()
  const fifo = openSync("/dev/zero", "r")
  const pairs = Array.from({ length: 8 }, () => new Pair(t))
  const huge = pairs.map((pair) => watch(poller, pair.a))
  for (const [i, pair] of pairs.entries()) {
    pair.send(60_000)
    poller.want(huge[i] as number, 1 << 30)
  }
  const told = events(poller)
  t.equal(told.length, 8)
  const received = told.filter((event) => event.received > 0)
  t.ok(received.length >= 4, "as many as there is room for")
  t.ok(told.every((event) => event.received > 0 || event.received === NOT_TRIED))
  t.ok(received.every((event) => event.offset + event.received <= arena.bytes.length))
  closeSync(fifo)
  poller.close()
})

t.test("a slot's next holder does not get the events of the one before", async (t) => {
  const poller = new Poller()
  const pair = new Pair(t)
  const copy = binding.dup(pair.a)
  const slot = watch(poller, pair.a)
  pair.send()
  pair.close("a") // and its registration cannot be taken out any more
  poller.set(slot, READ, 0)
  poller.dropSlot(slot)
  const next = new Pair(t)
  t.equal(watch(poller, next.a), slot, "the slot is used again")
  t.strictSame(events(poller), [], "the event of before is nobody's")
  t.ok(poller.stale, "and is told of")
  t.equal(poller.reset(), 0)
  t.strictSame(events(poller), [])
  t.notOk(poller.stale, "until the reset")
  t.equal(poller.set(slot, 0, READ), 0)
  next.send()
  t.equal(events(poller).length, 1)
  binding.close(copy)
  poller.close()
})

t.test("errors come as negative errnos", async (t) => {
  const poller = new Poller()
  const slot = poller.addSlot(9999)
  t.equal(poller.set(slot, 0, READ), -9)
  const file = openSync("/etc/passwd", "r")
  t.equal(poller.set(poller.addSlot(file), 0, READ), -1, "EPERM")
  closeSync(file)
  t.equal(poller.set(poller.addSlot(poller.fd), 0, READ), -22, "EINVAL")
  poller.close()
  t.equal(poller.step(0, 0), -9)
  t.equal(poller.fd, -9)
  t.equal(poller.reset(), -9)
  t.equal(poller.prepareAlert(), -9)
  poller.raiseAlert()
})

t.test("thousands of slots may be added and dropped in any order", async (t) => {
  const poller = new Poller()
  const pair = new Pair(t)
  const slots: number[] = []
  for (let i = 0; i < 5000; i++) {
    slots.push(poller.addSlot(i + 10_000))
    if (i % 3 === 0) poller.dropSlot(slots.shift() as number)
  }
  t.equal(new Set(slots).size, slots.length, "no slot has two holders")
  const slot = watch(poller, pair.a)
  pair.send()
  t.strictSame(
    events(poller).map((event) => event.slot),
    [slot],
  )
  for (const each of slots) poller.dropSlot(each)
  poller.close()
})

t.test("an alert ends one wait, and makes the poller readable for others until then", async (t) => {
  const [poller, outer] = [new Poller(), new Poller()]
  watch(poller, new Pair(t).a)
  watch(outer, poller.fd)
  t.equal(poller.prepareAlert(), 0)
  t.equal(poller.prepareAlert(), 0, "asked for twice")
  t.equal(events(outer).length, 0)
  for (let i = 0; i < 3; i++) poller.raiseAlert()
  t.equal(events(outer).length, 1)
  const start = monotime()
  t.strictSame(events(poller, 50), [])
  t.ok(monotime() - start < 5)
  t.ok(poller.woken)
  t.equal(events(outer).length, 0)
  t.strictSame(events(poller, 0.001), [])
  t.notOk(poller.woken)
  poller.close()
  outer.close()
})

t.test("a queue of sends is sent in order before the wait, each with its own result", async (t) => {
  const poller = new Poller()
  const pair = new Pair(t)
  const bytes = Buffer.from(new ArrayBuffer(16))
  bytes.write("onetwo")
  const region = binding.regionAdd(bytes)
  const entries = [
    [pair.b, region, 0, 3],
    [9999, region, 0, 3],
    [pair.b, region, 3, 3],
    [pair.b, region, 10, 100],
    [pair.b, 99_999, 0, 1],
  ] as const
  for (const [i, entry] of entries.entries()) control.set(entry, 8 + i * 4)
  const slot = watch(poller, pair.a)
  poller.want(slot, 100)
  t.equal(poller.step(entries.length, 1), 1)
  const results = entries.map((_, i) => control[8 + i * 4 + 3])
  t.strictSame(results, [3, -9, 3, -14, -14])
  const at = control[EVENTS + 3] as number
  t.equal(arena.bytes.toString("latin1", at, at + (control[EVENTS + 2] as number)), "onetwo")
  t.equal(poller.step(257, 0), -14, "more than there is room for")
  t.equal(binding.regionDrop(region), 0)
  t.ok(binding.regionDrop(region) < 0, "dropping twice is refused")
  poller.close()
})

t.test("descriptors are owned: what is not ours is not closed", async (t) => {
  const fd = openSync("/dev/null", "r")
  t.equal(binding.close(fd), -9)
  const made = binding.socket(constant("AF_INET"), constant("SOCK_DGRAM"), 0)
  t.equal(binding.adopt(made), -17, "EEXIST: ours already")
  t.equal(binding.close(made), 0)
  t.equal(binding.close(made), -9, "only once")
  t.equal(binding.adopt(fd), fd)
  t.equal(binding.close(fd), 0)
  t.equal(binding.adopt(fd), -9)
  for (const wrong of [-1, 99_999, 2 ** 31 - 1]) t.equal(binding.close(wrong), -9)
})
