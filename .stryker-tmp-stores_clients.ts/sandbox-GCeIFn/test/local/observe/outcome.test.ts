// @ts-nocheck
import { expect, test } from 'vitest'
import type { Ending } from '../../../infra/local/lambda-host/environment.ts'
import { lastStepOf, type ObservedLease, outcomeOf, type TryOutcome } from '../../../infra/local/observe/outcome.ts'

const ASKED: ObservedLease = { lease: 'orders', leaseMs: 15_000, tick: '2024-01-31T00:00:00.000Z' }
const LED: ObservedLease = { ...ASKED, token: 7 }
const ENDED = { ...LED, ended: 'completed' } as const
const ERROR = { errorType: 'TypeError', errorMessage: 'no' }
const THREW: Ending = { ok: false, error: ERROR, logs: [] }

const returned = (value: unknown = null): Ending => ({ ok: true, value })
const stoodBy = (reason: string) => returned({ status: 'standby', reason })
const read = (ending: Ending, ...leases: readonly ObservedLease[]) =>
  outcomeOf(ending, { leases, missingTables: [] }, 'orders')

test.each<[string, Ending, ObservedLease, TryOutcome]>([
  ['that completed its tick completed it', returned('mine'), ENDED, { status: 'completed', fencingToken: 7 }],
  ['that throws after that, too', THREW, ENDED, { status: 'completed', fencingToken: 7, thrown: ERROR }],
  ['that released its lease released it', returned(), { ...LED, ended: 'released' }, { status: 'released' }],
  [
    'that handed its work over is continued',
    returned(),
    { ...LED, ended: 'continued' },
    { status: 'continued', fencingToken: 7 },
  ],
  [
    'that started no other invocation after that failed',
    THREW,
    { ...LED, ended: 'continued' },
    { status: 'failed', error: ERROR, fencingToken: 7 },
  ],
  ['that was refused stood by', returned(), { ...ASKED, refusedAs: 'held' }, { status: 'standby', reason: 'held' }],
  [
    'that returns a standby stood by for its reason',
    stoodBy('\u001b[31msuper\nseded\u202e'),
    { ...ASKED, refusedAs: 'tickDone' },
    { status: 'standby', reason: 'super seded\\u202e' },
  ],
  ['that gave its lease back', stoodBy('late'), { ...LED, ended: 'released' }, { status: 'standby', reason: 'late' }],
  ['that throws as a leader', THREW, { ...LED, ended: 'failed' }, { status: 'failed', error: ERROR, fencingToken: 7 }],
  ['that throws without leading failed without one', THREW, ASKED, { status: 'failed', error: ERROR }],
])('a function %s', (_, ending, lease, outcome) => {
  expect(read(ending, lease)).toEqual(outcome)
})

test.each([
  ['never requested a lease', [], 'NoElection', /without requesting the lease "orders".*LEASE_TABLE and LEASE_NAME/],
  ['requested another', [{ ...LED, lease: 'mail' }], 'OtherLease', /lease "mail", not "orders".*--lease/],
  ['swallowed its error', [{ ...LED, ended: 'failed' as const }], 'SwallowedError', /failed under token 7/],
  ['did not await its end', [LED], 'Unfinished', /await withLease/],
  ['got no answer', [ASKED], 'Unanswered', /no answer/],
])('a function that %s failed, and the error says why', (_, leases, errorType, errorMessage) => {
  const error = { errorType, errorMessage: expect.stringMatching(errorMessage) }
  expect(read(returned(), ...leases)).toMatchObject({ status: 'failed', error })
})

const frames = ['at charge (index.mjs:7:3)', 'at run (index.mjs:9:1)']
const thrown = { ...ERROR, trace: ['TypeError: no', ...frames.map((frame) => `    ${frame}`)] }

test.each<[TryOutcome, string, readonly string[]]>([
  [{ status: 'completed', fencingToken: 7 }, 'Returns; its tick is completed', []],
  [{ status: 'completed', fencingToken: 7, thrown }, 'Fails with TypeError: no; its tick is completed', frames],
  [{ status: 'released' }, 'Returns after it released the lease', []],
  [{ status: 'continued', fencingToken: 7 }, 'Returns after it handed its work over', []],
  [{ status: 'standby', reason: 'held' }, 'Stands by: held', []],
  [{ status: 'failed', error: thrown }, 'Fails with TypeError: no', frames],
])('%j is described for the log, with stack frames and log lines, without metrics', (outcome, description, trace) => {
  expect(lastStepOf(outcome)).toEqual({ description, trace })
  expect(lastStepOf(outcome, ['a line', '{"_aws":{}}']).trace).toEqual([...trace, 'Logged:', 'a line'])
})
