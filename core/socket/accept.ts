/**
 * Accepting connections. A thread that has run out of descriptors gets an error, then a pause before the
 * listener is looked at again: a level-triggered kernel would report the waiting connection for ever.
 */
import { errno } from "../errno.js"
import { binding } from "../kernel/binding.js"
import { monotime } from "../kernel/clock.js"
import { READ } from "../kernel/poller.js"
import { PollOperation } from "../loop/poll.js"
import type { Yielded } from "../loop/task.js"
import { Core } from "./core.js"
import { establish } from "./establish.js"
import { applyAccepted, defaults, type SocketOptions } from "./options.js"
import { deadlineOf, othersFirst, until } from "./waiting.js"

/**
 * accept(2): errors of the connection that was waiting, not of the listener. Not EOPNOTSUPP, which a socket
 * that can never accept gives for ever.
 */
const PASSING = new Set([
  errno.ECONNABORTED,
  errno.EPROTO,
  errno.ENETDOWN,
  errno.ENOPROTOOPT,
  errno.EHOSTDOWN,
  errno.EHOSTUNREACH,
  errno.ENETUNREACH,
])

/** Nothing left to make a connection of. */
export const EXHAUSTED: ReadonlySet<number> = new Set([
  errno.EMFILE,
  errno.ENFILE,
  errno.ENOBUFS,
  errno.ENOMEM,
])

const PAUSE = 0.1 // seconds

const pausedUntil = new WeakMap<Core, number>()

/** The next connection: its core, or an errno. */
export function* acceptOne(
  listener: Core,
  options: SocketOptions | undefined,
  timeout: number,
): Generator<Yielded, Core | number, unknown> {
  const deadline = deadlineOf(timeout)
  const failed = yield* establish(listener, deadline)
  if (failed !== 0) return failed
  const pause = pausedUntil.get(listener)
  if (pause !== undefined) {
    pausedUntil.delete(listener)
    yield* new PollOperation([Math.min(pause, deadline) - monotime()])
  }
  if (othersFirst(listener)) yield* new PollOperation([])
  while (!listener.closed) {
    const fd = binding.accept(listener.fd)
    if (fd >= 0) return accepted(listener, fd, options)
    if (-fd === errno.EAGAIN) {
      const late = yield* until(listener, READ, deadline)
      if (late !== 0) return late
      listener.input.burst = 0
    } else if (EXHAUSTED.has(-fd)) {
      pausedUntil.set(listener, monotime() + PAUSE)
      return -fd
    } else if (!PASSING.has(-fd)) {
      return -fd
    }
  }
  return errno.EBADF
}

function accepted(listener: Core, fd: number, options: SocketOptions | undefined): Core {
  applyAccepted(fd, listener.family, options)
  return new Core(listener.family, listener.type, fd, defaults, options?.time)
}
