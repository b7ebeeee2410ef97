/**
 * Where a command writes: results on stdout, or JSON objects one a line; messages on stderr. The surprise:
 * a reader of stdout that goes away (`| head -1`) is no failure; it ends the command quietly.
 */
import { colourLevel, type Painter, PLAIN, painter, type When } from "./colour.js"
import { escapeControls, jsonLine } from "./escape.js"
import { describe, isPlain } from "./exit.js"

export interface OutputOptions {
  json?: boolean
  quiet?: boolean
  verbose?: number
  color?: When
}

type Stream = NodeJS.WriteStream & { fd: number }

/** The version of the JSON objects' form: a field that is taken away or changes its meaning raises it. */
const FORM = 1

export class Output {
  readonly name: string
  readonly json: boolean
  readonly quiet: boolean
  /** How often -v was given. */
  readonly verbose: number
  /** Styles of results and of messages. */
  paint: Painter = PLAIN
  paintMessage: Painter = PLAIN
  readonly #color: When
  #unread = false
  #failure: unknown
  #onunread: (() => void) | undefined
  #watched = false
  #watchedMessages = false

  constructor(name: string, { json, quiet, verbose, color }: OutputOptions = {}) {
    this.name = name
    this.json = json ?? false
    this.quiet = quiet ?? false
    this.verbose = verbose ?? 0
    this.#color = color ?? "auto"
  }

  /** Loads what it takes to paint. Until then everything is plain. */
  async prepare(): Promise<this> {
    const { env } = process
    this.paint = await painter(colourLevel(this.#color, process.stdout.isTTY, env))
    this.paintMessage = await painter(colourLevel(this.#color, process.stderr.isTTY, env))
    return this
  }

  /** Nobody reads stdout any more. */
  get unread(): boolean {
    return this.#unread
  }

  /** The first error of stdout other than that nobody reads it. */
  get failure(): unknown {
    return this.#failure
  }

  /** Calls back once when nobody reads stdout any more, or it fails. */
  onUnread(callback: () => void): void {
    this.#onunread = callback
  }

  /** A line of text on stdout; with --json there are only objects. */
  result(line: string): void {
    if (!this.json) this.write(`${line}\n`)
  }

  /** An object on stdout, with --json only. */
  event(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (this.json) this.write(`${jsonLine({ v: FORM, event, ...fields })}\n`)
  }

  /** Bytes as they are, on stdout. */
  write(data: string | Uint8Array): void {
    if (this.#unread) return
    this.#watch()
    process.stdout.write(data)
  }

  /** A message that --quiet leaves out. */
  note(message: string): void {
    if (!this.quiet) this.#message(message)
  }

  /** A message for those who gave -v so many times. */
  detail(message: string, level = 1): void {
    if (this.verbose >= level && !this.quiet)
      this.#message(this.paintMessage.dim(escapeControls(message)), true)
  }

  /** An error: a line on stderr, and an object on stdout with --json. */
  error(error: unknown, fields: Readonly<Record<string, unknown>> = {}): void {
    const line = describe(error)
    this.#message(line, true, this.paintMessage.red)
    if (this.verbose > 0 && !isPlain(error) && error instanceof Error && error.stack !== undefined)
      this.#message(error.stack, true)
    this.event("error", { message: line, ...codeOf(error), ...fields })
  }

  #message(message: string, ready = false, style = this.paintMessage.bold): void {
    this.#watchMessages()
    const text = ready ? message : escapeControls(message)
    process.stderr.write(`${style(`${this.name}:`)} ${text}\n`)
  }

  // A terminal that is gone must not turn its message into a crash.
  #watchMessages(): void {
    if (this.#watchedMessages) return
    this.#watchedMessages = true
    process.stderr.on("error", () => {})
  }

  #watch(): void {
    if (this.#watched) return
    this.#watched = true
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#unread) return
      this.#unread = true
      if (error.code !== "EPIPE") this.#failure = error
      this.#onunread?.()
    })
  }

  /** Waits until the streams have taken everything. */
  async drain(): Promise<void> {
    await new Promise(setImmediate) // a write that failed at once is told a turn later
    if (this.#watched && !this.#unread) await drained(process.stdout)
    await drained(process.stderr)
  }
}

function codeOf(error: unknown): { code?: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? { code: error.code }
    : {}
}

function drained(stream: Stream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => resolve()
    stream.once("error", done)
    stream.write("", done)
  })
}
