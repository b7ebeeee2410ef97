/** One run of the suite: what it prints, what it keeps for --json, and who could not take part. */
export class Bench {
  readonly records: Record<string, unknown>[] = []
  readonly skipped: { what: string; why: string }[] = []

  constructor(readonly quick: boolean) {}

  print(text: string): void {
    process.stdout.write(`${text}\n`)
  }

  record(group: string, figures: Record<string, unknown>): void {
    this.records.push({ group, ...figures })
  }

  /** Says who or what is missing from the tables; nothing is left out in silence. */
  skip(what: string, why: string): void {
    if (this.skipped.some((each) => each.what === what && each.why === why)) return
    this.skipped.push({ what, why })
    this.print(`skipped: ${what}: ${why}`)
  }
}
