/**
 * One poller of the kernel (an epoll or kqueue object) and the memory of its steps. The control block and
 * the arena belong to the thread, not to the poller: results are taken out of the block before anything
 * else runs, and what lies in the arena holds until the thread's next step.
 */
import { binding } from "./binding.js"
import { SharedNumbers } from "./memory.js"

export const READ = 1
export const WRITE = 2
export const PRIORITY = 4
export const ALL_EVENTS = READ | WRITE | PRIORITY

/** A result of a receive that was not tried, beside byte counts and negative errnos. */
export const NOT_TRIED = -2147483648

// The layout of native/step.cc.
const TIMEOUT_SECONDS = 0
const TIMEOUT_NANOSECONDS = 1
const ALERTED = 2
const STALE = 3
export const SENDS = 8
export const MAX_SENDS = 256
export const EVENTS = SENDS + MAX_SENDS * 4
const CONTROL_LENGTH = EVENTS + 256 * 4

const ARENA_SIZE = 256 * 1024
const SLOT = 3 // numbers a slot: descriptor, generation, wanted bytes
const LONGEST = 1 << 30 // seconds; what is later than that can wait for another step

const controlBlock = new SharedNumbers(CONTROL_LENGTH)
const arenaBytes = Buffer.from(new ArrayBuffer(ARENA_SIZE))

/** Sends (fd, region, offset, length → result) and events (slot, events, received, arena offset). */
export const control = controlBlock.numbers
export const arena = { region: binding.regionAdd(arenaBytes), bytes: arenaBytes }
binding.stepMemory(controlBlock.region, arena.region)

/** Sends what stands in the control block's queue. */
export const flushSends = binding.flush

export class Poller {
  readonly id: number
  #slots = new SharedNumbers(SLOT * 8)
  #free: number[] = []
  #used = 0

  constructor() {
    this.id = binding.pollerOpen(this.#slots.region)
  }

  /** Negative when the poller could not be made: the errno. */
  get fd(): number {
    return this.id < 0 ? this.id : binding.pollerFd(this.id)
  }

  /** Sends `sends` queue entries, waits `timeout` seconds (Infinity: for ever), receives; the event count. */
  step(sends: number, timeout: number): number {
    if (timeout === 0) {
      control[TIMEOUT_SECONDS] = 0
      control[TIMEOUT_NANOSECONDS] = 0
    } else if (timeout >= LONGEST) {
      control[TIMEOUT_SECONDS] = timeout === Infinity ? -1 : LONGEST
      control[TIMEOUT_NANOSECONDS] = 0
    } else {
      const seconds = Math.floor(timeout)
      const nanoseconds = Math.ceil((timeout - seconds) * 1e9)
      control[TIMEOUT_SECONDS] = nanoseconds === 1e9 ? seconds + 1 : seconds
      control[TIMEOUT_NANOSECONDS] = nanoseconds === 1e9 ? 0 : nanoseconds
    }
    return binding.step(this.id, sends)
  }

  /** Whether the last step ended for a reason that is no event: an alert, or what `stale` tells. */
  get woken(): boolean {
    return control[ALERTED] !== 0 || this.stale
  }

  /**
   * Whether the last step met events of a registration that could not be taken out: its number was closed
   * first, and a duplicate keeps the file alive. They come again and again, until a reset.
   */
  get stale(): boolean {
    return control[STALE] !== 0
  }

  /** A slot for a descriptor: the small number by which the kernel's events name it. */
  addSlot(fd: number): number {
    const slot = this.#free.pop() ?? this.#used++
    if (slot * SLOT >= this.#slots.numbers.length) {
      const before = this.#slots.grow(this.#slots.numbers.length * 2)
      binding.pollerSlots(this.id, this.#slots.region)
      binding.regionDrop(before)
    }
    this.#slots.numbers[slot * SLOT] = fd
    return slot
  }

  /** The slot's next holder has another generation, so that an event of this one is never taken for its. */
  dropSlot(slot: number): void {
    const numbers = this.#slots.numbers
    numbers[slot * SLOT] = -1
    numbers[slot * SLOT + 1] = ((numbers[slot * SLOT + 1] ?? 0) + 1) | 0
    numbers[slot * SLOT + 2] = 0
    this.#free.push(slot)
  }

  /** How many bytes the next step may receive into the arena for this slot. */
  want(slot: number, bytes: number): void {
    this.#slots.numbers[slot * SLOT + 2] = bytes
  }

  /** Changes what the kernel watches for a slot from `before` to `now`; 0 or a negative errno. */
  set(slot: number, before: number, now: number): number {
    const numbers = this.#slots.numbers
    const fd = numbers[slot * SLOT] ?? -1
    return binding.pollerSet(this.id, fd, slot, numbers[slot * SLOT + 1] ?? 0, before, now)
  }

  /** Makes the descriptor one that can be raised for whoever polls it; 0 or a negative errno. */
  prepareAlert(): number {
    return binding.pollerPrepareAlert(this.id)
  }

  raiseAlert(): void {
    binding.pollerRaiseAlert(this.id)
  }

  reset(): number {
    return binding.pollerReset(this.id)
  }

  /** pselect(2): 1 ready, 0 timed out, or a negative errno (-EINTR: one of the signals came). */
  pause(timeout: number, signals: readonly number[]): number {
    const seconds = timeout >= LONGEST ? -1 : Math.floor(timeout)
    const nanoseconds = seconds < 0 ? 0 : Math.min(999_999_999, Math.ceil((timeout - seconds) * 1e9))
    return binding.pause(this.id, seconds, nanoseconds, signals)
  }

  close(): void {
    binding.pollerClose(this.id)
    this.#slots.release()
  }
}
