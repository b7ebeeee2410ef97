/**
 * `cq-run tour`: plays what the library does, step by step, and says of each step whether it did. Every step
 * is a small file beside this one, meant to be read.
 */
import { cqueues } from "../../../core/index.js"
import { UsageError } from "../../cli/exit.js"
import { Output } from "../../cli/output.js"
import { report } from "../report.js"
import type { Plan } from "../run.js"
import { aborting } from "./aborting.js"
import { bytes } from "./bytes.js"
import { conditions } from "./conditions.js"
import { echo } from "./echo.js"
import { halfclose } from "./halfclose.js"
import { nesting } from "./nesting.js"
import { polling } from "./polling.js"
import { promises } from "./promises.js"
import type { Show, Step } from "./step.js"
import { timeouts } from "./timeouts.js"
import { timers } from "./timers.js"
import { waiting } from "./waiting.js"

const STEPS: readonly Step[] = [
  echo,
  nesting,
  conditions,
  timers,
  promises,
  polling,
  waiting,
  bytes,
  halfclose,
  timeouts,
  aborting,
]

const LONGEST_STEP = 5 // seconds; none takes a tenth of one

/** Plays the tour; 0 when each step did what it should. */
export async function tour({ args, options, output: given }: Plan): Promise<number> {
  if (args.length > 1) throw new UsageError("the tour takes no arguments; options stand before its name")
  if (options.require.length > 0 || options.sync || options.timeout !== undefined)
    throw new UsageError("the tour takes no option of a script, only the common ones")
  const output = given ?? (await new Output("cq-run").prepare())
  const good = await playAll(STEPS, output, options.quiet)
  await output.drain()
  return good ? 0 : 1
}

/** Plays steps one after the other; `quiet` shows those that fail and the last line. */
export async function playAll(steps: readonly Step[], output: Output, quiet: boolean): Promise<boolean> {
  const { paint } = output
  let good = 0
  for (const [i, step] of steps.entries()) {
    const kept: string[] = []
    const print: Show = quiet ? (line) => kept.push(line) : (line) => output.result(line)
    print(paint.bold(`${i + 1}. ${step.title}`))
    const start = cqueues.monotime()
    try {
      await play(step, (line) => print(`   ${line}`))
      const milliseconds = ((cqueues.monotime() - start) * 1000).toFixed(1)
      print(`   ${paint.green("✔")} ${paint.dim(`${milliseconds} ms`)}`)
      good++
    } catch (error) {
      for (const line of kept) output.result(line)
      if (output.verbose > 0)
        process.stderr.write(`${report(error, undefined, { paint: output.paintMessage, whole: true })}\n`)
      const message = error instanceof Error ? error.message : String(error)
      output.result(`   ${paint.red("✘")} ${message.trimEnd().replaceAll("\n", "\n     ")}`)
    }
    print("")
  }
  const mark = good === steps.length ? paint.green("✔") : paint.red("✘")
  output.result(`${mark} ${good} of ${steps.length} steps did what they should`)
  return good === steps.length
}

async function play(step: Step, show: Show): Promise<void> {
  const cq = cqueues.new()
  try {
    const running = step.run(show, cq)
    if (running instanceof Promise) return await running
    cq.attach(running)
    for await (const error of cq.errors(LONGEST_STEP)) throw error
    if (!cq.empty()) throw new Error(`still waiting after ${LONGEST_STEP} s`)
  } finally {
    cq.close()
  }
}
