/**
 * Who holds bytes in the thread's receive arena. A step overwrites it, so before each step every holder
 * copies what it has not read yet. In the steady state, where readers take all that came, nothing is copied.
 */

export interface Holder {
  /** Moves unread bytes out of the arena. */
  leaveArena(): void
}

const holders: Holder[] = []

export function holdArena(holder: Holder): void {
  holders.push(holder)
}

export function releaseArena(): void {
  if (holders.length === 0) return
  for (const holder of holders) holder.leaveArena()
  holders.length = 0
}
