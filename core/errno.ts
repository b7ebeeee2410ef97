/**
 * The error numbers of the system by name and by number, their texts, and the error that carries one
 * (guide section 3.2.3). Codes below zero are ours: failures of DNS that no system number says.
 */
import type { constants } from "node:os"
import { binding } from "./kernel/binding.js"

const DNS_BASE = -0x646e7340 // "dns", 64: far from any system's numbers

const DNS_TEXTS = {
  DNS_ENOBUFS: "DNS packet buffer too small",
  DNS_EILLEGAL: "Illegal DNS data",
  DNS_EORDER: "DNS record pushed out of section order",
  DNS_ESECTION: "DNS section unknown",
  DNS_EUNKNOWN: "Unknown DNS error",
  DNS_EADDRESS: "Malformed address string",
  DNS_ENOQUERY: "No DNS query submitted",
  DNS_ENOANSWER: "No answer section in DNS packet",
  DNS_EFETCHED: "DNS answer already fetched",
  DNS_ESERVICE: "Unknown DNS service",
  DNS_ENONAME: "DNS name does not exist",
  DNS_EFAIL: "DNS server failure",
} as const

type SystemName = keyof typeof constants.errno | "ESHUTDOWN" | "EOWNERDEAD" | "ENOTRECOVERABLE" | "EHOSTDOWN"
export type ErrorName = SystemName | keyof typeof DNS_TEXTS

type Table = { readonly [name in ErrorName]: number } & { readonly [number: number]: string } & {
  /** The text of an error number, as strerror(3) has it; of our negative codes too. */
  strerror(number: number): string
}

const texts = new Map<number, string>()

export function strerror(number: number): string {
  if (!Number.isInteger(number)) throw new TypeError(`errno.strerror: not an error number: ${String(number)}`)
  return texts.get(number) ?? binding.strerror(number)
}

function makeTable(): Table {
  const table: Record<string | number, unknown> = { strerror }
  for (let i = 0; i < binding.errnos.length; i += 2) {
    const name = binding.errnos[i] as string
    const number = binding.errnos[i + 1] as number
    table[name] = number
    table[number] ??= name
  }
  Object.entries(DNS_TEXTS).forEach(([name, text], i) => {
    table[name] = DNS_BASE + i
    table[DNS_BASE + i] = name
    texts.set(DNS_BASE + i, text)
  })
  return Object.freeze(table) as Table
}

export const errno: Table = makeTable()
export default errno

export interface Where {
  address?: string | undefined
  port?: number | undefined
  path?: string | undefined
}

function place({ address, port, path }: Where): string {
  if (path !== undefined) return ` ${path.replace(/^\0/, "@")}`
  if (address === undefined) return ""
  return port === undefined ? ` ${address}` : ` ${address.includes(":") ? `[${address}]` : address}:${port}`
}

/** An error of the system: `connect 127.0.0.1:1: Connection refused (ECONNREFUSED)`. */
export class SystemError extends Error {
  readonly errno: number
  readonly code: string
  readonly syscall: string
  readonly address?: string
  readonly port?: number
  readonly path?: string

  constructor(number: number, syscall: string, where: Where = {}) {
    const code = errno[number] ?? `E${number}`
    super(`${syscall}${place(where)}: ${strerror(number)} (${code})`)
    this.errno = number
    this.code = code
    this.syscall = syscall
    if (where.address !== undefined) this.address = where.address
    if (where.port !== undefined) this.port = where.port
    if (where.path !== undefined) this.path = where.path
  }
}
Object.defineProperty(SystemError.prototype, "name", {
  value: "SystemError",
  configurable: true,
  writable: true,
})

/** The result of a native call, or the error that its negative result stands for. */
export function check(result: number, syscall: string, where?: Where): number {
  if (result < 0) throw new SystemError(-result, syscall, where)
  return result
}
