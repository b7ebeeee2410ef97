/**
 * Loads the addon and says what it exports. The only file that may load it; a function returns a value of
 * 0 or more, or a negative errno, and never throws for what the world does.
 */
import { createRequire } from "node:module"

export type Name = [family: number, address?: string | Uint8Array, port?: number]

export interface Binding {
  monotime(): number
  regionAdd(memory: Int32Array | Uint8Array): number
  regionDrop(region: number): number
  results(region: number): number

  stepMemory(control: number, arena: number): number
  step(poller: number, sends: number): number
  flush(sends: number): number
  pollerOpen(slots: number): number
  pollerClose(poller: number): number
  pollerFd(poller: number): number
  pollerSlots(poller: number, slots: number): number
  pollerSet(poller: number, fd: number, slot: number, generation: number, before: number, now: number): number
  pollerPrepareAlert(poller: number): number
  pollerRaiseAlert(poller: number): number
  pollerReset(poller: number): number
  pause(poller: number, seconds: number, nanoseconds: number, signals: readonly number[]): number
  loopStart(poller: number, callback: () => void): number
  loopRef(loop: number, on: number): number
  loopStop(loop: number): number

  socket(family: number, type: number, protocol: number): number
  socketpair(family: number, type: number): number
  accept(fd: number): number
  listen(fd: number, backlog: number): number
  dup(fd: number): number
  adopt(fd: number): number
  close(fd: number): number
  shutdown(fd: number, how: number): number
  setsockopt(fd: number, level: number, name: number, value: number): number
  getsockopt(fd: number, level: number, name: number): number
  peercred(fd: number): number
  setNonblock(fd: number, on: number): number
  setCloexec(fd: number, on: number): number
  umask(mask: number): number
  connect(fd: number, family: number, address: string | Uint8Array, port: number): number
  bind(fd: number, family: number, address: string | Uint8Array, port: number): number
  peername(fd: number): Name | number
  sockname(fd: number): Name | number
  isAddress(family: number, text: string): number

  send(fd: number, region: number, offset: number, length: number): number
  sendBytes(fd: number, data: Uint8Array, offset: number, length: number): number
  recv(fd: number, region: number, offset: number, length: number): number
  sendto(fd: number, data: Uint8Array, family: number, address: string | Uint8Array, port: number): number
  recvfrom(fd: number, region: number, offset: number, length: number): [bytes: number, from: Name] | number
  sendmsg(fd: number, region: number, offset: number, length: number, passed: number): number
  recvmsg(fd: number, region: number, offset: number, length: number): number

  put(text: string): number
  text(region: number, start: number, end: number): string | undefined
  readLine(): string | undefined
  findLine(region: number, from: number, end: number): number
  compact(region: number, start: number, end: number, most: number, final: number): number
  measure(region: number, start: number, end: number, most: number, final: number): number

  strerror(number: number): string
  errnos: readonly (string | number)[]
  constants: Readonly<Record<string, number>>
}

function load(): Binding {
  const path = "../../../native/build/Release/cqueues.node"
  try {
    return createRequire(import.meta.url)(path) as Binding
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error)
    throw new Error(
      `cqueues: its native addon cannot be loaded (${why}). ` +
        "It is built by `npm install` with a C++20 compiler, make and Python 3; `npm rebuild cqueues` builds it again.",
      { cause: error },
    )
  }
}

export const binding = load()

/** A constant of the system's socket headers. One that this system lacks is a programming error. */
export function constant(name: string): number {
  const value = binding.constants[name]
  if (value === undefined) throw new Error(`cqueues: no constant ${name} on this system`)
  return value
}
