/**
 * A descriptor that is closed once, and cancelled first: whoever polls it is woken before the number goes
 * back to the kernel, so that its next holder never wakes them. After that the number here is -1.
 */
import { binding } from "./binding.js"

type Cancel = (fd: number) => void

let cancel: Cancel = () => {}

/** The scheduler says how a descriptor is taken from all controllers of the thread. */
export function onCancel(how: Cancel): void {
  cancel = how
}

export class Descriptor {
  fd: number

  constructor(fd: number) {
    this.fd = fd
  }

  get closed(): boolean {
    return this.fd < 0
  }

  /** 0, or the negative errno of close(2); closing again does nothing. */
  close(): number {
    const fd = this.fd
    if (fd < 0) return 0
    cancel(fd)
    this.fd = -1
    return binding.close(fd)
  }
}
