/**
 * The table of a command's options: the one source of its parser, its help, its manual page and its
 * completion. The types of the parsed values follow from the table too.
 */
import { oneOf, type Reader } from "./units.js"

/** One option; T is the type of its value after parsing. */
export interface Option<T = unknown> {
  /** What it does, as the rest of a sentence that begins with the option. */
  describe: string
  /** A single letter. */
  alias?: string
  /** The name of its value in the help; an option without one is a flag. */
  value?: string
  read?: Reader<unknown>
  /** What it is when it is not given. */
  default: T
  /** The default as the help tells it. */
  shown?: string
  /** The value of the option without one; then a value has to follow an equals sign. */
  implied?: string
  /** The value that `--no-NAME` stands for. */
  negated?: string
  /** Words that completion offers. */
  words?: readonly string[]
  /** Completion offers files. */
  files?: boolean
  /** May be given several times: a flag counts, values make a list. */
  many?: boolean
  /** The heading that it stands under. */
  group?: string
}

export type Options = Readonly<Record<string, Option>>

/** The parsed options of a table. */
export type Values<O extends Options> = {
  -readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never
}

/** Everything about a command that its user has to know. */
export interface Program<O extends Options = Options> {
  name: string
  /** In one line, without the name. */
  summary: string
  /** What may follow the name. */
  usage: readonly string[]
  /** The first two stand at the top of the help. */
  examples: readonly (readonly [command: string, what: string])[]
  options: O
  /** Paragraphs of the help on what is no option. */
  notes?: readonly string[]
  exits: readonly (readonly [status: string, meaning: string])[]
  /** Options end at the first argument that is none: what follows is somebody else's. */
  halts?: boolean
  /** Completion of the arguments offers files. */
  files?: boolean
}

type Extra = Partial<Pick<Option, "alias" | "group" | "shown" | "words" | "files" | "implied" | "negated">>

/** An option without a value. */
export function flag(describe: string, extra: Extra = {}): Option<boolean> {
  return { describe, default: false, ...extra }
}

/** A flag that counts how often it is given. */
export function count(describe: string, extra: Extra = {}): Option<number> {
  return { describe, default: 0, many: true, ...extra }
}

/** An option with a value; the last one given holds. */
export function value<T>(
  name: string,
  read: Reader<T>,
  describe: string,
  extra?: Extra,
): Option<T | undefined>
export function value<T>(
  name: string,
  read: Reader<T>,
  describe: string,
  extra: Extra & { default: T },
): Option<T>
export function value<T>(
  name: string,
  read: Reader<T>,
  describe: string,
  extra: Extra & { default?: T } = {},
): Option<T | undefined> {
  return { describe, value: name, read, default: undefined, ...extra }
}

/** An option with a value that may be given several times. */
export function list<T>(name: string, read: Reader<T>, describe: string, extra: Extra = {}): Option<T[]> {
  return { describe, value: name, read, default: [], many: true, ...extra }
}

const WHEN = ["auto", "always", "never"] as const
const SHELLS = ["bash", "zsh", "fish"] as const

/** The options that every command has. */
export const common = {
  quiet: flag("print nothing on stderr but errors", { alias: "q", group: "Common options" }),
  verbose: count("print more on stderr; twice for still more", { alias: "v", group: "Common options" }),
  color: value("WHEN", oneOf(...WHEN), "colour the output: auto, always or never", {
    default: "auto",
    implied: "always",
    negated: "never",
    words: WHEN,
    group: "Common options",
  }),
  completion: value("SHELL", oneOf(...SHELLS), "print a completion script for bash, zsh or fish", {
    words: SHELLS,
    group: "Common options",
  }),
  help: flag("print this help", { alias: "h", group: "Common options" }),
  version: flag("print the version", { alias: "V", group: "Common options" }),
} satisfies Options

/** For commands that print results. */
export const json = flag("print one JSON object a line instead of text", { group: "Common options" })

/** A command's own options, then the common ones: the order of the help. */
export function optionsOf(program: Program): [name: string, option: Option][] {
  return Object.entries(program.options)
}
