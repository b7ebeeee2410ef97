/** The monotonic clock, in seconds. Its zero means nothing; it never goes back. */
import { binding } from "./binding.js"

export const monotime = binding.monotime
