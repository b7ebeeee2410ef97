/**
 * Iterating over what a socket reads. `each` takes what is buffered without making an operation for it, so
 * that a loop over lines costs little more than finding them.
 */
import { BaseIteration, type Body, isGenerator } from "../loop/iteration.js"
import { type Operation, operation } from "../loop/operation.js"
import type { Yielded } from "../loop/task.js"
import { extract, MISS, type Value } from "./extract.js"
import type { Format } from "./formats.js"
import { applyMode } from "./mode.js"
import { LineOperation } from "./read.js"
import type { Socket } from "./socket.js"

const eachLine = operation(function* (lines: Lines, body: Body<Value>): Generator<Yielded, void, unknown> {
  const { socket } = lines
  const { core } = socket
  for (;;) {
    let value: Value | typeof MISS = MISS
    // Nobody else is in the middle of a read, and no error is due: then what is there is ours.
    if (core.reader.holder === undefined && core.reading.error === 0 && !core.closed) {
      value = extract(core.input, lines.format, lines.mode(), socket.raw)
    }
    if (value === MISS) value = yield* lines.next()
    if (value === undefined) return
    const result = body(value)
    if (isGenerator(result)) yield* result
  }
})

export class Lines extends BaseIteration<Value> {
  constructor(
    readonly socket: Socket,
    readonly format: Format,
    private readonly letters: string | undefined,
    private readonly timeout: number | undefined,
  ) {
    super()
    applyMode(letters, 0) // a bad mode is refused here, not at the first line
  }

  /** The mode of the next read: the socket's own may change while we iterate. */
  mode(): number {
    const present = this.socket.core.input.mode
    return this.letters === undefined ? present : applyMode(this.letters, present)
  }

  override next(): Operation<Value> {
    return new LineOperation(this.socket, this.format, this.timeout ?? this.socket.core.timeout, this.mode())
  }

  override each(body: Body<Value>): Operation<void> {
    return eachLine(this, body)
  }
}
