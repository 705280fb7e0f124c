import { expect, test } from 'vitest'
import { doneOf, lastStepOf } from '../../../infra/local/observe/endings.ts'
import type { TryOutcome } from '../../../infra/local/observe/outcome.ts'

const work = { staleWritesRefused: 0 }
const failed = (trace?: string[], logs: string[] = []): TryOutcome => ({
  status: 'failed',
  error: { errorType: 'RangeError', errorMessage: 'out of range', ...(trace === undefined ? {} : { trace }) },
  logs,
  work,
})
const TRACE = [
  'RangeError: out of range',
  'over two lines',
  '    at charge (index.mjs:7:3)',
  '    at run (index.mjs:9:1)',
]
const FRAMES = ['at charge (index.mjs:7:3)', 'at run (index.mjs:9:1)']

test.each<[TryOutcome, object, string]>([
  [{ status: 'completed', fencingToken: 7, work }, { status: 'completed' }, 'Returns; its tick is completed'],
  [{ status: 'released' }, { status: 'released' }, 'Returns; it gave the lease up'],
  [{ status: 'standby', reason: 'held' }, { status: 'standby', reason: 'held' }, 'Stands by: held'],
])('what is told of %j', (outcome, done, words) => {
  expect(doneOf(outcome)).toEqual(done)
  expect(lastStepOf(outcome)).toEqual({ words, trace: [] })
  expect(lastStepOf(outcome, ['said'])).toEqual({ words, trace: ['Logged:', 'said'] })
})

test('of a failure the error is told, with where it was thrown and without its message again', () => {
  expect(doneOf(failed(TRACE))).toEqual({
    status: 'failed',
    error: { name: 'RangeError', message: 'out of range', trace: FRAMES },
  })
  expect(lastStepOf(failed(TRACE))).toEqual({ words: 'Fails with RangeError: out of range', trace: FRAMES })
})

test('its story has what it logged, behind where it was thrown', () => {
  expect(lastStepOf(failed(TRACE, ['first', 'second']))).toMatchObject({
    trace: [...FRAMES, 'Logged:', 'first', 'second'],
  })
})

test('a process that was killed was nowhere, and has logged nothing', () => {
  expect(doneOf(failed())).toMatchObject({ error: { trace: [] } })
  expect(lastStepOf(failed())).toMatchObject({ trace: [] })
})
