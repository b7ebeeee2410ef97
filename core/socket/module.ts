/** The module `socket` (guide section 3.2.2): making sockets, and the defaults of new ones. */
import { SystemError } from "../errno.js"
import { interposer } from "../interpose.js"
import { seconds } from "../loop/poll.js"
import {
  AF,
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_UNSPEC,
  SOCK,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
} from "./constants.js"
import { Core } from "./core.js"
import { limitOf, lineLimit } from "./endpoint.js"
import { Connecting, Listening, ListeningOn } from "./establish.js"
import { type ErrorHandler, whichChannels } from "./fault.js"
import * as modes from "./mode.js"
import { adopted, connectedPair, duplicated, typeNumber } from "./open.js"
import { checkOptions, defaults, type SocketOptions } from "./options.js"
import { Socket } from "./socket.js"

type Host = string | SocketOptions
type WithFd = Omit<SocketOptions, "fd"> & { fd: number | Socket }

function argumentsOf(
  what: string,
  host: Host,
  port?: string | number,
  family?: number,
  type?: number,
): SocketOptions {
  if (typeof host !== "string") return checkOptions(host, what)
  return checkOptions({ host, port, family, type }, what)
}

// A descriptor that has its address already: it is connected, or bound and has only to listen.
function given(what: "connect" | "listen", fd: number, options: SocketOptions): Socket {
  const core = adopted(fd, defaults, options)
  core.stage = what
  if (what === "listen") core.establishing = new ListeningOn(core, options)
  return new Socket(core)
}

function make(what: "connect" | "listen", options: SocketOptions): Socket {
  if (options.path === undefined && options.host === undefined) {
    if (options.fd !== undefined) return given(what, options.fd, options)
    throw new TypeError(`${what}: neither host nor path is given`)
  }
  if (options.path === undefined && options.fd === undefined && options.port === undefined) {
    throw new TypeError(`${what}: no port is given`)
  }
  const family = options.family ?? (options.path === undefined ? AF_UNSPEC : AF_UNIX)
  const core = new Core(family, typeNumber(options.type), -1, defaults, options.time)
  core.stage = what
  const establishing = what === "connect" ? new Connecting(core, options) : new Listening(core, options)
  core.establishing = establishing
  const result = establishing.prepare()
  if (result < 0) {
    core.close()
    throw new SystemError(-result, "socket", core.where)
  }
  return new Socket(core)
}

function withDescriptor(what: string, given: number | Socket | WithFd): [fd: number, options: SocketOptions] {
  const options: { fd: number | Socket } =
    given instanceof Socket || typeof given !== "object" ? { fd: given } : given
  const { fd, ...rest } = options
  const number = fd instanceof Socket ? fd.pollfd() : fd
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0)
    throw new TypeError(`${what}: expected a descriptor`)
  return [number, checkOptions(rest, what)]
}

export const socket = {
  AF_UNSPEC,
  AF_INET,
  AF_INET6,
  AF_UNIX,
  SOCK_STREAM,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  /** Names of address families and socket types by number. */
  AF,
  SOCK,

  /** A socket that connects when it is first used. */
  connect: (host: Host, port?: string | number, family?: number, type?: number): Socket =>
    make("connect", argumentsOf("connect", host, port, family, type)),
  /** A socket that listens; or, of type SOCK_DGRAM, that is bound. */
  listen: (host: Host, port?: string | number): Socket => make("listen", argumentsOf("listen", host, port)),

  /** Two connected UNIX sockets. */
  pair(type?: number | string | SocketOptions): [Socket, Socket] {
    const options = typeof type === "object" ? checkOptions(type, "pair") : {}
    const number = typeNumber(typeof type === "object" ? options.type : type)
    const [first, second] = connectedPair(number, defaults, options)
    return [new Socket(first), new Socket(second)]
  },

  /** A socket of a duplicate of a descriptor. */
  dup(given: number | Socket | WithFd): Socket {
    const [fd, options] = withDescriptor("dup", given)
    return new Socket(duplicated(fd, defaults, options))
  },

  /** A socket of a descriptor, which it takes over and closes at its end. */
  fdopen(given: number | WithFd): Socket {
    const [fd, options] = withDescriptor("fdopen", given)
    return new Socket(adopted(fd, defaults, options))
  },

  type(object: unknown): "socket" | "closed socket" | undefined {
    if (!(object instanceof Socket)) return undefined
    return object.core.closed ? "closed socket" : "socket"
  },
  interpose: interposer(Socket.prototype),

  // Defaults of new sockets: each returns what was set before

  setvbuf(mode: string, size?: number): [mode: string, size: number] {
    const before: [string, number] = [modes.bufferingName(defaults.outputMode), defaults.outputSize]
    defaults.outputMode = (defaults.outputMode & ~modes.BUFFERING) | modes.bufferingOf(mode)
    if (size !== undefined) defaults.outputSize = limitOf(size, "setvbuf")
    return before
  },

  setmode(input?: string, output?: string): [input: string, output: string] {
    const before: [string, string] = [
      modes.inputModeName(defaults.inputMode),
      modes.outputModeName(defaults.outputMode),
    ]
    const inputMode = modes.applyMode(input, defaults.inputMode)
    defaults.outputMode = modes.applyMode(output, defaults.outputMode)
    defaults.inputMode = inputMode
    return before
  },

  setbufsiz(input?: number, output?: number): [input: number, output: number] {
    const before: [number, number] = [defaults.inputSize, defaults.outputSize]
    if (input !== undefined) defaults.inputSize = limitOf(input, "setbufsiz")
    if (output !== undefined) defaults.outputSize = limitOf(output, "setbufsiz")
    return before
  },

  setmaxline(input?: number, output?: number): [input: number, output: number] {
    const before: [number, number] = [defaults.inputLine, defaults.outputLine]
    const inputLine = input === undefined ? defaults.inputLine : lineLimit(input)
    if (output !== undefined) defaults.outputLine = limitOf(output, "setmaxline")
    defaults.inputLine = inputLine
    return before
  },

  settimeout(timeout?: number): number | undefined {
    const before = defaults.timeout
    defaults.timeout = timeout === undefined ? Number.POSITIVE_INFINITY : seconds(timeout, "settimeout")
    return before === Number.POSITIVE_INFINITY ? undefined : before
  },

  setmaxerrs(which?: string | number, limit?: number): [read: number, write: number] {
    const before: [number, number] = [defaults.readErrors, defaults.writeErrors]
    const [letters, count] = typeof which === "number" ? [undefined, which] : [which, limit]
    if (count === undefined) return before
    for (const letter of whichChannels(letters)) {
      defaults[letter === "r" ? "readErrors" : "writeErrors"] = limitOf(count, "setmaxerrs")
    }
    return before
  },

  onerror(...handler: [ErrorHandler<never> | undefined] | []): ErrorHandler<never> | undefined {
    const before = defaults.onerror
    if (handler.length > 0) {
      if (handler[0] !== undefined && typeof handler[0] !== "function")
        throw new TypeError("onerror: expected a function")
      defaults.onerror = handler[0]
    }
    return before
  },
}

export { Socket }
export default socket
