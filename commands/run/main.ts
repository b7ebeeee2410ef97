/**
 * cq-run. A command line without options, or with -e alone, is not parsed by yargs, for to load that takes
 * longer than all the rest. The script runs after the command's own frame is gone, because its end is not the
 * end of a call.
 */
import { NONE } from "./none.js"
import type { Plan } from "./run.js"

void start()

async function start(): Promise<void> {
  const plan = await planned(process.argv.slice(2))
  if (plan === undefined) return
  process.exitCode = undefined
  try {
    if (plan.options.eval === undefined && plan.args[0] === "tour") {
      const { tour } = await import("./tour/tour.js")
      process.exitCode = await tour(plan)
    } else {
      const { run } = await import("./run.js")
      await run(plan)
    }
  } catch (error) {
    await complain(error, plan)
  }
}

/** What to run; nothing when the command line was all there was to it. */
async function planned(given: string[]): Promise<Plan | undefined> {
  if (isOperand(given[0])) return { options: NONE, args: given }
  const [first, code, next] = given
  if (first === "-e" && code !== undefined && (next === undefined || isOperand(next)))
    return { options: { ...NONE, eval: code }, args: given.slice(2) }
  const [{ main }, { program }] = await Promise.all([import("../cli/command.js"), import("./program.js")])
  let plan: Plan | undefined
  await main(program, async (session) => {
    plan = session
    return undefined
  })
  return plan
}

function isOperand(arg: string | undefined): boolean {
  return arg !== undefined && (arg === "-" || !arg.startsWith("-"))
}

async function complain(error: unknown, plan: Plan): Promise<void> {
  const [{ Output }, { statusOf, UsageError }] = await Promise.all([
    import("../cli/output.js"),
    import("../cli/exit.js"),
  ])
  const output = plan.output ?? (await new Output("cq-run").prepare())
  const told = error instanceof UsageError ? new UsageError(`${error.message} (see cq-run --help)`) : error
  output.error(told)
  process.exitCode = statusOf(error)
}
