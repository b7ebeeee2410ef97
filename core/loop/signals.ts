/**
 * AbortSignals as things to wait for: one listener on each, however many coroutines wait for it, so that a
 * signal which a whole program shares brings no warning about its listeners.
 */
import { type Watch, WatchList } from "./watch.js"

interface Waiters {
  readonly list: WatchList
  readonly abort: () => void
}

const waiting = new WeakMap<AbortSignal, Waiters>()

/** Fires the watch when the signal is aborted, at once if it has been. */
export function watchSignal(signal: AbortSignal, watch: Watch): void {
  if (signal.aborted) {
    watch.fire()
    return
  }
  let its = waiting.get(signal)
  if (its === undefined) {
    const list = new WatchList()
    its = { list, abort: () => list.fireAll() }
    waiting.set(signal, its)
  }
  if (its.list.head === undefined) signal.addEventListener("abort", its.abort, { once: true })
  its.list.add(watch)
}

/** Takes the watch back; a signal that nobody waits for is not listened to. */
export function unwatchSignal(signal: AbortSignal, watch: Watch): void {
  watch.cancel()
  const its = waiting.get(signal)
  if (its !== undefined && its.list.head === undefined) signal.removeEventListener("abort", its.abort)
}
