// What the tests of cq-run share: running it in a folder of scripts, away from any installation.
import { fileURLToPath } from "node:url"
import { type Child, type ChildOptions, child, type Finished, run } from "../../support/child.js"
import type { Owner } from "../../support/owner.js"
import { tmp } from "../../support/tmp.js"

export const ROOT = fileURLToPath(new URL("../../../..", import.meta.url))
export const CQ_RUN = `${ROOT}bin/cq-run`

/** What a kept compilation costs no test: each folder has a cache of its own. */
const environment = (folder: string, env: ChildOptions["env"] = {}) => ({
  XDG_CACHE_HOME: `${folder}/.cache`,
  NO_COLOR: undefined,
  FORCE_COLOR: undefined,
  ...env,
})

export interface Folder {
  path: string
  /** Runs cq-run there to its end. */
  run(args: string[], options?: ChildOptions & { input?: string; timeout?: number }): Promise<Finished>
  /** Starts it there. */
  start(args: string[], options?: ChildOptions): Child
}

/** A folder with these scripts, and nothing else. */
export function folder(t: Owner, files: Record<string, string> = {}): Folder {
  const path = tmp(t, files)
  return {
    path,
    run: (args, { env, timeout = 20, ...options } = {}) =>
      run(t, process.execPath, [CQ_RUN, ...args], {
        cwd: path,
        env: environment(path, env),
        timeout,
        ...options,
      }),
    start: (args, { env, ...options } = {}) =>
      child(t, process.execPath, [CQ_RUN, ...args], { cwd: path, env: environment(path, env), ...options }),
  }
}
