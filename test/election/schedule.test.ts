import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../../functions/election/index.ts'
import { parseSchedule } from '../../functions/election/schedule.ts'
import { clockCrons, dateCrons, dayOf, minutesOf } from './calendar.ts'

fc.configureGlobal({ seed: 20_270_328 }) // fixed, so that a failure is repeated by every run

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const at = (text: string) => Date.parse(`${text}Z`)
const iso = (ms: number | undefined) => (ms === undefined ? ms : new Date(ms).toISOString().slice(0, 16))

test('only a rate counts from the start of its schedule', () => {
  const isRate = ['rate(13 minutes)', 'cron(13 13 * * ? *)'].map((expression) => parseSchedule(expression).isRate)
  expect(isRate).toEqual([true, false])
})

test('a schedule is parsed once in a process', () => {
  expect(parseSchedule('rate(1 hour)')).toBe(parseSchedule('rate(1 hour)'))
})

async function firstThree(expression: string, after: string, timeZone?: string) {
  const { between } = await parseSchedule(expression, timeZone).load()
  return between(at(after), Infinity, 3).map((ms) => iso(ms)?.replace(/^2026-/, ''))
}

describe('an example of AWS ticks as AWS describes it', () => {
  // The first eight: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
  // The others: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
  test.each([
    ['0 10 * * ? *', '11-27T10:00', '11-28T10:00', '11-29T10:00'],
    ['15 12 * * ? *', '11-27T12:15', '11-28T12:15', '11-29T12:15'],
    ['0 18 ? * MON-FRI *', '11-27T18:00', '11-30T18:00', '12-01T18:00'],
    ['0 8 1 * ? *', '12-01T08:00', '2027-01-01T08:00', '2027-02-01T08:00'],
    ['0/15 * * * ? *', '11-27T00:15', '11-27T00:30', '11-27T00:45'],
    ['0/10 * ? * MON-FRI *', '11-27T00:10', '11-27T00:20', '11-27T00:30'],
    ['0/5 8-17 ? * MON-FRI *', '11-27T08:00', '11-27T08:05', '11-27T08:10'],
    ['0/30 20-2 ? * MON-FRI *', '11-27T00:30', '11-27T01:00', '11-27T01:30'],
    ['1/10 0 * * ? *', '11-27T00:01', '11-27T00:11', '11-27T00:21'],
    ['0 0 ? * 3#2 *', '12-08T00:00', '2027-01-12T00:00', '2027-02-09T00:00'],
    ['0 0 3W * ? *', '12-03T00:00', '2027-01-04T00:00', '2027-02-03T00:00'],
    ['0 0 1 JAN,FEB,MAR ? *', '2027-01-01T00:00', '2027-02-01T00:00', '2027-03-01T00:00'],
    ['15 10 ? * 6L 2026-2027', '11-27T10:15', '12-25T10:15', '2027-01-29T10:15'],
  ])('cron(%s)', async (fields, ...times) => {
    expect(await firstThree(`cron(${fields})`, '2026-11-27T00:00')).toEqual(times)
  })

  test('cron(15 10 ? * 6L 2022-2023) has ended', async () => {
    expect(await firstThree('cron(15 10 ? * 6L 2022-2023)', '2023-12-29T10:15')).toEqual([])
  })

  test('cron(30 2 * * ? *) in Los Angeles is skipped in spring', async () => {
    const times = await firstThree('cron(30 2 * * ? *)', '2026-03-07T00:00', 'America/Los_Angeles')
    expect(times).toEqual(['03-07T10:30', '03-09T09:30', '03-10T09:30'])
  })

  // AWS's example says 2:30, which Los Angeles does not repeat.
  test('cron(30 1 * * ? *) in Los Angeles fires in autumn before the shift, and not again after it', async () => {
    const times = await firstThree('cron(30 1 * * ? *)', '2026-10-31T00:00', 'America/Los_Angeles')
    expect(times).toEqual(['10-31T08:30', '11-01T08:30', '11-02T09:30'])
  })
})

