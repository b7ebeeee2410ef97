/** cq-run's table of options: its parser, help, manual page and completion come from here. */
import { common, flag, list, type Program, type Values, value } from "../cli/options.js"
import { duration, text } from "../cli/units.js"

const options = {
  eval: value("CODE", text, "run this code instead of a script", { alias: "e" }),
  require: list("MODULE", text, "load a module first; may be given several times", {
    alias: "r",
    files: true,
  }),
  timeout: value("DURATION", duration, "end the script, with status 124, when it still runs after so long", {
    shown: "none",
  }),
  sync: flag(
    "block in the controller's loop, as a script of the guide does; timers and promises stand still",
  ),
  ...common,
  quiet: flag("tour: print only what fails, and the last line", { alias: "q", group: "Common options" }),
  verbose: {
    ...common.verbose,
    describe: "print errors with the whole stack, with the library's frames and Node's own",
  },
}

export type RunOptions = Values<typeof options>

export const program: Program<typeof options> = {
  name: "cq-run",
  summary: "run a script inside a controller that lives in Node's event loop",
  usage: [
    "[options] SCRIPT [arguments…]",
    "[options] -e CODE [arguments…]",
    "[options] - [arguments…]",
    "tour",
  ],
  examples: [
    ["cq-run tour", "see what the library does, step by step"],
    ["cq-run server.ts 127.0.0.1 8000", "run a script, in JavaScript or TypeScript"],
    ["cq-run -e 'cq.wrap(function* () { yield* cqueues.sleep(1) })'", "run a line of code"],
  ],
  options,
  notes: [
    'A script needs no installation beside it: import … from "cqueues" finds this package from anywhere. ' +
      "A function* that it exports as default is called with the arguments, as the first coroutine. The global " +
      "cq is the controller; the script ends when the controller is empty and Node has nothing left to do. " +
      "Code of -e and of standard input (-) finds the library's modules as globals too.",
  ],
  exits: [
    ["0", "done; otherwise the script's own status"],
    ["1", "an error that nobody caught"],
    ["2", "wrong usage"],
    ["13", "an await of the top level never came to its end"],
    ["124", "the time of --timeout is up"],
    ["126", "the script cannot be read"],
    ["127", "there is no such script"],
  ],
  halts: true,
  files: true,
}
