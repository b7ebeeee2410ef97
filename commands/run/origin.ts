/**
 * Remembers where each coroutine was started, for the report of its error. A place is a stack that nobody has
 * read yet: V8 makes text of it only then, so that it costs about a microsecond.
 */
import { cqueues } from "../../core/cqueues.js"
import type { Controller } from "../../core/loop/controller.js"
import { coroutineOf } from "../../core/loop/coroutine.js"
import type { Coroutine } from "../../core/loop/task.js"

const DEPTH = 8 // frames, of which the first of the script's own is told

const places = new WeakMap<object, { stack?: string }>()

function remember(coroutine: object, below: (...args: never[]) => unknown): void {
  const limit = Error.stackTraceLimit
  const place = {}
  Error.stackTraceLimit = DEPTH
  Error.captureStackTrace(place, below)
  Error.stackTraceLimit = limit
  places.set(coroutine, place)
}

/** The stack of the call that started a coroutine. */
export function originOf(coroutine: object): string | undefined {
  return places.get(coroutine)?.stack
}

export function rememberOrigins(): void {
  const plain = cqueues.interpose("attach", attach) as (this: Controller, coroutine: Coroutine) => Controller

  function attach(this: Controller, coroutine: Coroutine): Controller {
    if (typeof coroutine === "object" && coroutine !== null) remember(coroutine, attach)
    return plain.call(this, coroutine)
  }

  cqueues.interpose("wrap", wrap)

  function wrap<A extends unknown[]>(this: Controller, fn: (...args: A) => unknown, ...args: A): Controller {
    this.assertOpen()
    const coroutine = coroutineOf(fn, args)
    remember(coroutine, wrap)
    return plain.call(this, coroutine)
  }
}
