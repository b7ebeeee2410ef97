/**
 * The socket object (guide section 3.2.2): composition only. Each method is a few lines over the part that
 * does the work. A Socket is a view of a core; its `bytes` is another view of the same one.
 */
import { errno } from "../errno.js"
import { READ, WRITE } from "../kernel/poller.js"
import { descriptorOf } from "../loop/controller.js"
import { type Iteration, iteration } from "../loop/iteration.js"
import { type Operation, operation } from "../loop/operation.js"
import { seconds } from "../loop/poll.js"
import type { Yielded } from "../loop/task.js"
import { acceptOne, EXHAUSTED } from "./accept.js"
import { type Address, destination, type PeerName } from "./address.js"
import { Core } from "./core.js"
import { type Datagram, receiveFrom, sendTo } from "./datagram.js"
import { Endpoint } from "./endpoint.js"
import { establish } from "./establish.js"
import { extract, MISS, missing, type Value } from "./extract.js"
import type { Result } from "./fault.js"
import { DEFAULT_FORMAT, parseFormat, type ReadFormat } from "./formats.js"
import { Lines } from "./lines.js"
import * as modes from "./mode.js"
import { coreOf } from "./open.js"
import { checkOptions, defaults, type SocketOptions } from "./options.js"
import { receiveDescriptor, sendDescriptor } from "./passfd.js"
import { FillOperation, ReadOperation, type ReadResult } from "./read.js"
import { bytesOf, decode } from "./translate.js"
import { deadlineOf } from "./waiting.js"
import { type Data, FlushOperation, WriteOperation, type WriteResult } from "./write.js"

type Opened = [socket: Socket] | [socket: undefined, errno: number]
type One<V> = [value: V, errno?: undefined] | [value: undefined, errno?: number]
type Text<V> = V extends Buffer ? Buffer : string
type Several<T, F extends readonly unknown[]> = [...{ [I in keyof F]: T | undefined }, errno?: number]

export class Socket<V extends string | Buffer = string> extends Endpoint {
  /** The same socket, reading Buffers, always in binary mode. */
  get bytes(): Socket<Buffer> {
    return (this.raw ? this : new Socket(this.core, true)) as Socket<Buffer>
  }

  // Connections

  /** Waits until the connection is there. */
  connect(timeout?: number): Operation<Opened> {
    return established(this as Socket, "connect", this.limit(timeout, "connect"))
  }

  /** Waits until the address is bound. */
  listen(timeout?: number): Operation<Opened> {
    return established(this as Socket, "listen", this.limit(timeout, "listen"))
  }

  /** The next connection of a listener. */
  accept(options?: SocketOptions | number, timeout?: number): Operation<Opened> {
    const [checked, limit] = acceptArguments(options, timeout, "accept")
    return accepted(this as Socket, checked, this.limit(limit, "accept"))
  }

  /** The connections of a listener, one after the other; want of descriptors is waited out. */
  clients(options?: SocketOptions | number, timeout?: number): Iteration<Socket> {
    const [checked, limit] = acceptArguments(options, timeout, "clients")
    return iteration(() => nextClient(this as Socket, checked, this.limit(limit, "clients")))
  }

  // Reading

  /** One value a format, `undefined` from the first that failed, then an errno if it was an error. */
  read(format?: ReadFormat): Operation<One<Text<V>>>
  read<F extends readonly ReadFormat[]>(...formats: F): Operation<Several<Text<V>, F>>
  read(...formats: ReadFormat[]): Operation<ReadResult> {
    const parsed =
      formats.length === 0 || formats[0] === undefined ? [DEFAULT_FORMAT] : formats.map(parseFormat)
    const { core } = this
    return new ReadOperation(this as Socket, parsed, "read", core.timeout, core.input.mode)
  }

  xread(format?: ReadFormat, mode?: string, timeout?: number): Operation<One<Text<V>>> {
    const parsed = format === undefined ? DEFAULT_FORMAT : parseFormat(format)
    const inputMode = modes.applyMode(mode, this.core.input.mode)
    const limit = this.limit(timeout, "xread")
    return new ReadOperation(this as Socket, [parsed], "xread", limit, inputMode) as unknown as Operation<
      One<Text<V>>
    >
  }

  /** Values of a format until the stream ends; with several formats, tuples of them. */
  lines(format?: ReadFormat): Iteration<Text<V>>
  lines(...formats: ReadFormat[]): Iteration<Text<V>[]>
  lines(...formats: ReadFormat[]): Iteration<Text<V>> | Iteration<Text<V>[]> {
    if (formats.length > 1) return iteration(() => tuple(this as Socket, formats)) as Iteration<Text<V>[]>
    return this.xlines(formats[0])
  }

