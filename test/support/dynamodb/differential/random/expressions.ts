/** Random conditions and updates, over the attributes that random rows have. */
import fc from 'fast-check'
import type { Value } from '../../database.ts'
import { anyValue, flat, list, mostly, number, ordered, set, text } from './values.ts'

/** A piece of an expression: each ? stands for one of the values, in order. */
export interface Piece {
  readonly text: string
  readonly values: readonly Value[]
}

/** Puts pieces into the text, each at a $. */
export function fill(outline: string, ...pieces: readonly Piece[]): Piece {
  const queue = [...pieces]
  return {
    text: outline.replace(/\$/g, () => queue.shift()?.text ?? ''),
    values: pieces.flatMap(({ values }) => values),
  }
}

const listed = (pieces: readonly Piece[]) => fill(pieces.map(() => '$').join(', '), ...pieces)
const filled = (outline: string, ...pieces: readonly fc.Arbitrary<Piece>[]) =>
  fc.tuple(...pieces).map((all) => fill(outline, ...all))
const oneOf = (...texts: readonly string[]) =>
  fc.constantFrom(...texts).map((each): Piece => ({ text: each, values: [] }))

export function literal(value: fc.Arbitrary<Value>): fc.Arbitrary<Piece> {
  return value.map((one) => ({ text: '?', values: [one] }))
}

const PATHS = ['a', 'b', 'l', 'm', 's', 'zz', '#a', 'm.k', 'm.j', '#m.#n', 'l[0]', 'l[1]', 'l[9]', 'm.k[0]']
const STRANGE = ['m.k.j', 'l[0].k', 'l[2].k[1]', 'm[0]', 'l.k', 'zz.k', '#zz[3]', 'name', 'a b', '(a)', 'l[-1]', '_a']
const path = mostly(oneOf(...PATHS, 'dueAt'), oneOf(...STRANGE, 'pk'))
const targetPath = mostly(oneOf(...PATHS), oneOf(...STRANGE))
const size = mostly(
  filled('size($)', oneOf('b', 'l', 'm', 's', 'm.k', 'zz', 'a')),
  filled('size($)', literal(anyValue)),
)
const operand = fc.oneof(
  { weight: 6, arbitrary: path },
  { weight: 6, arbitrary: literal(anyValue) },
  { weight: 1, arbitrary: size },
)
const orderedOperand = mostly(
  fc.oneof({ weight: 5, arbitrary: path }, { weight: 6, arbitrary: literal(ordered) }, { weight: 1, arbitrary: size }),
  operand,
)
const typeName = mostly(
  fc.constantFrom('S', 'N', 'M', 'L', 'SS', 'NULL', 'BOOL').map((S): Value => ({ S })),
  anyValue,
)

const test = fc.oneof(
  { weight: 3, arbitrary: filled('$ = $', operand, operand) },
  { weight: 3, arbitrary: filled('$ <> $', operand, operand) },
  { weight: 6, arbitrary: filled('$ $ $', orderedOperand, oneOf('<', '<=', '>', '>='), orderedOperand) },
  { weight: 2, arbitrary: filled('attribute_exists($)', path) },
  { weight: 2, arbitrary: filled('attribute_not_exists ( $ )', path) },
  { weight: 2, arbitrary: filled('begins_with($, $)', path, mostly(literal(text), operand)) },
  { weight: 3, arbitrary: filled('contains($, $)', path, mostly(literal(flat), operand)) },
  { weight: 1, arbitrary: filled('contains($, $)', literal(anyValue), path) },
  { weight: 1, arbitrary: filled('attribute_type($, $)', path, literal(typeName)) },
  { weight: 2, arbitrary: filled('$ BETWEEN $ and $', path, orderedOperand, orderedOperand) },
  { weight: 1, arbitrary: filled('$ between $ AND $', literal(number), oneOf('a', 'zz'), literal(number)) },
  { weight: 2, arbitrary: filled('$ IN ($)', operand, fc.array(operand, { minLength: 1, maxLength: 3 }).map(listed)) },
)
const malformed = fc.oneof(
  filled('contains($)', path),
  filled('attribute_exists($)', literal(flat)),
  filled('((attribute_exists($)))', path),
  filled('$ = $ = $', path, path, path),
  filled('size($)', path),
  filled('$', path),
  filled('$ AND', test),
  filled('between($, $)', path, path),
)

