/** Interposing: replacing a method of a class for all of its objects (guide: each module's `interpose`). */

type Method = (this: never, ...args: never[]) => unknown

/** The `interpose` of a class: sets a method, returns the previous one or undefined. */
export function interposer(prototype: object) {
  return (name: string, fn: Method): Method | undefined => {
    if (typeof fn !== "function")
      throw new TypeError(`interpose: expected a function for ${JSON.stringify(name)}`)
    const previous: unknown = Reflect.get(prototype, name)
    Object.defineProperty(prototype, name, { value: fn, configurable: true, writable: true })
    return typeof previous === "function" ? (previous as Method) : undefined
  }
}
