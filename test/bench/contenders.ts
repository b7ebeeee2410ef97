/**
 * Who takes part: what each one is called, how it is started, and why it may have to stay away.
 * The settings of every peer are the best that `bench variants` measured, not its defaults.
 */
import { existsSync } from "node:fs"
import { built, compiled, have, LIBRARY, source } from "./machine.js"

export interface Contender {
  name: string
  /** Command words; a function, because the C programs are built on first use. */
  command: () => string[]
  /** Why it can't take part here, if so. */
  absent: () => string | undefined
  /** Differs from its like only where lines are pipelined, and takes part only there. */
  pipelined?: boolean
}

export const OURS = "cqueues.js"
export const BOUND = "raw C epoll"

function needsLua(interpreter: string): string | undefined {
  if (!have(interpreter)) return `${interpreter} is not installed`
}

function needsLibrary(): string | undefined {
  if (!existsSync(LIBRARY))
    return `${LIBRARY} is missing; build it first (npm run build, npm run build:native)`
}

function ours(name: string, ...options: string[]): Contender {
  return {
    name,
    command: () => [process.execPath, "--expose-gc", compiled("servers/echo.js"), ...options],
    absent: needsLibrary,
  }
}

function lua(name: string, interpreter: string, ...options: string[]): Contender {
  return {
    name,
    pipelined: options.includes("merge"),
    command: () => [interpreter, source("peers/echo.lua"), ...options],
    absent: () => needsLua(interpreter),
  }
}

function nodeNet(name: string, ...options: string[]): Contender {
  return {
    name,
    command: () => [process.execPath, "--expose-gc", compiled("peers/net_echo.js"), ...options],
    pipelined: options.includes("lines"),
    absent: () => undefined,
  }
}

/** Lua's server with its automatic flush off and one by hand when no input is left: the best for pipelined lines. */
const MERGED = ["bfA", "merge", "65536"]

const rawC: Contender = {
  name: BOUND,
  command: () => [built("echo_epoll")],
  absent: () => (have("cc") ? undefined : "cc is not installed"),
}

/** The echo servers of the main comparison, in the order of the tables. */
export const SERVERS: Contender[] = [
  rawC,
  ours(OURS, "bl", "read"),
  nodeNet("node:net"),
  nodeNet("node:net, by lines", "lines"),
  lua("LuaJIT cqueues", "luajit", "bl", "read"),
  lua("Lua 5.4 cqueues", "lua5.4", "bl", "read"),
  lua("LuaJIT, hand-flushed", "luajit", ...MERGED),
  lua("Lua 5.4, hand-flushed", "lua5.4", ...MERGED),
]

/** The same servers in all the ways they can be set, to see which is the best one of each. */
export const VARIANTS: Contender[] = [
  rawC,
  ours("ours bl lines.each", "bl", "each"),
  ours("ours bl lines.next", "bl", "next"),
  ours("ours bl read", "bl", "read"),
  ours("ours bl read 64K", "bl", "read", "65536"),
  ours("ours bf read 64K", "bf", "read", "65536"),
  ours("ours bn read", "bn", "read"),
  ours("ours bl bytes", "bl", "bytes"),
  nodeNet("node:net data", "data"),
  nodeNet("node:net pipe", "pipe"),
  nodeNet("node:net lines", "lines"),
  ...(["luajit", "lua5.4"] as const).flatMap((interpreter) =>
    [
      ["bn", "each"],
      ["bn", "read"],
      ["bl", "each"],
      ["bl", "read"],
      ["bf", "each"],
      ["bf", "read"],
      ["bl", "read", "65536"],
      ["bf", "read", "65536"],
      MERGED,
    ].map((options) => lua(`${interpreter} ${options.join(" ")}`, interpreter, ...options)),
  ),
]

/** Who runs the coroutine measurements; each is started with a measure and an amount. */
export const RUNTIMES: Contender[] = [
  {
    name: OURS,
    command: () => [process.execPath, "--expose-gc", compiled("coroutines.js")],
    absent: needsLibrary,
  },
  {
    name: "LuaJIT cqueues",
    command: () => ["luajit", source("peers/coroutines.lua")],
    absent: () => needsLua("luajit"),
  },
  {
    name: "Lua 5.4 cqueues",
    command: () => ["lua5.4", source("peers/coroutines.lua")],
    absent: () => needsLua("lua5.4"),
  },
]
