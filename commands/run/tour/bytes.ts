/** Strings are 8-bit clean: bytes that are no UTF-8 come as lone surrogates, and go out as they were. */
import { deepEqual, equal } from "node:assert/strict"
import { socket } from "cqueues"
import type { Step } from "./step.js"

// "café" in Latin-1, "é" in UTF-8, and two bytes that are no text at all.
const BYTES = Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x20, 0xc3, 0xa9, 0x00, 0xff, 0x0a])

export const bytes: Step = {
  title: "Bytes that are no UTF-8 pass through strings unchanged",
  *run(show) {
    const [here, there] = socket.pair()
    for (const con of [here, there]) con.setmode("b", "b")
    yield* there.write(BYTES)
    yield* there.flush()
    const [line] = yield* here.read("*L")
    equal(line, "caf\udce9 é\0\udcff\n")
    show(`read as text: ${JSON.stringify(line)}`)

    yield* here.write(line)
    yield* here.flush()
    const [back] = yield* there.bytes.read(BYTES.length)
    deepEqual(back, BYTES)
    show(`written again: ${back?.toString("hex")}, the bytes that came`)
    here.close()
    there.close()
  },
}
