// Starts cq-echo as a user would, by its executable, and talks to it with node:net and with other people's
// programs. With --json every line is parsed as it is asked for, so that one that is no JSON fails the test.
import { createCipheriv, createHash } from "node:crypto"
import { delimiter, dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { type Child, type ChildOptions, child, type Wait } from "../../support/child.js"
import type { Owner } from "../../support/owner.js"

export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url))
export const CQ_ECHO = `${ROOT}bin/cq-echo`

// The executable asks env(1) for Node: it is to find the one that runs the tests.
process.env.PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`

export interface Listening {
  event: "listening"
  address: string
  host?: string
  port?: number
  path?: string
}

export interface Close {
  event: "close"
  conn: number
  in: number
  out: number
  seconds: number
  reason: string
  code?: string
}

/** A cq-echo with --json that is ready. */
export class Echo {
  readonly listening: Listening[] = []

  constructor(readonly child: Child) {}

  /** The port of the first address. */
  get port(): number {
    return this.listening[0]?.port ?? 0
  }

  /** The next event of this name on stdout. */
  async event<T = Record<string, unknown>>(name: string, wait?: Wait): Promise<T> {
    const line = await this.child.line(new RegExp(`^\\{"v":1,"event":"${name}".*\\}$`), wait)
    return JSON.parse(line[0]) as T
  }

  close(wait?: Wait): Promise<Close> {
    return this.event<Close>("close", wait)
  }

  /** All that was printed so far. */
  events(): Record<string, unknown>[] {
    return this.child.stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }
}

/** Starts cq-echo --json with these arguments and waits until it listens on all its addresses. */
export async function echo(t: Owner, args: string[] = [], options: ChildOptions = {}): Promise<Echo> {
  const addresses = Math.max(1, args.filter((arg) => /:/.test(arg) && !arg.startsWith("-")).length)
  const echo = new Echo(child(t, CQ_ECHO, ["--json", ...args], options))
  for (let i = 0; i < addresses; i++) echo.listening.push(await echo.event<Listening>("listening"))
  return echo
}

/** The same bytes for the same seed, all values among them, and no two alike. */
export function noise(seed: string | number, size: number): Buffer {
  const key = createHash("md5").update(String(seed)).digest()
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size))
}
