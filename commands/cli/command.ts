/**
 * A command from its arguments to its exit status: what all of them do around what each of them does. The
 * body is given parsed options; it returns its exit status, or throws what then is one line on stderr.
 */
import { readFileSync } from "node:fs"
import { plain } from "./argv.js"
import { CommandError, statusOf, UsageError } from "./exit.js"
import type { common, Options, Program, Values } from "./options.js"
import { Output, type OutputOptions } from "./output.js"
import { Signals } from "./signals.js"

export interface Session<O extends Options> {
  options: Values<O>
  args: string[]
  output: Output
  signals: Signals
}

/** The exit status; 0 when nothing is returned. */
export type Body<O extends Options> = (session: Session<O>) => Promise<number | undefined>

/** Runs a command on this process's arguments and sets its exit status. */
export async function main<O extends Options & typeof common>(
  program: Program<O>,
  body: Body<O>,
): Promise<void> {
  const given = process.argv.slice(2)
  const asked = plain(program, given).names
  if (asked.has("help") || asked.has("version")) {
    await print(program, asked.has("help"))
    return
  }
  let output = new Output(program.name, { json: asked.has("json") })
  const signals = new Signals()
  try {
    const { parse } = await import("./parse.js")
    const { options, args } = await parse(program, given)
    if (options.completion !== undefined) {
      const { completion } = await import("./completion.js")
      output = new Output(program.name)
      output.write(completion(program, options.completion as "bash"))
    } else {
      output = await new Output(program.name, options as OutputOptions).prepare()
      process.exitCode = (await body({ options, args, output, signals })) ?? 0
    }
  } catch (error) {
    output.error(error instanceof UsageError ? withHint(error, program.name) : error)
    process.exitCode = statusOf(error)
  }
  await finish(output, signals)
}

/** Writes out what is still to be written; dies of the signal that ended the command, if one did. */
async function finish(output: Output, signals: Signals): Promise<void> {
  await output.drain()
  if (output.failure !== undefined) {
    output.error(new CommandError(`stdout: ${(output.failure as Error).message}`))
    process.exitCode = 1
  } else if (output.unread) process.exitCode = 0
  await signals.reraise()
}

function withHint(error: UsageError, name: string): UsageError {
  return new UsageError(`${error.message} (see ${name} --help)`)
}

// Before anything else is loaded, because these have to be quick.
async function print(program: Program, whole: boolean): Promise<void> {
  const output = new Output(program.name)
  if (whole) {
    const { help } = await import("./help.js")
    output.write(help(program, process.stdout.columns))
  } else output.write(`${program.name} ${version()}\n`)
  await output.drain()
}

/** The version of the package that this file belongs to. */
export function version(): string {
  const file = new URL("../../../package.json", import.meta.url)
  return JSON.parse(readFileSync(file, "utf8")).version
}
