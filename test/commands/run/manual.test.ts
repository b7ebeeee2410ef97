// The table of options and what repeats it: the manual page, where generated text that is out of date fails
// here, and the defaults. `CQUEUES_UPDATE=1 npm test test/commands/run/manual` writes it anew.
import { readFileSync, writeFileSync } from "node:fs"
import t from "tap"
import { updateManual } from "../../../commands/cli/manual.js"
import { NONE } from "../../../commands/run/none.js"
import { program } from "../../../commands/run/program.js"
import { run } from "../../support/child.js"
import { locate } from "../../support/programs.js"
import { ROOT } from "./kit.js"

const PAGE = `${ROOT}man/cq-run.1`

t.test("the page has the options of the table", async (t) => {
  const page = readFileSync(PAGE, "utf8")
  const wanted = updateManual(page, program)
  if (process.env.CQUEUES_UPDATE && page !== wanted) writeFileSync(PAGE, wanted)
  else t.equal(page, wanted, "run with CQUEUES_UPDATE=1 to write it anew")
  for (const name of Object.keys(program.options)) t.ok(wanted.includes(`Fl Fl ${name}`), name)
})

t.test("what is known without the table is what the table says", async (t) => {
  const defaults = Object.entries(program.options).map(([name, option]) => [name, option.default])
  t.strictSame(NONE, Object.fromEntries(defaults))
})

t.test("mandoc has no complaint", async (t) => {
  const mandoc = locate("mandoc")
  if (mandoc === undefined) {
    t.pass("mandoc", { skip: "needs mandoc (Debian package mandoc)" })
    return
  }
  const { stdout } = await run(t, mandoc, ["-T", "lint", PAGE])
  // Whether other pages are installed is no matter of ours.
  t.same(
    stdout.split("\n").filter((line) => line && !/referenced manual not found/.test(line)),
    [],
  )
})
