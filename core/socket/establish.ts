/**
 * Connecting and binding, in steps that never wait: whichever operation needs the socket first drives them,
 * several may wait at once, and if one gives up another goes on. A failure stays: later operations find it.
 */
import { chmodSync, unlinkSync } from "node:fs"
import { errno } from "../errno.js"
import { binding, constant } from "../kernel/binding.js"
import { monotime } from "../kernel/clock.js"
import { results } from "../kernel/memory.js"
import { WRITE } from "../kernel/poller.js"
import { POLL, PollOperation, type PollRequest } from "../loop/poll.js"
import type { Yielded } from "../loop/task.js"
import { cannotReachNode } from "../loop/thread.js"
import { WatchList } from "../loop/watch.js"
import { type Address, numericFamily, portNumber, unixAddress, whereOf } from "./address.js"
import { AF_UNIX, AF_UNSPEC, SOCK_DGRAM, SOCK_STREAM } from "./constants.js"
import type { Core, Establishing } from "./core.js"
import { known, lookup } from "./lookup.js"
import { applyOptions, type Bind, permissions, type SocketOptions } from "./options.js"
import { encode } from "./translate.js"

const UNDER_WAY = new Set([errno.EINPROGRESS, errno.EALREADY])

/** The addresses that a socket may go to: known at once, or looked up. */
class Addresses {
  readonly list: Address[] = []
  readonly waiters = new WatchList()
  error = 0
  #asked = false
  #done = false
  readonly #name: string
  readonly #family: number
  readonly port: number

