/**
 * How a command fails: the errors that carry an exit status, and the one line on stderr that says what
 * failed, on what, why, and what to do about it where that is known.
 */
import { escapeControls } from "./escape.js"

export const FAILED = 1
export const USAGE = 2

/** An error whose message is for the user as it stands. */
export class CommandError extends Error {
  readonly status: number

  constructor(message: string, status = FAILED) {
    super(message)
    this.status = status
  }
}

/** The command line is wrong. */
export class UsageError extends CommandError {
  constructor(message: string) {
    super(message, USAGE)
  }
}

/** What the system told of an error: of ours and of Node's alike. */
interface Told {
  code: string
  syscall: string
  port?: number
  path?: string
}

function told(error: unknown): Told | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined
  return typeof error.code === "string" ? (error as unknown as Told) : undefined
}

const LOWEST_FREE_PORT = 1024

/** What to do about an error, or undefined. */
function advice({ code, syscall, port, path }: Told): string | undefined {
  switch (code) {
    case "EACCES":
      if (syscall === "listen" && port !== undefined && port > 0 && port < LOWEST_FREE_PORT)
        return `ports below ${LOWEST_FREE_PORT} need privileges`
      return undefined
    case "EADDRINUSE":
      if (syscall !== "listen") return undefined
      return path === undefined
        ? "another program listens there, or did a moment ago"
        : "something has that path already; --unlink removes it first"
    case "EADDRNOTAVAIL":
      return syscall === "listen" ? "no interface of this machine has that address" : undefined
    case "EMFILE":
      return "raise the limit of open files (ulimit -n)"
    default:
      return undefined
  }
}

/** An error in one line, ready for a terminal. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return escapeControls(String(error))
  const known = told(error)
  // Node puts the code first; our own errors have it in parentheses already.
  const message = error.message || error.name
  const also = known === undefined ? undefined : advice(known)
  return escapeControls(also === undefined ? message : `${message}; ${also}`)
}

/** Whether an error says by itself what is wrong; of any other the stack is of use. */
export function isPlain(error: unknown): boolean {
  return error instanceof CommandError || told(error) !== undefined
}

export function statusOf(error: unknown): number {
  return error instanceof CommandError ? error.status : FAILED
}
