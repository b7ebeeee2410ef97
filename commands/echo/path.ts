/** The path of a UNIX socket that we have bound: removed at the end, unless somebody put another in its place. */
import { rmSync, statSync } from "node:fs"

export class BoundPath {
  readonly #identity: string | undefined

  constructor(readonly path: string) {
    this.#identity = identity(path)
  }

  remove(): void {
    if (this.#identity !== undefined && identity(this.path) === this.#identity)
      rmSync(this.path, { force: true })
  }
}

// An abstract name is no file and goes by itself.
function identity(path: string): string | undefined {
  if (path.startsWith("\0")) return undefined
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? undefined : `${found.dev}:${found.ino}`
}
