/**
 * Whether a stream gets colour, and the styles for it. `--color`, then NO_COLOR, FORCE_COLOR, TERM=dumb,
 * then whether that very stream is a terminal. chalk decides for the whole process and does not know
 * NO_COLOR, so each stream has a Chalk of its own, at the level that is decided here.
 */
import { WriteStream } from "node:tty"

export type When = "auto" | "always" | "never"
export type Level = 0 | 1 | 2 | 3
export type Environment = Readonly<Record<string, string | undefined>>

const STYLES = ["bold", "dim", "red", "green", "yellow", "blue", "magenta", "cyan"] as const

export type Style = (text: string) => string
export type Painter = Readonly<Record<(typeof STYLES)[number], Style>>

const asItIs: Style = (text) => text

/** The painter of a stream without colour. */
export const PLAIN = Object.fromEntries(STYLES.map((name) => [name, asItIs])) as Painter

/** How much colour: none, 16, 256 or 16 million. */
export function colourLevel(when: When, terminal: boolean, env: Environment): Level {
  if (when === "never") return 0
  if (when === "always") return atLeastOne(levelOf(env))
  if (env.NO_COLOR) return 0
  const forced = env.FORCE_COLOR
  if (forced !== undefined) return forcedLevel(forced, env)
  return terminal && env.TERM !== "dumb" ? levelOf(env) : 0
}

function forcedLevel(forced: string, env: Environment): Level {
  if (forced === "0" || forced === "false") return 0
  if (forced === "1" || forced === "2" || forced === "3") return Number(forced) as Level
  return atLeastOne(levelOf(env))
}

function atLeastOne(level: Level): Level {
  return level === 0 ? 1 : level
}

/** What the terminal that the environment names can show. */
function levelOf({
  NO_COLOR: _no,
  FORCE_COLOR: _force,
  NODE_DISABLE_COLORS: _node,
  ...env
}: Environment): Level {
  const depth = WriteStream.prototype.getColorDepth(env)
  return depth >= 24 ? 3 : depth >= 8 ? 2 : depth >= 4 ? 1 : 0
}

/** The styles of a level; chalk is loaded when there is something to paint. */
export async function painter(level: Level): Promise<Painter> {
  if (level === 0) return PLAIN
  const { Chalk } = await import("chalk")
  return new Chalk({ level })
}
