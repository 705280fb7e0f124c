/** What the tries of a user's own function are counted as, and what is said of them. */
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { describe, expect, test } from 'vitest'
import { startDisplay } from '../../../infra/local/cli/display.ts'
import { parseOptions } from '../../../infra/local/cli/options.ts'
import type { Ending } from '../../../infra/local/lambda-host/environment.ts'
import type { Observations, ObservedLease } from '../../../infra/local/observe/observations.ts'
import { ownFunction } from '../../../infra/local/own-function/own-function.ts'
import { ownReader } from '../../../infra/local/own-function/own-reader.ts'
import { readableError } from '../../../infra/local/own-function/own-trace.ts'
import type { Tally } from '../../../infra/local/run/tally.ts'
import type { HowItEnded } from '../../../infra/local/run/task.ts'
import { fixtureFunction } from '../fixtures/functions.ts'
import { candidatesNumbered } from '../fixtures/ticking.ts'

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
const seenOf = (...leases: readonly ObservedLease[]): Observations => ({ leases, staleWritesRefused: 2 })

/** A reader of tries, all of which were seen so, and what it says. */
function reading(seen: Observations | undefined, leaseMs = 15_000) {
  const said: string[] = []
  const place = { lease: 'orders', directory: DIRECTORY, leaseMs }
  const read = ownReader(place, { seen: () => seen, warn: (text) => said.push(text) })
  return { said, read: (ending: Ending) => read({ requestId: 'a', ending }) }
}

const read = (ending: Ending, ...leases: readonly ObservedLease[]) => reading(seenOf(...leases)).read(ending)
const work = { staleWritesRefused: 2 }
const COMPLETED = { status: 'completed', fencingToken: 7, work }

describe('whatever it returns,', () => {
  test.each([undefined, 'mine', { status: 'standby', reason: 'held' }, { status: 'completed', fencingToken: 7 }])(
    '%j after its tick was recorded as done is a completion',
    (value) => expect(read(returned(value), { ...LED, ended: 'completed' })).toEqual(COMPLETED),
  )

  test('a lease that it gave up was released', () => {
    expect(read(returned(), { ...LED, ended: 'released' })).toEqual({ status: 'released' })
  })

  test.each(['held', 'tickDone', 'paused'] as const)('who was refused as %s stood by', (refusedAs) => {
    expect(read(returned(), { ...ASKED, refusedAs })).toEqual({ status: 'standby', reason: refusedAs })
  })

  test('an outcome of the library knows the reason better', () => {
    const outcome = { status: 'standby', reason: 'superseded' }
    expect(read(returned(outcome), { ...ASKED, refusedAs: 'tickDone' })).toEqual(outcome)
  })

  test.each([
    ['never asked for a lease', [], 'NoElection', /without asking for the lease "orders".*LEASE_TABLE and LEASE_NAME/],
    ['asked for another', [{ ...LED, lease: 'mail' }], 'OtherLease', /lease "mail", not for "orders".*--lease/],
    ['swallowed its error', [{ ...LED, ended: 'failed' as const }], 'SwallowedError', /failed under token 7/],
    ['did not wait for its end', [LED], 'Unfinished', /await withLease/],
    ['got no answer', [ASKED], 'Unanswered', /no answer/],
  ])('a function that %s failed, and is told how', (_, leases, errorType, errorMessage) => {
    const error = { errorType, errorMessage: expect.stringMatching(errorMessage) }
    expect(read(returned(), ...leases)).toMatchObject({ status: 'failed', error, work })
  })

  test('an outcome that no lease table has seen is none', () => {
    const outcome = { status: 'completed', fencingToken: 7, result: null }
    expect(read(returned(outcome))).toMatchObject({ status: 'failed', error: { errorType: 'NoElection' } })
  })
})

describe('where it throws,', () => {
  test('it failed, and led with the token that the wire has seen', () => {
    const outcome = { status: 'failed', error: { errorType: 'TypeError', errorMessage: 'no' }, ledWithToken: 7, work }
    expect(read(threw(), { ...LED, ended: 'failed' })).toMatchObject(outcome)
    expect(read(threw(), ASKED)).toMatchObject({ status: 'failed', ledWithToken: undefined })
  })

  test('a tick that it had recorded as done is completed all the same, and the error is told', () => {
    const { said, read } = reading(seenOf({ ...LED, ended: 'completed' }))
    const thrown = { errorType: 'TypeError', errorMessage: 'no' }
    expect(read(threw('no', '    at f (/home/ann/orders/a.ts:1:2)'))).toMatchObject({ ...COMPLETED, thrown })
    expect(said.join()).toMatch(/Token 7 had completed.*TypeError: no\n +at f \(a\.ts:1:2\)/)
  })
})

