/** Untrusted values: what people mistype, what programs confuse, and what an attacker may try. */
// @ts-nocheck

import fc from 'fast-check'

const LONG = 'x'.repeat(50_000)
const AWKWARD_TEXTS = [
  // Names that every object inherits, or that change its prototype.
  ...['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'length', 'then'],
  ...['', ' ', '\t\r\n', 'null', 'undefined', 'true', 'NaN', 'Infinity', '[object Object]'],
  ...['0', '-0', '-1', '1.5', '1e3', '0x10', ' 7 ', '٣', '1_000', '9007199254740993', '1'.repeat(400)],
  ...['\ud800', 'a\udfffb', '\u0000', '\u202e', '\u001b[2J', '\ufeff', 'x\r\ny', '"', "'", '\\', '`', '%s'],
  ...['2026-11-21T06:00:00.000Z', '2026-02-30T06:00:00Z', '+010000-01-01T00:00:00.000Z', '0000-00-00T00:00:00Z'],
  '<aws.scheduler.scheduled-time>',
]

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...AWKWARD_TEXTS) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  { weight: 1, arbitrary: fc.constantFrom(LONG, `${LONG}\n`, '\ud800'.repeat(5_000)) },
)

/** JSON has no NaN, but 1e999 is read as Infinity, and -0 as it is. */
export const hostileNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 0.5, 1e15, 1_795_240_800, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1),
  fc.constantFrom(Number.MAX_VALUE, Number.MIN_VALUE, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  fc.integer(),
  fc.double({ noNaN: true }),
)

const deep = (open: string, close: string): unknown => JSON.parse(`${open.repeat(20_000)}0${close.repeat(20_000)}`)

/** Whatever `JSON.parse` may return. */
export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.anything({
      key: hostileText,
      values: [hostileText, hostileNumber, fc.constantFrom(null, true, false)],
      ...{ maxDepth: 3, maxKeys: 4 },
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom(deep('[', ']'), deep('{"a":', '}')) },
  { weight: 1, arbitrary: fc.constant({ toString: 1, valueOf: 1 }) }, // it cannot be made into a text
)

/** Whatever a program in plain JavaScript may pass. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: hostileJson },
  {
    weight: 4,
    arbitrary: fc.constantFrom<unknown>(
      ...[undefined, Number.NaN, 10n ** 400n, Symbol('tick'), Symbol.iterator, () => LONG],
      ...[new Date(Number.NaN), new Date('2026-11-21T06:00:00Z'), new Map([['lease', 'billing']])],
      ...[Object.create(null), { toString: null, valueOf: null }, { constructor: null }],
      ...[new (class Lease {})(), new AbortController().signal],
    ),
  },
)

type Entry = readonly [name: string, value: unknown]
type Edit = (key: string, old: unknown) => readonly Entry[]

/** Deletes, retypes, wraps, replaces, renames or adds to up to three of the example's values, at any depth. */
export function nearlyObject(example: fc.Arbitrary<object>, values: fc.Arbitrary<unknown>) {
  const edit = fc.tuple(values, hostileText, fc.nat(5)).map(([value, name, which]): Edit => {
    const edits: readonly Edit[] = [
      () => [],
      (key, old) => [[key, retyped(old)]],
      (key, old) => [[key, [old]]],
      (key) => [[key, value]],
      (_, old) => [[name, old]],
    ]
    const addition: Edit = (key, old) => [...[[key, old] as const], [name, value]]
    return edits[which] ?? addition
  })
  const edits = fc.array(fc.tuple(fc.nat(40), edit), { maxLength: 3 })
  return fc
    .tuple(example, edits)
    .map(([valid, made]) => made.reduce<unknown>((whole, [nth, edit]) => edited(whole, nth, edit), valid))
    .map((value): Record<string, unknown> => (typeof value === 'object' && value !== null ? { ...value } : {}))
}

/** The text with up to three pieces of it cut, doubled or replaced. */
export function nearlyText(valid: fc.Arbitrary<string>, pieces = hostileText): fc.Arbitrary<string> {
  const from = fc.double({ min: 0, max: 1, noNaN: true })
  const length = fc.oneof(fc.nat(3), fc.nat(30))
  const splice = fc.tuple(from, length, fc.oneof(fc.constant(''), pieces, fc.constant('copy')))
  return fc.tuple(valid, fc.array(splice, { maxLength: 3 })).map(([text, splices]) =>
    splices.reduce((before, [share, cut, piece]) => {
      const start = Math.floor(share * before.length)
      const old = before.slice(start, start + cut)
      return before.slice(0, start) + (piece === 'copy' ? old + old : piece) + before.slice(start + cut)
    }, text),
  )
}

/** The number says which of all the values in the whole is edited, counted through. */
function edited(whole: unknown, nth: number, edit: Edit): unknown {
  let left = Number.POSITIVE_INFINITY
  let count = 0
  const walk = (value: unknown, depth: number): unknown => {
    if (typeof value !== 'object' || value === null || depth > 4) return value
    const before = left
    const entries = Object.entries(value).flatMap(([key, inner]): readonly Entry[] => {
      count++
      return left-- === 0 ? edit(key, inner) : [[key, walk(inner, depth + 1)]]
    })
    if (before < 0 || left >= 0) return value // the edit is not in it
    return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries)
  }
  walk(whole, 0)
  left = nth % Math.max(1, count)
  return walk(whole, 0)
}

/** Numbers as texts and texts as numbers: what spreadsheets, shells and consoles make of them. */
function retyped(value: unknown): unknown {
  if (typeof value === 'string') return Number(value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : { value }
}
