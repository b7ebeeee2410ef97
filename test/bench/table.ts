/** Text tables: the first column to the left, figures to the right, columns two blanks apart. */

export type Cell = string | number | undefined

/** Three digits that count, and thousands set apart: 148,213 and 1.24 and 0.031. */
export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "-"
  if (value === 0) return "0"
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString("en-US")
  return value.toFixed(Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(size)))))
}

export const times = (value: number): string => `${figure(value)}×`

export const ratio = (value: number | undefined, to: number | undefined): string =>
  value === undefined || !to ? "-" : times(value / to)

export function table(title: string, head: string[], rows: Cell[][]): string {
  const text = rows.map((row) => row.map((cell) => (typeof cell === "string" ? cell : figure(cell))))
  const widths = head.map((word, i) => Math.max(word.length, ...text.map((row) => row[i]?.length ?? 0)))
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd()
  return [title, line(head), line(widths.map((width) => "-".repeat(width))), ...text.map(line), ""].join("\n")
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}
