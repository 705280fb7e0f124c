/** Document paths, such as `a.#b[0]`: how they are written, and what they point at in a row. */
import type { Placeholders } from './placeholders.ts'
import { invalid } from './refusal.ts'
import { isReserved } from './reserved-words.ts'
import type { Tokens } from './tokens.ts'
import { attributeOf, type Row, type Value } from './values.ts'

/** The attribute's name, then names in maps and indexes in lists. */
export type Path = readonly (string | number)[]

export type PathOf = (placeholders: Placeholders) => Path

const KEYWORDS: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT', 'IN', 'BETWEEN', 'SET', 'REMOVE', 'ADD', 'DELETE'])

/** Reads a path. The placeholders in it are noted in `names`, and put in when a request comes. */
export function parsePath(tokens: Tokens, names: Set<string>): PathOf {
  const path: (string | number)[] = [parseName(tokens, names)]
  for (;;) {
    if (tokens.take('.')) {
      path.push(parseName(tokens, names))
    } else if (tokens.take('[')) {
      if (tokens.peek().kind !== 'index') throw tokens.unexpected()
      path.push(Number(tokens.next().text))
      tokens.expect(']')
    } else {
      return withNames(path)
    }
  }
}

function parseName(tokens: Tokens, names: Set<string>): string {
  const { kind, text } = tokens.peek()
  if (kind === '#') names.add(text)
  else if (kind !== 'name' || KEYWORDS.has(text.toUpperCase())) throw tokens.unexpected()
  else if (isReserved(text)) {
    throw tokens.refusal(`Attribute name is a reserved keyword; reserved keyword: ${text}`)
  }
  tokens.next()
  return text
}

function withNames(path: Path): PathOf {
  const isPlaceholder = (step: string | number) => typeof step === 'string' && step.startsWith('#')
  if (!path.some(isPlaceholder)) return () => path
  // Checked before: every placeholder of an expression has its name.
  return ({ names }) => path.map((step) => (isPlaceholder(step) ? (names[step] ?? step) : step))
}

export function valueAt(row: Row, path: Path): Value | undefined {
  let value: Value | undefined
  for (const [depth, step] of path.entries()) {
    value = depth === 0 ? attributeOf(row, String(step)) : childOf(value, step)
    if (value === undefined) return undefined
  }
  return value
}

function childOf(value: Value | undefined, step: string | number): Value | undefined {
  if (value === undefined) return undefined
  if (typeof step === 'number') return 'L' in value ? value.L[step] : undefined
  return 'M' in value ? attributeOf(value.M, step) : undefined
}

/** The value with another one put in, or with one taken out, at the path from the step `depth` on. */
export function withChange(value: Value | undefined, path: Path, depth: number, change: Value | undefined): Value {
  const step = path[depth]
  const isLast = depth === path.length - 1
  if (typeof step === 'string' && value !== undefined && 'M' in value) {
    const fields: Record<string, Value> = { ...value.M }
    const next = isLast ? change : withChange(attributeOf(value.M, step), path, depth + 1, change)
    if (next === undefined) delete fields[step]
    else fields[step] = next
    return { M: fields }
  }
  if (typeof step === 'number' && value !== undefined && 'L' in value) {
    const next = isLast ? change : withChange(value.L[step], path, depth + 1, change)
    if (next === undefined) return { L: value.L.toSpliced(step, 1) }
    return { L: step < value.L.length ? value.L.with(step, next) : [...value.L, next] } // there are no gaps
  }
  throw invalidForUpdate()
}

export function invalidForUpdate(): Error {
  return invalid('The document path provided in the update expression is invalid for update')
}

/** Two paths of one update where one lies within the other, or which disagree whether something is a map or a list. */
export function clash(a: Path, b: Path): 'overlap' | 'conflict' | undefined {
  const shared = Math.min(a.length, b.length)
  for (let at = 0; at < shared; at++) {
    if (a[at] === b[at]) continue
    return typeof a[at] === typeof b[at] ? undefined : 'conflict'
  }
  return 'overlap'
}

export function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((step, at) => step === b[at])
}

export function showPath(path: Path): string {
  return `[${path.map((step) => (typeof step === 'number' ? `[${step}]` : step)).join(', ')}]`
}
