// @ts-nocheck
import { expect, it } from 'vitest'
import { parseJson, property } from '../../functions/election/json.ts'

it('a text that is no JSON, and a property of what is no object, are undefined', () => {
  expect(['{"length":2}', '{"length":', ''].map(parseJson)).toEqual([{ length: 2 }, undefined, undefined])
  const lengths = [{ length: 2 }, ['one'], 'text', null, undefined].map((value) => property(value, 'length'))
  expect(lengths).toEqual([2, 1, undefined, undefined, undefined])
})