  xlines(format?: ReadFormat, mode?: string, timeout?: number): Iteration<Text<V>> {
    if (timeout !== undefined) seconds(timeout, "xlines")
    const parsed = format === undefined ? DEFAULT_FORMAT : parseFormat(format)
    return new Lines(this as Socket, parsed, mode, timeout) as unknown as Iteration<Text<V>>
  }

  /** Buffers so many bytes. */
  fill(size: number, timeout?: number): Operation<Result> {
    const format = parseFormat(size)
    return new FillOperation(this as Socket, format.size, this.limit(timeout, "fill"))
  }

  /** What there is at once: EAGAIN when that is not enough, EPIPE at the end; past the error handler. */
  recv(format?: ReadFormat, mode?: string): One<Text<V>> {
    this.assertOpen("recv")
    const { core } = this
    const parsed = format === undefined ? DEFAULT_FORMAT : parseFormat(format)
    const inputMode = modes.applyMode(mode, core.input.mode)
    core.noteErrors()
    if (core.reading.error !== 0) return [undefined, core.reading.error]
    for (;;) {
      const value: Value | typeof MISS = extract(core.input, parsed, inputMode, this.raw)
      core.wanted &= ~READ
      if (value === undefined) return [undefined, errno.EPIPE]
      if (value !== MISS) return [value as Text<V>]
      if (core.establishing !== undefined) return [undefined, this.advance() || errno.EAGAIN]
      const result = core.receiveNow(missing(core.input, parsed))
      if (result < 0) {
        if (result === -errno.EAGAIN) core.wanted |= READ
        core.input.error = 0
        return [undefined, -result]
      }
    }
  }

  // Writing

  /** Writes strings, numbers and bytes, in one piece. */
  write(...data: Data[]): Operation<WriteResult<this>> {
    const { core } = this
    const mode = this.raw ? core.output.mode & ~modes.TEXT : core.output.mode
    return new WriteOperation(this as Socket, data, "write", core.timeout, mode) as unknown as Operation<
      WriteResult<this>
    >
  }

  xwrite(data: Data, mode?: string, timeout?: number): Operation<WriteResult<this>> {
    const limit = this.limit(timeout, "xwrite")
    const outputMode = modes.applyMode(mode, this.core.output.mode)
    return new WriteOperation(this as Socket, [data], "xwrite", limit, outputMode) as unknown as Operation<
      WriteResult<this>
    >
  }

  /** Sends what is buffered: all of it, or what the mode says. */
  flush(mode?: string | number, timeout?: string | number): Operation<Result> {
    const [letters, limit] = typeof mode === "number" ? [timeout, mode] : [mode, timeout]
    const present = this.core.output.mode
    const buffering = letters === undefined ? modes.UNBUFFERED : modes.applyMode(letters as string, present)
    return new FlushOperation(this as Socket, buffering, this.limit(limit as number | undefined, "flush"))
  }

  /** Sends bytes `start` to `end` of the data at once: how many were taken, and the errno that stopped it. */
  send(data: string | Uint8Array, start = 0, end?: number, mode?: string): [taken: number, errno?: number] {
    this.assertOpen("send")
    const { core } = this
    if (core.establishing !== undefined) return [0, this.advance() || errno.EAGAIN]
    const bytes = bytesOf(data)
    const to = Math.min(end ?? bytes.length, bytes.length)
    const outputMode = modes.applyMode(mode, core.output.mode)
    core.noteErrors()
    if (core.writing.error !== 0) return [0, core.writing.error]
    // Another coroutine is in the middle of a write: nothing may come in between.
    if (core.writer.holder !== undefined || core.output.draining) {
      core.wanted |= WRITE
      return [0, errno.EAGAIN]
    }
    const translate = typeof data === "string" && !this.raw && (outputMode & modes.TEXT) !== 0
    const from = Math.min(Math.max(0, start), to)
    const [taken, error] = core.stream
      ? core.output.sendNow(bytes, from, to, translate)
      : core.output.sendMessageNow(bytes.subarray(from, to), translate)
    core.wanted = error === errno.EAGAIN ? core.wanted | WRITE : core.wanted & ~WRITE
    core.output.error = 0
    return error === 0 ? [taken] : [taken, error]
  }

  // Messages past the buffers

  recvfrom(size = 65535, timeout?: number): Operation<Datagram> {
    return datagram(this as Socket, parseFormat(size).size, this.limit(timeout, "recvfrom"))
  }

  sendto(
    data: string | Uint8Array,
    address: string | PeerName,
    port?: number,
    timeout?: number,
  ): Operation<Result> {
    const to = destination(this.core.family, address, port)
    return datagramTo(this as Socket, bytesOf(data), to, this.limit(timeout, "sendto"))
  }

