/**
 * Iterating over what a socket reads. `each` takes what is buffered without making an operation for it, so
 * that a loop over lines costs little more than finding them.
 */
import { type Body, type Iteration, isGenerator, iteration } from "../loop/iteration.js"
import { type Operation, operation } from "../loop/operation.js"
import type { Yielded } from "../loop/task.js"
import { extract, MISS, type Value } from "./extract.js"
import type { Format } from "./formats.js"
import { LineOperation } from "./read.js"
import type { Socket } from "./socket.js"

/** What a `lines` reads: its mode and time-out are looked up anew for each value, as settings may change. */
export interface Source {
  readonly socket: Socket
  readonly format: Format
  mode(): number
  timeout(): number
}

const eachLine = operation(function* (source: Source, body: Body<Value>): Generator<Yielded, void, unknown> {
  const { socket, format } = source
  const { core } = socket
  for (;;) {
    let value: Value | typeof MISS = MISS
    // Nobody else is in the middle of a read, and no error is due: then what is there is ours.
    if (core.reader.holder === undefined && core.reading.error === 0 && !core.closed) {
      value = extract(core.input, format, source.mode(), socket.raw)
    }
    if (value === MISS) value = yield* new LineOperation(socket, format, source.timeout(), source.mode())
    if (value === undefined) return
    const result = body(value)
    if (isGenerator(result)) yield* result
  }
})

export function lines(source: Source): Iteration<Value> {
  const next = (): Operation<Value> =>
    new LineOperation(source.socket, source.format, source.timeout(), source.mode())
  return { ...iteration<Value>(next), each: (body) => eachLine(source, body as Body<Value>) }
}
