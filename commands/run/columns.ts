/**
 * Finds where on its line a place of compiled code was in the source. Taking types away leaves the other words
 * of a line in their order, so the two lines are laid side by side as `diff` does it with two files.
 */

interface Word {
  text: string
  /** From 0. */
  start: number
}

const MOST = 1_000_000 // pairs of words to compare: lines that no person wrote are not worth more

const WORD = /[\w$]+|[^\s\w$]/g

/** The column, from 1, that in the source's line has what the compiled line has there. */
export function originalColumn(source: string, compiled: string, column: number): number {
  const from = words(compiled)
  const to = words(source)
  if (from.length * to.length > MOST) return column
  const index = from.findLastIndex(({ start }) => start <= column - 1)
  const word = from[index]
  const match = word === undefined ? undefined : alignment(from, to)[index]
  return word === undefined || match === undefined ? column : match.start + column - word.start
}

function words(line: string): Word[] {
  return Array.from(line.matchAll(WORD), ({ 0: text, index }) => ({ text, start: index }))
}

/** For each word its like in the other list: in order, as many as possible, and the earliest of several. */
function alignment(from: Word[], to: Word[]): (Word | undefined)[] {
  const same = (i: number, j: number) => from[i]?.text === to[j]?.text
  // How many words can be matched from here to the ends.
  const most = from.map(() => new Uint16Array(to.length + 1))
  most.push(new Uint16Array(to.length + 1))
  const at = (i: number, j: number) => most[i]?.[j] ?? 0
  for (let i = from.length - 1; i >= 0; i--) {
    const row = most[i] as Uint16Array
    for (let j = to.length - 1; j >= 0; j--)
      row[j] = same(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  }
  const found: (Word | undefined)[] = from.map(() => undefined)
  for (let i = 0, j = 0; i < from.length && j < to.length; ) {
    if (same(i, j)) found[i++] = to[j++]
    else if (at(i, j + 1) >= at(i + 1, j)) j++
    else i++
  }
  return found
}
