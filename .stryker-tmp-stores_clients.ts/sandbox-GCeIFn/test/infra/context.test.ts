// @ts-nocheck
import { expect, test } from 'vitest'
import { CONTEXT, fromContext } from '../../infra/stacks/context.ts'
import { newApp, refusal } from '../support/cdk-app.ts'

type Kind = keyof typeof CONTEXT
const read = (kind: Kind, key: unknown) => fromContext<unknown>(newApp({ context: { key } }), 'key', CONTEXT[kind])

test.each<[Kind, unknown, unknown]>([
  ['number', 4, 4],
  ['number', '4', 4],
  ['number', undefined, undefined],
  ['text', 'oncall@example.com', 'oncall@example.com'],
  ['names', ['Leases', 'Charges'], ['Leases', 'Charges']],
  ['names', 'Leases, Charges', ['Leases', 'Charges']],
  ['flag', true, true],
  ['flag', 'false', false],
])('a context value that should be a %s: %j is read as %j', (reader, given, expected) => {
  expect(read(reader, given)).toEqual(expected)
})

test.each<[string, Kind, unknown[]]>([
  ['a whole number', 'number', ['four', '', '1.5', '0x10', -1, 1.5, null]],
  ['a text', 'text', [5]],
  ['names, as in A,B', 'names', [true]],
  ['true or false', 'flag', ['no', 0, '']],
])('a context value that is not %s is refused with its key', (expected, reader, values) => {
  for (const given of values) {
    const message = `the app: the context value \`key\` is ${JSON.stringify(given)}; give ${expected}`
    expect(() => read(reader, given)).toThrow(refusal(message))
  }
})
