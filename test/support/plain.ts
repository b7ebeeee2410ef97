// Undoes what tap's runner does to the processes that a test starts: each would load its bookkeeping, half
// a second and a thread more for every Node. It is undone at import, by every helper that starts anything.

/** The one copy in a process of the package process-on-spawn, by which tap hooks into child_process. */
const HOOK = Symbol.for("process-on-spawn@*:singletonId")

const hook = (globalThis as { [HOOK]?: { listeners: unknown[] } })[HOOK]
if (hook) hook.listeners.length = 0
if (process.env.NODE_OPTIONS?.includes("processinfo")) delete process.env.NODE_OPTIONS

/** This process's variables, changed by `extra` (undefined removes one), without tap's own. */
export function environment(extra: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (!/^(TAP($|_)|_TAPJS_)/.test(name)) env[name] = value
  }
  return { ...env, ...extra }
}
