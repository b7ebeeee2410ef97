/**
 * Memory that the addon reads and writes: regions, and spans of them for socket buffers. A socket holds a
 * span only while there is something in it, so idle connections cost no buffer. None of these buffers is
 * ever given to a user, who could detach it under the addon's pointer.
 */
import { binding } from "./binding.js"

/** A piece of a region: `size` bytes from `base`. */
export interface Span {
  readonly region: number
  readonly bytes: Buffer
  readonly base: number
  readonly size: number
  readonly slab: Slab | undefined
}

interface Slab {
  used: number
  readonly region: number
}

function addRegion(memory: Int32Array | Uint8Array): number {
  const id = binding.regionAdd(memory)
  if (id < 0) throw new RangeError(`cqueues: cannot share ${memory.byteLength} bytes with the addon`)
  return id
}

/** Shared numbers for arguments and results; `grow` makes a larger copy under a new number. */
export class SharedNumbers {
  numbers: Int32Array
  region: number

  constructor(length: number) {
    this.numbers = new Int32Array(length)
    this.region = addRegion(this.numbers)
  }

  grow(length: number): number {
    const before = this.region
    const larger = new Int32Array(length)
    larger.set(this.numbers)
    this.numbers = larger
    this.region = addRegion(larger)
    return before
  }

  release(): void {
    binding.regionDrop(this.region)
  }
}

// Small ones too, so that the lines of many connections lie side by side in the processor's caches.
const SMALLEST = 128
const CLASSES = 10 // 128 bytes to 64 KiB
const SLAB = 256 * 1024
const REVIEW = 1 << 14 // spans given back between two looks at what has not been needed

interface Class {
  readonly size: number
  free: Span[]
  /** Slabs with no span in use, and the fewest there were since the last review. */
  idle: number
  fewest: number
  given: number
}

const classes: Class[] = Array.from({ length: CLASSES }, (_, i) => {
  return { size: SMALLEST << i, free: [], idle: 0, fewest: 0, given: 0 }
})

function classOf(size: number): Class | undefined {
  return classes[size <= SMALLEST ? 0 : 32 - Math.clz32((size - 1) >> 7)]
}

function addSlab(its: Class): void {
  const bytes = Buffer.from(new ArrayBuffer(SLAB))
  const region = addRegion(bytes)
  const slab = { used: 0, region }
  for (let base = SLAB - its.size; base >= 0; base -= its.size) {
    its.free.push({ region, bytes, base, size: its.size, slab })
  }
  its.idle++
}

/** A span of at least `size` bytes. Give it back with `give`, once. */
export function take(size: number): Span {
  const its = classOf(size)
  if (its === undefined) {
    const bytes = Buffer.from(new ArrayBuffer(size))
    return { region: addRegion(bytes), bytes, base: 0, size, slab: undefined }
  }
  if (its.free.length === 0) addSlab(its)
  const span = its.free.pop() as Span
  const slab = span.slab as Slab
  if (slab.used++ === 0 && --its.idle < its.fewest) its.fewest = its.idle
  return span
}

export function give(span: Span): void {
  const slab = span.slab
  if (slab === undefined) {
    binding.regionDrop(span.region)
    return
  }
  const its = classOf(span.size) as Class
  its.free.push(span)
  if (--slab.used === 0) its.idle++
  if (++its.given >= REVIEW) review(its)
}

// Slabs that nobody needed in all that time go back to the system: memory follows a peak down, and yet a
// load that comes and goes with every step does not make and drop them each time.
function review(its: Class): void {
  its.given = 0
  const spare = new Set<Slab>()
  for (const { slab } of its.free) {
    if (spare.size >= its.fewest - 1) break
    if (slab !== undefined && slab.used === 0) spare.add(slab)
  }
  if (spare.size > 0) {
    its.free = its.free.filter((span) => !spare.has(span.slab as Slab))
    its.idle -= spare.size
    for (const slab of spare) binding.regionDrop(slab.region)
  }
  its.fewest = its.idle
}

const RESULTS = new SharedNumbers(16)
binding.results(RESULTS.region)

/** Where calls with several results leave the further ones. */
export const results = RESULTS.numbers
