/**
 * Addresses as the kernel takes them, and as users see them: `[family, address, port]`, or `[AF_UNIX, path]`
 * with a NUL in front of an abstract name.
 */
import { readFileSync } from "node:fs"
import { errno, SystemError } from "../errno.js"
import { binding, type Name } from "../kernel/binding.js"
import { AF_INET, AF_INET6, AF_UNIX, AF_UNSPEC } from "./constants.js"
import { decode, encode } from "./translate.js"

/** A socket address ready for a system call. */
export interface Address {
  readonly family: number
  readonly host: string | Uint8Array
  readonly port: number
}

export type PeerName =
  | [family: number, address: string, port: number]
  | [family: number, path?: string]
  | [undefined, errno: number]

/** AF_INET or AF_INET6 of a numeric address, or undefined for a name. */
export function numericFamily(host: string): number | undefined {
  if (binding.isAddress(AF_INET, host)) return AF_INET
  return host.includes(":") && binding.isAddress(AF_INET6, host) ? AF_INET6 : undefined
}

export function unixAddress(path: string): Address {
  return { family: AF_UNIX, host: encode(path), port: 0 }
}

/** The address of a `sendto`: numeric, a path, or what `recvfrom` gave. */
export function destination(family: number, address: string | PeerName, port?: number): Address {
  if (Array.isArray(address)) {
    const [itsFamily, host, itsPort] = address as [number, string | undefined, number | undefined]
    if (itsFamily === AF_UNIX) return unixAddress(host ?? "")
    return { family: itsFamily, host: host ?? "", port: itsPort ?? 0 }
  }
  if (family === AF_UNIX) return unixAddress(address as string)
  const its = numericFamily(address as string)
  if (its === undefined) throw new TypeError(`sendto: not a numeric address: ${JSON.stringify(address)}`)
  if (its === AF_INET && family === AF_INET6)
    return { family, host: `::ffff:${address as string}`, port: port ?? 0 }
  return { family: its, host: address as string, port: port ?? 0 }
}

/** A name of the addon as users see it. */
export function toPeerName(name: Name | number): PeerName {
  if (typeof name === "number") return [undefined, -name]
  const [family, address, port] = name
  if (family === AF_UNIX) return address === undefined ? [AF_UNIX] : [AF_UNIX, decode(address as Uint8Array)]
  if (family === AF_INET || family === AF_INET6) return [family, address as string, port ?? 0]
  return [AF_UNSPEC]
}

/** The peer's name; a socket without a peer is AF_UNSPEC, which is no error. */
export function peerName(fd: number): PeerName {
  const name = binding.peername(fd)
  return name === -errno.ENOTCONN ? [AF_UNSPEC] : toPeerName(name)
}

/** A port of a number, digits, or a service's name in /etc/services. */
export function portNumber(port: string | number, protocol: "tcp" | "udp"): number {
  const number =
    typeof port === "number" ? port : /^\d+$/.test(port) ? Number(port) : servicePort(port, protocol)
  if (!Number.isInteger(number) || number < 0 || number > 65535)
    throw new RangeError(`not a port: ${String(port)}`)
  return number
}

let services: Map<string, number> | undefined

function servicePort(name: string, protocol: string): number {
  services ??= readServices()
  const port =
    services.get(`${name}/${protocol}`) ?? services.get(`${name}/${protocol === "tcp" ? "udp" : "tcp"}`)
  if (port === undefined) throw new TypeError(`unknown service: ${JSON.stringify(name)}`)
  return port
}

// Systems without the file still know the two that everybody uses.
function readServices(): Map<string, number> {
  const table = new Map([
    ["http/tcp", 80],
    ["https/tcp", 443],
    ["domain/tcp", 53],
    ["domain/udp", 53],
  ])
  let text = ""
  try {
    text = readFileSync("/etc/services", "latin1")
  } catch {}
  for (const line of text.split("\n")) {
    const [name, entry, ...aliases] = line.replace(/#.*/, "").trim().split(/\s+/)
    const [port, protocol] = (entry ?? "").split("/")
    if (name === undefined || protocol === undefined || !/^\d+$/.test(port ?? "")) continue
    for (const each of [name, ...aliases]) {
      if (!table.has(`${each}/${protocol}`)) table.set(`${each}/${protocol}`, Number(port))
    }
  }
  return table
}

/** For errors: where a connection was going. */
export function whereOf(address: Address): { address?: string; port?: number; path?: string } {
  if (address.family === AF_UNIX) return { path: decode(address.host as Uint8Array) }
  return { address: address.host as string, port: address.port }
}

export function checkName(result: number, what: string, address: Address): void {
  if (result < 0) throw new SystemError(-result, what, whereOf(address))
}
