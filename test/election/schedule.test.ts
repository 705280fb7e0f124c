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

function firstThree(expression: string, after: string, timeZone?: string) {
  const { timesMs } = parseSchedule(expression, timeZone).occurrencesBetween(at(after), Infinity, { atMost: 3 })
  return timesMs.map((ms) => iso(ms)?.replace(/^2026-/, ''))
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
  ])('cron(%s)', (fields, ...times) => {
    expect(firstThree(`cron(${fields})`, '2026-11-27T00:00')).toEqual(times)
  })

  test('cron(15 10 ? * 6L 2022-2023) has ended', () => {
    expect(parseSchedule('cron(15 10 ? * 6L 2022-2023)').next(at('2023-12-29T10:15'))).toBeUndefined()
  })

  test('cron(30 2 * * ? *) in Los Angeles is skipped in spring', () => {
    const times = firstThree('cron(30 2 * * ? *)', '2026-03-07T00:00', 'America/Los_Angeles')
    expect(times).toEqual(['03-07T10:30', '03-09T09:30', '03-10T09:30'])
  })

  // AWS's example says 2:30, which Los Angeles does not repeat.
  test('cron(30 1 * * ? *) in Los Angeles fires in autumn before the shift, and not again after it', () => {
    const times = firstThree('cron(30 1 * * ? *)', '2026-10-31T00:00', 'America/Los_Angeles')
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
  ])('%s: cron(%s)', (_, fields, times) => {
    expect(firstThree(`cron(${fields})`, '2026-11-27T00:00')).toEqual(times)
  })

  const ONE_QUESTION_MARK = 'write it in day-of-month or day-of-week, and in one only'
  test.each([
    ['cron(0 6 * * * *)', `has no "?"; ${ONE_QUESTION_MARK}`],
    ['cron(0 6 1 * MON *)', `has no "?"; ${ONE_QUESTION_MARK}`],
    ['cron(0 6 ? * ? *)', `has two "?"; ${ONE_QUESTION_MARK}`],
    ['cron(0 6 * * 1-5)', `has no "?"; ${ONE_QUESTION_MARK}`],
    ['cron(0 6 * ?)', 'has 4 fields instead of 5 or 6; write cron(minutes hours day-of-month'],
    ['cron()', 'has 0 fields'],
    ['cron(0 0 6 * * ? *)', 'has 7 fields'],
    ['cron(60 6 * * ? *)', 'has "60" for minutes; write a number from 0 to 59'],
    ['cron(? 6 * * ? *)', 'has "?" for minutes'],
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
    ['at(noon)', 'such as cron(0 6 24 12 ? 2027)'],
    ['@daily', 'is neither a rate nor a cron; write rate(5 minutes), or cron(0 6 * * ? *)'],
    ['0 6 * * ? *', 'is neither a rate nor a cron'],
    ['rate(0 minutes)', 'is no rate; write a whole number above 0 and its unit'],
    ['rate(5 minute)', 'is no rate'],
    ['rate(1.5 hours)', 'is no rate'],
    ['rate(1 week)', 'is no rate'],
    ['rate(999999999999 days)', 'is no rate'],
  ])('%s is refused: it %s', (expression, message) => {
    expect(() => parseSchedule(expression)).toThrow(InvalidOptionError)
    expect(() => parseSchedule(expression)).toThrow(`The schedule ${JSON.stringify(expression)} `)
    expect(() => parseSchedule(expression)).toThrow(message)
  })

  test.each(['Mars/Olympus', '+01:00', ''])('the time zone "%s" is refused', (timeZone) => {
    const message = `has the time zone "${timeZone}", which is unknown; write an IANA name`
    expect(() => parseSchedule('cron(0 6 * * ? *)', timeZone)).toThrow(message)
    expect(() => parseSchedule('rate(1 hour)', timeZone)).toThrow(message)
  })
})

