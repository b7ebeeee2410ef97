// Checks a project's sources against the rules of its architecture. The rules are data, and so are the
// sources (path to text), which is how the checker itself is tested.
import { posix } from "node:path"
import { type Import, type Scan, scan } from "./imports.js"

export interface Rules {
  /**
   * Lowest first. A file belongs to the floor that has the longest prefix of its path. It may import from
   * its own floor and from lower ones, types included.
   */
  floors: { name: string; holds: string[] }[]
  /** Folders in these import nothing from each other; `shared` are the exceptions. */
  apart: { within: string; shared: string[] }[]
  /** Modules that only the files named may import. */
  reserved: { module: string; only: string[] }[]
  /** The only files that may load the addon. */
  addon: string[]
  /** Modules of Node's that are not used, save in the files named, and there only the names given. */
  banned: { module: string; except?: { file: string; names?: string[] }[] }[]
  /** Names of modules of Node's that are not used. */
  bannedNames: { module: string; names: string[] }[]
  /** Packages that a file may import, by the longest prefix of its path. */
  packages: { for: string; allow: string[] }[]
  /** Files that may import what is only known when it runs. */
  computed: string[]
  maxLines: number
  /** Files of which the greater part is a table. */
  tables: string[]
}

export type Sources = Map<string, string>

interface Edge extends Import {
  from: string
  /** A path of the project, or undefined if the module is not of the project. */
  to: string | undefined
}

