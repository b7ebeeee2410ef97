// What must be there before tests run, made if it is missing: the addon, tap without its TypeScript
// plugin, the programs that tests talk to. Each function gives a problem in words, or undefined.
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { locate, MISSING, PROGRAMS, type Program } from "./programs.js"

const require = createRequire(import.meta.url)

/** tap's command, for `node tap …`. */
export const TAP = join(packageFolder("tap", require), "dist/esm/run.mjs")

/** Builds the addon if it is missing or older than its sources. */
export function prepareAddon(root: string): string | undefined {
  const folder = join(root, "native")
  const gyp = join(folder, "binding.gyp")
  if (!existsSync(gyp)) return undefined
  const sources = readdirSync(folder).filter((name) => /\.(cc|h|gyp)$/.test(name))
  const newest = Math.max(...sources.map((name) => age(join(folder, name))))
  if (age(join(folder, "build/Release/cqueues.node")) >= newest) return undefined
  console.log("building the addon")
  // A build that was configured from the present binding.gyp compiles only what has changed.
  const configured = age(join(folder, "build/Makefile")) >= age(gyp)
  return buildAddon(root, process.execPath, configured ? "build" : "rebuild")
}

/**
 * Builds the addon for a Node. npm's `nodedir` setting reaches node-gyp as a variable that overrides its
 * option, so it is taken out where the Node brings its own headers.
 */
export function buildAddon(root: string, node: string, verb: "build" | "rebuild"): string | undefined {
  const nodeGyp = join(packageFolder("node-gyp", require), "bin/node-gyp.js")
  const args = [nodeGyp, "-C", join(root, "native"), verb, "--jobs=max"]
  const env = { ...process.env }
  const prefix = dirname(dirname(node))
  if (existsSync(join(prefix, "include/node/node.h"))) {
    args.push(`--nodedir=${prefix}`)
    for (const name of Object.keys(env)) if (/^npm_.*nodedir$/i.test(name)) delete env[name]
  }
  return problem("node-gyp", spawnSync(node, args, { cwd: root, env, encoding: "utf8" }))
}

/** Takes the TypeScript plugin out of tap, where `prepare` has not: its first run would fail with it. */
export function prepareTap(root: string): string | undefined {
  const built = join(packageFolder("@tapjs/test", createRequire(TAP)), "test-built/dist/esm/index.js")
  const hasPlugin = () => !existsSync(built) || readFileSync(built, "utf8").includes('"@tapjs/typescript"')
  if (!hasPlugin()) return undefined
  console.log("building tap")
  const result = spawnSync(process.execPath, [TAP, "build"], { cwd: root, encoding: "utf8" })
  return (
    problem("tap build", result) ?? (hasPlugin() ? `tap build changed nothing\n${result.stderr}` : undefined)
  )
}

/** Installs what is missing, where it can, and notes what still is for the tests' helpers to skip. */
export function preparePrograms(): void {
  const names = Object.keys(PROGRAMS) as Program[]
  const absent = () => names.filter((name) => !locate(name))
  const packages = new Set(absent().map((name) => PROGRAMS[name]))
  if (packages.size > 0 && process.getuid?.() === 0 && locate("apt-get")) {
    console.log(`installing ${[...packages].join(" ")}`)
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    const apt = (...args: string[]) =>
      spawnSync("apt-get", ["-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", ...args], {
        env,
        stdio: ["ignore", "ignore", "inherit"],
      })
    apt("-q", "update")
    apt("-qy", "install", "--no-install-recommends", ...packages)
  }
  const left = absent()
  if (left.length === 0) return
  const excluded = process.env[MISSING]?.split(",") ?? []
  process.env[MISSING] = [...new Set([...excluded, ...left])].join(",")
  const wanted = [...new Set(left.map((name) => PROGRAMS[name]))].join(" ")
  console.log(`skipping tests that need ${left.join(", ")}; to run them install ${wanted}`)
}

/** The output of a program that failed, or why it did not run. */
export function problem(
  name: string,
  result: { status: number | null; signal: string | null; stdout: string; stderr: string; error?: Error },
): string | undefined {
  if (result.status === 0) return undefined
  const end = result.error?.message ?? `${name}: ${result.signal ?? `status ${result.status}`}`
  return [result.stdout, result.stderr, end].filter((text) => text?.trim()).join("\n")
}

/** A package's folder; not every package exports its package.json, hence the search upward. */
function packageFolder(name: string, from: NodeJS.Require): string {
  for (const folder of from.resolve.paths(name) ?? []) {
    if (existsSync(join(folder, name, "package.json"))) return join(folder, name)
  }
  throw new Error(`${name} is not installed: run npm install`)
}

/** When a file was last changed; before everything if there is none. */
function age(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY
}
