/** Descriptors beside a message (SCM_RIGHTS, unix(7)), past the buffers. */
import { errno } from "../errno.js"
import { binding } from "../kernel/binding.js"
import { give, results, take } from "../kernel/memory.js"
import { READ, WRITE } from "../kernel/poller.js"
import { PollOperation } from "../loop/poll.js"
import type { Yielded } from "../loop/task.js"
import type { Core } from "./core.js"
import { establish } from "./establish.js"
import { othersFirst, until } from "./waiting.js"

/** Sends a message and a descriptor (-1: none), which stays the caller's: 0 or an errno. */
export function* sendDescriptor(
  core: Core,
  message: Uint8Array,
  passed: number,
  deadline: number,
): Generator<Yielded, number, unknown> {
  const failed = yield* establish(core, deadline)
  if (failed !== 0) return failed
  const span = take(message.length)
  span.bytes.set(message, span.base)
  try {
    for (let at = 0; at < message.length; ) {
      // The descriptor goes with the first bytes; what a full buffer cuts off follows without it.
      const result = binding.sendmsg(
        core.fd,
        span.region,
        span.base + at,
        message.length - at,
        at === 0 ? passed : -1,
      )
      if (result >= 0) at += result
      else if (result !== -errno.EAGAIN) return -result
      else {
        const late = yield* until(core, WRITE, deadline)
        if (late !== 0) return late
      }
    }
    core.output.count += message.length
    return 0
  } finally {
    give(span)
  }
}

/** Receives a message of at most `size` bytes and the descriptor that came with it, or -1. */
export function* receiveDescriptor(
  core: Core,
  size: number,
  deadline: number,
): Generator<Yielded, [message: Buffer, fd: number] | number, unknown> {
  const failed = yield* establish(core, deadline)
  if (failed !== 0) return failed
  if (othersFirst(core)) yield* new PollOperation([])
  for (;;) {
    const span = take(size)
    const result = binding.recvmsg(core.fd, span.region, span.base, size)
    const fd = results[0] as number
    const cut = results[1] !== 0
    const message = result >= 0 ? Buffer.from(span.bytes.subarray(span.base, span.base + result)) : undefined
    give(span)
    if (message !== undefined) {
      core.input.count += message.length
      if (cut) return errno.EMSGSIZE
      return result === 0 && core.stream ? errno.EPIPE : [message, fd]
    }
    if (result !== -errno.EAGAIN) return -result
    core.input.burst = 0
    const late = yield* until(core, READ, deadline)
    if (late !== 0) return late
  }
}
