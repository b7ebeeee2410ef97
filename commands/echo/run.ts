/** cq-echo itself: opens all addresses, serves them in one controller, and ends as it is told to. */
import { fstatSync } from "node:fs"
import { errno, SystemError } from "../../core/errno.js"
import { AF_INET, AF_INET6, AF_UNSPEC, SOCK_DGRAM, SOCK_STREAM } from "../../core/socket/constants.js"
import { type Socket, socket } from "../../core/socket/module.js"
import type { SocketOptions } from "../../core/socket/options.js"
import type { Session } from "../cli/command.js"
import { CommandError, UsageError } from "../cli/exit.js"
import { type Address, DEFAULT_ADDRESS, parseAddress, showName } from "./address.js"
import { Connection } from "./connection.js"
import { Datagrams } from "./datagram.js"
import { BACKLOG, Listener } from "./listener.js"
import type { EchoOptions, program } from "./options.js"
import { BoundPath } from "./path.js"
import { Server } from "./server.js"

interface Opened {
  address: Address
  socket: Socket
  path?: BoundPath
}

export async function run({
  options,
  args,
  output,
  signals,
}: Session<typeof program.options>): Promise<number> {
  const addresses = (args.length > 0 ? args : [DEFAULT_ADDRESS]).map(parseAddress)
  checkUse(options, addresses)
  const server = new Server(options, output)
  const opened = await openAll(addresses, options)
  signals.catch((signal) => {
    const count = server.connections
    if (count > 0 && !server.stopping)
      output.note(`${signal}: finishing ${count} connection${count === 1 ? "" : "s"}; once more ends at once`)
    output.event("stop", { signal, connections: count })
    server.stop()
  })
  output.onUnread(() => server.stop())
  for (const each of opened) serve(server, each)
  for (;;) {
    const [good, error] = await server.cq.loop()
    if (good) break
    server.fail(error)
  }
  server.cq.close()
  return server.failed ? 1 : 0
}

/** An option that would do nothing is a mistake. */
function checkUse(options: EchoOptions, addresses: readonly Address[]): void {
  const unix = addresses.some((address) => "path" in address)
  for (const name of ["mode", "mask", "unlink"] as const) {
    if (options[name] && !unix) throw new UsageError(`--${name} needs a unix: or unix-dgram: address`)
  }
  if (options.maxline !== undefined && !options.line) throw new UsageError("--maxline needs --line")
  const streams = addresses.some((address) => address.kind !== "dgram")
  for (const name of ["line", "timeout", "max-conns"] as const) {
    if (options[name] && !streams) throw new UsageError(`--${name} needs an address with connections`)
  }
}

/** What binding all interfaces says where IPv6 is not built in, or switched off. */
const WITHOUT_IPV6 = new Set<number>([errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])

/** All of them, or none. */
async function openAll(addresses: readonly Address[], options: EchoOptions): Promise<Opened[]> {
  const opened: Opened[] = []
  try {
    for (const address of addresses) {
      const socket = await open(address, options)
      opened.push(
        "path" in address ? { address, socket, path: new BoundPath(address.path) } : { address, socket },
      )
    }
    return opened
  } catch (error) {
    for (const { socket, path } of opened) {
      socket.close()
      path?.remove()
    }
    throw error
  }
}

async function open(address: Address, options: EchoOptions): Promise<Socket> {
  if (address.kind === "fd") return takeOver(address.fd)
  const type = address.kind === "dgram" ? SOCK_DGRAM : SOCK_STREAM
  const { mode, mask, unlink } = options
  if ("path" in address) return await bound({ path: address.path, type, mode, mask, unlink })
  if (address.host !== "") return await bound({ host: address.host, port: address.port, type })
  try {
    return await bound({ host: "::", port: address.port, type, v6only: false })
  } catch (error) {
    if (!(error instanceof SystemError) || !WITHOUT_IPV6.has(error.errno)) throw error
    return await bound({ host: "0.0.0.0", port: address.port, type })
  }
}

async function bound(options: { [K in keyof SocketOptions]: SocketOptions[K] | undefined }): Promise<Socket> {
  const listening = socket.listen({ ...(options as SocketOptions), backlog: BACKLOG })
  try {
    await listening.listen()
    return listening
  } catch (error) {
    listening.close()
    throw error
  }
}

// Not before it is known to be a socket: the number may be one that Node uses for itself.
function takeOver(fd: number): Socket {
  let good = false
  try {
    good = fstatSync(fd).isSocket()
  } catch {}
  if (!good) throw new CommandError(`fd:${fd}: not an open socket; somebody has to hand it over`)
  return socket.fdopen(fd)
}

function serve(server: Server, { address, socket, path }: Opened): void {
  const { output } = server
  const kind = socket.core.type === SOCK_DGRAM ? "dgram" : "stream"
  const local = socket.localname()
  const name = address.kind === "fd" ? `fd:${address.fd}` : showName(local, kind)
  const connected = socket.peername()[0] !== AF_UNSPEC
  if (address.kind === "fd" && kind === "stream" && connected) {
    new Connection(server, socket, name)
    return
  }
  const inet = local[0] === AF_INET || local[0] === AF_INET6 ? { host: local[1], port: local[2] } : {}
  output.result(`listening on ${output.paint.bold(name)}`)
  output.event("listening", { address: name, ...inet, path: path?.path, pid: process.pid })
  if (kind === "dgram") new Datagrams(server, socket, name, path)
  else new Listener(server, socket, name, path)
}
