/** Address families and socket types of this system, by name and, where one name fits, by number. */
import { constant } from "../kernel/binding.js"

export const AF_UNSPEC = constant("AF_UNSPEC")
export const AF_INET = constant("AF_INET")
export const AF_INET6 = constant("AF_INET6")
export const AF_UNIX = constant("AF_UNIX")
export const SOCK_STREAM = constant("SOCK_STREAM")
export const SOCK_DGRAM = constant("SOCK_DGRAM")
export const SOCK_SEQPACKET = constant("SOCK_SEQPACKET")

export const AF: Readonly<Record<number, string>> = {
  [AF_UNSPEC]: "AF_UNSPEC",
  [AF_INET]: "AF_INET",
  [AF_INET6]: "AF_INET6",
  [AF_UNIX]: "AF_UNIX",
}

export const SOCK: Readonly<Record<number, string>> = {
  [SOCK_STREAM]: "SOCK_STREAM",
  [SOCK_DGRAM]: "SOCK_DGRAM",
  [SOCK_SEQPACKET]: "SOCK_SEQPACKET",
}
