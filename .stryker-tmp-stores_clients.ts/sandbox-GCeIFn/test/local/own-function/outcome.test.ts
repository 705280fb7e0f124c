/** What the tries of a user's own function count as, and what the terminal shows of them. */
// @ts-nocheck

import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Ending } from '../../../infra/local/lambda-host/environment.ts'
import type { Observations, ObservedLease } from '../../../infra/local/observe/outcome.ts'
import { readableError } from '../../../infra/local/own-function/outcome.ts'
import { outcomeReader } from '../../../infra/local/own-function/own-function.ts'

const DIRECTORY = '/home/ann/orders'
const ROOT = join(import.meta.dirname, '../../..')
const ASKED: ObservedLease = { lease: 'orders', leaseMs: 15_000, tick: '2024-01-31T00:00:00.000Z' }
const LED: ObservedLease = { ...ASKED, token: 7 }

const RETURNED: Ending = { ok: true, value: null }
const threw = (errorMessage = 'no', ...frames: readonly string[]): Ending => ({
  ok: false,
  error: { errorType: 'TypeError', errorMessage, trace: [`TypeError: ${errorMessage}`, ...frames] },
  logs: [],
})
const observed = (...leases: readonly ObservedLease[]): Observations => ({ leases, missingTables: [] })

/** Reads tries that were all observed in this way; and what the terminal shows. */
function reading(observations: Observations, leaseMs = 15_000) {
  const shown: string[] = []
  const place = { lease: 'orders', directory: DIRECTORY, leaseMs }
  const read = outcomeReader(
    place,
    () => observations,
    (text) => shown.push(text),
  )
  return { shown, read: (ending: Ending) => read({ requestId: 'a', ending }) }
}

test.each([
  [['Invoices'], ['id'], 'The table Invoices does not exist. Create it with --table Invoices:id.'],
  [['Invoices'], [], 'Create it with --table Invoices:KEY, where KEY is the name of its partition key.'],
  [['A-1', 'B-1'], [], 'One of its tables does not exist. Create it with --table A-1:KEY or --table B-1:'],
])('missing tables %j are named once, with the flag that makes them', (tables, keys, hint) => {
  const missing = { tables, keys }
  const { shown, read } = reading({ ...observed(LED), missingTables: [missing, missing] })
  for (const ending of [threw(), threw()]) read(ending)
  expect(shown).toEqual([expect.stringContaining(hint)])
})

test('the stack of an error has file names relative to the directory', () => {
  const { read } = reading(observed({ ...LED, ended: 'completed' }))
  const trace = ['TypeError: no', 'at f (a.ts:1:2)']
  expect(read(threw('no', '    at f (/home/ann/orders/a.ts:1:2)'))).toMatchObject({ thrown: { trace } })
})

test.each([
  ['once before any election', observed(), [false, true, false, true, false]],
  ['each time after it requested the lease', observed(LED), Array.from({ length: 5 })],
])('a failure that repeats is shown %s', (_, observations, expected) => {
  const { read } = reading(observations)
  const endings = [RETURNED, RETURNED, threw('a'), threw('a'), threw('b')]
  expect(endings.map((ending) => Reflect.get(read(ending), 'isTold'))).toEqual(expected)
})

test('a lease duration beyond LEASE_MS and a missing tick are mentioned once', () => {
  const { shown, read } = reading(observed({ ...ASKED, tick: undefined }), 1_500)
  for (const ending of [RETURNED, RETURNED]) read(ending)
  expect(shown).toEqual([
    expect.stringMatching(/for 15\.0 s, but LEASE_MS is 1500.*leaseMs.*--time-scale 1/),
    expect.stringMatching(/"orders" without a tick.*tick: event\.tick/),
  ])
})

const SDK = 'send (/home/ann/orders/node_modules/sdk/index.js:1:2)'

test.each<[string, readonly string[], readonly string[]]>([
  [
    "has files relative to the user's directory, and the library by its name",
    [
      'sum (/home/ann/orders/src/sum.ts:5:17)',
      'async file:///home/ann/other/index.mjs:2:1',
      `withLease (${ROOT}/functions/election/with-lease.ts:35:20)`,
    ],
    ['sum (src/sum.ts:5:17)', 'async /home/ann/other/index.mjs:2:1', 'withLease (tenure/with-lease.ts:35:20)'],
  ],
  [
    'omits Node, the Lambda host and other packages',
    [SDK, 'sum (/home/ann/orders/sum.ts:5:17)', 'emit (node:fs:1:2)', `x (${ROOT}/infra/local/lambda-host/a.ts:1:2)`],
    ['sum (sum.ts:5:17)'],
  ],
  ['has other packages if there is nothing else', [SDK], ['send (node_modules/sdk/index.js:1:2)']],
])('a stack %s', (_, frames, shown) => {
  const trace = ['Error: no', ...frames.map((frame) => `    at ${frame}`)]
  const error = { errorType: 'Error', errorMessage: 'no', trace }
  expect(readableError(error, DIRECTORY).trace).toEqual(['Error: no', ...shown.map((frame) => `at ${frame}`)])
})
