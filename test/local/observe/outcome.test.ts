import { expect, test } from 'vitest'
import type { Ending } from '../../../infra/local/lambda-host/environment.ts'
import { completedAfterAll, outcomeOf } from '../../../infra/local/observe/outcome.ts'
import { killedLeader } from '../fixtures/records.ts'

const returned = (value: unknown): Ending => ({ ok: true, value })
const NO_WORK = { staleWritesRefused: 0 }

test.each([
  [
    { status: 'standby', reason: 'held', holder: 'b' },
    { status: 'standby', reason: 'held' },
  ],
  [{ status: 'released', fencingToken: 7, result: null }, { status: 'released' }],
  [
    { status: 'completed', fencingToken: 7, result: null },
    { status: 'completed', fencingToken: 7, work: NO_WORK },
  ],
  [
    { status: 'completed', fencingToken: 7, result: { staleWritesRefused: 2 } },
    { status: 'completed', fencingToken: 7, work: { staleWritesRefused: 2 } },
  ],
])('the outcome %j is taken at its word', (value, outcome) => {
  expect(outcomeOf(returned(value))).toEqual(outcome)
})

test('an outcome of any size and any characters is told in a few', () => {
  const reason = '\u001b[31mheld\nby another\u202e'
  expect(outcomeOf(returned({ status: 'standby', reason }))).toMatchObject({ reason: 'held by another\\u202e' })
  const value = { text: '\u202e'.repeat(1_000_000) }
  const { error } = Object(outcomeOf(returned(value)))
  expect(error.errorMessage).toMatch(
    /^The function returned no outcome, but \{"text":"(\\u202e)+ … and [\d,]+ more characters$/,
  )
})

test.each([
  null,
  'done',
  [],
  { status: 'completed' },
  { status: 'completed', fencingToken: '7' },
  { status: 'standby' },
  { status: 'won' },
])('%j is no outcome, and that is a failure', (value) => {
  expect(outcomeOf(returned(value))).toEqual({
    status: 'failed',
    error: {
      errorType: 'UnknownOutcome',
      errorMessage: `The function returned no outcome, but ${JSON.stringify(value)}`,
    },
    logs: [],
    work: NO_WORK,
  })
})

test('a leader that died has said in its logs that it led, and what it had done', () => {
  const billed = JSON.stringify({ message: 'billed', staleWritesRefused: 3 })
  const metric = JSON.stringify({ _aws: {}, leaders: 1 })
  const ending = killedLeader(7, billed, metric, 'plain text')
  expect(outcomeOf(ending)).toEqual({
    status: 'failed',
    error: { errorType: 'Runtime.ExitError', errorMessage: 'Runtime exited with error: signal: killed' },
    logs: [expect.stringContaining('leading'), billed, 'plain text'],
    work: { staleWritesRefused: 3 },
    ledWithToken: 7,
  })
})

test('of a candidate that died before it led no token is known', () => {
  const error = { errorType: 'Error', errorMessage: 'no' }
  expect(outcomeOf({ ok: false, error, logs: ['null', '{"message":"leading"}'] })).not.toHaveProperty('ledWithToken')
})

test('who failed when its tick was recorded as done already has completed it', () => {
  const failed = outcomeOf(killedLeader(7))
  const seen = (ended: 'completed' | 'released' | undefined) => ({
    leases: [{ lease: 'billing', leaseMs: 1_500, token: 7, ended }],
    staleWritesRefused: 0,
  })
  expect(completedAfterAll(failed, seen('completed'))).toMatchObject({
    status: 'completed',
    fencingToken: 7,
    thrown: { errorType: 'Runtime.ExitError' },
  })
  for (const other of [seen('released'), seen(undefined), undefined])
    expect(completedAfterAll(failed, other)).toBe(failed)
  const stoodBy = outcomeOf(returned({ status: 'standby', reason: 'tickDone' }))
  expect(completedAfterAll(stoodBy, seen('completed'))).toBe(stoodBy)
})
