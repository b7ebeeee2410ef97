// A folder of one's own for a test, removed at its end. The path is kept short because an AF_UNIX address
// holds 107 bytes.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { Owner } from "./owner.js"

/** Makes the folder and, if given, files in it: `tmp(t, { "etc/hosts": "127.0.0.1 x\n" })`. */
export function tmp(t: Owner, files: Record<string, string | Uint8Array> = {}): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "cq-"))
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
  return folder
}