/** For every rule what breaks it, as lines "file:line …". */
export function check(sources: Sources, rules: Rules): Record<string, string[]> {
  const code = [...sources.keys()].filter((path) => !path.startsWith("native/"))
  const scans = new Map(code.map((path) => [path, scan(sources.get(path) ?? "")]))
  const edges = code.flatMap((path) => edgesOf(path, scans.get(path) as Scan))
  const inside = edges.filter((edge) => edge.to !== undefined)
  const level = (path: string) => floor(path, rules)
  return {
    "every file has a floor": code.filter((path) => level(path) < 0),
    "imports go down only": inside
      .filter((edge) => level(edge.from) >= 0 && level(edge.to as string) > level(edge.from))
      .map(
        (edge) =>
          `${show(edge)}: ${floorName(edge.from, rules)} is below ${floorName(edge.to as string, rules)}`,
      ),
    "files import each other in no circle": circles(inside),
    "these folders stand apart": inside.filter((edge) => !mayMeet(edge, rules)).map(show),
    "reserved modules": inside
      .filter((edge) =>
        rules.reserved.some(({ module, only }) => edge.to === module && !startsWith(edge.from, only)),
      )
      .map(show),
    "only the kernel loads the addon": code.filter(
      (path) => !startsWith(path, rules.addon) && loadsAddon(scans.get(path) as Scan),
    ),
    "no networking of Node's": edges.filter((edge) => isBanned(edge, rules)).map(show),
    "no watching of Node's": [
      ...edges.filter((edge) => hasBannedName(edge, rules)).map(show),
      ...code.filter((path) => /\bfs\w*\s*\.\s*watch(File)?\b/.test(scans.get(path)?.code ?? "")),
    ],
    "packages are those that ship": edges.filter((edge) => !isAllowedPackage(edge, rules)).map(show),
    "imports are written out": code
      .filter((path) => !startsWith(path, rules.computed))
      .flatMap((path) => (scans.get(path)?.computed ?? []).map((line) => `${path}:${line}`)),
    "files are short": [...sources]
      .map(([path, text]) => ({ path, lines: text.split("\n").length - 1 }))
      .filter(({ path, lines }) => lines > rules.maxLines && !rules.tables.includes(path))
      .map(({ path, lines }) => `${path}: ${lines} lines, more than ${rules.maxLines}`),
    "every file says what it is for": [...sources]
      .filter(([, text]) => !/^(#!.*\n)?\s*(\/\/|\/\*)/.test(text))
      .map(([path]) => path),
  }
}

function edgesOf(from: string, { imports }: Scan): Edge[] {
  return imports.map((one) => ({ ...one, from, to: target(from, one.name) }))
}

/** The source of a relative import: "./a.js" in core/b.ts is core/a.ts; bin/ imports what is in dist/. */
function target(from: string, name: string): string | undefined {
  if (!name.startsWith(".")) return undefined
  const path = posix.join(posix.dirname(from), name).replace(/^dist\//, "")
  return path.replace(/\.js$/, ".ts")
}

function floor(path: string, { floors }: Rules): number {
  return longest(
    path,
    floors.map(({ holds }) => holds),
  )
}

function floorName(path: string, rules: Rules): string {
  return rules.floors[floor(path, rules)]?.name ?? "no floor"
}

/** The index of the list that has the longest prefix of the path; -1 if none has any. */
function longest(path: string, lists: string[][]): number {
  let best = -1
  let length = -1
  lists.forEach((prefixes, index) => {
    for (const prefix of prefixes) {
      if (path.startsWith(prefix) && prefix.length > length) {
        best = index
        length = prefix.length
      }
    }
  })
  return best
}

/** A circle counts if it is there when the program runs, or if types make it and it joins two folders. */
function circles(edges: Edge[]): string[] {
  const across = (path: string[]) => new Set(path.map((file) => posix.dirname(file))).size > 1
  const live = findCircles(edges.filter((edge) => !edge.typeOnly))
  const typed = findCircles(edges).filter(across)
  return [...new Set([...live, ...typed].map((path) => path.join(" -> ")))]
}

/** One circle for every set of files that reach each other, a shortest one. */
function findCircles(edges: Edge[]): string[][] {
  const next = new Map<string, string[]>()
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to as string])
  const seen = new Set<string>()
  const found: string[][] = []
  for (const start of [...next.keys()].sort()) {
    if (seen.has(start)) continue
    const circle = shortestCircle(start, next)
    if (!circle) continue
    for (const file of circle) seen.add(file)
    found.push(circle)
  }
  return found
}

function shortestCircle(start: string, next: Map<string, string[]>): string[] | undefined {
  const queue: string[][] = [[start]]
  const reached = new Set<string>()
  for (const path of queue) {
    for (const file of next.get(path.at(-1) as string) ?? []) {
      if (file === start) return [...path, start]
      if (reached.has(file)) continue
      reached.add(file)
      queue.push([...path, file])
    }
  }
  return undefined
}

function mayMeet({ from, to = "" }: Edge, { apart }: Rules): boolean {
  return apart.every(({ within, shared }) => {
    const folder = (path: string) => path.slice(within.length).split("/")[0]
    if (!from.startsWith(within) || !to.startsWith(within)) return true
    return folder(from) === folder(to) || startsWith(to, shared)
  })
}

function loadsAddon({ code, strings }: Scan): boolean {
  return (
    /\bprocess\s*\.\s*dlopen\b/.test(code) || strings.some((text) => /\.node$|\bnative\/build\b/.test(text))
  )
}

const builtin = (name: string) => name.replace(/^node:/, "")

function isBanned({ name, names, from }: Edge, { banned }: Rules): boolean {
  const rule = banned.find(({ module }) => module === builtin(name) || builtin(name).startsWith(`${module}/`))
  if (!rule) return false
  const exception = rule.except?.find(({ file }) => from.startsWith(file))
  if (!exception) return true
  return exception.names !== undefined && !names.every((one) => exception.names?.includes(one))
}

function hasBannedName({ name, names }: Edge, { bannedNames }: Rules): boolean {
  return bannedNames.some(
    (rule) => rule.module === builtin(name) && names.some((one) => rule.names.includes(one)),
  )
}

function isAllowedPackage({ name, from }: Edge, { packages }: Rules): boolean {
  if (name.startsWith(".") || name.startsWith("node:")) return true
  const rule =
    packages[
      longest(
        from,
        packages.map((one) => [one.for]),
      )
    ]
  return !!rule?.allow.some((allowed) => name === allowed || name.startsWith(`${allowed}/`))
}

const startsWith = (path: string, prefixes: string[]) => prefixes.some((prefix) => path.startsWith(prefix))

function show({ from, line, name, typeOnly }: Edge): string {
  return `${from}:${line} imports ${typeOnly ? "types of " : ""}${name}`
}
