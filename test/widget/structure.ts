/**
 * The elements and attributes of a document, without texts and values. It reads our own output as a browser does, by
 * the states of https://html.spec.whatwg.org/multipage/parsing.html: a tag begins at `<` and a letter, `/`, `!` or `?`.
 */
export function structureOf(document: string): readonly string[] {
  const found: string[] = []
  let at = 0
  while (at < document.length) {
    const begin = document.indexOf('<', at)
    if (begin === -1) break
    if (!/[a-zA-Z/!?]/.test(document[begin + 1] ?? '')) {
      at = begin + 1
      continue
    }
    const { names, end } = readTag(document, begin + 1)
    found.push(names.join(' '))
    at = end
  }
  return found
}

interface Tag {
  readonly names: readonly string[]
  readonly end: number
}

function readTag(document: string, from: number): Tag {
  const name = /^[^\s>]*/.exec(document.slice(from))?.[0] ?? ''
  const names = [name]
  let at = from + name.length
  while (at < document.length && document[at] !== '>') {
    const attribute = /^[\s/]*([^\s/>=]*)(\s*=\s*)?/.exec(document.slice(at))
    const attributeName = attribute?.[1] ?? ''
    at += Math.max(1, attribute?.[0].length ?? 0)
    if (attributeName !== '') names.push(attributeName)
    if (attribute?.[2] !== undefined) at = endOfValue(document, at)
  }
  return { names, end: at + 1 }
}

function endOfValue(document: string, at: number): number {
  const quote = document[at]
  if (quote === '"' || quote === "'") {
    const close = document.indexOf(quote, at + 1)
    return close === -1 ? document.length : close + 1
  }
  return at + (/^[^\s>]*/.exec(document.slice(at))?.[0].length ?? 0)
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
