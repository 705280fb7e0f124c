/**
 * The tags of a document with the names of their attributes, without values and texts. As in a browser, a tag begins at
 * `<` and a letter, `/`, `!` or `?`, and quoted values can hold anything but their quote.
 */
// @ts-nocheck

export function structureOf(document: string): readonly string[] {
  const tags = document.matchAll(/<([a-zA-Z/!?][^\s>]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>/g)
  return Array.from(tags, ([, name = '', attributes = '']) => {
    const names = Array.from(
      attributes.matchAll(/([^\s/=]+)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"']*))?/g),
      ([, each]) => each,
    )
    return [name, ...names].join(' ')
  })
}

/** Whether all elements are closed in order, empty ones too, as in XML. */
export function isNested(document: string): boolean {
  const open: string[] = []
  for (const [, slash, name = '', selfClosed] of document.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (selfClosed === '/') continue
    if (slash !== '/') open.push(name)
    else if (open.pop() !== name) return false
  }
  return open.length === 0
}
