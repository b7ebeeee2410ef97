// A command made up for the tests, and the way to run one from a few lines of source.
import { fileURLToPath } from "node:url"
import { common, count, flag, json, list, type Program, value } from "../../../commands/cli/options.js"
import { duration, integer, oneOf, size, text } from "../../../commands/cli/units.js"
import { type ChildOptions, type Finished, run } from "../../support/child.js"
import type { Owner } from "../../support/owner.js"

export const CLI = fileURLToPath(new URL("../../../commands/cli/", import.meta.url))

export const options = {
  line: flag("by lines", { alias: "l" }),
  loud: count("louder", { alias: "L" }),
  limit: value("SIZE", size, "at most SIZE", { alias: "m", default: 4096 }),
  timeout: value("TIME", duration, "for TIME"),
  require: list("MODULE", text, "load MODULE first", { alias: "r" }),
  retries: value("N", integer(0, 9), "again N times", { group: "Rarely used" }),
  shape: value("SHAPE", oneOf("round", "square"), "in that shape", { words: ["round", "square"] }),
  json,
  ...common,
}

export const program: Program<typeof options> = {
  name: "cq-try",
  summary: "tries things",
  usage: ["[options] [thing…]", "-l"],
  examples: [
    ["cq-try -l thing", "one thing by lines"],
    ["cq-try --limit 64k a b", "more of them"],
    ["cq-try --shape=round", "a third one"],
  ],
  options,
  notes: ["What there is to say besides."],
  exits: [
    ["0", "done"],
    ["1", "failed"],
    ["2", "wrong usage"],
  ],
}

/** Runs `body` as the command `cq-try`; in scope are `options`, `args`, `output`, `signals`. */
export function command(
  t: Owner,
  body: string,
  args: string[] = [],
  more: ChildOptions & { timeout?: number; shell?: string } = {},
): Promise<Finished> {
  const source = `
    import { main } from ${JSON.stringify(`${CLI}command.js`)}
    import { CommandError, UsageError } from ${JSON.stringify(`${CLI}exit.js`)}
    import { common, flag, json } from ${JSON.stringify(`${CLI}options.js`)}
    const program = { name: "cq-try", summary: "tries", usage: [""], examples: [], exits: [],
      options: { line: flag("by lines"), json, ...common } }
    await main(program, async ({ options, args, output, signals }) => { ${body} })`
  const node = [process.execPath, "--input-type=module", "-e", source, "--", "cq-try", ...args]
  if (more.shell === undefined) return run(t, node[0] as string, node.slice(1), more)
  return run(t, "bash", ["-c", more.shell, ...node], more)
}
