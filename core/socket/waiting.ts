/** Waiting for one event of a socket's descriptor, in the operations that are generators. */
import { errno } from "../errno.js"
import { monotime } from "../kernel/clock.js"
import { POLL, type Pollee, PollOperation } from "../loop/poll.js"
import type { Yielded } from "../loop/task.js"
import type { Core } from "./core.js"

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

/** The moment at which a time-out in seconds is up. */
export function deadlineOf(timeout: number): number {
  return timeout === Number.POSITIVE_INFINITY ? timeout : monotime() + timeout
}
