import { expect, it } from 'vitest'
import { parseJson, property } from '../../functions/election/json.ts'

it.each([
  ['{"length":2}', { length: 2 }],
  ['{"length":', undefined],
  ['', undefined],
])('reads %j as %o', (text, expected) => {
  expect(parseJson(text)).toEqual(expected)
})

it.each([
  [{ length: 2 }, 2],
  [['one'], 1],
  ['text', undefined],
  [null, undefined],
  [undefined, undefined],
])('finds under "length" of %o: %o', (value, expected) => {
  expect(property(value, 'length')).toBe(expected)
})