describe('the dialect', () => {
  test.each([
    ['1 is Sunday', '0 6 ? * 1 *', ['11-29T06:00', '12-06T06:00', '12-13T06:00']],
    ['7 is Saturday', '0 6 ? * 7 *', ['11-28T06:00', '12-05T06:00', '12-12T06:00']],
    ['L of the week is Saturday', '0 6 ? * L *', ['11-28T06:00', '12-05T06:00', '12-12T06:00']],
    ['names are in any case', '0 6 ? dec Sun *', ['12-06T06:00', '12-13T06:00', '12-20T06:00']],
    ['the last day of the month', '0 6 L * ? *', ['11-30T06:00', '12-31T06:00', '2027-01-31T06:00']],
    ['the last workday of the month', '0 6 LW * ? *', ['11-30T06:00', '12-31T06:00', '2027-01-29T06:00']],
    ['W stays in its month', '0 6 1W 5,8 ? *', ['2027-05-03T06:00', '2027-08-02T06:00', '2028-05-01T06:00']],
    ['a range over the end of the week', '0 6 ? * FRI-SUN/2 *', ['11-27T06:00', '11-29T06:00', '12-04T06:00']],
    ['a range over the end of the year', '0 6 9 NOV-JAN ? *', ['12-09T06:00', '2027-01-09T06:00', '2027-11-09T06:00']],
    ['29 February', '0 6 29 2 ? *', ['2028-02-29T06:00', '2032-02-29T06:00', '2036-02-29T06:00']],
    ['30 February', '0 6 30 2 ? *', []],
    ['every year by default', '0 6 1 1 ?', ['2027-01-01T06:00', '2028-01-01T06:00', '2029-01-01T06:00']],
    ['white space', '  0   6 *\t* ? 2026 ', ['11-27T06:00', '11-28T06:00', '11-29T06:00']],
  ])('%s: cron(%s)', async (_, fields, times) => {
    expect(await firstThree(`cron(${fields})`, '2026-11-27T00:00')).toEqual(times)
  })

  const ONE_QUESTION_MARK = 'write it in day-of-month or day-of-week, and in one only, such as cron('
  test.each([
    ['cron(0 6 * * * *)', `has no "?"; ${ONE_QUESTION_MARK}`],
    ['cron(0 6 1 * MON *)', `has no "?"; ${ONE_QUESTION_MARK}`],
    ['cron(0 6 ? * ? *)', `has two "?"; ${ONE_QUESTION_MARK}`],
    ['cron(0 6 * * 1-5)', `has no "?"; ${ONE_QUESTION_MARK}`],
    ['cron(0 6 * ?)', 'has 4 fields instead of 5 or 6; write cron(minutes hours day-of-month'],
    ['cron()', 'has 0 fields'],
    ['cron(0 0 6 * * ? *)', 'has 7 fields'],
    ['cron(60 6 * * ? *)', 'has "60" for minutes; write a number from 0 to 59'],
    ['cron(? 6 * * ? *)', /has "\?" for minutes; .* or \*$/],
    ['cron(0X10 6 * * ? *)', 'has "0X10" for minutes'],
    ['cron(1E1 6 * * ? *)', 'has "1E1" for minutes'],
    ['cron(/10 6 * * ? *)', 'has "/10" for minutes'],
    ['cron(*/0 6 * * ? *)', 'has "*/0" for minutes'],
    ['cron(0/60 6 * * ? *)', 'has "0/60" for minutes'],
    ['cron(0 24 * * ? *)', 'has "24" for hours; write a number from 0 to 23'],
    ['cron(0 -1 * * ? *)', 'has "-1" for hours'],
    ['cron(0 1, * * ? *)', 'has "1," for hours'],
    ['cron(0 6 0 * ? *)', 'has "0" for day-of-month'],
    ['cron(0 6 L-3 * ? *)', 'has "L-3" for day-of-month'],
    ['cron(0 6 L,15 * ? *)', 'has "L,15" for day-of-month'],
    ['cron(0 6 1W,15W * ? *)', 'or L, LW or 3W, alone'],
    ['cron(0 6 32W * ? *)', 'has "32W" for day-of-month'],
    ['cron(0 6 1 0 ? *)', 'has "0" for month; write a number from 1 to 12'],
    ['cron(0 6 1 JANUARY ? *)', 'or JAN to DEC for the numbers'],
    ['cron(0 6 ? * 0 *)', 'has "0" for day-of-week; write a number from 1 to 7'],
    ['cron(0 6 ? * 1-8 *)', 'has "1-8" for day-of-week'],
    ['cron(0 6 ? * 8 *)', 'or SUN to SAT for the numbers'],
    ['cron(0 6 ? * 3#1,6#3 *)', 'or L, 6L or 3#2, alone'],
    ['cron(0 6 ? * 3#6 *)', 'has "3#6" for day-of-week'],
    ['cron(0 6 ? * +MON *)', 'has "+MON" for day-of-week'],
    ['cron(0 6 * * ? 1969)', 'has "1969" for year; write a number from 1970 to 2199'],
    ['cron(0 6 * * ? 2200)', 'has "2200" for year'],
    ['cron(0 6 * * ? 2030-2026)', 'has "2030-2026" for year'],
    [
      'at(2026-11-29T06:30:00)',
      'fires once, not at every tick; write a cron of one date, such as cron(30 6 29 11 ? 2026)',
    ],
    ['at(on 2026-11-29T06:30)', 'such as cron(0 6 24 12 ? 2027)'],
    ['at(noon)', 'such as cron(0 6 24 12 ? 2027)'],
    ['@daily', 'is neither a rate nor a cron; write rate(5 minutes), or cron(0 6 * * ? *)'],
    ['0 6 * * ? *', 'is neither a rate nor a cron'],
    ['my rate(1 hour)', 'is neither a rate nor a cron'],
    ['rate(1 hour) daily', 'is neither a rate nor a cron'],
    ['rate(1 hour or so)', 'is not a valid rate'],
    ['rate(0 minutes)', 'is not a valid rate; write a whole number above 0 and its unit'],
    ['rate(5 minute)', 'is not a valid rate'],
    ['rate(1.5 hours)', 'is not a valid rate'],
    ['rate(1 week)', 'is not a valid rate'],
    ['rate(999999999999 days)', 'is not a valid rate'],
  ])('%s is refused: it %s', (expression, message) => {
    expect(() => parseSchedule(expression)).toThrow(InvalidOptionError)
    expect(() => parseSchedule(expression)).toThrow(`The schedule ${JSON.stringify(expression)} `)
    expect(() => parseSchedule(expression)).toThrow(message)
  })

  test.each(['Mars/Olympus', '+01:00', ''])('the time zone "%s" is refused', async (timeZone) => {
    const message = `has the time zone "${timeZone}", which is unknown; write an IANA name`
    await expect(parseSchedule('cron(0 6 * * ? *)', timeZone).load()).rejects.toThrow(message)
  })
})