describe('in the terminal', () => {
  test('what fails alike before any election is told once', () => {
    const { read } = reading(undefined)
    const isTold = (ending: Ending) => Reflect.get(read(ending), 'isTold')
    expect([returned(), returned(), threw('a'), threw('a'), threw('b')].map(isTold)).toEqual([
      false,
      true,
      false,
      true,
      false,
    ])
  })

  test('what fails after it asked for the lease is told each time', () => {
    const { read } = reading(seenOf(LED))
    for (const ending of [threw(), threw()]) expect(read(ending)).not.toHaveProperty('isTold', true)
  })

  test('a lease that is asked for longer than the function was told is hinted at once, and one without a tick', () => {
    const { said, read } = reading(seenOf({ ...ASKED, tick: undefined }), 1_500)
    for (const ending of [returned(), returned()]) read(ending)
    expect(said).toEqual([
      expect.stringMatching(/for 15\.0 s, but LEASE_MS is 1500.*leaseMs.*--time-scale 1/),
      expect.stringMatching(/"orders" without a tick.*tick: event\.tick/),
    ])
    expect(reading(seenOf(ASKED)).said).toEqual([])
  })
})

describe('a stack', () => {
  const traceOf = (...frames: readonly string[]) => {
    const trace = ['Error: no', ...frames.map((frame) => `    at ${frame}`)]
    return readableError({ errorType: 'Error', errorMessage: 'no', trace }, [], DIRECTORY).trace
  }

  test('names files from where npm was called, and the library by its name', () => {
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

  test('leaves out Node, this host and other packages', () => {
    expect(
      traceOf(
        'send (/home/ann/orders/node_modules/sdk/index.js:1:2)',
        'emit (node:events:1:2)',
        'sum (/home/ann/orders/sum.ts:5:17)',
        `async invoke (${ROOT}/infra/local/lambda-host/runtime.ts:1:2)`,
      ),
    ).toEqual(['Error: no', 'at sum (sum.ts:5:17)'])
  })

  test('has other packages where there is nothing else', () => {
    expect(traceOf('send (/home/ann/orders/node_modules/sdk/index.js:1:2)')).toHaveLength(2)
  })

  test('of a process that died is found in what it wrote', () => {
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

describe('a run in which', () => {
  const ALL_WELL = { completed: 3, completedTwice: 0, standby: 3, failed: 0, tookOver: 0, staleWritesRefused: 0 }
  const ENDED = { cut: false, undone: [], isInterrupted: false, lastTick: '', latestTick: '' }

  /** What is concluded from a run of three ticks with these flags. */
  async function verdictOn(flags: string, { undone = [], ...changes }: Partial<HowItEnded & Tally> = {}) {
    const parsed = parseOptions(`--function f.ts --lease orders --ticks 3 ${flags}`.trim().split(' '))
    if (parsed.kind === 'help') throw new Error('It printed the help')
    const lambda = fixtureFunction({ environment: { LEASE_TABLE: 'leases' } })
    const client = new DynamoDBClient()
    const { signal } = new AbortController()
    const task = ownFunction({ path: 'f.ts', lease: 'orders', directory: DIRECTORY })({
      options: parsed.options,
      client,
      functions: [lambda],
      candidates: candidatesNumbered(1, 2).map((candidate) => ({ ...candidate, lambda })),
      display: startDisplay({ write: () => {} }, {}),
      seen: () => undefined,
      injecting: {
        processes: { kill: async () => false, freeze: () => false, thaw: () => false },
        onFault: () => {},
        deliverAgain: async () => {},
        signal,
      },
      signal,
    })
    const tally = { ticks: 3, ...ALL_WELL, ...changes }
    const { summary, verdict } = await task.report(tally, { ...ENDED, ...changes, undone, candidates: 2 })
    expect(summary).toEqual({ ...tally, candidates: 2 })
    return verdict
  }
  const NOTHING = { faults: [], harm: [], inconclusive: [] }

  test('every tick was completed once is right', async () => {
    expect(await verdictOn('')).toEqual(NOTHING)
  })

  test('a tick was completed by nobody, or twice, is wrong', async () => {
    const faults = ['1 of 3 ticks completed by nobody', '1 of 3 ticks completed more than once']
    expect(await verdictOn('', { completed: 2, completedTwice: 1 })).toEqual({ ...NOTHING, faults })
  })

  test.each([
    ['--freeze-leader 2', { undone: ['The leader was not frozen.'] }, /^The leader was not frozen\.$/],
    ['--freeze-leader 2', {}, /frozen and thawed, but no write of its was refused/],
  ])('%s came to nothing shows nothing', async (flags, ended, sentence) => {
    const inconclusive = [expect.stringMatching(sentence)]
    expect(await verdictOn(flags, ended)).toEqual({ ...NOTHING, inconclusive })
    expect(await verdictOn(flags, { ...ended, isInterrupted: true })).toEqual(NOTHING)
  })

  test('what was asked for happened shows that all is well', async () => {
    expect(await verdictOn('--kill-leader 1 --freeze-leader 2', { staleWritesRefused: 1 })).toEqual(NOTHING)
  })
})
