/**
 * Random rows. Few names and few values, close together, so that conditions are met and missed by a hair and updates mostly
 * find what they need. Texts contain § where a run puts its own prefix.
 */
import fc from 'fast-check'
import type { Value } from '../../database.ts'

/** Mostly the first, now and then the other, which is likely to be refused. */
export function mostly<T, U>(likely: fc.Arbitrary<T>, rarely: fc.Arbitrary<U>): fc.Arbitrary<T | U> {
  return fc.oneof({ weight: 60, arbitrary: likely }, { weight: 1, arbitrary: rarely })
}

// In their one spelling, for DynamoDB Local leaves those within maps and lists as they were sent.
const spelled = fc.constantFrom('0', '1', '2', '3', '-1', '10', '1.5', '-0.25', '100', '9007199254740993', '0.001')
const misspelled = fc.constantFrom('007', '1e2', '+3', '-0', '2.50', '.5', '1E-3', '123456789012345678901234567890')
const word = fc.constantFrom('', 'a', 'ab', 'abc', 'b', 'é', 'z', '\u{1F600}', '\uFB01')
const base64 = fc.constantFrom('YQ==', 'YWI=', '/w==')

export const number = spelled.map((N): Value => ({ N }))
export const topNumber = mostly(spelled, misspelled).map((N): Value => ({ N }))
export const text = word.map((S): Value => ({ S }))
export const ordered = fc.oneof(
  number,
  text,
  base64.map((B): Value => ({ B })),
)
export const flat = fc.oneof(
  { weight: 6, arbitrary: ordered },
  { weight: 1, arbitrary: fc.boolean().map((BOOL): Value => ({ BOOL })) },
  { weight: 1, arbitrary: fc.constant<Value>({ NULL: true }) },
)

const textSet = fc.uniqueArray(fc.constantFrom('a', 'b', 'ab'), { minLength: 1 }).map((SS): Value => ({ SS }))
const numberSet = fc.uniqueArray(fc.constantFrom('0', '1', '2', '1.5'), { minLength: 1 }).map((NS): Value => ({ NS }))
const byteSet = fc.uniqueArray(base64, { minLength: 1 }).map((BS): Value => ({ BS }))
export const set = fc.oneof({ weight: 3, arbitrary: textSet }, numberSet, byteSet)

export const list = fc.array(flat, { maxLength: 4 }).map((L): Value => ({ L }))
const fieldsOf = (value: fc.Arbitrary<Value>) => fc.dictionary(fc.constantFrom('k', 'j', 'n'), value, { maxKeys: 3 })
export const map = fieldsOf(fc.oneof(flat, list, set)).map((M): Value => ({ M }))
export const deepList = fc.array(fc.oneof(flat, map, list), { maxLength: 3 }).map((L): Value => ({ L }))
const deepMap = fieldsOf(fc.oneof(flat, map)).map((M): Value => ({ M }))

export const anyValue = fc.oneof({ weight: 4, arbitrary: flat }, set, list, map, deepList, deepMap)
const unfit = fc.constantFrom<object>({}, { N: 'one' }, { X: 'x' }, { SS: [] }, { SS: ['a', 'a'] }, { S: 'a', N: '1' })

const words = (...texts: readonly string[]) => fc.constantFrom(...texts).map((S): Value => ({ S }))
const usual = {
  a: topNumber,
  b: text,
  l: fc.oneof(list, deepList),
  m: fc.oneof(map, deepMap),
  s: set,
  dueShard: words('§x', '§y'),
  dueAt: words('1', '2', '3'),
}
/** A row that has nearly everything that expressions look for. */
export const wholeRow = fc.record(usual)
export const attributes = fc.record(
  {
    ...usual,
    a: mostly(topNumber, fc.oneof(anyValue, unfit)),
    b: mostly(text, anyValue),
    l: mostly(usual.l, anyValue),
    m: mostly(usual.m, anyValue),
    s: mostly(set, anyValue),
    dueShard: mostly(usual.dueShard, fc.constant<Value>({ N: '1' })),
  },
  { requiredKeys: [] },
)

export type RowKey = { readonly pk: Value; readonly sk: Value }

export const rightKey: fc.Arbitrary<RowKey> = fc.record({
  pk: fc.constantFrom('§1', '§2').map((S): Value => ({ S })),
  sk: fc.constantFrom('a', 'b', 'c').map((S): Value => ({ S })),
})
export const key: fc.Arbitrary<object> = mostly(
  rightKey,
  fc.oneof(
    fc.record({ pk: flat }),
    fc.record({ pk: flat, sk: flat }),
    rightKey.map((right) => ({ ...right, a: { N: '1' } })),
  ),
)
