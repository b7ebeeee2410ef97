/** What a measured process tells of its own memory. Needs --expose-gc, as a heap with garbage in it tells nothing. */

export interface Heap {
  heapUsed: number
  external: number
  rss: number
}

export function heap(): Heap {
  // twice: what finalizers of the first pass let go of is only free after the second
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heapUsed, external, rss }
}

export const heapReport = (): string => `${JSON.stringify(heap())}\n`
