// `node dist/test/kernel/sanitize.js [files…]`: the tests with the addon built with the address and undefined
// behaviour sanitizers, in a copy of the project. A report ends the process it is about, and fails its test.
import { spawnSync } from "node:child_process"
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { environment } from "../support/plain.js"
import { buildAddon } from "../support/prepare.js"

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
const FILES = ["test/kernel/", "test/loop/", "test/regress/", "test/socket/"]
const FLAGS = [
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=undefined",
  "-fno-omit-frame-pointer",
  "-g",
]

const root = fileURLToPath(new URL("../../..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "cq-sanitize-"))
try {
  process.exitCode = main()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function main(): number {
  const libraries = ["libasan.so", "libubsan.so"].map((name) => library(name))
  for (const name of COPIED) {
    if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name), { recursive: true })
  }
  rmSync(join(folder, "native/build"), { recursive: true, force: true })
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
  instrument(join(folder, "native/binding.gyp"))
  const trouble = buildAddon(folder, process.execPath, "rebuild")
  if (trouble !== undefined) {
    console.log(trouble)
    return 1
  }
  const files = process.argv.slice(2)
  const args = ["dist/test/support/run.js", "--no-lint", ...(files.length > 0 ? files : FILES)]
  const run = spawnSync(process.execPath, args, {
    cwd: folder,
    env: environment({
      LD_PRELOAD: libraries.join(" "),
      // Node itself leaves memory to the end of the process.
      ASAN_OPTIONS: "detect_leaks=0:exitcode=99",
      UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
    }),
    stdio: ["ignore", "inherit", "inherit"],
  })
  return run.status ?? 1
}

/** Where the compiler keeps a sanitizer's library. */
function library(name: string): string {
  const { stdout } = spawnSync("gcc", [`-print-file-name=${name}`], { encoding: "utf8" })
  const path = stdout?.trim()
  if (!path || !existsSync(path)) throw new Error(`${name} is not installed: it comes with gcc (libgcc-dev)`)
  return path
}

function instrument(gyp: string): void {
  copyFileSync(gyp, `${gyp}.plain`)
  const quoted = FLAGS.map((flag) => JSON.stringify(flag)).join(", ")
  const text = readFileSync(gyp, "utf8")
    .replace('"-O2"', `"-O1", ${quoted}`)
    .replace('"ldflags": [', `"ldflags": [${JSON.stringify(FLAGS[0])}, `)
  if (!text.includes(quoted) || !/"ldflags": \["-fsanitize/.test(text))
    throw new Error("binding.gyp has changed")
  writeFileSync(gyp, text)
}
