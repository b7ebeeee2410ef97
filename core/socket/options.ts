/**
 * The fields that connect, listen, accept, pair, dup and fdopen take (guide: socket.connect), checked, and
 * the defaults of new sockets that the module's own setvbuf, setmode and so on change.
 */
import { binding, constant } from "../kernel/binding.js"
import { AF_INET, AF_INET6, AF_UNIX, SOCK_STREAM } from "./constants.js"
import { DEFAULT_MAXERRS, type ErrorHandler } from "./fault.js"
import { DEFAULT_MODE } from "./mode.js"

export interface Defaults {
  inputMode: number
  outputMode: number
  inputSize: number
  outputSize: number
  inputLine: number
  outputLine: number
  readErrors: number
  writeErrors: number
  timeout: number
  onerror: ErrorHandler<never> | undefined
}

const SIZE = 4096

export const defaults: Defaults = {
  inputMode: DEFAULT_MODE,
  outputMode: DEFAULT_MODE,
  inputSize: SIZE,
  outputSize: SIZE,
  inputLine: SIZE,
  outputLine: SIZE,
  readErrors: DEFAULT_MAXERRS,
  writeErrors: DEFAULT_MAXERRS,
  timeout: Number.POSITIVE_INFINITY,
  onerror: undefined,
}

/** Where to bind before connecting: an address with a port, or a path. */
export type Bind = string | { addr: string; port?: string | number } | { path: string }

export interface SocketOptions {
  /** IP address or host name. */
  host?: string
  /** Number, digits, or a service name. */
  port?: string | number
  /** Path of a UNIX socket; a NUL in front means Linux's abstract namespace. */
  path?: string
  family?: number
  type?: number
  /** Permissions of a UNIX socket after binding: a number, octal digits or "rwxr-x---". */
  mode?: number | string
  /** The umask while a UNIX socket is bound. */
  mask?: number | string
  /** Removes the path before binding. */
  unlink?: boolean
  reuseaddr?: boolean
  reuseport?: boolean
  nodelay?: boolean
  nopush?: boolean
  broadcast?: boolean
  v6only?: boolean
  oobinline?: boolean
  nonblock?: boolean
  cloexec?: boolean
  nosigpipe?: boolean
  /** Whether a TLS peer's certificate must be good. */
  verify?: boolean
  /** The server name of TLS, or false for none. */
  sendname?: boolean | string
  /** Whether stat() tells the time of the last bytes. */
  time?: boolean
  bind?: Bind
  backlog?: number
  /** A descriptor to use instead of making one. */
  fd?: number
  /** The DNS resolver or pool to ask for host names. */
  resolver?: unknown
}

const KINDS: Readonly<Record<string, readonly string[]>> = {
  host: ["string"],
  port: ["string", "number"],
  path: ["string"],
  family: ["number"],
  type: ["number"],
  mode: ["number", "string"],
  mask: ["number", "string"],
  unlink: ["boolean"],
  reuseaddr: ["boolean"],
  reuseport: ["boolean"],
  nodelay: ["boolean"],
  nopush: ["boolean"],
  broadcast: ["boolean"],
  v6only: ["boolean"],
  oobinline: ["boolean"],
  nonblock: ["boolean"],
  cloexec: ["boolean"],
  nosigpipe: ["boolean"],
  verify: ["boolean"],
  sendname: ["boolean", "string"],
  time: ["boolean"],
  bind: ["string", "object"],
  backlog: ["number"],
  fd: ["number"],
  resolver: ["object"],
}

const WHOLE = new Set(["family", "fd", "backlog"])

