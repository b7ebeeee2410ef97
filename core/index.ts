/** The library's table of contents: every module of the guide under its own name. */
import { cqueues } from "./cqueues.js"

export { auxlib } from "./auxlib.js"
export { Condition, condition } from "./condition.js"
export { errno, SystemError } from "./errno.js"
export { Controller } from "./loop/controller.js"
export type { StepResult } from "./loop/engine.js"
export type { Iteration } from "./loop/iteration.js"
export type { Operation } from "./loop/operation.js"
export type { Pollable } from "./loop/poll.js"
export type { Coroutine, Yielded } from "./loop/task.js"
export { promise } from "./promise.js"
export { Socket, socket } from "./socket/module.js"
export type { SocketOptions } from "./socket/options.js"
export { cqueues }

export default cqueues
