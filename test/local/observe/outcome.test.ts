import { expect, test } from 'vitest'
import type { Ending } from '../../../infra/local/lambda-host/environment.ts'
import {
  completedAfterAll,
  failureIn,
  lastStepOf,
  outcomeOf,
  type TryOutcome,
} from '../../../infra/local/observe/outcome.ts'
import { killedLeader } from '../fixtures/records.ts'

const returned = (value: unknown): Ending => ({ ok: true, value })
const work = { staleWritesRefused: 0 }
const DONE = { staleWritesRefused: 2 }

test.each([
  ['standby', { reason: 'held', holder: 'b' }, { reason: 'held' }],
  ['released', { fencingToken: 7, result: null }, {}],
  ['completed', { fencingToken: 7, result: null }, { fencingToken: 7, work }],
  ['completed', { fencingToken: 7, result: DONE }, { fencingToken: 7, work: DONE }],
])('the returned outcome %s with %j is used', (status, value, outcome) => {
  expect(outcomeOf(returned({ status, ...value }))).toEqual({ status, ...outcome })
})

test('a returned value is shown short and printable', () => {
  const reason = '\u001b[31mheld\nby another\u202e'
  expect(outcomeOf(returned({ status: 'standby', reason }))).toMatchObject({ reason: 'held by another\\u202e' })
  const value = { text: '\u202e'.repeat(1_000_000) }
  const { error } = Object(outcomeOf(returned(value)))
  expect(error.errorMessage).toMatch(/but \{"text":"(\\u202e)+ … and [\d,]+ more characters$/)
})

const WRONG_TOKEN = { status: 'completed', fencingToken: '7' }
test.each([null, 'done', [], WRONG_TOKEN, { status: 'standby' }, { status: 'won' }])(
  '%j is no outcome, so the attempt failed',
  (value) => {
    const errorMessage = `The function returned no outcome, but ${JSON.stringify(value)}`
    const error = { errorType: 'UnknownOutcome', errorMessage }
    expect(outcomeOf(returned(value))).toEqual({ status: 'failed', error, logs: [], work })
  },
)

test('the logs of a leader that died have its token and its work', () => {
  const billed = JSON.stringify({ message: 'billed', staleWritesRefused: 3 })
  const metric = JSON.stringify({ _aws: {}, leaders: 1 })
  expect(outcomeOf(killedLeader(7, billed, metric, 'plain text'))).toEqual({
    status: 'failed',
    error: { errorType: 'Runtime.ExitError', errorMessage: 'Runtime exited with error: signal: killed' },
    logs: [expect.stringContaining('leading'), billed, 'plain text'],
    work: { staleWritesRefused: 3 },
    ledWithToken: 7,
  })
})

test('an attempt that failed after its tick was completed has completed it', () => {
  const failure = outcomeOf(killedLeader(7))
  const observed = (ended: 'completed' | 'released' | undefined) => ({
    leases: [{ lease: 'billing', leaseMs: 1_500, token: 7, ended }],
    staleWritesRefused: 0,
    missingTables: [],
  })
  const thrown = { errorType: 'Runtime.ExitError' }
  const done = { status: 'completed', fencingToken: 7, thrown }
  expect(completedAfterAll(failure, observed('completed'))).toMatchObject(done)
  for (const other of [observed('released'), undefined]) expect(completedAfterAll(failure, other)).toBe(failure)
})

test.each<[TryOutcome, string]>([
  [{ status: 'completed', fencingToken: 7, work }, 'Returns; its tick is completed'],
  [{ status: 'released' }, 'Returns after it released the lease'],
  [{ status: 'standby', reason: 'held' }, 'Stands by: held'],
])('%j is described for the log', (outcome, description) => {
  expect(lastStepOf(outcome)).toEqual({ description, trace: [] })
  expect(lastStepOf(outcome, ['a line'])).toEqual({ description, trace: ['Logged:', 'a line'] })
})

test('a failure has its stack frames, without the message again, and its log lines', () => {
  const frames = ['at charge (index.mjs:7:3)', 'at run (index.mjs:9:1)']
  const trace = ['RangeError: out of range', 'over two lines', ...frames.map((frame) => `    ${frame}`)]
  const error = { errorType: 'RangeError', errorMessage: 'out of range' }
  const failed: TryOutcome = { status: 'failed', error: { ...error, trace }, logs: ['first', 'second'], work }
  const description = 'Fails with RangeError: out of range'
  expect(failureIn(error)).toEqual({ name: 'RangeError', message: 'out of range' })
  expect(lastStepOf(failed)).toEqual({ description, trace: [...frames, 'Logged:', 'first', 'second'] })
  const late: TryOutcome = { status: 'completed', fencingToken: 7, work, thrown: error }
  expect(lastStepOf(late).description).toBe(`${description}; its tick is completed`)
})
