/** What the tries of a user's own function count as, and what the terminal shows of them. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Ending } from '../../../infra/local/lambda-host/environment.ts'
import type { Observations, ObservedLease } from '../../../infra/local/observe/outcome.ts'
import { readableError } from '../../../infra/local/own-function/outcome.ts'
import { OwnOutcomes } from '../../../infra/local/own-function/own-function.ts'

const DIRECTORY = '/home/ann/orders'
const ROOT = join(import.meta.dirname, '../../..')
const ASKED: ObservedLease = { lease: 'orders', leaseMs: 15_000, tick: '2024-01-31T00:00:00.000Z' }
const LED: ObservedLease = { ...ASKED, token: 7 }

const returned = (value: unknown = null): Ending => ({ ok: true, value })
const threw = (errorMessage = 'no', ...frames: readonly string[]): Ending => ({
  ok: false,
  error: { errorType: 'TypeError', errorMessage, trace: [`TypeError: ${errorMessage}`, ...frames] },
  logs: [],
})
const observed = (...leases: readonly ObservedLease[]): Observations => ({
  leases,
  staleWritesRefused: 2,
  missingTables: [],
})

/** Reads tries that were all observed in this way; and what the terminal shows. */
function reading(observations: Observations, leaseMs = 15_000) {
  const shown: string[] = []
  const place = { lease: 'orders', directory: DIRECTORY, leaseMs }
  const outcomes = new OwnOutcomes(
    place,
    () => observations,
    (text) => shown.push(text),
  )
  return { shown, read: (ending: Ending) => outcomes.read({ requestId: 'a', ending }) }
}

const read = (ending: Ending, ...leases: readonly ObservedLease[]) => reading(observed(...leases)).read(ending)
const work = { staleWritesRefused: 2 }
const COMPLETED = { status: 'completed', fencingToken: 7, work }

test.each([
  [{ tables: ['Invoices'], keys: ['id'] }, 'The table Invoices does not exist. Create it with --table Invoices:id.'],
  [
    { tables: ['Invoices'], keys: [] },
    'Create it with --table Invoices:KEY, where KEY is the name of its partition key.',
  ],
  [
    { tables: ['A-1', 'B-1'], keys: [] },
    'One of its tables does not exist. Create it with --table A-1:KEY or --table B-1:',
  ],
])('a missing table is named once, with the flag that makes it: %j', (missing, hint) => {
  const { shown, read } = reading({ ...observed(LED), missingTables: [missing, missing] })
  read(threw())
  read(threw())
  expect(shown).toEqual([expect.stringContaining(hint)])
})

describe('whatever the function returns,', () => {
  test.each([undefined, 'mine', { status: 'standby', reason: 'held' }, { status: 'completed', fencingToken: 7 }])(
    '%j after completing its tick is a completion',
    (value) => expect(read(returned(value), { ...LED, ended: 'completed' })).toEqual(COMPLETED),
  )

  test('a lease that it released is released', () => {
    expect(read(returned(), { ...LED, ended: 'released' })).toEqual({ status: 'released' })
  })

  test.each(['held', 'tickDone', 'paused'] as const)('a refusal as %s is a standby', (refusedAs) => {
    expect(read(returned(), { ...ASKED, refusedAs })).toEqual({ status: 'standby', reason: refusedAs })
  })

  test('the reason comes from the outcome of the library, if there is one', () => {
    const outcome = { status: 'standby', reason: 'superseded' }
    expect(read(returned(outcome), { ...ASKED, refusedAs: 'tickDone' })).toEqual(outcome)
  })

  test.each([
    ['never requested a lease', [], 'NoElection', /without requesting the lease "orders".*LEASE_TABLE and LEASE_NAME/],
    ['requested another', [{ ...LED, lease: 'mail' }], 'OtherLease', /lease "mail", not "orders".*--lease/],
    ['swallowed its error', [{ ...LED, ended: 'failed' as const }], 'SwallowedError', /failed under token 7/],
    ['did not await its end', [LED], 'Unfinished', /await withLease/],
    ['got no answer', [ASKED], 'Unanswered', /no answer/],
  ])('a function that %s failed, and the error says why', (_, leases, errorType, errorMessage) => {
    const error = { errorType, errorMessage: expect.stringMatching(errorMessage) }
    expect(read(returned(), ...leases)).toMatchObject({ status: 'failed', error, work })
  })
})

