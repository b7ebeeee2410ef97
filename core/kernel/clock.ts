/**
 * The clocks, in seconds. The monotonic one never goes back, and its zero means nothing. The wall clock is
 * read once a step at most: it dates the statistics of thousands of sockets.
 */
import { binding } from "./binding.js"

export const monotime = binding.monotime

let stepTime = 0
let inStep = false

/** Milliseconds since 1970; within a step, those of its first look at the clock. */
export function wallTime(): number {
  if (!inStep) return Date.now()
  if (stepTime === 0) stepTime = Date.now()
  return stepTime
}

export function beginStepTime(): void {
  inStep = true
  stepTime = 0
}

export function endStepTime(): void {
  inStep = false
}
