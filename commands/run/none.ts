/** What the table of options makes of no options, without the time to load it. A test compares them. */
import type { RunOptions } from "./program.js"

export const NONE: RunOptions = {
  eval: undefined,
  require: [],
  timeout: undefined,
  sync: false,
  quiet: false,
  verbose: 0,
  color: "auto",
  completion: undefined,
  help: false,
  version: false,
}
