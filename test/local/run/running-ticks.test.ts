import { expect, test } from 'vitest'
import { createRoll } from '../../../infra/local/run/running-ticks.ts'
import { startTick } from '../../../infra/local/run/tick.ts'
import { COMPLETED, candidatesNumbered, patientHost, settle } from '../fixtures/ticking.ts'

/** A roll on which each tick that is started stands, with two candidates a tick. */
function scene() {
  const { host, taken } = patientHost()
  const roll = createRoll()
  const start = (number: number) =>
    roll.add(startTick(number, number * 1_000, { host, candidates: candidatesNumbered(1, 2), onTry: () => {} }))
  return { roll, start, taken }
}

test('a tick counts from its start, and each try of it from its end', async () => {
  const { roll, start, taken } = scene()
  expect(roll.tally()).toMatchObject({ ticks: 0, completed: 0 })
  start(1)
  expect(roll.tally()).toMatchObject({ ticks: 1, completed: 0, standby: 0 })
  await taken[0]?.end()
  expect(roll.tally()).toMatchObject({ ticks: 1, completed: 0, standby: 1 })
})

test('a tick that is over counts once, beside those that are not', async () => {
  const { roll, start, taken } = scene()
  start(1)
  start(2)
  await taken[0]?.end(COMPLETED)
  await taken[1]?.end()
  await taken[2]?.end()
  expect(roll.tally()).toMatchObject({ ticks: 2, completed: 1, standby: 2 })
})

test('overdue is what is over and completed by nobody, not what is still at work', async () => {
  const { roll, start, taken } = scene()
  start(1)
  start(2)
  await taken[0]?.end()
  expect(roll.overdue()).toBe(0)
  await taken[1]?.end()
  expect(roll.overdue()).toBe(1)
  await taken[2]?.end(COMPLETED)
  await taken[3]?.end()
  expect(roll.overdue()).toBe(1)
})

test("an event is delivered again within its own request's tick, and that is waited for", async () => {
  const { roll, start, taken } = scene()
  start(1)
  start(2)
  let isDone = false
  void roll.deliverAgain(taken[2]?.requestId ?? '').then(() => {
    isDone = true
  })
  await taken[0]?.end()
  await taken[1]?.end()
  expect(roll.tally()).toMatchObject({ ticks: 2, standby: 2 })
  expect(roll.overdue()).toBe(1)
  expect(isDone).toBe(false)
  await taken[4]?.end(COMPLETED)
  expect(isDone).toBe(true)
  expect(roll.tally()).toMatchObject({ completed: 1 })
})

test('nothing is delivered again for a tick that is over, or for a request that nobody made', async () => {
  const { roll, start, taken } = scene()
  start(1)
  await taken[0]?.end()
  await taken[1]?.end()
  await roll.deliverAgain(taken[0]?.requestId ?? '')
  await roll.deliverAgain('unknown')
  await settle()
  expect(taken).toHaveLength(2)
})