  constructor(options: SocketOptions, protocol: "tcp" | "udp") {
    this.#family = options.family ?? (options.path === undefined ? AF_UNSPEC : AF_UNIX)
    this.#name = options.host ?? ""
    this.port = options.path === undefined ? portNumber(options.port ?? 0, protocol) : 0
    if (options.path !== undefined) {
      this.list.push(unixAddress(options.path))
      this.#done = true
      return
    }
    const numeric = numericFamily(this.#name)
    if (numeric !== undefined) this.#set([{ family: numeric, host: this.#name }])
    else {
      const found = known(this.#name, this.#family)
      if (found !== undefined) this.#set(found)
    }
  }

  #set(found: readonly { family: number; host: string }[]): void {
    for (const { family, host } of found) {
      if (this.#family === AF_UNSPEC || this.#family === family)
        this.list.push({ family, host, port: this.port })
    }
    if (this.list.length === 0) this.error = found.length > 0 ? errno.EAFNOSUPPORT : errno.DNS_ENONAME
    this.#done = true
    this.waiters.fireAll()
  }

  get done(): boolean {
    return this.#done
  }

  /** Begins to look the name up, unless that is under way. */
  ask(): void {
    if (this.#asked || this.#done) return
    if (cannotReachNode()) {
      this.error = errno.EDEADLK // the lookup needs Node's own loop to turn
      this.#done = true
      return
    }
    this.#asked = true
    lookup(this.#name, this.#family).then((found) => {
      if (typeof found !== "number") {
        this.#set(found)
        return
      }
      this.error = found
      this.#done = true
      this.waiters.fireAll()
    })
  }
}

abstract class Attempts implements Establishing {
  protected readonly addresses: Addresses
  #at = 0
  #failed = 0

  constructor(
    protected readonly core: Core,
    protected readonly options: SocketOptions,
  ) {
    this.addresses = new Addresses(options, core.type === SOCK_DGRAM ? "udp" : "tcp")
    const first = this.addresses.list[0]
    core.where = first === undefined ? { address: options.host, port: this.addresses.port } : whereOf(first)
  }

  /** Descriptor for the first address when it is known: so that want of descriptors shows at once. */
  prepare(): number {
    const first = this.addresses.list[0]
    return first === undefined ? 0 : this.#open(first)
  }

  #open(address: Address): number {
    const given = this.options.fd
    const fd = given === undefined ? binding.socket(address.family, this.core.type, 0) : binding.adopt(given)
    if (fd < 0) return fd
    this.core.replace(fd)
    this.core.family = address.family
    const result = applyOptions(fd, address.family, this.core.type, this.options)
    return result < 0 ? result : fd
  }

  advance(): number | undefined {
    if (this.#failed !== 0) return this.#failed
    if (!this.addresses.done) {
      this.addresses.ask()
      if (!this.addresses.done) return undefined
    }
    if (this.addresses.error !== 0) return this.#fail(this.addresses.error)
    for (;;) {
      const address = this.addresses.list[this.#at] as Address
      const error = this.#try(address)
      if (error === undefined) return undefined
      if (error === 0) {
        if (this.options.nonblock === false) binding.setNonblock(this.core.fd, 0)
        return 0
      }
      this.core.where = whereOf(address)
      if (++this.#at >= this.addresses.list.length || this.options.fd !== undefined) return this.#fail(error)
      const fd = this.#open(this.addresses.list[this.#at] as Address)
      if (fd < 0) return this.#fail(-fd)
      this.restart()
    }
  }

  #fail(error: number): number {
    this.#failed = error
    this.core.replace(-1)
    return error
  }

  #try(address: Address): number | undefined {
    if (this.core.fd < 0) {
      const fd = this.#open(address)
      if (fd < 0) return -fd
    }
    this.core.where = whereOf(address)
    return this.attempt(address)
  }

  /** One attempt: 0, an errno, or undefined while the kernel works on it. */
  protected abstract attempt(address: Address): number | undefined
  protected abstract restart(): void

  abstract [POLL](request: PollRequest): void
}

const FULL_QUEUE_PAUSE = 0.01 // seconds

export class Connecting extends Attempts {
  #begun = false
  #queueFull = false

  protected override attempt(address: Address): number | undefined {
    if (this.#begun) {
      const result = binding.getsockopt(this.core.fd, constant("SOL_SOCKET"), constant("SO_ERROR"))
      if (result < 0) return -result
      const error = results[0] as number
      if (error !== 0) return error
      return typeof binding.peername(this.core.fd) === "number" ? undefined : 0
    }
    if (this.options.bind !== undefined) {
      const error = bindTo(this.core, this.options.bind, address.family)
      if (error !== 0) return error
    }
    const result = -binding.connect(this.core.fd, address.family, address.host, address.port)
    // A UNIX listener whose queue is full: nothing tells when there is room, so ask again after a while.
    this.#queueFull = result === errno.EAGAIN && address.family === AF_UNIX
    if (this.#queueFull) return undefined
    if (result === 0 || !UNDER_WAY.has(result)) return result
    this.#begun = true
    return undefined
  }

  protected override restart(): void {
    this.#begun = false
  }

  override [POLL](request: PollRequest): void {
    if (!this.addresses.done) request.list(this.addresses.waiters)
    else if (this.#queueFull) request.after(FULL_QUEUE_PAUSE)
    else request.descriptor(this.core.fd, WRITE, true)
  }
}

export class Listening extends Attempts {
  protected override attempt(address: Address): number | undefined {
    const { core, options } = this
    if (options.fd === undefined) {
      const error = bindListener(core, address, options)
      if (error !== 0) return error
    }
    if (core.type === SOCK_DGRAM) return 0
    return -binding.listen(core.fd, options.backlog ?? DEFAULT_BACKLOG)
  }

  protected override restart(): void {}

  override [POLL](request: PollRequest): void {
    request.list(this.addresses.waiters)
  }
}

/** Listening on a descriptor that somebody else has bound. */
export class ListeningOn implements Establishing {
  constructor(
    private readonly core: Core,
    private readonly options: SocketOptions,
  ) {}

  advance(): number {
    if (this.core.type === SOCK_DGRAM) return 0
    return -binding.listen(this.core.fd, this.options.backlog ?? DEFAULT_BACKLOG)
  }

  [POLL](request: PollRequest): void {
    request.ready()
  }
}

const DEFAULT_BACKLOG = 511 // what the kernel makes of it is bounded by net.core.somaxconn

function bindListener(core: Core, address: Address, options: SocketOptions): number {
  if (address.family !== AF_UNIX) return -binding.bind(core.fd, address.family, address.host, address.port)
  const path = options.path as string
  const named = path.length > 0 && !path.startsWith("\0")
  if (options.unlink && named) {
    const error = systemErrno(() => unlinkSync(encode(path)))
    if (error !== 0 && error !== errno.ENOENT) return error
  }
  const before = options.mask === undefined ? -1 : binding.umask(permissions(options.mask, "mask"))
  const error = -binding.bind(core.fd, address.family, address.host, 0)
  if (before >= 0) binding.umask(before)
  if (error !== 0 || options.mode === undefined || !named) return error
  const mode = permissions(options.mode, "mode")
  return systemErrno(() => chmodSync(encode(path), mode))
}

function systemErrno(call: () => void): number {
  try {
    call()
    return 0
  } catch (error) {
    const number = (error as NodeJS.ErrnoException).errno
    return number === undefined ? errno.EINVAL : Math.abs(number)
  }
}

function bindTo(core: Core, bind: Bind, family: number): number {
  if (family === AF_UNIX || (typeof bind === "object" && "path" in bind)) {
    const path = typeof bind === "string" ? bind : "path" in bind ? bind.path : bind.addr
    return -binding.bind(core.fd, AF_UNIX, unixAddress(path).host, 0)
  }
  const [host, port] = typeof bind === "string" ? [bind, 0] : [bind.addr, bind.port ?? 0]
  return -binding.bind(core.fd, family, host, portNumber(port, core.type === SOCK_STREAM ? "tcp" : "udp"))
}

/** Waits until the socket can be used: 0, or the errno of why it cannot. */
export function* establish(core: Core, deadline: number): Generator<Yielded, number, unknown> {
  while (core.establishing !== undefined) {
    const result = core.establishing.advance()
    if (result === 0) core.establishing = undefined
    else if (result !== undefined) return result
    else {
      const left = deadline - monotime()
      if (left <= 0) return errno.ETIMEDOUT
      yield* new PollOperation([core.establishing, left])
    }
    if (core.closed) return errno.EBADF
  }
  return 0
}
