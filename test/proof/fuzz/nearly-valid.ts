/** Valid examples with something wrong about them: noise alone seldom gets past a reader's first line. */
import fc from 'fast-check'
import { hostileText } from './hostile.ts'

const HOWS = ['delete', 'replace', 'rename', 'retype', 'wrap', 'add'] as const

interface Edit {
  readonly how: (typeof HOWS)[number]
  /** Which of all the values in the example, counted through. */
  readonly nth: number
  readonly value: unknown
  readonly name: string
}

/** The example with none to three of its values, at any depth, deleted, replaced, renamed, retyped, wrapped or added to. */
export function nearly(example: fc.Arbitrary<unknown>, values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const edit: fc.Arbitrary<Edit> = fc.record({
    how: fc.constantFrom(...HOWS),
    nth: fc.nat(40),
    value: values,
    name: hostileText,
  })
  const edits = fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 4, arbitrary: fc.array(edit, { minLength: 1, maxLength: 3 }) },
  )
  return fc.tuple(example, edits).map(([valid, made]) => made.reduce(edited, valid))
}

/** {@link nearly} of an object, which it stays. */
export function nearlyObject(
  example: fc.Arbitrary<object>,
  values: fc.Arbitrary<unknown>,
): fc.Arbitrary<Record<string, unknown>> {
  return nearly(example, values).map((value) => (typeof value === 'object' && value !== null ? { ...value } : {}))
}

function edited(root: unknown, edit: Edit): unknown {
  const paths = pathsIn(root)
  const path = paths[edit.nth % Math.max(1, paths.length)]
  return path === undefined ? root : at(root, path, edit)
}

function pathsIn(value: unknown, depth = 0): string[][] {
  if (typeof value !== 'object' || value === null || depth > 4) return []
  return Object.entries(value).flatMap(([name, inner]) => [
    [name],
    ...pathsIn(inner, depth + 1).map((path) => [name, ...path]),
  ])
}

function at(container: unknown, [name, ...rest]: readonly string[], edit: Edit): unknown {
  if (typeof container !== 'object' || container === null || name === undefined) return container
  const entries = Object.entries(container).flatMap(([key, value]): (readonly [string, unknown])[] => {
    if (key !== name) return [[key, value]]
    return rest.length > 0 ? [[key, at(value, rest, edit)]] : changed(key, value, edit)
  })
  return Array.isArray(container) ? entries.map(([, value]) => value) : Object.fromEntries(entries)
}

function changed(key: string, value: unknown, edit: Edit): (readonly [string, unknown])[] {
  switch (edit.how) {
    case 'delete':
      return []
    case 'replace':
      return [[key, edit.value]]
    case 'rename':
      return [[edit.name, value]]
    case 'retype':
      return [[key, retyped(value)]]
    case 'wrap':
      return [[key, [value]]]
    case 'add':
      return [
        [key, value],
        [edit.name, edit.value],
      ]
  }
}

/** Numbers as text and text as numbers: what spreadsheets, shells and consoles make of them. */
function retyped(value: unknown): unknown {
  if (typeof value === 'string') return Number(value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : { value }
}

/** The text with none to three pieces of it cut, doubled, replaced or put elsewhere. */
export function nearlyText(
  valid: fc.Arbitrary<string>,
  pieces: fc.Arbitrary<string> = hostileText,
): fc.Arbitrary<string> {
  const splice = fc.record({
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.oneof(fc.nat(3), fc.nat(30)),
    piece: fc.oneof(fc.constant(''), pieces, fc.constant('copy')),
  })
  const splices = fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(splice, { minLength: 1, maxLength: 3 }) },
  )
  return fc.tuple(valid, splices).map(([text, made]) =>
    made.reduce((before, { from, length, piece }) => {
      const start = Math.floor(from * before.length)
      const cut = before.slice(start, start + length)
      return before.slice(0, start) + (piece === 'copy' ? cut + cut : piece) + before.slice(start + length)
    }, text),
  )
}