  sendfd(
    message: string | Uint8Array,
    passed: Socket | number | undefined,
    timeout?: number,
  ): Operation<Result> {
    const bytes = bytesOf(message)
    if (bytes.length === 0) throw new TypeError("sendfd: the message may not be empty")
    const fd = passed === undefined ? -1 : (descriptorOf(passed) ?? -1)
    if (passed !== undefined && fd < 0) throw new TypeError("sendfd: the socket to pass has no descriptor")
    return descriptorTo(this as Socket, bytes, fd, this.limit(timeout, "sendfd"))
  }

  recvfd(
    prepbufsiz = 4096,
    timeout?: number,
  ): Operation<[V, Socket | undefined] | [undefined, undefined, number]> {
    const size = Math.max(1, parseFormat(prepbufsiz).size)
    return descriptorFrom(this as Socket, size, this.limit(timeout, "recvfd")) as Operation<never>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.core.closed && this.core.output.pending > 0) await this.flush()
    this.close()
  }
}

type Waiting<T> = Generator<Yielded, T, unknown>

const established = operation(function* (socket: Socket, method: string, timeout: number): Waiting<Opened> {
  socket.assertOpen(method)
  const { core } = socket
  const error = yield* establish(core, deadlineOf(timeout))
  return error === 0 ? [socket] : [undefined, socket.fail(method, error)]
})

function acceptArguments(
  options: SocketOptions | number | undefined,
  timeout: number | undefined,
  method: string,
): [SocketOptions | undefined, number | undefined] {
  if (typeof options === "number") return [undefined, options]
  return [options === undefined ? undefined : checkOptions(options, method), timeout]
}

const accepted = operation(function* (
  socket: Socket,
  options: SocketOptions | undefined,
  timeout: number,
): Waiting<Opened> {
  socket.assertOpen("accept")
  const core = yield* acceptOne(socket.core, options, timeout)
  return core instanceof Core ? [new Socket(core)] : [undefined, socket.fail("accept", core)]
})

const nextClient = operation(function* (
  socket: Socket,
  options: SocketOptions | undefined,
  timeout: number,
): Waiting<Socket | undefined> {
  for (;;) {
    if (socket.core.closed) return undefined
    const core = yield* acceptOne(socket.core, options, timeout)
    if (core instanceof Core) return new Socket(core)
    // Without a handler that wants to know, want of descriptors is waited out: acceptOne pauses.
    if (EXHAUSTED.has(core) && socket.core.handler === undefined) continue
    if (socket.core.closed) return undefined
    socket.fail("clients", core)
    if (!EXHAUSTED.has(core)) return undefined
  }
})

const tuple = operation(function* (
  socket: Socket,
  formats: readonly ReadFormat[],
): Waiting<ReadResult | undefined> {
  const values = yield* socket.read(...formats)
  return values[0] === undefined ? undefined : values.slice(0, formats.length)
})

const datagram = operation(function* (socket: Socket, size: number, timeout: number): Waiting<Datagram> {
  socket.assertOpen("recvfrom")
  const result = yield* receiveFrom(socket.core, size, deadlineOf(timeout))
  return typeof result === "number" ? [undefined, undefined, socket.fail("recvfrom", result)] : result
})

const datagramTo = operation(function* (
  socket: Socket,
  data: Uint8Array,
  to: Address,
  timeout: number,
): Waiting<Result> {
  socket.assertOpen("sendto")
  const error = yield* sendTo(socket.core, data, to, deadlineOf(timeout))
  return error === 0 ? [true] : [false, socket.fail("sendto", error)]
})

const descriptorTo = operation(function* (
  socket: Socket,
  message: Uint8Array,
  fd: number,
  timeout: number,
): Waiting<Result> {
  socket.assertOpen("sendfd")
  const deadline = deadlineOf(timeout)
  // What was written before goes before.
  const [flushed, failed] = yield* socket.flush("n", timeout)
  if (!flushed) return [false, failed as number]
  const error = yield* sendDescriptor(socket.core, message, fd, deadline)
  return error === 0 ? [true] : [false, socket.fail("sendfd", error)]
})

const descriptorFrom = operation(function* (
  socket: Socket,
  size: number,
  timeout: number,
): Waiting<[string | Buffer, Socket | undefined] | [undefined, undefined, number]> {
  socket.assertOpen("recvfd")
  const sticky = socket.core.reading.repeat()
  if (sticky !== 0) return [undefined, undefined, socket.fail("recvfd", sticky)]
  const result = yield* receiveDescriptor(socket.core, size, deadlineOf(timeout))
  if (typeof result === "number") return [undefined, undefined, socket.fail("recvfd", result)]
  const [message, fd] = result
  return [socket.raw ? message : decode(message), fd < 0 ? undefined : new Socket(coreOf(fd, defaults))]
})
