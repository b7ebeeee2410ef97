// What is made of the table for people and shells: help, manual page, completion.
import t from "tap"
import { completion } from "../../../commands/cli/completion.js"
import { help } from "../../../commands/cli/help.js"
import { updateManual } from "../../../commands/cli/manual.js"
import { run } from "../../support/child.js"
import { locate } from "../../support/programs.js"
import { tmp } from "../../support/tmp.js"
import { options, program } from "./kit.js"

t.test("help: two examples first, all options with their defaults, exit codes", async (t) => {
  const text = help(program)
  t.match(
    text,
    /^cq-try: tries things\n\nExamples:\n {2}cq-try -l thing {2,}one thing by lines\n.*\n\nUsage:\n/,
  )
  t.match(text, /\n {2}-m, --limit SIZE +at most SIZE \(default 4096\)\n/)
  t.match(text, /\n {6}--color\[=WHEN\] /)
  t.match(text, /\nRarely used:\n {6}--retries N +again N times\n\nCommon options:\n/)
  t.match(text, /\nMore examples:\n {2}cq-try --shape=round /)
  t.match(text, /\nExit status:\n {2}0 +done\n {2}1 +failed\n {2}2 +wrong usage\n$/)
  for (const name of Object.keys(options)) t.ok(text.includes(`--${name}`), name)
  for (const width of [40, 60, 80, 200]) {
    const longest = Math.max(
      ...help(program, width)
        .split("\n")
        .map((line) => line.length),
    )
    t.ok(longest <= Math.max(width, 60), `${longest} columns of ${width}`)
  }
})

t.test("the manual's generated parts replace what is there and nothing else", async (t) => {
  const page = `a\n.\\" options: made of the command's table\nold\n.\\" end\nb\n.\\" exit status: made of the command's table\n.\\" end\nc\n`
  const made = updateManual(page, program)
  t.match(made, /^a\n[\s\S]*\nb\n[\s\S]*\nc\n$/)
  t.notOk(made.includes("old"))
  t.match(made, /\n\.It Fl m , Fl Fl limit Ar SIZE\nAt most SIZE \(default 4096\)\.\n/)
  t.match(made, /\n\.It Fl Fl color Ns Op = Ns Ar WHEN\n/)
  t.equal(updateManual(made, program), made)
  t.throws(() => updateManual("nothing", program), /no place for: options/)
})

t.test("bash completes options, and words where there are some", async (t) => {
  const file = `${tmp(t, { c: completion(program, "bash") })}/c`
  const complete = async (...words: string[]) => {
    const script = `. ${file}; COMP_WORDS=(cq-try "$@"); COMP_CWORD=$#; _cq_try; printf '%s\\n' "\${COMPREPLY[@]}"`
    const made = await run(t, "bash", ["-c", script, "bash", ...words])
    t.equal(made.stderr, "")
    return made.stdout.trim().split(/\s+/)
  }
  t.same(await complete("--li"), ["--line", "--limit"])
  t.same(await complete("--shape", ""), ["round", "square"])
  t.same(await complete("--shape", "ro"), ["round"])
  t.same(await complete("--limit", "-"), [""])
  const all = await complete("-")
  for (const name of Object.keys(options)) t.ok(all.includes(`--${name}`), name)
})

t.test("zsh and fish take their scripts", async (t) => {
  const folder = tmp(t, { zsh: completion(program, "zsh"), fish: completion(program, "fish") })
  for (const shell of ["zsh", "fish"]) {
    const path = locate(shell)
    if (path === undefined) t.pass(shell, { skip: `needs ${shell}` })
    else t.match(await run(t, path, ["-n", `${folder}/${shell}`]), { code: 0, stderr: "" })
  }
  t.match(completion(program, "zsh"), /^#compdef cq-try\n/)
  t.match(
    completion(program, "fish"),
    /\ncomplete -c cq-try -l shape -x -a 'round square' -d 'in that shape'\n/,
  )
})
