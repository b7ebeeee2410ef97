/** What cq-echo takes and says: the table behind its parser, help, manual page and completion. */
import { common, flag, json, type Program, type Values, value } from "../cli/options.js"
import { duration, integer, quote, sizeWithin } from "../cli/units.js"

/** Permission bits as chmod(1) and ls(1) write them; the library reads them. */
function permissions(text: string): string {
  if (!/^([0-7]{1,4}|([r-][w-][x-]){3})$/.test(text))
    throw new RangeError(`not permissions: ${quote(text)}; write 660 or rw-rw----`)
  return text
}

function lasting(text: string): number {
  const seconds = duration(text)
  if (seconds === 0)
    throw new RangeError("0 would end every connection at once; without the option there is no limit")
  return seconds
}

const MAXLINE = 4096
const MOST_MAXLINE = 2 ** 30
const GRACE = 5

const options = {
  line: flag("answer whole lines only, not each piece as it comes", { alias: "l" }),
  maxline: value(
    "SIZE",
    sizeWithin(1, MOST_MAXLINE),
    "with --line: a longer line comes back in pieces of SIZE",
    {
      shown: `${MAXLINE}`,
    },
  ),
  timeout: value("TIME", lasting, "close a connection on which nothing has moved for TIME", {
    alias: "t",
    shown: "never",
  }),
  "max-conns": value("N", integer(1), "have at most N connections at once; others wait until one has ended", {
    alias: "n",
    shown: "no limit",
  }),
  grace: value("TIME", duration, "after a signal, give open connections so long to end", {
    default: GRACE,
    shown: `${GRACE}s`,
  }),
  mode: value("PERMS", permissions, "permissions of UNIX sockets, such as 660 or rw-rw----", {
    group: "UNIX sockets",
  }),
  mask: value("PERMS", permissions, "umask while UNIX sockets are made", { group: "UNIX sockets" }),
  unlink: flag("remove the path of a UNIX socket before binding it", { group: "UNIX sockets" }),
  json,
  ...common,
}

export type EchoOptions = Values<typeof options>

export const program: Program<typeof options> = {
  name: "cq-echo",
  summary: "sends back whatever it receives",
  usage: ["[options] [address…]"],
  examples: [
    ["cq-echo 127.0.0.1:7007", "echo on a TCP port; 127.0.0.1:0 takes a free one and says which"],
    ["cq-echo [::]:7007 udp:[::]:7007 unix:/tmp/echo", "TCP, UDP and UNIX at once"],
    ["cq-echo --line --maxline 64k :7007", "line by line, on all interfaces"],
    ["cq-echo --json --timeout 30s -n 100 :0 | jq -c .", "what happens, as JSON"],
  ],
  options,
  notes: [
    "Addresses: [host]:port, host:port or :port (TCP), udp:host:port, unix:/path, unix-dgram:/path (unix:@name " +
      "is Linux's abstract namespace), fd:3 (a socket that was handed over). Without an address: 127.0.0.1:0.",
    "SIGINT, SIGTERM and SIGHUP end it once everything received has been answered; a second one at once.",
  ],
  exits: [
    ["0", "nobody read its output any more"],
    ["1", "an address could not be bound, or input and output failed"],
    ["2", "wrong usage"],
    ["128+n", "ended by signal n, as the shell tells it"],
  ],
}

export { MAXLINE }
