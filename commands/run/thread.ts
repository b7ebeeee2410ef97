/**
 * The hooks for a Node that runs them in a thread of their own (20). Loading sucrase takes as long as loading
 * the library does: it begins here at once, while the script's thread does the other.
 */
import type { InitializeHook, LoadHook, ResolveHook } from "node:module"
import { type Inline, loaded, renamed, special } from "./hooks.js"

export interface Data {
  inline: Inline | undefined
  /** There is TypeScript to come. */
  typescript: boolean
}

let inline: Inline | undefined

export const initialize: InitializeHook<Data> = (data) => {
  inline = data.inline
  if (data.typescript) setImmediate(() => import("sucrase"))
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
