/**
 * All controllers of this thread, held weakly: a descriptor is cancelled on each of them, and one that is
 * dropped without close gives its own descriptor back.
 */
import { onCancel } from "../kernel/descriptor.js"
import type { Poller } from "../kernel/poller.js"
import type { Engine } from "./engine.js"

const controllers = new Set<WeakRef<Engine>>()

const collected = new FinalizationRegistry<[Poller, WeakRef<Engine>]>(([poller, reference]) => {
  controllers.delete(reference)
  poller.close()
})

/** Adds a new controller. */
export function enrol(engine: Engine): WeakRef<Engine> {
  const reference = new WeakRef(engine)
  controllers.add(reference)
  collected.register(engine, [engine.poller, reference], engine)
  return reference
}

/** Takes out one that closes itself. */
export function strike(engine: Engine, reference: WeakRef<Engine>): void {
  controllers.delete(reference)
  collected.unregister(engine)
}

/** Takes a descriptor from all controllers. */
export function cancelEverywhere(fd: number): void {
  for (const reference of controllers) reference.deref()?.interests.cancel(fd)
}
onCancel(cancelEverywhere)

/** Registers a descriptor anew wherever it was: there is another kernel object behind the number. */
export function renewEverywhere(fd: number): void {
  for (const reference of controllers) reference.deref()?.interests.renew(fd)
}

/** Rebuilds the kernel side of all controllers. */
export function resetEverywhere(): void {
  const all = [...controllers].map((reference) => reference.deref()).filter((engine) => engine !== undefined)
  // First all kernel objects, because some of them watch others.
  for (const engine of all) engine.renew()
  for (const engine of all) engine.interests.registerAgain()
}

/** At the end of the process: what lines were written in the last turns still goes out. */
export function flushEverywhere(): void {
  for (const reference of controllers) reference.deref()?.outbox.flush()
}
