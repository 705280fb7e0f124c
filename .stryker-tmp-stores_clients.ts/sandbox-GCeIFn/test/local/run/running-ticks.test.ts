// @ts-nocheck
import { expect, test } from 'vitest'
import type { TryOutcome } from '../../../infra/local/observe/outcome.ts'
import { RunningTicks, type Tally, tallyOf } from '../../../infra/local/run/running-ticks.ts'
import { RunningTick } from '../../../infra/local/run/tick.ts'
import { BROKEN, COMPLETED, KILLED, recordOf, standby } from '../fixtures/records.ts'
import { candidatesNumbered, patientContext } from '../fixtures/ticking.ts'

/** Running ticks of two candidates each, that begin when the test says so. */
function scene() {
  const { accepted, ...context } = patientContext()
  const runningTicks = new RunningTicks()
  const start = (number: number) =>
    runningTicks.add(new RunningTick(number, number * 1_000, { ...context, candidates: candidatesNumbered(1, 2) }))
  return { runningTicks, start, accepted }
}

test('a tick counts from its start, each try from its end, and a tick that is over counts once', async () => {
  const { runningTicks, start, accepted } = scene()
  expect(runningTicks.tally()).toMatchObject({ ticks: 0, completed: 0 })
  start(1)
  start(2)
  await accepted[0]?.end()
  expect(runningTicks.tally()).toMatchObject({ ticks: 2, completed: 0, standby: 1 })
  expect(runningTicks.overdue()).toBe(0) // it is still running
  await accepted[1]?.end()
  expect(runningTicks.overdue()).toBe(1)
  await accepted[2]?.end(COMPLETED)
  await accepted[3]?.end()
  expect(runningTicks.overdue()).toBe(1)
  expect(runningTicks.tally()).toMatchObject({ ticks: 2, completed: 1, standby: 3 })
  await runningTicks.deliverAgain(accepted[0]?.requestId ?? '')
  expect(accepted).toHaveLength(4) // nothing is delivered again for a tick that is over
})

test.each<[string, readonly TryOutcome[], Partial<Tally>]>([
  ['a leader and two standbys', [COMPLETED, standby(), standby()], { completed: 1, standby: 2, tookOver: 0 }],
  ['a killed leader', [KILLED, standby(), COMPLETED, BROKEN], { completed: 1, standby: 1, failed: 2, tookOver: 1 }],
  ['a candidate that failed without leading', [BROKEN, COMPLETED], { failed: 1, tookOver: 0 }],
  ['a frozen leader that fails after its successor', [COMPLETED, KILLED], { tookOver: 1, completedTwice: 0 }],
  ['a leader without a successor', [standby(), KILLED], { tookOver: 0, completed: 0 }],
  ['a leader that released its lease', [{ status: 'released' }], { completed: 0, standby: 0, failed: 0 }],
  ['two leaders', [COMPLETED, standby(), COMPLETED], { completed: 1, completedTwice: 1 }],
])('counts %s', (_, outcomes, tally) => {
  expect(tallyOf([recordOf(1, ...outcomes)])).toMatchObject({ ticks: 1, ...tally })
})
