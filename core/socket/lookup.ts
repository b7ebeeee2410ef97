/**
 * The addresses of a host name. The one function that name resolution goes through, so that what stands
 * behind it can change; at present the system's getaddrinfo, which needs Node's loop to turn.
 */
import { lookup as getaddrinfo } from "node:dns/promises"
import { errno } from "../errno.js"
import { AF_INET, AF_INET6, AF_UNSPEC } from "./constants.js"

export interface Found {
  readonly family: number
  readonly host: string
}

const LOOPBACK: readonly Found[] = [
  { family: AF_INET, host: "127.0.0.1" },
  { family: AF_INET6, host: "::1" },
]

/** Addresses that need no asking (RFC 6761 section 6.3), or undefined. */
export function known(name: string, family: number): readonly Found[] | undefined {
  const lower = name.toLowerCase().replace(/\.$/, "")
  if (lower !== "localhost" && !lower.endsWith(".localhost")) return undefined
  return LOOPBACK.filter((address) => family === AF_UNSPEC || address.family === family)
}

const CODES: Readonly<Record<string, number>> = {
  ENOTFOUND: errno.DNS_ENONAME,
  EAI_AGAIN: errno.DNS_EFAIL,
  EAI_FAIL: errno.DNS_EFAIL,
  EAI_MEMORY: errno.ENOMEM,
}

/** The addresses of a name, or the errno of why there are none. */
export async function lookup(name: string, family: number): Promise<readonly Found[] | number> {
  try {
    const wanted = family === AF_INET ? 4 : family === AF_INET6 ? 6 : 0
    const found = await getaddrinfo(name, { all: true, family: wanted })
    return found.map(({ address, family: version }) => ({
      family: version === 6 ? AF_INET6 : AF_INET,
      host: address,
    }))
  } catch (error) {
    return CODES[(error as NodeJS.ErrnoException).code ?? ""] ?? errno.DNS_EFAIL
  }
}
