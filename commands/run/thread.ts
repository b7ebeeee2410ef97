/** The hooks for a Node that runs them in a thread of their own, which is not the script's (Node 20). */
import type { InitializeHook, LoadHook, ResolveHook } from "node:module"
import { type Inline, loaded, renamed, special } from "./hooks.js"

let inline: Inline | undefined

export const initialize: InitializeHook<Inline | undefined> = (data) => {
  inline = data
}

export const resolve: ResolveHook = async (specifier, context, next) => {
  const url = special(specifier, context.parentURL, inline)
  if (url !== undefined) return { url, shortCircuit: true }
  try {
    return await next(specifier, context)
  } catch (error) {
    const other = renamed(error, specifier, context.parentURL)
    if (other === undefined) throw error
    return next(other, context)
  }
}

export const load: LoadHook = async (url, context, next) => {
  const result = loaded(url, inline)
  if (result === undefined) return next(url, context)
  // CommonJS without a source is loaded by the script's thread, which knows TypeScript too.
  return result.format === "commonjs" ? { format: "commonjs", shortCircuit: true } : result
}
