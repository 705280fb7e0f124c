/** Compiles each text once: the shipped code has few expressions, and sends each of them thousands of times. */
export function remembered<T>(compile: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const compiled = compile(text)
    if (known.size >= 1_000) known.clear() // random texts must not fill the memory
    known.set(text, compiled)
    return compiled
  }
}
