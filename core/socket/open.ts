/** Sockets of descriptors that exist already: pairs, duplicates, those that somebody else opened or sent. */
import { errno, SystemError } from "../errno.js"
import { binding, constant } from "../kernel/binding.js"
import { results } from "../kernel/memory.js"
import { AF_UNIX, AF_UNSPEC, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM } from "./constants.js"
import { Core } from "./core.js"
import { applyAccepted, type Defaults, type SocketOptions } from "./options.js"

function option(fd: number, name: string, otherwise: number): number {
  const result = binding.getsockopt(fd, constant("SOL_SOCKET"), constant(name))
  return result < 0 ? otherwise : (results[0] as number)
}

/** The core of a descriptor that is ours already. Pipes and terminals are streams without a family. */
export function coreOf(fd: number, defaults: Defaults, options: SocketOptions = {}): Core {
  const family = option(fd, "SO_DOMAIN", AF_UNSPEC)
  const type = option(fd, "SO_TYPE", SOCK_STREAM)
  binding.setNonblock(fd, options.nonblock === false ? 0 : 1)
  binding.setCloexec(fd, options.cloexec === false ? 0 : 1)
  applyAccepted(fd, family, options)
  return new Core(family, type, fd, defaults, options.time)
}

/** Takes a descriptor over. */
export function adopted(fd: number, defaults: Defaults, options?: SocketOptions): Core {
  const result = binding.adopt(fd)
  if (result === -errno.EEXIST)
    throw new TypeError(`fdopen: descriptor ${fd} belongs to a socket already; use dup`)
  if (result < 0) throw new SystemError(-result, "fdopen")
  return coreOf(fd, defaults, options)
}

export function duplicated(fd: number, defaults: Defaults, options?: SocketOptions): Core {
  const copy = binding.dup(fd)
  if (copy < 0) throw new SystemError(-copy, "dup")
  return coreOf(copy, defaults, options)
}

const TYPES: Readonly<Record<string, number>> = {
  stream: SOCK_STREAM,
  dgram: SOCK_DGRAM,
  seqpacket: SOCK_SEQPACKET,
}

/** A socket type of a number or a word. */
export function typeNumber(type: number | string | undefined): number {
  const number = typeof type === "string" ? TYPES[type] : (type ?? SOCK_STREAM)
  if (number === undefined || !Number.isInteger(number))
    throw new TypeError(`unknown socket type ${JSON.stringify(type)}`)
  return number
}

export function connectedPair(type: number, defaults: Defaults, options: SocketOptions): [Core, Core] {
  const first = binding.socketpair(AF_UNIX, type)
  if (first < 0) throw new SystemError(-first, "socketpair")
  const second = results[0] as number
  const cores = [first, second].map((fd) => {
    applyAccepted(fd, AF_UNIX, options)
    return new Core(AF_UNIX, type, fd, defaults, options.time)
  })
  return cores as [Core, Core]
}
