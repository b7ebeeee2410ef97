/** Helpers around results and nested coroutines (cqueues.auxlib of the versions after the guide). */
import { cqueues } from "./cqueues.js"
import { assertResult, fileResult } from "./fileresult.js"

export const auxlib = {
  /** The value of a `[value, error]` result, or the error thrown. */
  assert: assertResult,
  /** `[value, text, errno]` of a `[value, …, errno]` result. */
  fileresult: fileResult,
  resume: cqueues.resume,
  wrap: cqueues.wrap,
  /** The string form of any value, at once. */
  tostring: (value: unknown): string => String(value),
}

export default auxlib