/** Checks the fields; an unknown one or one of the wrong kind is a TypeError that names it. */
export function checkOptions(options: unknown, what: string): SocketOptions {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`${what}: expected an object of options`)
  }
  for (const [name, value] of Object.entries(options)) {
    const kinds = KINDS[name]
    if (kinds === undefined) throw new TypeError(`${what}: unknown option ${JSON.stringify(name)}`)
    if (value !== undefined && (value === null || !kinds.includes(typeof value))) {
      throw new TypeError(`${what}: option ${name} must be a ${kinds.join(" or a ")}`)
    }
    if (WHOLE.has(name) && value !== undefined && (!Number.isInteger(value) || value < 0))
      throw new TypeError(`${what}: option ${name} must be a whole number from 0 on`)
  }
  const checked = options as SocketOptions
  if (checked.path?.includes("\0", 1)) throw new TypeError(`${what}: a NUL byte inside a path`)
  if (checked.host?.includes("\0")) throw new TypeError(`${what}: a NUL byte inside a host name`)
  if (checked.mode !== undefined) permissions(checked.mode, `${what}: mode`)
  if (checked.mask !== undefined) permissions(checked.mask, `${what}: mask`)
  if (checked.bind !== undefined) checkBind(checked.bind, what)
  return checked
}

function checkBind(bind: Bind, what: string): void {
  const { addr, path, port } = typeof bind === "string" ? { addr: bind } : (bind as Record<string, unknown>)
  const named = typeof addr === "string" || typeof path === "string"
  if (!named || (port !== undefined && typeof port !== "number" && typeof port !== "string"))
    throw new TypeError(`${what}: option bind must be a string, { addr, port } or { path }`)
}

const LETTERS = /^([r-][w-][x-]){3}$/

/** Permission bits of a number, octal digits, or nine letters as ls(1) prints them. */
export function permissions(value: number | string, what: string): number {
  if (typeof value === "number") {
    if (!Number.isInteger(value) || value < 0 || value > 0o7777)
      throw new RangeError(`${what}: not permission bits: ${value}`)
    return value
  }
  if (/^[0-7]{1,5}$/.test(value)) return permissions(Number.parseInt(value, 8), what)
  if (!LETTERS.test(value))
    throw new TypeError(`${what}: expected octal digits or rwxrwxrwx, got ${JSON.stringify(value)}`)
  return [...value].reduce((bits, letter) => bits * 2 + (letter === "-" ? 0 : 1), 0)
}

const SOL_SOCKET = constant("SOL_SOCKET")
const TCP = constant("IPPROTO_TCP")

/** Applies the socket options that are given (or on by default) to a new descriptor; 0 or -errno. */
export function applyOptions(fd: number, family: number, type: number, options: SocketOptions): number {
  const inet = family === AF_INET || family === AF_INET6
  const wanted: [level: number, name: string, value: boolean | undefined][] = [
    [SOL_SOCKET, "SO_REUSEADDR", inet ? (options.reuseaddr ?? true) : undefined],
    [SOL_SOCKET, "SO_REUSEPORT", inet ? options.reuseport : undefined],
    [SOL_SOCKET, "SO_BROADCAST", options.broadcast],
    [SOL_SOCKET, "SO_OOBINLINE", options.oobinline],
    [constant("IPPROTO_IPV6"), "IPV6_V6ONLY", family === AF_INET6 ? options.v6only : undefined],
    [TCP, "TCP_NODELAY", inet && type === SOCK_STREAM ? options.nodelay : undefined],
    [TCP, "TCP_CORK", inet && type === SOCK_STREAM ? options.nopush : undefined],
  ]
  for (const [level, name, value] of wanted) {
    if (value === undefined) continue
    const result = binding.setsockopt(fd, level, constant(name), value ? 1 : 0)
    if (result < 0) return result
  }
  if (options.cloexec === false) binding.setCloexec(fd, 0)
  return 0
}

/** After accept: the few that a new connection does not inherit or that are asked for. */
export function applyAccepted(fd: number, family: number, options: SocketOptions | undefined): void {
  if (options === undefined) return
  const inet = family !== AF_UNIX
  if (options.nodelay !== undefined && inet)
    binding.setsockopt(fd, TCP, constant("TCP_NODELAY"), options.nodelay ? 1 : 0)
  if (options.nopush !== undefined && inet)
    binding.setsockopt(fd, TCP, constant("TCP_CORK"), options.nopush ? 1 : 0)
  if (options.oobinline !== undefined) {
    binding.setsockopt(fd, SOL_SOCKET, constant("SO_OOBINLINE"), options.oobinline ? 1 : 0)
  }
  if (options.cloexec === false) binding.setCloexec(fd, 0)
  if (options.nonblock === false) binding.setNonblock(fd, 0)
}