export const condition: fc.Arbitrary<Piece> = mostly(
  fc.letrec<{ whole: Piece }>((tie) => ({
    whole: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 5, arbitrary: test },
      { weight: 1, arbitrary: filled('NOT $', tie('whole')) },
      { weight: 1, arbitrary: filled('NOT ($)', tie('whole')) },
      { weight: 2, arbitrary: filled('$ AND $', tie('whole'), tie('whole')) },
      { weight: 2, arbitrary: filled('($ or $)', tie('whole'), tie('whole')) },
    ),
  })).whole,
  malformed,
)

const plusOperand = fc.oneof(
  { weight: 3, arbitrary: oneOf('a', 'a', 'm.k', 'zz') },
  { weight: 3, arbitrary: literal(number) },
  { weight: 2, arbitrary: filled('if_not_exists($, $)', oneOf('a', 'zz', 'm.k'), literal(number)) },
  { weight: 1, arbitrary: operand },
)
const listOperand = fc.oneof(
  { weight: 3, arbitrary: oneOf('l') },
  { weight: 3, arbitrary: literal(list) },
  { weight: 2, arbitrary: filled('if_not_exists($, $)', oneOf('l', 'zz', 'm.k'), literal(list)) },
  { weight: 1, arbitrary: operand },
)
const source = mostly(
  fc.oneof(
    { weight: 5, arbitrary: literal(anyValue) },
    { weight: 2, arbitrary: path },
    { weight: 3, arbitrary: filled('$ $ $', plusOperand, oneOf('+', '-'), plusOperand) },
    { weight: 2, arbitrary: filled('if_not_exists($, $)', path, literal(anyValue)) },
    { weight: 1, arbitrary: filled('if_not_exists($, if_not_exists($, $))', path, path, operand) },
    { weight: 2, arbitrary: filled('list_append($, $)', listOperand, listOperand) },
    { weight: 1, arbitrary: filled('($ + $)', plusOperand, plusOperand) },
  ),
  fc.oneof(
    filled('list_append(list_append($, $), l)', listOperand, listOperand),
    filled('if_not_exists($, list_append($, $))', path, listOperand, listOperand),
    filled('list_append($, $) + $', listOperand, listOperand, plusOperand),
    filled('$ + $ + $', plusOperand, plusOperand, plusOperand),
    filled('(($))', path),
    filled('size($)', path),
  ),
)

type Clause = 'SET' | 'REMOVE' | 'ADD' | 'DELETE'
const clause = fc.constantFrom<Clause>('SET', 'SET', 'SET', 'REMOVE', 'ADD', 'DELETE')
const added = fc.oneof(
  { weight: 2, arbitrary: literal(number) },
  { weight: 1, arbitrary: literal(mostly(set, anyValue)) },
)

/** What one clause does with one path. The key of an index is only ever given a text: see the known differences. */
interface Action {
  readonly clause: Clause
  readonly target: Piece
  readonly source: Piece
  readonly added: Piece
  readonly taken: Piece
}
const anyAction = fc.record({ clause, target: targetPath, source, added, taken: literal(mostly(set, anyValue)) })
const indexKey: fc.Arbitrary<Action> = anyAction.chain((one) =>
  fc
    .tuple(fc.constantFrom<Clause>('SET', 'REMOVE'), literal(fc.constantFrom('1', '2', '3').map((S) => ({ S }))))
    .map(([kind, due]) => ({ ...one, clause: kind, source: due, target: { text: 'dueAt', values: [] } })),
)
const action = fc.oneof({ weight: 6, arbitrary: anyAction }, { weight: 1, arbitrary: indexKey })
const targets = fc.uniqueArray(action, {
  minLength: 1,
  maxLength: 4,
  selector: ({ target }) => target.text.replace(/[#.[].*/, ''),
})
const clashing = fc.array(action, { minLength: 2, maxLength: 4 })

function actionText({ clause: kind, target, source: from, added: more, taken }: Action): Piece {
  switch (kind) {
    case 'SET':
      return fill('$ = $', target, from)
    case 'REMOVE':
      return target
    case 'ADD':
      return fill('$ $', target, more)
    case 'DELETE':
      return fill('$ $', target, taken)
  }
}

export const update: fc.Arbitrary<Piece> = fc
  .oneof({ weight: 15, arbitrary: targets }, { weight: 1, arbitrary: clashing })
  .map((actions) => {
    const sections = Map.groupBy(actions, ({ clause: kind }) => kind)
    const all = Array.from(sections, ([kind, of]) => fill(`${kind} $`, listed(of.map(actionText))))
    return fill(all.map(() => '$').join(' '), ...all)
  })
