// What a helper needs of the test that owns its resources. tap runs teardowns last to first and stops at
// one that throws, so a helper's teardown must not throw; only census, the first to be made, may.
export interface Owner {
  teardown(handler: () => unknown): unknown
}

/** Rejects with the message when the promise takes longer than so many seconds. */
export async function within<T>(seconds: number, promise: Promise<T>, message: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message()} (waited ${seconds} s)`)), seconds * 1000)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
