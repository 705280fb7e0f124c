// @ts-nocheck
import { expect, it } from 'vitest'
import { EnvironmentReader } from '../../functions/election/environment.ts'

const readerOf = (variables: Record<string, string>) => new EnvironmentReader('the announcer', variables)

it('values come without the spaces around them, and an empty one is missing', () => {
  const environment = readerOf({ TOPIC: ' arn ', EMPTY: ' ', LEAST: '5', MOST: '10 ' })
  expect([environment.optional('EMPTY'), environment.wholeNumber('EMPTY', 5, 10, '')]).toEqual([undefined, undefined])
  expect(environment.required('TOPIC')).toBe('arn')
  expect(['LEAST', 'MOST'].map((name) => environment.wholeNumber(name, 5, 10, ''))).toEqual([5, 10])
  expect(() => environment.check()).not.toThrow()
})

it('all that is missing or wrong is reported in one error', () => {
  const environment = readerOf({ FEW: '4', MANY: '11', HALF: '5.5' })
  expect(environment.required('TOPIC')).toBe('')
  for (const name of ['FEW', 'MANY', 'HALF']) environment.wholeNumber(name, 5, 10, 'from 5 to 10')
  const numbers = 'FEW is "4", not from 5 to 10; MANY is "11", not from 5 to 10; HALF is "5.5", not from 5 to 10'
  const message = `The environment of the announcer is wrong: TOPIC is not set; ${numbers}`
  expect(() => environment.check()).toThrow(expect.objectContaining({ name: 'EnvironmentError', message }))
})