describe('the ticks of a rate', () => {
  test.each([
    ['rate(1 minute)', 1],
    ['rate(17 minutes)', 17],
    [' rate( 1  hour ) ', 60],
    ['rate(1 hours)', 60],
    ['rate(2 hours)', 120],
    ['rate(1 day)', 1440],
  ])('%s are the multiples of its period, as ticks are floored', async (expression, minutes) => {
    const schedule = parseSchedule(expression, 'Europe/Berlin')
    const tickMs = 29_000_000 * minutes * MINUTE_MS
    expect(schedule.floorMs).toBe(minutes * MINUTE_MS)
    const { between } = await schedule.load()
    const ticksBetween = (fromTick: number, toTick: number) => {
      const ends = [tickMs + fromTick * schedule.floorMs, tickMs + toTick * schedule.floorMs] as const
      return between(...ends, 9).map((ms) => (ms - tickMs) / schedule.floorMs)
    }
    expect(ticksBetween(0, 3)).toEqual([1, 2])
    expect(ticksBetween(0.5, 2.5)).toEqual([1, 2])
    expect([ticksBetween(0, 1), ticksBetween(0, 0), ticksBetween(3, 0)]).toEqual([[], [], []])
  })
})

describe('a cap', () => {
  test.each([
    ['rate(1 minute)', 100, 100],
    ['cron(* * * * ? *)', 100, 100],
    ['cron(0 6 1 7 ? *)', 100, 10],
    ['cron(0 6 1 7 ? *)', 9, 9],
    ['cron(0 6 1 7 ? *)', 0, 0],
    ['cron(0 6 30 2 ? *)', 100, 0],
  ])('of %s at %i in ten years: the first %3$i', async (expression, atMost, count) => {
    const { between } = await parseSchedule(expression).load()
    const times = (most: number) => between(at('2026-01-01T00:00'), at('2036-01-01T00:00'), most)
    expect(times(atMost)).toEqual(times(100).slice(0, count))
    expect(times(atMost)).toHaveLength(count)
  })
})

