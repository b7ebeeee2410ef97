/** Addresses as the command line has them, and as the output shows them: in the same form. */
import { UsageError } from "../cli/exit.js"
import { quote } from "../cli/units.js"

export type Kind = "stream" | "dgram"

export type Address =
  | { kind: Kind; host: string; port: string }
  | { kind: Kind; path: string }
  | { kind: "fd"; fd: number }

export const DEFAULT_ADDRESS = "127.0.0.1:0"

const HOST_AND_PORT = /^(?:\[([^\]]*)\]|([^:[\]]*)):([\w-]+)$/
const HIGHEST_PORT = 65535

/** Reads one address; throws a UsageError. */
export function parseAddress(text: string): Address {
  const colon = text.indexOf(":")
  const scheme = text.slice(0, Math.max(0, colon))
  const rest = text.slice(colon + 1)
  switch (scheme) {
    case "unix":
      return unix("stream", rest, text)
    case "unix-dgram":
      return unix("dgram", rest, text)
    case "fd":
      // fd:3 is a descriptor; a host of this name is written [fd]:3.
      if (!/^\d+$/.test(rest)) throw wrong(text, "fd: takes a number, such as fd:3")
      return { kind: "fd", fd: Number(rest) }
    case "udp":
      return inet("dgram", rest, text)
    case "tcp":
      return inet("stream", rest, text)
    default:
      return inet("stream", text, text)
  }
}

function unix(kind: Kind, path: string, text: string): Address {
  if (path === "" || path === "@") throw wrong(text, "a path is missing")
  return { kind, path: path.startsWith("@") ? `\0${path.slice(1)}` : path }
}

function inet(kind: Kind, rest: string, text: string): Address {
  const [, bracketed, bare = "", port] = HOST_AND_PORT.exec(rest) ?? []
  if (port === undefined) {
    const many = rest.split(":").length > 2
    throw wrong(
      text,
      many ? "write an IPv6 address in brackets, [::1]:7007" : "write host:port, such as 127.0.0.1:7007",
    )
  }
  if (/^\d+$/.test(port) && Number(port) > HIGHEST_PORT) throw wrong(text, `ports go up to ${HIGHEST_PORT}`)
  const host = bracketed ?? bare
  return { kind, host: host === "*" ? "" : host, port }
}

function wrong(text: string, why: string): UsageError {
  return new UsageError(`address ${quote(text)}: ${why}`)
}

/** The name of a socket, `[family, address, port]` or `[family, path]`, in the form of the command line. */
export function showName(name: readonly (string | number | undefined)[], kind: Kind = "stream"): string {
  const [, address, port] = name
  if (typeof port === "number") {
    const host = String(address).replace(/^::ffff:(?=\d+\.)/, "")
    return `${kind === "dgram" ? "udp:" : ""}${host.includes(":") ? `[${host}]` : host}:${port}`
  }
  const path = typeof address === "string" && address !== "" ? address : undefined
  return `unix${kind === "dgram" ? "-dgram" : ""}:${path?.replace(/^\0/, "@") ?? ""}`
}