describe('if it throws,', () => {
  test('it failed, and led with the token of its requests', () => {
    const outcome = { status: 'failed', error: { errorType: 'TypeError', errorMessage: 'no' }, ledWithToken: 7, work }
    expect(read(threw(), { ...LED, ended: 'failed' })).toMatchObject(outcome)
    expect(read(threw(), ASKED)).toMatchObject({ status: 'failed', ledWithToken: undefined })
  })

  test('a tick that it had completed stays completed, and the error is shown', () => {
    const { shown, read } = reading(observed({ ...LED, ended: 'completed' }))
    const thrown = { errorType: 'TypeError', errorMessage: 'no' }
    expect(read(threw('no', '    at f (/home/ann/orders/a.ts:1:2)'))).toMatchObject({ ...COMPLETED, thrown })
    expect(shown.join()).toMatch(/Token 7 failed after completing its tick.*TypeError: no\n +at f \(a\.ts:1:2\)/)
  })
})

describe('in the terminal', () => {
  test('a failure that repeats before any election is shown once', () => {
    const { read } = reading(observed())
    const isTold = (ending: Ending) => Reflect.get(read(ending), 'isTold')
    const told = [returned(), returned(), threw('a'), threw('a'), threw('b')].map(isTold)
    expect(told).toEqual([false, true, false, true, false])
  })

  test('a failure after it requested the lease is shown each time', () => {
    const { read } = reading(observed(LED))
    for (const ending of [threw(), threw()]) expect(read(ending)).not.toHaveProperty('isTold', true)
  })

  test('a lease duration beyond LEASE_MS and a missing tick are mentioned once', () => {
    const { shown, read } = reading(observed({ ...ASKED, tick: undefined }), 1_500)
    for (const ending of [returned(), returned()]) read(ending)
    expect(shown).toEqual([
      expect.stringMatching(/for 15\.0 s, but LEASE_MS is 1500.*leaseMs.*--time-scale 1/),
      expect.stringMatching(/"orders" without a tick.*tick: event\.tick/),
    ])
    expect(reading(observed(ASKED)).shown).toEqual([])
  })
})

describe('a stack', () => {
  const traceOf = (...frames: readonly string[]) => {
    const trace = ['Error: no', ...frames.map((frame) => `    at ${frame}`)]
    return readableError({ errorType: 'Error', errorMessage: 'no', trace }, [], DIRECTORY).trace
  }

  test("has files relative to the user's directory, and the library by its name", () => {
    expect(
      traceOf(
        'sum (/home/ann/orders/src/sum.ts:5:17)',
        'async file:///home/ann/other/index.mjs:2:1',
        `withLease (${ROOT}/functions/election/with-lease.ts:35:20)`,
      ),
    ).toEqual([
      'Error: no',
      'at sum (src/sum.ts:5:17)',
      'at async /home/ann/other/index.mjs:2:1',
      'at withLease (tenure/with-lease.ts:35:20)',
    ])
  })

  test('omits Node, the Lambda host and other packages', () => {
    const foreign = ['emit (node:events:1:2)', `async invoke (${ROOT}/infra/local/lambda-host/runtime.ts:1:2)`]
    const sdk = 'send (/home/ann/orders/node_modules/sdk/index.js:1:2)'
    expect(traceOf(sdk, 'sum (/home/ann/orders/sum.ts:5:17)', ...foreign)).toEqual([
      'Error: no',
      'at sum (sum.ts:5:17)',
    ])
  })

  test('has other packages if there is nothing else', () => {
    expect(traceOf('send (/home/ann/orders/node_modules/sdk/index.js:1:2)')).toHaveLength(2)
  })

  test('of a process that died is found in its logs', () => {
    const exit = { errorType: 'Runtime.ExitError', errorMessage: 'Runtime exited with status 1' }
    const logs = [
      'before',
      '/home/ann/orders/a.ts:1',
      '',
      'RangeError: too late',
      '    at Timeout.later (/home/ann/orders/a.ts:1:26)',
      '    at listOnTimeout (node:internal/timers:585:17)',
      '',
      'Node.js v24.21.0',
    ]
    const errorMessage = 'Runtime exited with status 1: RangeError: too late'
    expect(readableError(exit, logs, DIRECTORY)).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage,
      trace: [`Runtime.ExitError: ${errorMessage}`, 'at Timeout.later (a.ts:1:26)'],
    })
    expect(readableError(exit, ['bye'], DIRECTORY)).toEqual(exit)
  })
})
