/**
 * The guide's example 4.2, a multiplexing echo server: `cq-run echo.js [address [port [seconds]]]`. It ends
 * when nobody connects for so many seconds; without them, never.
 */
import { type Controller, type Coroutine, type Socket, socket } from "cqueues"

export default function* (bind = "127.0.0.1", port = "8000", wait?: string): Coroutine<void> {
  const server = socket.listen(bind, port)
  yield* server.listen()
  console.log("listening on %s port %d", ...server.localname().slice(1))
  yield* serve(cq, server, wait === undefined ? undefined : Number(wait))
}

/** A coroutine for each connection, until there has been none for so many seconds. */
export function* serve(cq: Controller, server: Socket, wait?: number): Coroutine<void> {
  yield* server.clients(wait).each((con) => {
    cq.wrap(echo, con)
  })
  server.close()
}

function* echo(con: Socket): Coroutine<void> {
  yield* con.lines("*L").each(function* (line) {
    yield* con.write(line)
  })
  con.shutdown("w")
  con.close()
}
