import { TimeZone } from 'aws-cdk-lib'
import { describe, expect, test } from 'vitest'
import { cronGaps } from '../../infra/constructs/cron-gaps.ts'

const NOW_MS = Date.parse('2026-11-28T00:00:00Z')
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

describe('the shortest time between two ticks in local time', () => {
  test.each([
    [{}, MINUTE_MS],
    [{ minute: '0' }, HOUR_MS],
    [{ minute: '0,30' }, 30 * MINUTE_MS],
    [{ minute: '0/15' }, 15 * MINUTE_MS],
    [{ minute: '*/20' }, 20 * MINUTE_MS],
    [{ minute: '55,5' }, 10 * MINUTE_MS],
    [{ minute: '0', hour: '6' }, DAY_MS],
    [{ minute: '0', hour: '1,13' }, 12 * HOUR_MS],
    [{ minute: '0', hour: '1,2,13' }, HOUR_MS],
    [{ minute: '30', hour: '8-18' }, HOUR_MS],
    [{ minute: '0', hour: '22,4', weekDay: 'MON-FRI' }, 6 * HOUR_MS],
    [{ minute: '50', hour: '*/7' }, 3 * HOUR_MS],
    [{ minute: '0', hour: '23,1', weekDay: 'MON,THU' }, 22 * HOUR_MS],
  ])('of %j is %i ms', (cron, gapMs) => {
    expect(cronGaps(cron, NOW_MS)?.localMs).toBe(gapMs)
  })

  // The last five are from https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
  test.each([
    ['each Monday', { weekDay: 'MON' }, 7],
    ['Monday and Friday, with Sunday as 1', { weekDay: '2,6' }, 3],
    ['every second weekday from Monday', { weekDay: '2/2' }, 2],
    ['the last day of each week', { weekDay: 'L' }, 7],
    ['the first of the month', { day: '1' }, 28],
    ['the 31st of the months that have one', { day: '31' }, 31],
    ['every third month', { day: '1', month: '1/3' }, 90],
    ['the first of the year', { day: '1', month: 'JAN' }, 365],
    ['29 February', { day: '29', month: '2' }, 1461],
    ['two years', { day: '1', month: '1', year: '2027,2029' }, 731],
    ['noon of every day', { minute: '0', hour: '12', day: '*', month: '*', year: '*' }, 1],
    ['10:15 of the last Friday', { minute: '15', hour: '10', weekDay: '6L', year: '2022-2023' }, 28],
    ['the second Tuesday', { weekDay: '3#2' }, 28],
    ['the working day nearest to the 3rd', { day: '3W' }, 28],
    ['the last day of the month', { day: 'L' }, 28],
  ])('of %s is a whole number of days', (_, cron, days) => {
    expect(cronGaps({ minute: '0', hour: '6', ...cron }, NOW_MS)?.localMs).toBe(days * DAY_MS)
  })

  test('is Infinity if there are no two ticks', () => {
    expect(cronGaps({ minute: '0', hour: '6', day: '31', month: '2' }, NOW_MS)?.localMs).toBe(Infinity)
    const once = { minute: '0', hour: '6', day: '1', month: '3', year: '2027' }
    expect(cronGaps(once, NOW_MS)?.localMs).toBe(Infinity)
    expect(cronGaps(once, NOW_MS)?.everTicks).toBe(true)
  })

  test.each([
    { day: '30', month: '2' },
    { day: '31', month: '4,6' },
    { day: '29', month: '2', year: '2027' },
  ])('%j never ticks', (dates) => {
    expect(cronGaps({ minute: '0', hour: '6', ...dates }, NOW_MS)?.everTicks).toBe(false)
  })
})

describe('the ticks before and after clocks go forward', () => {
  const nextChange = (timeZone: string, cron: object) => {
    const { firstMs, secondMs } =
      cronGaps({ ...cron, timeZone: TimeZone.of(timeZone) }, NOW_MS)?.acrossClockChanges[0] ?? {}
    return [firstMs, secondMs].map((ms = 0) => new Date(ms).toISOString())
  }

  test.each([
    ['Europe/Berlin', { minute: '0', hour: '6' }, '2027-03-27T05:00:00.000Z', '2027-03-28T04:00:00.000Z'],
    ['Europe/Berlin', { minute: '0', hour: '1,3' }, '2027-03-28T00:00:00.000Z', '2027-03-28T01:00:00.000Z'],
    ['America/New_York', { minute: '0', hour: '6' }, '2027-03-13T11:00:00.000Z', '2027-03-14T10:00:00.000Z'],
    ['Australia/Lord_Howe', { minute: '0', hour: '6' }, '2027-10-01T19:30:00.000Z', '2027-10-02T19:00:00.000Z'],
    ['Europe/Berlin', {}, '2027-03-28T00:59:00.000Z', '2027-03-28T01:00:00.000Z'],
    ['Europe/Berlin', { minute: '0', hour: '6', weekDay: '1' }, '2027-03-21T05:00:00.000Z', '2027-03-28T04:00:00.000Z'],
    ['Africa/Cairo', { minute: '30', hour: '*' }, '2027-04-29T21:30:00.000Z', '2027-04-29T22:30:00.000Z'],
    [
      'Europe/Berlin',
      { minute: '0', hour: '6', weekDay: 'MON' },
      '2027-03-22T05:00:00.000Z',
      '2027-03-29T04:00:00.000Z',
    ],
  ])('in %s, %j ticks at %s and %s', (timeZone, cron, first, second) => {
    expect(nextChange(timeZone, cron)).toEqual([first, second])
  })

  test.each([
    ['Europe/Berlin', { minute: '30', hour: '2' }, '2027-03-27T01:30:00.000Z', '2027-03-29T00:30:00.000Z'],
    ['Australia/Lord_Howe', { minute: '15', hour: '2' }, '2027-10-01T15:45:00.000Z', '2027-10-03T15:15:00.000Z'],
    ['Africa/Cairo', { minute: '0', hour: '0' }, '2027-04-28T22:00:00.000Z', '2027-04-30T21:00:00.000Z'],
  ])('in %s, %j skips a local time that does not exist', (timeZone, cron, first, second) => {
    expect(nextChange(timeZone, cron)).toEqual([first, second])
  })

  test('are found for 28 years, even if the clocks change between them', () => {
    const yearly = { minute: '0', hour: '6', day: '30', month: '3', timeZone: TimeZone.EUROPE_BERLIN }
    const gaps = cronGaps(yearly, NOW_MS)?.acrossClockChanges ?? []
    expect(gaps).toHaveLength(28)
    // Summer time begins on the 31st in 2030 and on the 30th in 2031.
    expect(gaps).toContainEqual({
      firstMs: Date.parse('2030-03-30T05:00:00Z'),
      secondMs: Date.parse('2031-03-30T04:00:00Z'),
    })
  })

  test.each([undefined, TimeZone.ETC_UTC, TimeZone.ASIA_TOKYO])(
    'do not exist in a zone without summer time',
    (timeZone) => {
      const zone = timeZone === undefined ? {} : { timeZone }
      expect(cronGaps({ minute: '0', hour: '6', ...zone }, NOW_MS)?.acrossClockChanges).toEqual([])
    },
  )
})

test.each([
  { minute: 'L' },
  { minute: '60' },
  { hour: '24' },
  { hour: '18-8' },
  { minute: '0/0' },
  { minute: '' },
  { day: '0' },
  { month: 'JANUARY' },
  { timeZone: TimeZone.of('Mars/Olympus') },
])('%j cannot be read', (cron) => {
  expect(cronGaps(cron, NOW_MS)).toBeUndefined()
})