describe('the ticks of a rate', () => {
  test.each([
    ['rate(1 minute)', 1],
    ['rate(7 minutes)', 7],
    ['rate(1 hours)', 60],
    ['rate(2 hours)', 120],
    ['rate(1 day)', 1440],
  ])('%s are the multiples of its period, as ticks are floored', (expression, minutes) => {
    const schedule = parseSchedule(expression, 'Europe/Berlin')
    const tickMs = 29_000_000 * minutes * MINUTE_MS
    expect(schedule.floorMs).toBe(minutes * MINUTE_MS)
    const between = (fromTick: number, toTick: number) => {
      const ends = [tickMs + fromTick * schedule.floorMs, tickMs + toTick * schedule.floorMs] as const
      return schedule.occurrencesBetween(...ends, { atMost: 9 }).timesMs.map((ms) => (ms - tickMs) / schedule.floorMs)
    }
    expect(between(0, 3)).toEqual([1, 2])
    expect(between(0.5, 2.5)).toEqual([1, 2])
    expect([between(0, 1), between(0, 0), between(3, 0)]).toEqual([[], [], []])
    expect([schedule.previous(tickMs), schedule.next(tickMs)]).toEqual(
      [-1, 1].map((n) => tickMs + n * schedule.floorMs),
    )
    expect([schedule.previous(tickMs + 1), schedule.next(tickMs - 1)]).toEqual([tickMs, tickMs])
  })
})

describe('a cap', () => {
  const between = (expression: string, atMost: number) =>
    parseSchedule(expression).occurrencesBetween(at('2026-01-01T00:00'), at('2036-01-01T00:00'), { atMost })

  test.each([
    ['rate(1 minute)', 100, 100, true],
    ['cron(* * * * ? *)', 100, 100, true],
    ['cron(0 6 1 7 ? *)', 100, 10, false],
    ['cron(0 6 1 7 ? *)', 10, 10, false],
    ['cron(0 6 1 7 ? *)', 9, 9, true],
    ['cron(0 6 1 7 ? *)', 0, 0, true],
    ['cron(0 6 30 2 ? *)', 0, 0, false],
  ])('of %s at %i in ten years: %i times, capped: %s', (expression, atMost, count, capped) => {
    const startMs = performance.now()
    const occurrences = between(expression, atMost)
    expect(performance.now() - startMs).toBeLessThan(1_000) // enumerating the minutes would take ten times as long
    expect(occurrences).toMatchObject({ timesMs: { length: count }, capped })
    expect(occurrences.timesMs).toEqual(between(expression, 100).timesMs.slice(0, count))
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

    test('a local time that is skipped never fires, and one that is repeated fires once', () => {
      const instant = fc.integer({ min: fromMs + DAY_MS, max: fromMs + 2 * DAY_MS })
      const seconds = fc.constantFrom(0, 1, 30_500)
      fc.assert(
        fc.property(clockCrons, instant, instant, seconds, ({ fields, matches }, a, b, extraMs) => {
          const times = minutes.filter((minute) => !minute.isRepeated && matches(minute)).map(({ ms }) => ms)
          const schedule = parseSchedule(`cron(${fields})`, timeZone)
          const ends = [Math.min(a, b), Math.max(a, b)].map((ms) => ms - (ms % MINUTE_MS) + extraMs)
          const [after = 0, before = 0] = ends
          const expected = times.filter((ms) => ms > after && ms < before)
          const { timesMs } = schedule.occurrencesBetween(after, before, { atMost: 9_999 })
          expect(timesMs.map(iso)).toEqual(expected.map(iso))
          const next = times.find((ms) => ms > after)
          if (next !== undefined) expect(iso(schedule.next(after))).toBe(iso(next))
          const previous = times.findLast((ms) => ms < before)
          if (previous !== undefined) expect(iso(schedule.previous(before))).toBe(iso(previous))
        }),
        { numRuns: 60 },
      )
    })
  },
)

test('dates are those of a walk through all days of five years', () => {
  const [fromMs, toMs] = [at('2026-12-31T00:00'), at('2032-01-01T00:00')]
  const days = Array.from({ length: (toMs - fromMs) / DAY_MS - 1 }, (_, index) =>
    dayOf(new Date(fromMs + (index + 1) * DAY_MS).toISOString().slice(0, 10)),
  )
  fc.assert(
    fc.property(dateCrons, ({ fields, matches }) => {
      const expected = days.filter(matches).map(({ ms }) => iso(ms))
      const { timesMs } = parseSchedule(`cron(${fields})`).occurrencesBetween(fromMs, toMs, { atMost: 9_999 })
      expect(timesMs.map(iso)).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})
