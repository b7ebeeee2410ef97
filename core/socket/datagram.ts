/** One datagram with its address, past the buffers: for servers with many peers. */
import { errno } from "../errno.js"
import { binding } from "../kernel/binding.js"
import { wallTime } from "../kernel/clock.js"
import { give, take } from "../kernel/memory.js"
import { READ, WRITE } from "../kernel/poller.js"
import { POLL, PollOperation } from "../loop/poll.js"
import type { Yielded } from "../loop/task.js"
import { type Address, type PeerName, toPeerName } from "./address.js"
import { AF_UNIX } from "./constants.js"
import type { Core } from "./core.js"
import { establish } from "./establish.js"
import { othersFirst, until, waitFor } from "./waiting.js"

export type Datagram = [data: Buffer, from: PeerName] | [data: undefined, from: undefined, errno: number]

/** Receives one datagram of at most `size` bytes; what is longer is cut. */
export function* receiveFrom(
  core: Core,
  size: number,
  deadline: number,
): Generator<Yielded, Datagram | number, unknown> {
  const failed = yield* establish(core, deadline)
  if (failed !== 0) return failed
  if (othersFirst(core)) yield* new PollOperation([])
  for (;;) {
    const span = take(Math.max(1, size))
    const result = binding.recvfrom(core.fd, span.region, span.base, size)
    const data =
      typeof result === "number"
        ? undefined
        : Buffer.from(span.bytes.subarray(span.base, span.base + Math.min(size, result[0])))
    give(span)
    if (data !== undefined && typeof result !== "number") {
      core.input.count += data.length
      core.input.time = wallTime()
      return [data, toPeerName(result[1])]
    }
    if (result !== -errno.EAGAIN) return -(result as number)
    core.input.burst = 0
    const late = yield* until(core, READ, deadline)
    if (late !== 0) return late
  }
}

const FULL_QUEUE_PAUSE = 0.01 // seconds

// The queue of a UNIX receiver is full: our own descriptor is writable all the same, so ask again after a while.
function queueFull(core: Core, deadline: number): Generator<Yielded, number, unknown> {
  return waitFor({ [POLL]: (request) => request.after(FULL_QUEUE_PAUSE) }, core, deadline)
}

/** Sends one datagram to an address: 0 or an errno. */
export function* sendTo(
  core: Core,
  data: Uint8Array,
  to: Address,
  deadline: number,
): Generator<Yielded, number, unknown> {
  const failed = yield* establish(core, deadline)
  if (failed !== 0) return failed
  for (;;) {
    const result = binding.sendto(core.fd, data, to.family, to.host, to.port)
    if (result >= 0) {
      core.output.count += result
      core.output.time = wallTime()
      return 0
    }
    if (result !== -errno.EAGAIN) return -result
    const late = yield* to.family === AF_UNIX ? queueFull(core, deadline) : until(core, WRITE, deadline)
    if (late !== 0) return late
  }
}
