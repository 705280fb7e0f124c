import { describe, expect, test } from 'vitest'
import { fixtureFunction } from '../fixtures/functions.ts'
import { answerOf, failureOf, startHost } from '../fixtures/hosts.ts'

const HOUR_MS = 3_600_000
const EVENT = { do: 'tell the time' }

/** What an invocation says of the time, and between which instants of this machine it did. */
async function askTheTime(clockSkewMs?: number) {
  const host = await startHost()
  const from = Date.now()
  let answer: Record<string, unknown> = {}
  await host.invokeAsync(
    fixtureFunction(),
    EVENT,
    async ({ ending }) => {
      if (!ending.ok) throw new Error(JSON.stringify(ending))
      answer = JSON.parse(JSON.stringify(ending.value))
    },
    clockSkewMs === undefined ? {} : { clockSkewMs: () => clockSkewMs },
  )
  return { host, answer, from, until: Date.now() }
}

const isWithin = (reading: unknown, from: number, until: number) =>
  // What Date() prints has whole seconds.
  Number(reading) > from - 1_000 && Number(reading) <= until

describe.each([
  ['an hour ahead', HOUR_MS],
  ['an hour behind', -HOUR_MS],
  ['right, where nobody set it', undefined],
])('a clock that is %s', (_, skewMs) => {
  const by = skewMs ?? 0

  test('is so in every way of asking for the time', async () => {
    const { answer, from, until } = await askTheTime(skewMs)
    expect(answer['readings']).toHaveLength(5)
    const off = Object.values(Object(answer['readings'])).filter((one) => !isWithin(one, from + by, until + by))
    expect(off).toEqual([])
  })

  test('changes no instant that is given, and nothing else of Date', async () => {
    const { answer } = await askTheTime(skewMs)
    const noon = '2024-01-31T12:00:00.000Z'
    const fifth = '1970-01-01T00:00:00.005Z'
    expect(answer['given']).toEqual([fifth, fifth, noon, noon, fifth])
    expect(answer['computed']).toEqual([Date.parse(noon), Date.parse(noon)])
    expect(answer).toMatchObject({ isInvalid: true, areDates: [true, true, true, true], name: 'Date' })
  })

  test("leaves the invocation's remaining time what it is", async () => {
    const { answer } = await askTheTime(skewMs)
    expect(answer['remainingMs']).toBeGreaterThan(0)
    expect(answer['remainingMs']).toBeLessThanOrEqual(fixtureFunction().timeoutMs)
  })
})

test('each try has the clock of its own moment, in the same environment too', async () => {
  const host = await startHost()
  const skews = [HOUR_MS, 0, -HOUR_MS]
  const from = Date.now()
  const readings: number[] = []
  const asked = [...skews]
  await host.invokeAsync(
    fixtureFunction(),
    { ...EVENT, fails: true },
    async (attempt) => void readings.push(Number(failureOf(attempt)?.error.errorMessage)),
    { clockSkewMs: () => asked.shift() ?? Number.NaN },
  )
  const until = Date.now()
  expect(host.environmentsStarted()).toBe(1)
  expect(readings.map((reading, index) => isWithin(reading - (skews[index] ?? 0), from, until))).toEqual([
    true,
    true,
    true,
  ])
})

test('who is woken next in that environment, and nobody set its clock, has the right one again', async () => {
  const { host } = await askTheTime(HOUR_MS)
  const from = Date.now()
  const { readings } = await answerOf(host, EVENT)
  expect(host.environmentsStarted()).toBe(1)
  expect(isWithin(Object(readings)[0], from, Date.now())).toBe(true)
})

test('a function that it invokes keeps the right clock', async () => {
  const arn = 'arn:aws:lambda:eu-central-1:000000000000:function:payment'
  const host = await startHost({ functions: [fixtureFunction({ name: 'payment', arn })] })
  const from = Date.now()
  let answer: unknown
  await host.invokeAsync(
    fixtureFunction(),
    { do: 'invoke', function: 'payment', event: EVENT },
    async ({ ending }) => {
      answer = ending.ok ? Object(ending.value).answers[0] : ending
    },
    { clockSkewMs: () => HOUR_MS },
  )
  expect(isWithin(Object(answer).readings?.[0], from, Date.now())).toBe(true)
})
