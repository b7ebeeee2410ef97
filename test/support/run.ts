// `npm test [files…]`: makes what is missing, checks style, runs the test files with tap and ends with the
// line "N passed, N failed". A file is named by its source, its folder or a part of its path. A test file
// whose opening comment says "Runs alone" has the machine to itself.
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { leftovers } from "./leftovers.js"
import { prepareAddon, preparePrograms, prepareTap, problem, TAP } from "./prepare.js"
import { source, Tally } from "./tally.js"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const ALONE = /^\/\/.*\bruns alone\b/im

const options = process.argv.slice(2).filter((arg) => arg.startsWith("--"))
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith("--"))
const tally = new Tally((line) => console.log(line))

process.chdir(root)
for (const option of options)
  if (option !== "--no-lint") tally.fail(option, "no such option; there is --no-lint")
prepare("addon", prepareAddon(root))
prepare("tap", prepareTap(root))
preparePrograms()
if (wanted.length === 0 && !options.includes("--no-lint")) tally.item("style (biome check .)", lint())
await runTests(select(wanted))
for (const [reason, count] of tally.skips) console.log(`skipped ${count}: ${reason}`)
process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0
console.log(tally.summary())

function prepare(name: string, trouble: string | undefined): void {
  if (trouble !== undefined) tally.fail(name, trouble)
}

function lint(): string | undefined {
  const biome = join(root, "node_modules/.bin/biome")
  const trouble = problem(
    "biome",
    spawnSync(biome, ["check", "--reporter=summary", "."], { encoding: "utf8" }),
  )
  return trouble && `${trouble}\nnpm run lint shows where, npm run format repairs most of it`
}

/** The compiled files to run. They are found by their sources: dist/ may still hold tests that are gone. */
function select(names: string[]): string[] {
  const all = readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join("test", name))
    .sort()
  const chosen = new Set(names.length === 0 ? all : [])
  for (const name of names) {
    const path = source(resolve(name).slice(root.length))
    const matches = all.filter((file) => file === path || file.startsWith(path + sep))
    const found = matches.length > 0 ? matches : all.filter((file) => file.includes(name))
    if (found.length === 0) tally.fail(name, "no test file of this name")
    for (const file of found) chosen.add(file)
  }
  const compiled: string[] = []
  for (const file of chosen) {
    const script = join("dist", file.replace(/\.ts$/, ".js"))
    if (existsSync(script)) compiled.push(script)
    else tally.fail(file, "not compiled: run npm run build")
  }
  if (compiled.length === 0) tally.fail("tests", "no test file to run")
  return compiled
}

async function runTests(files: string[]): Promise<void> {
  let left = files
  // When tap has killed a file for its timeout it loses the last file's result: such files are run again.
  for (let round = 0; round < 2 && left.length > 0; round++) {
    const failed = tally.failed
    const status = await tap(left)
    left = left.filter((file) => !tally.reported.has(file))
    if (status !== 0 && tally.failed === failed && left.length === 0)
      tally.fail("tap", `ended with ${status}`)
  }
  for (const file of left) tally.fail(source(file), "no result")
}

async function tap(files: string[]): Promise<number | string> {
  const alone = files.filter((file) => ALONE.test(opening(source(file))))
  const args = [TAP, "run", "--reporter=tap", ...alone.map((file) => `--serial=${file}`), ...files]
  const mark = `${process.pid}-${Date.now()}`
  const child = spawn(process.execPath, args, {
    env: { ...process.env, CQUEUES_TEST_RUN: mark },
    stdio: ["ignore", "pipe", "inherit"],
  })
  const parser = tally.parser()
  child.stdout.pipe(parser)
  const status = await new Promise<number | string>((done) => {
    child.once("error", (error) => done(error.message))
    child.once("close", (code, signal) => done(signal ?? code ?? 0))
  })
  const still = await leftovers(`CQUEUES_TEST_RUN=${mark}`)
  if (still.length > 0) tally.fail("processes left running, now killed", still.join("\n"))
  return status
}

/** The comment lines at the top of a file. */
function opening(file: string): string {
  return /^(\/\/.*\n)*/.exec(readFileSync(file, "utf8"))?.[0] ?? ""
}
