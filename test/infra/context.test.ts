import { expect, test } from 'vitest'
import { numberFromContext } from '../../infra/context.ts'
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
