// The architecture as rules, checked against every import of the sources: a kernel floor that only makes
// system calls, a library that decides, commands that only use the library. A rule is changed here, in its
// table, and nowhere else; a new file that fits no floor is given one here.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import t from "tap"
import { check, type Rules, type Sources } from "./support/layers.js"

const RULES: Rules = {
  floors: [
    { name: "native", holds: ["native/"] },
    { name: "kernel", holds: ["core/kernel/", "core/errno.ts"] },
    { name: "loop", holds: ["core/loop/"] },
    {
      name: "coroutine tools",
      holds: [
        "core/auxlib",
        "core/condition",
        "core/cqueues",
        "core/fileresult",
        "core/interpose",
        "core/promise",
      ],
    },
    { name: "DNS bytes", holds: ["core/dns/wire/"] },
    { name: "sockets", holds: ["core/socket", "core/tls"] },
    { name: "DNS", holds: ["core/dns"] },
    { name: "signals, threads, files", holds: ["core/signal", "core/thread", "core/notify"] },
    { name: "index", holds: ["core/index.ts"] },
    { name: "command line", holds: ["commands/cli/"] },
    { name: "commands", holds: ["commands/"] },
    { name: "executables", holds: ["bin/"] },
  ],
  // A command knows no other command.
  apart: [{ within: "commands/", shared: ["commands/cli/"] }],
  // The table of contents loads everything; only the command that offers everything may wait for that.
  reserved: [{ module: "core/index.ts", only: ["commands/run/"] }],
  addon: ["core/kernel/"],
  banned: [
    { module: "net" },
    { module: "dgram" },
    { module: "http" },
    { module: "https" },
    { module: "http2" },
    // Node's list of roots is data; everything else of TLS is ours.
    { module: "tls", except: [{ file: "core/tls", names: ["getCACertificates", "rootCertificates"] }] },
    // Until the project's own resolver answers for host names.
    { module: "dns", except: [{ file: "core/socket/lookup.ts" }] },
  ],
  bannedNames: [
    { module: "fs", names: ["watch", "watchFile"] },
    { module: "fs/promises", names: ["watch"] },
  ],
  packages: [
    { for: "core/", allow: [] },
    { for: "commands/", allow: dependencies() },
    // Examples name the library as their readers will.
    { for: "commands/run/examples/", allow: [...dependencies(), "cqueues"] },
    { for: "commands/run/tour/", allow: [...dependencies(), "cqueues"] },
    { for: "bin/", allow: [] },
  ],
  // These load what a user names.
  computed: ["core/thread", "commands/run/"],
  maxLines: 350,
  tables: ["native/errno.cc"],
}

const FOLDERS = ["bin", "commands", "core", "native"]

t.test("the sources keep the rules", async (t) => {
  for (const [rule, broken] of Object.entries(check(sources(), RULES))) t.same(broken, [], rule)
})

function sources(): Sources {
  const found: Sources = new Map()
  for (const folder of FOLDERS) {
    for (const entry of readdirSync(join(root(), folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(root().length)
      if (!entry.isFile() || path.startsWith("native/build/")) continue
      if (folder === "bin" || /\.(ts|cc|h)$/.test(path))
        found.set(path, readFileSync(join(root(), path), "utf8"))
    }
  }
  return found
}

function dependencies(): string[] {
  return Object.keys(JSON.parse(readFileSync(join(root(), "package.json"), "utf8")).dependencies)
}

function root(): string {
  return fileURLToPath(new URL("../..", import.meta.url))
}
