/** Waiting for one event of a socket's descriptor, in the operations that are generators. */
import { errno } from "../errno.js"
import { monotime } from "../kernel/clock.js"
import { POLL, type Pollee, PollOperation } from "../loop/poll.js"
import type { Yielded } from "../loop/task.js"
import { type Core, type Lock, Turn } from "./core.js"

/** The socket's descriptor as a pollable; closed, it is ready. */
export const eventOf = (core: Core, events: number): Pollee => ({
  [POLL](request) {
    if (core.closed) request.ready()
    else request.descriptor(core.fd, events, true)
  },
})

/** Waits for a pollable of a socket: 0, ETIMEDOUT, or EBADF when the socket was closed meanwhile. */
export function* waitFor(pollee: Pollee, core: Core, deadline: number): Generator<Yielded, number, unknown> {
  const left = deadline - monotime()
  if (left <= 0) return errno.ETIMEDOUT
  yield* new PollOperation([pollee, left])
  return core.closed ? errno.EBADF : 0
}

/** Waits for events of the descriptor, in the same way. */
export function until(core: Core, events: number, deadline: number): Generator<Yielded, number, unknown> {
  return waitFor(eventOf(core, events), core, deadline)
}

const MOST_RECEIVED = 16 // messages or connections in one turn, before others have theirs

/** Counts one more of them; true when others should have a turn first, for a peer may never let up. */
export function othersFirst(core: Core): boolean {
  if (++core.input.burst <= MOST_RECEIVED) return false
  core.input.burst = 0
  return true
}

/** The moment at which a time-out in seconds is up. */
export function deadlineOf(timeout: number): number {
  return timeout === Number.POSITIVE_INFINITY ? timeout : monotime() + timeout
}

/** Waits until `holder` has the turn on a channel: 0 or an errno. Who got it must release it. */
export function* takeTurn(
  core: Core,
  lock: Lock,
  holder: object,
  deadline: number,
): Generator<Yielded, number, unknown> {
  if (core.closed) return errno.EBADF
  if (lock.holder === undefined) {
    lock.holder = holder
    return 0
  }
  const turn = new Turn(holder)
  const late = yield* waitFor({ [POLL]: (request) => request.list(lock.queue, turn) }, core, deadline)
  if (lock.holder === holder) return 0
  return late !== 0 ? late : errno.ETIMEDOUT
}
