// The command line: every way to write an option that getopt_long(3) has, exact values, and mistakes that
// say what was meant.
import t from "tap"
import { nearestOf } from "../../../commands/cli/argv.js"
import { UsageError } from "../../../commands/cli/exit.js"
import { parse } from "../../../commands/cli/parse.js"
import { duration, integer, size, sizeWithin } from "../../../commands/cli/units.js"
import { program } from "./kit.js"

const defaults = (await parse(program, [])).options

/** What differs from the defaults, and the arguments. */
async function changed(...given: string[]): Promise<unknown[]> {
  const { options, args } = await parse(program, given)
  const differing = Object.entries(options).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults[name as keyof typeof defaults]),
  )
  return [Object.fromEntries(differing), ...args]
}

t.test("options in all spellings", async (t) => {
  t.match(defaults, { line: false, loud: 0, limit: 4096, timeout: undefined, require: [], color: "auto" })
  const same: [given: string[], wanted: unknown[]][] = [
    [
      ["-l", "a", "--json", "b"],
      [{ line: true, json: true }, "a", "b"],
    ],
    [["-lLL", "--loud"], [{ line: true, loud: 3 }]],
    [["-m64k"], [{ limit: 65536 }]],
    [
      ["-lm", "64k", "x"],
      [{ line: true, limit: 65536 }, "x"],
    ],
    [["--limit=1", "--limit", "2M"], [{ limit: 2 ** 21 }]],
    [
      ["-r", "a", "b", "-rc", "--require=d=e", "--require", "--json"],
      [{ require: ["a", "c", "d=e", "--json"] }, "b"],
    ],
    [["--timeout", "1.5m"], [{ timeout: 90 }]],
    [["--retries", "0"], [{ retries: 0 }]],
    [
      ["--", "-l", "--nonsense", "--"],
      [{}, "-l", "--nonsense", "--"],
    ],
    [
      ["-", "007", "1e3", "true", ""],
      [{}, "-", "007", "1e3", "true", ""],
    ],
    [
      ["--json", "true", "-l", "false"],
      [{ json: true, line: true }, "true", "false"],
    ],
    [
      ["--color", "always"],
      [{ color: "always" }, "always"],
    ],
    [["--color=never"], [{ color: "never" }]],
    [["--no-color"], [{ color: "never" }]],
    [["-qvv"], [{ quiet: true, verbose: 2 }]],
    [
      ["--require", 'say "yes"', "-r", '"quoted"', "-r", "two\nlines", "-r", ""],
      [{ require: ['say "yes"', '"quoted"', "two\nlines", ""] }],
    ],
    [
      ["__proto__", "--require=constructor"],
      [{ require: ["constructor"] }, "__proto__"],
    ],
  ]
  for (const [given, wanted] of same) t.strictSame(await changed(...given), wanted, given.join(" "))
})

t.test("a command that ends its options at the first argument", async (t) => {
  const halting = { ...program, halts: true }
  const { options, args } = await parse(halting, ["-l", "script", "-L", "--wrong", "--", "x"])
  t.match(options, { line: true, loud: 0 })
  t.strictSame(args, ["script", "-L", "--wrong", "--", "x"])
  t.strictSame((await parse(halting, ["-r", "m", "--", "-l"])).args, ["-l"])
})

t.test("mistakes", async (t) => {
  const mistakes: [given: string[], why: string][] = [
    [["--tiemout", "1"], "unknown option --tiemout; did you mean --timeout?"],
    [["--line-by-line"], "unknown option --line-by-line"],
    [["--LINE"], "unknown option --LINE"],
    [["--requir=x"], "unknown option --requir; did you mean --require?"],
    [["--verb"], "unknown option --verb; did you mean --verbose?"],
    [["--no-line"], "unknown option --no-line"],
    [["--constructor"], "unknown option --constructor"],
    [["--__proto__=1"], "unknown option --__proto__"],
    [["-lz"], "unknown option -z"],
    [["-1"], "unknown option -1"],
    [["--line=no"], "--line takes no value"],
    [["--limit"], "--limit needs a value (SIZE)"],
    [["-m"], "-m needs a value (SIZE)"],
    [["--limit="], '--limit: not a size: ""; write 512, 64k or 1M'],
    [["--timeout", "-1s"], '--timeout: not a duration: "-1s"; write 500ms, 2s or 1m'],
    [["--retries", "10"], '--retries: "10" is out of range: 0 to 9'],
    [["--retries", "1.5"], '--retries: not a whole number: "1.5"'],
    [["--shape", "oval"], '--shape: not one of round, square: "oval"'],
    [["--color=sometimes"], '--color: not one of auto, always, never: "sometimes"'],
  ]
  for (const [given, message] of mistakes)
    await t.rejects(parse(program, given), new UsageError(message), given.join(" "))
})

t.test("units", async (t) => {
  t.same(
    ["500ms", "2s", "2", "1m", "1.5h", "1d", ".5s", "0"].map(duration),
    [0.5, 2, 2, 60, 5400, 86400, 0.5, 0],
  )
  for (const wrong of ["", "s", "1 s", "1w", "-1", "1e3", "1.", "Infinity"])
    t.throws(() => duration(wrong), RangeError, wrong)
  t.same(["0", "512", "64k", "1K", "1M", "2g", "1.5k"].map(size), [
    0,
    512,
    65536,
    1024,
    2 ** 20,
    2 ** 31,
    1536,
  ])
  for (const wrong of ["", "k", "1kb", "-1", "0x10", "1.0001k", "9007199254740993"])
    t.throws(() => size(wrong), RangeError, wrong)
  t.throws(() => sizeWithin(1, 10)("11"), /"11" is out of range: 1 to 10 bytes/)
  t.equal(integer(-5)("-3"), -3)
  t.throws(() => integer(0)("99999999999999999999"), RangeError)
})

t.test("the nearest word", async (t) => {
  const words = ["timeout", "line", "max-conns", "mode", "mask"]
  t.equal(nearestOf("tiemout", words), "timeout")
  t.equal(nearestOf("max-cons", words), "max-conns")
  t.equal(nearestOf("max", words), "max-conns")
  t.equal(nearestOf("lnie", words), "line")
  t.equal(nearestOf("moed", words), "mode")
  t.equal(nearestOf("nothing", words), undefined)
})
