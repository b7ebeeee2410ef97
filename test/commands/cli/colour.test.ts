// Colour is decided in one order, for each stream by itself; and what a terminal must not act upon is
// written out.
import t from "tap"
import { colourLevel, painter, type When } from "../../../commands/cli/colour.js"
import { escapeControls, jsonLine } from "../../../commands/cli/escape.js"

t.test("--color, then NO_COLOR, FORCE_COLOR, TERM=dumb, then whether it is a terminal", async (t) => {
  const xterm = { TERM: "xterm-256color" }
  const cases: [when: When, terminal: boolean, env: Record<string, string>, level: number][] = [
    ["auto", true, xterm, 2],
    ["auto", false, xterm, 0],
    ["auto", true, { TERM: "dumb" }, 0],
    ["auto", true, { TERM: "xterm", COLORTERM: "truecolor" }, 3],
    ["auto", true, { ...xterm, NO_COLOR: "1" }, 0],
    ["auto", true, { ...xterm, NO_COLOR: "" }, 2],
    ["auto", false, { ...xterm, FORCE_COLOR: "" }, 2],
    ["auto", false, { ...xterm, FORCE_COLOR: "1" }, 1],
    ["auto", false, { ...xterm, FORCE_COLOR: "3" }, 3],
    ["auto", true, { ...xterm, FORCE_COLOR: "0" }, 0],
    ["auto", true, { ...xterm, FORCE_COLOR: "false" }, 0],
    ["auto", false, { FORCE_COLOR: "true", TERM: "dumb" }, 1],
    ["auto", true, { ...xterm, NO_COLOR: "1", FORCE_COLOR: "3" }, 0],
    ["always", false, { ...xterm, NO_COLOR: "1" }, 2],
    ["always", false, { TERM: "dumb" }, 1],
    ["never", true, { ...xterm, FORCE_COLOR: "3" }, 0],
  ]
  for (const [when, terminal, env, level] of cases)
    t.equal(colourLevel(when, terminal, env), level, `${when} ${terminal} ${JSON.stringify(env)}`)
})

t.test("a painter paints at its own level, whatever this process's streams are", async (t) => {
  t.equal((await painter(0)).red("x"), "x")
  t.equal((await painter(1)).red("x"), "\u001b[31mx\u001b[39m")
})

t.test("control characters, lone bytes and bidirectional marks are written out", async (t) => {
  t.equal(escapeControls("plain äöü 漢字 😀"), "plain äöü 漢字 😀")
  t.equal(escapeControls("\x1b[2J\n\r\t\0\x7f\x9b"), "\\x1b[2J\\n\\r\\t\\x00\\x7f\\x9b")
  t.equal(escapeControls("a\udcffb\udc80"), "a\\xffb\\x80")
  t.equal(escapeControls("\ud800 \u202e \u2066 \ufeff"), "\\ud800 \\u202e \\u2066 \\ufeff")
})

t.test("a line of JSON is one line, harmless, and means the same", async (t) => {
  const value = { text: "\x1b[2J\n\u2028\u202e\udcff\x9b😀\\u0041", list: [1, null] }
  const line = jsonLine(value)
  t.match(line, /^[ -~😀]*$/u)
  t.strictSame(JSON.parse(line), value)
})
