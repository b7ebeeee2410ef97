/**
 * One run: a script, or code, in the controller. What a script does to the process it does to this one;
 * there is no other.
 */
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { isGeneratorFunction } from "../../core/loop/operation.js"
import type { Output } from "../cli/output.js"
import { closeAll, Ending, endWithReader } from "./ending.js"
import { Home, settle } from "./home.js"
import type { Code } from "./inline.js"
import { install } from "./modules.js"
import { originOf, rememberOrigins } from "./origin.js"
import type { RunOptions } from "./program.js"
import { Reporter } from "./reporter.js"
import { find, runScript, textOf } from "./script.js"

export interface Plan {
  options: RunOptions
  args: string[]
  /** Made when it is needed, if it is not there. */
  output?: Output
}

/** Runs it. Throws a CommandError when there is nothing to run; the script's own errors end the process. */
export async function run({ options, args, output }: Plan): Promise<void> {
  const code = await codeOf(options, args)
  const script = code === undefined ? await find(await scriptName(args)) : undefined
  const reporter = new Reporter(output)
  const home = makeHome(options.sync, reporter)
  reporter.watch()
  if (options.timeout !== undefined) await limitTime(options.timeout, home, reporter)
  try {
    await install({
      path: script?.real ?? "",
      text: () => code?.source ?? (script === undefined ? "" : textOf(script)),
      inline: code?.inline,
      preloads: options.require.length > 0,
    })
    for (const name of options.require) await import(preloadOf(name))
    // What the first coroutine is called with: what the script finds behind its own name in process.argv.
    const rest = options.eval === undefined ? args.slice(1) : args
    const entry = script === undefined ? await runCode(code as Code, args) : await runScript(script, rest)
    if (isGeneratorFunction(entry)) home.wrap(entry, ...(rest as never[]))
    if (options.sync) home.runToEnd()
  } catch (error) {
    reporter.end(error)
  }
}

/** The controller, and what there is to do for it whatever it runs. */
function makeHome(blocking: boolean, reporter: Reporter): Home {
  let failed = false
  const home = new Home(([, error, , coroutine]) => {
    failed = true
    reporter.thrown(error, originOf(coroutine))
  })
  home.blocking = blocking
  settle(home)
  rememberOrigins()
  endWithReader(home)
  if (!blocking) new Ending(home, (error) => reporter.thrown(error))
  process.on("exit", () => {
    if (failed) process.exitCode ??= 1
  })
  return home
}

async function limitTime(seconds: number, home: Home, reporter: Reporter): Promise<void> {
  const [{ limit }, { CommandError }] = await Promise.all([import("./deadline.js"), import("../cli/exit.js")])
  limit(seconds, () => {
    reporter.output.error(new CommandError(`still running after ${seconds} s (--timeout)`))
    for (const error of closeAll(home)) reporter.thrown(error)
  })
}

/** The code to run when it is in no file. */
async function codeOf(options: RunOptions, args: string[]): Promise<Code | undefined> {
  if (options.eval === undefined && args[0] !== "-") return undefined
  const { Code, readStdin } = await import("./inline.js")
  return options.eval === undefined ? new Code(readStdin(), "[stdin]") : new Code(options.eval, "[eval]")
}

async function scriptName([name]: string[]): Promise<string> {
  if (name !== undefined) return name
  const { UsageError } = await import("../cli/exit.js")
  throw new UsageError("no script is given")
}

async function runCode(code: Code, args: string[]): Promise<unknown> {
  process.argv.splice(1, process.argv.length - 1, ...args)
  const { offerModules } = await import("./inline.js")
  await offerModules()
  return code.run()
}

/** The URL of a module of -r, which is looked for from the working directory. */
function preloadOf(name: string): string {
  if (/^\.{0,2}\//.test(name)) return pathToFileURL(resolve(name)).href
  const found = createRequire(join(process.cwd(), "[require]")).resolve(name)
  return found.startsWith("/") ? pathToFileURL(found).href : found
}
