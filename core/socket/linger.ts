/**
 * The end of a socket that still has bytes to send: what the kernel takes goes at once, and for the rest a
 * coroutine keeps the descriptor until the peer has taken it, or nothing for five seconds. The socket itself
 * is closed meanwhile for everybody else.
 */
import { errno } from "../errno.js"
import { binding, constant } from "../kernel/binding.js"
import { monotime } from "../kernel/clock.js"
import type { Descriptor } from "../kernel/descriptor.js"
import { WRITE } from "../kernel/poller.js"
import { mainController } from "../loop/node-loop.js"
import { POLL, type Pollee, PollOperation } from "../loop/poll.js"
import { cancelEverywhere } from "../loop/registry.js"
import type { Scheduler, Yielded } from "../loop/task.js"
import { thread } from "../loop/thread.js"
import type { Core } from "./core.js"
import type { Output } from "./output.js"

const LONGEST = 5 // seconds

// The running coroutine's controller, else the one that lives in Node's loop.
function currentScheduler(): Scheduler {
  return thread.task?.scheduler ?? mainController()
}

// Tries to send everything; true when nothing is left that could be sent later.
function sentAll(core: Core): boolean {
  const { output } = core
  if (output.pending === 0 || core.establishing !== undefined || core.writing.error !== 0) return true
  if (!core.stream) return output.sendMessage() !== errno.EAGAIN
  output.hurry()
  return output.send() !== errno.EAGAIN
}

// Sends the rest of a buffer as the peer takes it, until it has taken nothing for five seconds.
function* sendRest(output: Output): Generator<Yielded, void, unknown> {
  let deadline = monotime() + LONGEST
  let before = output.pending
  const writable: Pollee = { [POLL]: (request) => request.descriptor(output.fd, WRITE, true) }
  while (output.fd >= 0 && output.send() === errno.EAGAIN) {
    if (output.pending < before) deadline = monotime() + LONGEST
    before = output.pending
    const left = deadline - monotime()
    if (left <= 0) return
    yield* new PollOperation([writable, left])
  }
}

type Rest = (scheduler: Scheduler) => Generator<Yielded, void, unknown>

// What a controller leaves unfinished that is closed, the one in Node's loop takes over, if it is another.
function handOver(rest: Rest, scheduler: Scheduler): boolean {
  const main = mainController()
  if (main === scheduler) return false
  main.spawn(rest(main))
  return true
}

function* linger(
  output: Output,
  descriptor: Descriptor,
  scheduler: Scheduler,
): Generator<Yielded, void, unknown> {
  let over = false
  try {
    yield* sendRest(output)
    over = true
  } finally {
    if (over || !handOver((next) => linger(output, descriptor, next), scheduler)) {
      output.discard()
      descriptor.close()
    }
  }
}

/** Closes a socket: 0, or the negative errno of close(2). */
export function closeSocket(core: Core): number {
  if (core.closed || sentAll(core)) return core.close()
  const scheduler = currentScheduler()
  const [output, descriptor] = core.detach()
  core.close()
  cancelEverywhere(descriptor.fd)
  scheduler.spawn(linger(output, descriptor, scheduler))
  return 0
}

function* finish(core: Core, first: boolean, scheduler: Scheduler): Generator<Yielded, void, unknown> {
  const { output } = core
  let over = false
  try {
    if (first) yield* sendRest(output)
    else
      while (output.draining)
        yield* new PollOperation([{ [POLL]: (request) => request.list(output.waiters) }])
    if (!core.closed) binding.shutdown(core.fd, constant("SHUT_WR"))
    over = true
  } finally {
    const goesOn = !over && handOver((next) => finish(core, first, next), scheduler)
    if (first && !goesOn) {
      output.draining = false
      output.wakeWaiters()
    }
  }
}

/** Sends what is buffered before a shutdown of the output: false when that, and the shutdown, come later. */
export function finishWriting(core: Core): boolean {
  if (sentAll(core)) return true
  const first = !core.output.draining
  core.output.draining = true
  const scheduler = currentScheduler()
  scheduler.spawn(finish(core, first, scheduler))
  return false
}
