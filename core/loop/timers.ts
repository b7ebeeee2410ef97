/**
 * Timers of a controller: a binary heap by deadline, equal ones in the order they were set. Deletion is
 * lazy, and a timer that is set again to a later time stays where it is until its old time comes: a
 * socket's timeout, renewed at every read, costs two assignments.
 */
import type { Watch } from "./watch.js"

const NOWHERE = -1

export class Timer {
  deadline = Number.POSITIVE_INFINITY
  active = false
  /** The heap's entry for it: under which key, and which number. An entry of another number is stale. */
  heap: TimerHeap | undefined = undefined
  key = 0
  entry = NOWHERE

  constructor(readonly watch: Watch) {}

  cancel(): void {
    if (!this.active) return
    this.active = false
    if (this.entry !== NOWHERE) this.heap?.forget()
  }
}

const ENOUGH_DEAD = 64

let sequence = 0 // of all heaps: a timer that has moved to another one is not taken for its old entry

export class TimerHeap {
  #keys: number[] = []
  #entries: number[] = []
  #timers: Timer[] = []
  #dead = 0 // entries that are stale or whose timer was cancelled

  set(timer: Timer, deadline: number): void {
    const filed = timer.entry !== NOWHERE
    if (filed && timer.heap === this && timer.key <= deadline) {
      if (!timer.active) this.#dead--
    } else {
      timer.entry = NOWHERE
      if (filed && timer.active) timer.heap?.forget()
      timer.heap = this
      if (deadline < Number.POSITIVE_INFINITY) this.#push(timer, deadline)
    }
    timer.active = true
    timer.deadline = deadline
  }

  /** Counts an entry that will never fire, and sweeps when most are such. */
  forget(): void {
    this.#dead++
    if (this.#dead > ENOUGH_DEAD && this.#dead * 2 > this.#timers.length) this.#sweep()
  }

  /** The earliest deadline, or Infinity. */
  next(): number {
    for (;;) {
      const timer = this.#timers[0]
      if (timer === undefined) return Number.POSITIVE_INFINITY
      if (timer.active && timer.entry === this.#entries[0] && timer.deadline <= timer.key) return timer.key
      this.#settleTop()
    }
  }

  /** Fires what is due. */
  expire(now: number): void {
    for (;;) {
      const timer = this.#timers[0]
      if (timer === undefined || (this.#keys[0] as number) > now) return
      if (timer.active && timer.entry === this.#entries[0] && timer.deadline <= timer.key) {
        this.#pop()
        timer.entry = NOWHERE
        timer.active = false
        timer.watch.fire()
      } else {
        this.#settleTop()
      }
    }
  }

  /** How many timers are set. */
  get size(): number {
    return this.#timers.length - this.#dead
  }

  // The first entry is dead, or its timer was put off: drop it, or file it where it belongs now.
  #settleTop(): void {
    const timer = this.#timers[0] as Timer
    const current = timer.entry === this.#entries[0]
    this.#pop()
    if (current && timer.active) {
      this.#push(timer, timer.deadline)
    } else {
      if (current) timer.entry = NOWHERE
      this.#dead--
    }
  }

  #push(timer: Timer, key: number): void {
    const entry = sequence++
    timer.key = key
    timer.entry = entry
    let at = this.#timers.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (key >= (this.#keys[parent] as number)) break // the newest of equals goes last
      this.#place(
        at,
        this.#keys[parent] as number,
        this.#entries[parent] as number,
        this.#timers[parent] as Timer,
      )
      at = parent
    }
    this.#place(at, key, entry, timer)
  }

  #pop(): void {
    const key = this.#keys.pop() as number
    const entry = this.#entries.pop() as number
    const timer = this.#timers.pop() as Timer
    const length = this.#timers.length
    if (length === 0) return
    let at = 0
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (
        child + 1 < length &&
        this.#later(this.#keys[child] as number, this.#entries[child] as number, child + 1)
      ) {
        child++
      }
      if (!this.#later(key, entry, child)) break
      this.#place(
        at,
        this.#keys[child] as number,
        this.#entries[child] as number,
        this.#timers[child] as Timer,
      )
      at = child
    }
    this.#place(at, key, entry, timer)
  }

  #sweep(): void {
    const order = [...this.#timers.keys()].filter((i) => {
      const timer = this.#timers[i] as Timer
      const current = timer.entry === this.#entries[i]
      if (current && !timer.active) timer.entry = NOWHERE
      return current && timer.active
    })
    order.sort(
      (a, b) =>
        (this.#keys[a] as number) - (this.#keys[b] as number) ||
        (this.#entries[a] as number) - (this.#entries[b] as number),
    )
    // Sorted is heap order already; the entries keep their numbers.
    this.#keys = order.map((i) => this.#keys[i] as number)
    const entries = order.map((i) => this.#entries[i] as number)
    this.#timers = order.map((i) => this.#timers[i] as Timer)
    this.#entries = entries
    this.#dead = 0
  }

  // Whether (key, entry) comes after the entry at `at`.
  #later(key: number, entry: number, at: number): boolean {
    const other = this.#keys[at] as number
    return key > other || (key === other && entry > (this.#entries[at] as number))
  }

  #place(at: number, key: number, entry: number, timer: Timer): void {
    this.#keys[at] = key
    this.#entries[at] = entry
    this.#timers[at] = timer
  }
}
