// The memory that is shared with the addon: spans do not overlap, large ones are their own, and memory follows
// a peak down again.
import t from "tap"
import { binding } from "../../core/kernel/binding.js"
import { give, SharedNumbers, type Span, take } from "../../core/kernel/memory.js"
import { random } from "../loop/tools.js"
import { census } from "../support/census.js"

await census(t)

/** Fills a span with a number of its own. */
function mark(span: Span, value: number): void {
  span.bytes.fill(value, span.base, span.base + span.size)
}

function intact(span: Span, value: number): boolean {
  for (let i = span.base; i < span.base + span.size; i++) if (span.bytes[i] !== value) return false
  return true
}

t.test("spans are as large as asked for, inside their region, and do not overlap", async (t) => {
  const below = random(9)
  const held: { span: Span; value: number }[] = []
  for (let i = 0; i < 3000; i++) {
    if (held.length > 100 || (held.length > 0 && below(3) === 0)) {
      const [{ span, value }] = held.splice(below(held.length), 1) as [(typeof held)[0]]
      if (!intact(span, value)) return t.fail(`span of ${span.size} was written over`)
      give(span)
      continue
    }
    const size = 1 + below([100, 4096, 65_536, 200_000][below(4)] as number)
    const span = take(size)
    if (span.size < size || span.base < 0 || span.base + span.size > span.bytes.length)
      return t.fail("too small")
    const value = below(256)
    mark(span, value)
    held.push({ span, value })
  }
  t.ok(held.every(({ span, value }) => intact(span, value)))
  for (const { span } of held) give(span)
})

t.test("the addon sees the same bytes", async (t) => {
  for (const size of [1, 128, 129, 4096, 65_536, 65_537, 1 << 20]) {
    const span = take(size)
    span.bytes.write("seen", span.base)
    t.equal(binding.text(span.region, span.base, span.base + 4), "seen", `${size}`)
    give(span)
  }
})

t.test("a large span's memory is let go at once, with its region", async (t) => {
  const span = take(1 << 20)
  const { region } = span
  give(span)
  t.equal(binding.text(region, 0, 1), undefined)
})

/** In a function of its own, so that nothing holds the spans after it. */
function peak(): number {
  const spans = Array.from({ length: 2000 }, () => take(65_536))
  const most = process.memoryUsage().arrayBuffers
  for (const span of spans) give(span)
  return most
}

t.test("memory follows a peak down again", async (t) => {
  const most = peak()
  for (let i = 0; i < 70_000; i++) give(take(65_536))
  for (let i = 0; i < 20 && process.memoryUsage().arrayBuffers > most / 4; i++) {
    await new Promise((done) => setImmediate(done))
    globalThis.gc?.()
  }
  const left = process.memoryUsage().arrayBuffers
  t.ok(left < most / 4, `${left} of ${most} bytes are left`)
})

t.test("shared numbers keep their values when they grow", async (t) => {
  const numbers = new SharedNumbers(8)
  numbers.numbers.set([1, 2, 3, 4, 5, 6, 7, 8])
  const before = numbers.grow(16)
  t.not(numbers.region, before)
  t.strictSame([...numbers.numbers].slice(0, 9), [1, 2, 3, 4, 5, 6, 7, 8, 0])
  t.equal(binding.regionDrop(before), 0)
  numbers.release()
  t.ok(binding.regionDrop(numbers.region) < 0, "released once")
})

t.test(
  "regions are refused beyond their bounds, with negative numbers, and after they are dropped",
  async (t) => {
    const bytes = Buffer.from(new ArrayBuffer(10))
    bytes.write("0123456789")
    const region = binding.regionAdd(bytes)
    t.equal(binding.text(region, 0, 10), "0123456789")
    t.equal(binding.text(region, 10, 10), "")
    for (const [start, end] of [
      [0, 11],
      [-1, 5],
      [5, 4],
      [11, 11],
      [2 ** 31 - 1, 2 ** 31 - 1],
      [0, -(2 ** 31)],
      [-(2 ** 31), 2 ** 31 - 1],
    ] as const) {
      t.equal(binding.text(region, start, end), undefined, `${start} to ${end}`)
      t.ok(binding.compact(region, start, end, 5, 0) < 0)
      t.ok(binding.measure(region, start, end, 5, 0) < 0)
      t.equal(binding.findLine(region, start, end), -1)
    }
    t.equal(binding.regionDrop(region), 0)
    t.equal(binding.text(region, 0, 1), undefined)
    for (const wrong of [new Float64Array(2), new ArrayBuffer(4), [], {}, undefined, new Uint8Array(0)]) {
      t.ok(binding.regionAdd(wrong as never) < 0)
    }
  },
)
