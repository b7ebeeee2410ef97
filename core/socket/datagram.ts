/** One datagram with its address, past the buffers: for servers with many peers. */
import { errno } from "../errno.js"
import { binding } from "../kernel/binding.js"
import { wallTime } from "../kernel/clock.js"
import { give, take } from "../kernel/memory.js"
import { READ, WRITE } from "../kernel/poller.js"
import type { Yielded } from "../loop/task.js"
import { type Address, type PeerName, toPeerName } from "./address.js"
import type { Core } from "./core.js"
import { establish } from "./establish.js"
import { until } from "./waiting.js"

export type Datagram = [data: Buffer, from: PeerName] | [data: undefined, from: undefined, errno: number]

/** Receives one datagram of at most `size` bytes; what is longer is cut. */
export function* receiveFrom(
  core: Core,
  size: number,
  deadline: number,
): Generator<Yielded, Datagram | number, unknown> {
  const failed = yield* establish(core, deadline)
  if (failed !== 0) return failed
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
    const late = yield* until(core, READ, deadline)
    if (late !== 0) return late
  }
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
    const late = yield* until(core, WRITE, deadline)
    if (late !== 0) return late
  }
}
