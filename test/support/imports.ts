// Reads the imports of a TypeScript or JavaScript file without a compiler: comments and the insides of
// strings are set aside first, so that an import that is only written about does not count.
export interface Import {
  /** The module's name as written. */
  name: string
  /** The line that it is on, from 1. */
  line: number
  /** Nothing of it is left when it runs. */
  typeOnly: boolean
  /** The imported names, where they are written: `["rootCertificates"]`; `["*"]` for all. */
  names: string[]
}

export interface Scan {
  imports: Import[]
  /** Lines of `import()` whose module is only known when it runs. */
  computed: number[]
  /** The source with comments blanked and strings emptied, of the same length and lines. */
  code: string
  /** The texts of the strings. */
  strings: string[]
}

const CLAUSE = String.raw`(?:[\w$]+\s*,?\s*)?(?:\*\s*(?:as\s+[\w$]+\s*)?|\{[^}]*\}\s*)?`
const STATEMENT = new RegExp(
  String.raw`(?<![\w$.])(?:(?:import|export)\s+(type\s+)?(${CLAUSE})from\s*|import\s*)["']`,
  "g",
)
const CALL = /(?<![\w$.])(import|require)\s*\(\s*(["'`]?)/g

/** Everything about a file's imports. */
export function scan(source: string): Scan {
  const { code, strings } = mask(source)
  const lineAt = (index: number) => source.slice(0, index).split("\n").length
  const result: Scan = {
    imports: [],
    computed: [],
    code,
    strings: strings.map(({ text }) => text),
  }
  const textAt = (index: number) => strings.find(({ at }) => at === index)?.text
  for (const match of code.matchAll(STATEMENT)) {
    const name = textAt(match.index + match[0].length - 1)
    if (name === undefined) continue
    const names = clauseNames(match[2] ?? "")
    const typeOnly =
      match[1] !== undefined || (names.length > 0 && names.every((one) => one.startsWith("type ")))
    result.imports.push({
      name,
      line: lineAt(match.index),
      typeOnly,
      names: names.map((n) => n.replace(/^type /, "")),
    })
  }
  for (const match of code.matchAll(CALL)) {
    const name = match[2] ? textAt(match.index + match[0].length - 1) : undefined
    const line = lineAt(match.index)
    if (name !== undefined)
      result.imports.push({ name, line, typeOnly: isType(code, match.index), names: ["*"] })
    else if (match[1] === "import") result.computed.push(line)
  }
  return result
}

/** The names in `a, { b, type C, d as e }` or `* as f`. */
function clauseNames(clause: string): string[] {
  const names: string[] = []
  for (const part of clause.replace(/[{}]/g, ",").split(",")) {
    const name = part.trim().replace(/\s+as\s+.*$/, "")
    if (name) names.push(name.replace(/\s+/g, " "))
  }
  return names
}

/** Whether an `import("x")` stands where a type does: `typeof import("x")`, `x: import("x").Y`. */
function isType(code: string, index: number): boolean {
  return /(\btypeof|[:<|&]|\bas|\bextends)\s*$/.test(code.slice(0, index))
}

interface Text {
  at: number
  text: string
}

/** The place of a part of a template with substitutions, which is nobody's module name. */
const NOWHERE = -1

/** Blanks comments and empties strings. What `${}` holds in a template is code, and stays. */
function mask(source: string): { code: string; strings: Text[] } {
  const out = source.split("")
  const strings: Text[] = []
  const templates: number[] = []
  let depth = 0
  let i = 0
  const blank = (from: number, to: number) => {
    for (let k = from; k < to; k++) if (out[k] !== "\n") out[k] = " "
  }
  const template = (at: number, start: number): void => {
    let k = start
    while (k < source.length && source[k] !== "`" && !source.startsWith("${", k))
      k += source[k] === "\\" ? 2 : 1
    blank(start, k)
    if (source[k] === "`") {
      strings.push({ at, text: source.slice(start, k) })
      i = k + 1
    } else {
      strings.push({ at: NOWHERE, text: source.slice(start, k) })
      templates.push(depth)
      i = k + 2
    }
  }
  while (i < source.length) {
    const c = source[i] as string
    if (source.startsWith("//", i) || (i === 0 && source.startsWith("#!"))) {
      const end = endOf(source, "\n", i)
      blank(i, end)
      i = end
    } else if (source.startsWith("/*", i)) {
      const end = Math.min(source.length, endOf(source, "*/", i + 2) + 2)
      blank(i, end)
      i = end
    } else if (c === '"' || c === "'") {
      let end = i + 1
      while (end < source.length && source[end] !== c && source[end] !== "\n")
        end += source[end] === "\\" ? 2 : 1
      strings.push({ at: i, text: source.slice(i + 1, end) })
      blank(i + 1, end)
      i = end + 1
    } else if (c === "`") {
      template(i, i + 1)
    } else if (c === "/" && startsRegExp(out.slice(Math.max(0, i - 40), i).join(""))) {
      const end = endOfRegExp(source, i)
      blank(i + 1, end)
      i = end + 1
    } else if (c === "}" && templates.at(-1) === depth) {
      templates.pop()
      template(NOWHERE, i + 1)
    } else {
      if (c === "{") depth++
      if (c === "}") depth--
      i++
    }
  }
  return { code: out.join(""), strings }
}

/** A slash begins a regular expression where a value cannot have ended before it. */
function startsRegExp(before: string): boolean {
  return /(^|[=(,:;!&|?{}[+\-*%~^<>]|\b(return|typeof|case|in|of|yield|await|void|do|else))\s*$/.test(before)
}

function endOfRegExp(source: string, start: number): number {
  let inClass = false
  for (let k = start + 1; k < source.length && source[k] !== "\n"; k++) {
    if (source[k] === "\\") k++
    else if (source[k] === "[") inClass = true
    else if (source[k] === "]") inClass = false
    else if (source[k] === "/" && !inClass) return k
  }
  return start + 1
}

function endOf(source: string, mark: string, from: number): number {
  const found = source.indexOf(mark, from)
  return found < 0 ? source.length : found
}