/** Days on which clocks change, or the first after them. */
const CHANGES = [
  ['Europe/Berlin', '2027-03-28', '2027-10-31'],
  ['America/New_York', '2027-03-14', '2027-11-07'],
  ['Australia/Lord_Howe', '2027-10-03', '2027-04-04'],
  ['Africa/Cairo', '2027-04-30', '2027-10-29'],
  ['America/Havana', '2027-03-14', '2027-11-07'],
  ['Asia/Beirut', '2027-03-28', '2027-10-31'],
  ['Pacific/Apia', '2011-12-30', '2011-04-02'],
] as const

describe.each(CHANGES.flatMap(([zone, ...days]) => days.map((day) => [zone, day] as const)))(
  'when clocks change in %s near %s',
  (timeZone, day) => {
    const fromMs = at(`${day}T00:00`) - 1.5 * DAY_MS
    const minutes = minutesOf(timeZone, fromMs, fromMs + 3 * DAY_MS)

    test('a local time that is skipped never fires, and one that is repeated fires once', async () => {
      const instant = fc.integer({ min: fromMs + DAY_MS, max: fromMs + 2 * DAY_MS })
      const seconds = fc.constantFrom(0, 1, 30_500)
      await fc.assert(
        fc.asyncProperty(clockCrons, instant, instant, seconds, async ({ fields, matches }, a, b, extraMs) => {
          const times = minutes.filter((minute) => !minute.isRepeated && matches(minute)).map(({ ms }) => ms)
          const { between } = await parseSchedule(`cron(${fields})`, timeZone).load()
          const ends = [Math.min(a, b), Math.max(a, b)].map((ms) => ms - (ms % MINUTE_MS) + extraMs)
          const [after = 0, before = 0] = ends
          const expected = times.filter((ms) => ms > after && ms < before)
          expect(between(after, before, 9_999).map(iso)).toEqual(expected.map(iso))
        }),
        { numRuns: 60 },
      )
    })
  },
)

test('dates are those of a walk through all days of five years', async () => {
  const [fromMs, toMs] = [at('2026-12-31T00:00'), at('2032-01-01T00:00')]
  const days = Array.from({ length: (toMs - fromMs) / DAY_MS - 1 }, (_, index) =>
    dayOf(new Date(fromMs + (index + 1) * DAY_MS).toISOString().slice(0, 10)),
  )
  await fc.assert(
    fc.asyncProperty(dateCrons, async ({ fields, matches }) => {
      const expected = days.filter(matches).map(({ ms }) => iso(ms))
      const { between } = await parseSchedule(`cron(${fields})`).load()
      expect(between(fromMs, toMs, 9_999).map(iso)).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})
