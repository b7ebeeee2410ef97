/**
 * The command line against the table of options, by yargs. It is loaded when there is something to parse:
 * it takes longer to load than all the rest, and `--version` needs none of it.
 */
import { type Plain, plain } from "./argv.js"
import { UsageError } from "./exit.js"
import type { Option, Options, Program, Values } from "./options.js"

export interface Parsed<O extends Options> {
  options: Values<O>
  args: string[]
}

const PARSER = {
  "boolean-negation": false,
  "camel-case-expansion": false,
  "dot-notation": false,
  "greedy-arrays": false,
  "parse-numbers": false,
  "parse-positional-numbers": false,
  "short-option-groups": true,
}

/** The values of the options and the arguments; throws a UsageError. */
export async function parse<O extends Options>(
  program: Program<O>,
  given: readonly string[],
): Promise<Parsed<O>> {
  const form = plain(program, given)
  const found = await byYargs(program, form)
  const options: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(program.options)) {
    options[name] = finalValue(name, option, found[name], form.values)
  }
  return { options: options as Values<O>, args: (found._ as unknown[]).map(String) }
}

async function byYargs(program: Program, { argv, trouble }: Plain): Promise<Record<string, unknown>> {
  if (argv[0] === "--") return { _: argv.slice(1) } // no option at all
  const { default: yargs } = await import("yargs")
  const parser = yargs()
    .scriptName(program.name)
    .locale("en")
    .parserConfiguration(PARSER)
    .help(false)
    .version(false)
    .exitProcess(false)
    .showHelpOnFail(false)
    .strict()
    .fail((message, error) => {
      throw error ?? new UsageError(trouble ?? message)
    })
  for (const [name, option] of Object.entries(program.options)) parser.option(name, kindOf(option))
  const found = await parser.parseAsync(argv)
  if (trouble !== undefined) throw new UsageError(trouble)
  return found
}

function kindOf({ alias, value, many = false }: Option): Record<string, unknown> {
  const letter = alias === undefined ? {} : { alias }
  if (value === undefined) return many ? { ...letter, count: true } : { ...letter, boolean: true }
  return { ...letter, string: true, array: many }
}

function finalValue(name: string, option: Option, found: unknown, values: readonly string[]): unknown {
  if (option.value === undefined) return found ?? option.default
  if (found === undefined) return option.default
  const read = (place: unknown) => {
    try {
      return option.read?.(values[Number(place)] ?? "")
    } catch (error) {
      if (error instanceof RangeError || error instanceof TypeError)
        throw new UsageError(`--${name}: ${error.message}`)
      throw error
    }
  }
  const given = Array.isArray(found) ? found : [found]
  return option.many ? given.map(read) : read(given.at(-1))
}
