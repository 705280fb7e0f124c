import { TimeZone } from 'aws-cdk-lib'
import { describe, expect, test } from 'vitest'
import { cronGaps } from '../../infra/constructs/cron-gaps.ts'

const NOW_MS = Date.parse('2026-11-28T00:00:00Z')
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const DAILY = { minute: '0', hour: '6' }

describe('the shortest time between two ticks in local time', () => {
  test.each([
    [{}, MINUTE_MS],
    [{ minute: '0/15' }, 15 * MINUTE_MS],
    [{ minute: '55,5' }, 10 * MINUTE_MS],
    [DAILY, DAY_MS],
    [{ minute: '0', hour: '1,2,13' }, HOUR_MS],
    [{ minute: '30', hour: '8-18' }, HOUR_MS],
    [{ minute: '0', hour: '22,4', weekDay: 'MON-FRI' }, 6 * HOUR_MS],
    [{ minute: '50', hour: '*/7' }, 3 * HOUR_MS],
    [{ minute: '0', hour: '23,1', weekDay: 'MON,THU' }, 22 * HOUR_MS],
  ])('of %j is %i ms', (cron, gapMs) => {
    expect(cronGaps(cron, NOW_MS)?.localMs).toBe(gapMs)
  })

  // The last four are from https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
  test.each([
    ['each Monday', { weekDay: 'MON' }, 7],
    ['Monday and Friday, with Sunday as 1', { weekDay: '2,6' }, 3],
    ['every second weekday from Monday', { weekDay: '2/2' }, 2],
    ['the last day of each week', { weekDay: 'L' }, 7],
    ['the 31st of the months that have one', { day: '31' }, 31],
    ['every third month', { day: '1', month: '1/3' }, 90],
    ['29 February', { day: '29', month: '2' }, 1461],
    ['two years', { day: '1', month: 'JAN', year: '2027,2029' }, 731],
    ['the last Friday', { weekDay: '6L', year: '2022-2023' }, 28],
    ['the second Tuesday', { weekDay: '3#2' }, 28],
    ['the working day nearest to the 3rd', { day: '3W' }, 28],
    ['the last day of the month', { day: 'L' }, 28],
  ])('of %s is a whole number of days', (_, cron, days) => {
    expect(cronGaps({ ...DAILY, ...cron }, NOW_MS)?.localMs).toBe(days * DAY_MS)
  })

  test.each([
    [{ day: '1', month: '3', year: '2027' }, true],
    [{ day: '31', month: '4,6' }, false],
    [{ day: '29', month: '2', year: '2027' }, false],
  ])('is Infinity if there are no two ticks: %j, of which one ticks once', (dates, everTicks) => {
    expect(cronGaps({ ...DAILY, ...dates }, NOW_MS)).toMatchObject({ localMs: Infinity, everTicks })
  })
})

describe('the ticks before and after clocks go forward', () => {
  test.each([
    ['Europe/Berlin', DAILY, '2027-03-27T05:00:00.000Z', '2027-03-28T04:00:00.000Z'],
    ['Europe/Berlin', { minute: '0', hour: '1,3' }, '2027-03-28T00:00:00.000Z', '2027-03-28T01:00:00.000Z'],
    ['America/New_York', DAILY, '2027-03-13T11:00:00.000Z', '2027-03-14T10:00:00.000Z'],
    ['Australia/Lord_Howe', DAILY, '2027-10-01T19:30:00.000Z', '2027-10-02T19:00:00.000Z'],
    ['Europe/Berlin', {}, '2027-03-28T00:59:00.000Z', '2027-03-28T01:00:00.000Z'],
    ['Europe/Berlin', { ...DAILY, weekDay: 'MON' }, '2027-03-22T05:00:00.000Z', '2027-03-29T04:00:00.000Z'],
    ['Africa/Cairo', { minute: '30', hour: '*' }, '2027-04-29T21:30:00.000Z', '2027-04-29T22:30:00.000Z'],
    // A local time that the clocks skip has no tick.
    ['Europe/Berlin', { minute: '30', hour: '2' }, '2027-03-27T01:30:00.000Z', '2027-03-29T00:30:00.000Z'],
    ['Australia/Lord_Howe', { minute: '15', hour: '2' }, '2027-10-01T15:45:00.000Z', '2027-10-03T15:15:00.000Z'],
    ['Africa/Cairo', { minute: '0', hour: '0' }, '2027-04-28T22:00:00.000Z', '2027-04-30T21:00:00.000Z'],
  ])('in %s, of %j, are %s and %s', (timeZone, cron, ...ticks) => {
    const [next] = cronGaps({ ...cron, timeZone: TimeZone.of(timeZone) }, NOW_MS)?.acrossClockChanges ?? []
    expect([next?.firstMs, next?.secondMs].map((ms = 0) => new Date(ms).toISOString())).toEqual(ticks)
  })

  test('are found for 28 years, even if the clocks change between them', () => {
    const yearly = { ...DAILY, day: '30', month: '3', timeZone: TimeZone.EUROPE_BERLIN }
    const gaps = cronGaps(yearly, NOW_MS)?.acrossClockChanges ?? []
    expect(gaps).toHaveLength(28)
    // Summer time begins on the 31st in 2030 and on the 30th in 2031.
    const across = { firstMs: Date.parse('2030-03-30T05:00:00Z'), secondMs: Date.parse('2031-03-30T04:00:00Z') }
    expect(gaps).toContainEqual(across)
  })

  test.each([{}, { timeZone: TimeZone.ASIA_TOKYO }])('do not exist in a zone without summer time: %j', (zone) => {
    expect(cronGaps({ ...DAILY, ...zone }, NOW_MS)?.acrossClockChanges).toEqual([])
  })
})

const UNREADABLE = [{ minute: 'L' }, { hour: '24' }, { hour: '18-8' }, { minute: '0/0' }, { minute: '' }, { day: '0' }]
test.each([...UNREADABLE, { timeZone: TimeZone.of('Mars/Olympus') }])('%j cannot be read', (cron) => {
  expect(cronGaps(cron, NOW_MS)).toBeUndefined()
})
