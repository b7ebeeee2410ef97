// The manual page tells the options and exit codes that the parser has: generated text that is out of date
// fails here. `CQUEUES_UPDATE=1 npm test test/commands/echo/manual` writes it anew.
import { readFileSync, writeFileSync } from "node:fs"
import t from "tap"
import { updateManual } from "../../../commands/cli/manual.js"
import { program } from "../../../commands/echo/options.js"
import { run } from "../../support/child.js"
import { locate } from "../../support/programs.js"
import { ROOT } from "./kit.js"

const PAGE = `${ROOT}man/cq-echo.1`

t.test("the page has the options of the table", async (t) => {
  const page = readFileSync(PAGE, "utf8")
  const wanted = updateManual(page, program)
  if (process.env.CQUEUES_UPDATE && page !== wanted) writeFileSync(PAGE, wanted)
  else t.equal(page, wanted, "run with CQUEUES_UPDATE=1 to write it anew")
  for (const name of Object.keys(program.options)) t.ok(wanted.includes(`Fl Fl ${name}`), name)
})

t.test("mandoc has no complaint, and shows the options as they are typed", async (t) => {
  const mandoc = locate("mandoc")
  if (mandoc === undefined) {
    t.pass("mandoc", { skip: "needs mandoc (Debian package mandoc)" })
    return
  }
  const lint = await run(t, mandoc, ["-T", "lint", PAGE])
  // Whether other pages are installed is no matter of ours.
  const complaints = lint.stdout
    .split("\n")
    .filter((line) => line && !/referenced manual not found/.test(line))
  t.same(complaints, [])
  const { stdout } = await run(t, mandoc, ["-T", "ascii", "-O", "width=100", PAGE])
  const shown = stdout.replaceAll(new RegExp(`.${String.fromCharCode(8)}`, "g"), "")
  for (const [name, { alias }] of Object.entries(program.options)) {
    t.ok(shown.includes(`${alias === undefined ? "" : `-${alias}, `}--${name}`), `--${name}`)
  }
})
