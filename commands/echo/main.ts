/** The start of cq-echo: the library is loaded once it is clear that there is something to do. */
import { main } from "../cli/command.js"
import { program } from "./options.js"

await main(program, async (session) => (await import("./run.js")).run(session))
