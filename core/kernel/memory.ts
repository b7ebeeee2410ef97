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

const SMALLEST = 4096
const CLASSES = 5 // 4, 8, 16, 32 and 64 KiB
const SLAB = 256 * 1024

const free: Span[][] = Array.from({ length: CLASSES }, () => [])
const idle = new Array<number>(CLASSES).fill(0) // slabs of a class with no span in use

function classOf(size: number): number {
  return size <= SMALLEST ? 0 : 32 - Math.clz32((size - 1) >> 12)
}

function addSlab(index: number): void {
  const bytes = Buffer.from(new ArrayBuffer(SLAB))
  const region = addRegion(bytes)
  const slab = { used: 0, region }
  const size = SMALLEST << index
  for (let base = SLAB - size; base >= 0; base -= size) free[index]?.push({ region, bytes, base, size, slab })
  idle[index] = (idle[index] ?? 0) + 1
}

/** A span of at least `size` bytes. Give it back with `give`, once. */
export function take(size: number): Span {
  const index = classOf(size)
  const list = free[index]
  if (list === undefined) {
    const bytes = Buffer.from(new ArrayBuffer(size))
    return { region: addRegion(bytes), bytes, base: 0, size, slab: undefined }
  }
  if (list.length === 0) addSlab(index)
  const span = list.pop() as Span
  const slab = span.slab as Slab
  if (slab.used++ === 0) idle[index] = (idle[index] ?? 1) - 1
  return span
}

export function give(span: Span): void {
  const slab = span.slab
  if (slab === undefined) {
    binding.regionDrop(span.region)
    return
  }
  const index = classOf(span.size)
  free[index]?.push(span)
  if (--slab.used > 0) return
  idle[index] = (idle[index] ?? 0) + 1
  if ((idle[index] ?? 0) > 2) dropSlab(index, slab)
}

// After a peak: what is left over goes back to the system, but for two slabs of each size.
function dropSlab(index: number, slab: Slab): void {
  free[index] = (free[index] ?? []).filter((span) => span.slab !== slab)
  idle[index] = (idle[index] ?? 1) - 1
  binding.regionDrop(slab.region)
}

const RESULTS = new SharedNumbers(16)
binding.results(RESULTS.region)

/** Where calls with several results leave the further ones. */
export const results = RESULTS.numbers
