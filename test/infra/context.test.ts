import { expect, test } from 'vitest'
import { flagFromContext, namesFromContext, numberFromContext, textFromContext } from '../../infra/context.ts'
import { newApp } from '../support/cdk-app.ts'

const read = (candidates: unknown) => numberFromContext(newApp({ context: { candidates } }), 'candidates')

test('a whole number comes from the context as a number or as the text of the command line', () => {
  expect(read(4)).toBe(4)
  expect(read('4')).toBe(4)
})

test('a value that nobody set is undefined', () => {
  expect(numberFromContext(newApp(), 'candidates')).toBeUndefined()
})

test.each(['four', '', '1.5', '-1', '0x10', 1.5, true, null])('%j is refused by the name of its key', (value) => {
  expect(() => read(value)).toThrow(
    `the app: the context value \`candidates\` is ${JSON.stringify(value)}; give a whole number`,
  )
})

test('a text comes from the context as it is, and nothing else does', () => {
  const text = (alarmEmail?: unknown) => textFromContext(newApp({ context: { alarmEmail } }), 'alarmEmail')
  expect(text('oncall@example.com')).toBe('oncall@example.com')
  expect(text()).toBeUndefined()
  expect(() => text(5)).toThrow('the app: the context value `alarmEmail` is 5; give a text')
})

test('names come from the context as a list, or as the text of the command line; none where nobody set them', () => {
  const names = (deleteTables?: unknown) => namesFromContext(newApp({ context: { deleteTables } }), 'deleteTables')
  expect(names(['Leases', 'Charges'])).toEqual(['Leases', 'Charges'])
  expect(names('Leases, Charges')).toEqual(['Leases', 'Charges'])
  expect(names()).toEqual([])
  expect(() => names([5])).toThrow('the context value `deleteTables` is an object; give names, as in A,B')
  expect(() => names(true)).toThrow('the context value `deleteTables` is true; give names')
})

test('yes or no come from the context as they are, or as the text of the command line', () => {
  const flag = (enabled?: unknown) => flagFromContext(newApp({ context: { enabled } }), 'enabled')
  for (const yes of [true, 'true']) expect(flag(yes)).toBe(true)
  for (const no of [false, 'false']) expect(flag(no)).toBe(false)
  expect(flag()).toBeUndefined()
  for (const neither of ['no', 0, '']) {
    expect(() => flag(neither)).toThrow(`\`enabled\` is ${JSON.stringify(neither)}; give true or false`)
  }
})
