// @ts-nocheck
import { expect, test } from 'vitest'
import type { LambdaHost } from '../../../infra/local/lambda-host/lambda-host.ts'
import { fixtureFunction } from '../fixtures/functions.ts'
import { attemptsOf, messageOf, resultOf, startHost } from '../fixtures/hosts.ts'

const HOUR_MS = 3_600_000
const EVENT = { do: 'read the clock' }

/** What an asynchronous invocation with a skewed clock returns. */
async function resultWithSkew(host: LambdaHost, skewMs: number, event: object = EVENT) {
  const [attempt] = await attemptsOf(host, event, fixtureFunction({ retries: 0 }), { clockSkewMs: () => skewMs })
  if (attempt?.ending.ok !== true) throw new Error(JSON.stringify(attempt))
  return Object(JSON.parse(JSON.stringify(attempt.ending.value)))
}

/** `Date()` prints whole seconds. */
const isBetween = (reading: unknown, from: number, until: number) =>
  Number(reading) > from - 1_000 && Number(reading) <= until

test.each([
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
])('every way to read the clock is %s; given instants, the rest of Date and the remaining time stay', async (_, by) => {
  const from = Date.now()
  const { readings, remainingMs, ...result } = await resultWithSkew(await startHost(), by)
  expect(readings).toHaveLength(5)
  expect(readings.filter((reading: unknown) => !isBetween(reading, from + by, Date.now() + by))).toEqual([])
  const [noon, fifth] = ['2024-01-31T12:00:00.000Z', '1970-01-01T00:00:00.005Z']
  const computed = [Date.parse(noon), Date.parse(noon)]
  const areDates = [true, true, true, true]
  expect(result).toEqual({ given: [fifth, fifth, noon, noon], computed, isInvalid: true, areDates, name: 'Date' })
  expect(remainingMs).toBeGreaterThan(0)
  expect(remainingMs).toBeLessThanOrEqual(fixtureFunction().timeoutMs)
})

test('each try has the skew of its own moment; the next invocation in that environment has none', async () => {
  const host = await startHost()
  const [from, skews] = [Date.now(), [HOUR_MS, 0, -HOUR_MS]]
  const pending = [...skews]
  const clockSkewMs = () => pending.shift() ?? Number.NaN
  const attempts = await attemptsOf(host, { ...EVENT, fails: true }, fixtureFunction(), { clockSkewMs })
  const errors = attempts.map((attempt, nth) => Number(messageOf(attempt)) - (skews[nth] ?? 0))
  expect(errors.map((reading) => isBetween(reading, from, Date.now()))).toEqual([true, true, true])
  const { readings } = await resultOf(host, EVENT)
  expect(isBetween(Object(readings)[0], from, Date.now())).toBe(true)
  expect(host.started()).toBe(1)
})

test('a function that it invokes has the right clock', async () => {
  const host = await startHost({ functions: [fixtureFunction({ name: 'payment' })] })
  const from = Date.now()
  const { answers } = await resultWithSkew(host, HOUR_MS, { do: 'invoke', function: 'payment', event: EVENT })
  expect(isBetween(answers[0].readings[0], from, Date.now())).toBe(true)
})
