/**
 * Remembers where each coroutine was started, for the report of its error. A place is a stack that nobody
 * has read yet: V8 makes text of it only then. It is kept on the coroutine itself, because a WeakMap of many
 * coroutines costs several times as much, and it is the collector that pays.
 */
import { cqueues } from "../../core/cqueues.js"
import type { Controller } from "../../core/loop/controller.js"
import { coroutineOf } from "../../core/loop/coroutine.js"
import type { Coroutine } from "../../core/loop/task.js"

const DEPTH = 4 // frames, of which the first of the script's own is told
const PLACE: unique symbol = Symbol("cq-run.started")

interface Placed {
  [PLACE]?: { stack?: string }
}

function remember(coroutine: object, below: (...args: never[]) => unknown): void {
  if (!Object.isExtensible(coroutine)) return
  const limit = Error.stackTraceLimit
  const place: { stack?: string } = {}
  Error.stackTraceLimit = DEPTH
  Error.captureStackTrace(place, below)
  Error.stackTraceLimit = limit
  const placed = coroutine as Placed
  placed[PLACE] = place
}

/** The stack of the call that started a coroutine. */
export function originOf(coroutine: object): string | undefined {
  return (coroutine as Placed)[PLACE]?.stack
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
    this.spawn(coroutine)
    return this
  }
}
