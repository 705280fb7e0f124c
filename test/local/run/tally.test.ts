import { expect, test } from 'vitest'
import type { Ending } from '../../../infra/local/lambda-host/environment.ts'
import { plus, tallyOf } from '../../../infra/local/run/tally.ts'
import { killedLeader, recordOf } from '../fixtures/records.ts'

const completed: Ending = {
  ok: true,
  value: { status: 'completed', fencingToken: 7, result: { staleWritesRefused: 1 } },
}
const standby: Ending = { ok: true, value: { status: 'standby', reason: 'held' } }
const released: Ending = { ok: true, value: { status: 'released', fencingToken: 7, result: {} } }
const failed: Ending = { ok: false, error: { errorType: 'Error', errorMessage: 'it broke' }, logs: [] }
const billed = '{"level":"INFO","message":"billed","staleWritesRefused":2}'

/** Of one tick whose candidates ended so. */
const tallyOfTick = (...endings: readonly Ending[]) =>
  tallyOf([
    recordOf(
      1,
      endings.map((ending) => ({ ending })),
    ),
  ])

const led = recordOf(1, [{ ending: completed }, { ending: standby }, { ending: standby }])
const takenOver = recordOf(2, [
  { ending: killedLeader(6, 'plain text', billed) },
  { ending: standby },
  { ending: completed },
  { ending: failed },
])

test('counts invocations by how they ended, retries too, and the writes of replaced leaders that were refused', () => {
  expect(tallyOf([led, takenOver])).toEqual({
    ticks: 2,
    completed: 2,
    completedTwice: 0,
    standby: 3,
    failed: 2,
    tookOver: 1,
    staleWritesRefused: 4,
  })
})

test('counts the same whether ticks are counted at once or one by one', () => {
  const nobody = recordOf(3, [{ ending: failed }])
  const twice = recordOf(4, [{ ending: completed }, { ending: completed }])
  const all = [led, takenOver, nobody, twice]
  expect(all.map((record) => tallyOf([record])).reduce(plus)).toEqual(tallyOf(all))
  expect(plus(tallyOf([]), tallyOf([takenOver]))).toEqual(tallyOf([takenOver]))
})

test('a candidate that failed without leading was not replaced', () => {
  expect(tallyOfTick(failed, completed)).toMatchObject({ tookOver: 0 })
})

test('a leader that was frozen was replaced, though it fails only after its successor completed', () => {
  expect(tallyOfTick(completed, killedLeader(6), standby)).toMatchObject({ tookOver: 1, completedTwice: 0 })
})

test('a leader that nobody replaced was not taken over', () => {
  expect(tallyOfTick(standby, killedLeader(6))).toMatchObject({ tookOver: 0, completed: 0 })
})

test('a leader that gave up its lease by itself has neither completed nor failed', () => {
  expect(tallyOfTick(released)).toMatchObject({ ticks: 1, completed: 0, standby: 0, failed: 0 })
})

test('a tick that two invocations completed counts once as completed, and once as completed twice', () => {
  expect(tallyOfTick(completed, standby, completed)).toMatchObject({ completed: 1, completedTwice: 1 })
})
