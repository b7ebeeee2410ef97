/** Watches: one for each thing that a parked coroutine waits for, on the list of whatever may fire it. */

export interface Wakeable {
  ready(): void
}

/** A doubly linked list of watches: of a condition, of a descriptor's readers and writers. */
export class WatchList {
  head: Watch | undefined = undefined
  tail: Watch | undefined = undefined

  add(watch: Watch): void {
    watch.list = this
    watch.previous = this.tail
    watch.following = undefined
    if (this.tail === undefined) this.head = watch
    else this.tail.following = watch
    this.tail = watch
  }

  remove(watch: Watch): void {
    if (watch.list !== this) return
    if (watch.previous === undefined) this.head = watch.following
    else watch.previous.following = watch.following
    if (watch.following === undefined) this.tail = watch.previous
    else watch.following.previous = watch.previous
    watch.list = watch.previous = watch.following = undefined
  }

  /** Fires every watch that is on the list now; one that is added meanwhile waits for the next time. */
  fireAll(): void {
    for (let watch = this.head; watch !== undefined; watch = this.head) watch.fire()
  }
}

/** One thing that a parked coroutine waits for. It leaves its list when it fires. */
export class Watch {
  list: WatchList | undefined = undefined
  previous: Watch | undefined = undefined
  following: Watch | undefined = undefined
  task: Wakeable | undefined = undefined
  fired = false
  /** Of a descriptor: the events it waits for. Of a poll: which object it belongs to. */
  events = 0
  index = 0

  /** Waits anew, for `task`. */
  rearm(task: Wakeable): void {
    this.task = task
    this.fired = false
  }

  fire(): void {
    this.list?.remove(this)
    this.fired = true
    this.task?.ready()
  }

  cancel(): void {
    this.list?.remove(this)
  }
}
