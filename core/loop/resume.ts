/**
 * Coroutines inside coroutines (guide: cqueues.resume and cqueues.wrap). A poll inside the inner one parks
 * the whole chain; whatever else it yields comes back to its caller.
 */
import { coroutineOf, isCoroutine } from "./coroutine.js"
import { BaseOperation, type Operation } from "./operation.js"
import { type Coroutine, PARK, PARKED, type Yielded } from "./task.js"
import { thread } from "./thread.js"

export class Resuming<T> extends BaseOperation<IteratorResult<unknown, T>> {
  #value: unknown

  constructor(
    readonly coroutine: Coroutine<T>,
    value: unknown,
  ) {
    super()
    if (!isCoroutine(coroutine)) throw new TypeError("resume: expected a coroutine")
    this.#value = value
  }

  override next(): IteratorResult<Yielded, IteratorResult<unknown, T>> {
    const value = this.#value
    this.#value = undefined
    thread.inner++
    try {
      const result = this.coroutine.next(value)
      if (result.done !== true && result.value === PARK) return PARKED
      return { done: true, value: result }
    } finally {
      thread.inner--
    }
  }

  protected override abandon(): void {
    this.coroutine.return(undefined as T)
  }
}

interface Mortal {
  dead: boolean
}

function assertAlive(mortal: Mortal): void {
  if (mortal.dead) throw new Error("cannot resume dead coroutine")
}

class NextValue<T> extends BaseOperation<T> {
  constructor(
    readonly step: Resuming<T>,
    readonly mortal: Mortal,
  ) {
    super()
  }

  override next(): IteratorResult<Yielded, T> {
    assertAlive(this.mortal)
    let result: IteratorResult<Yielded, IteratorResult<unknown, T>>
    try {
      result = this.step.next()
    } catch (error) {
      this.mortal.dead = true
      throw error
    }
    if (result.done !== true) return PARKED
    if (result.value.done === true) this.mortal.dead = true
    return { done: true, value: result.value.value as T }
  }

  protected override abandon(): void {
    this.step.return()
  }
}

/**
 * A function whose first call starts the coroutine of `fn` with its arguments, and whose later calls resume
 * it with theirs; each waits for the next value that it yields or returns. Then it is dead.
 */
export function resumable<A extends unknown[], T>(
  fn: (...args: A) => Coroutine<T>,
): (...args: A) => Operation<T>
export function resumable<T>(fn: (...args: unknown[]) => unknown): (...args: unknown[]) => Operation<T> {
  let coroutine: Coroutine<T> | undefined
  const mortal = { dead: false }
  return (...args) => {
    assertAlive(mortal)
    const first = coroutine === undefined
    coroutine ??= coroutineOf(fn, args) as Coroutine<T>
    return new NextValue(new Resuming(coroutine, first ? undefined : args[0]), mortal)
  }
}
