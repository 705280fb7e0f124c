import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dayOf, dueInstant, InvalidDateError, nextPeriod, startOfDayMs } from '../../functions/billing/due-date.ts'

// A fixed seed: whoever breaks the arithmetic sees the same counterexample at every run.
fc.configureGlobal({ seed: 20_240_131 })

const DAY_MS = 86_400_000
const periods = fc
  .integer({ min: Date.UTC(1970, 0, 1) / DAY_MS, max: Date.UTC(2099, 11, 31) / DAY_MS })
  .map((days) => new Date(days * DAY_MS).toISOString().slice(0, 10))
const intervals = fc.constantFrom('week', 'month', 'year')
const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'))
/** Their clocks were changed at midnight, or about it. */
const restlessZones = fc.constantFrom(
  'Africa/Cairo',
  'America/Asuncion',
  'America/Havana',
  'America/Santiago',
  'America/St_Johns',
  'Asia/Beirut',
  'Atlantic/Azores',
  'Pacific/Apia',
)

function series(first: string, interval: 'week' | 'month' | 'year', count: number): string[] {
  const found = [first]
  while (found.length <= count) found.push(nextPeriod(found.at(-1) ?? first, interval, dayOf(first)))
  return found.slice(1)
}

/** What a calendar on the wall shows there: written on its own, to be compared with. */
function localDate(ms: number, timeZone: string): string {
  return formatter(timeZone, { dateStyle: 'short' }).format(ms)
}

/** Days since 1970, in UTC, on which the zone's clocks were changed. */
function daysOfChange(year: number, timeZone: string): number[] {
  const offsets = formatter(timeZone, { timeZoneName: 'longOffset' })
  const offsetAt = (day: number) =>
    offsets.formatToParts(day * DAY_MS).find(({ type }) => type === 'timeZoneName')?.value
  const found: number[] = []
  for (let day = Date.UTC(year, 0, 1) / DAY_MS; day < Date.UTC(year + 1, 0, 1) / DAY_MS; day++) {
    if (offsetAt(day) !== offsetAt(day + 1)) found.push(day)
  }
  return found
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([timeZone, options])
  const made = formatters.get(key) ?? new Intl.DateTimeFormat('en-CA', { timeZone, ...options })
  formatters.set(key, made)
  return made
}

describe('The next period', () => {
  test('of a monthly plan keeps aiming at the 31st after a short month', () => {
    expect(series('2024-01-31', 'month', 4)).toEqual(['2024-02-29', '2024-03-31', '2024-04-30', '2024-05-31'])
    expect(series('2023-01-31', 'month', 2)).toEqual(['2023-02-28', '2023-03-31'])
    expect(series('2023-12-30', 'month', 3)).toEqual(['2024-01-30', '2024-02-29', '2024-03-30'])
  })

  test('of a yearly plan from a leap day is 28 February until the next leap year', () => {
    expect(series('2024-02-29', 'year', 4)).toEqual(['2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29'])
    expect(series('2096-02-29', 'year', 8).at(-1)).toBe('2104-02-29')
    expect(series('2096-02-29', 'year', 4).at(-1)).toBe('2100-02-28')
  })

  test('of a weekly plan crosses month ends, leap days and years', () => {
    expect(series('2024-02-22', 'week', 2)).toEqual(['2024-02-29', '2024-03-07'])
    expect(series('2023-12-28', 'week', 1)).toEqual(['2024-01-04'])
  })

  test('is a valid date, later, one interval away, and on the anchor day where the month has it', () => {
    fc.assert(
      fc.property(periods, intervals, fc.integer({ min: 1, max: 31 }), (period, interval, anchorDay) => {
        const next = nextPeriod(period, interval, anchorDay)
        expect(new Date(`${next}T00:00:00Z`).toISOString().slice(0, 10)).toBe(next)
        const days = (Date.parse(next) - Date.parse(period)) / DAY_MS
        if (interval === 'week') {
          expect(days).toBe(7)
          return
        }
        const months = Number(next.slice(0, 4)) * 12 + Number(next.slice(5, 7))
        const before = Number(period.slice(0, 4)) * 12 + Number(period.slice(5, 7))
        expect(months - before).toBe(interval === 'month' ? 1 : 12)
        const isLastOfMonth = new Date(Date.parse(next) + DAY_MS).getUTCDate() === 1
        expect(dayOf(next) === anchorDay || (isLastOfMonth && dayOf(next) < anchorDay)).toBe(true)
      }),
    )
  })

  test('of a monthly plan, year after year, is on its day in every month that has it and else at the end of the month', () => {
    fc.assert(
      fc.property(periods, (first) => {
        for (const period of series(first, 'month', 60)) {
          const [year, month] = period.split('-').map(Number)
          const lastDay = new Date(Date.UTC(year ?? 0, month ?? 0, 0)).getUTCDate()
          expect(period.slice(8)).toBe(String(Math.min(dayOf(first), lastDay)).padStart(2, '0'))
        }
      }),
    )
  })

  test('grows without a break: never the same again, and never a month left out', () => {
    fc.assert(
      fc.property(periods, intervals, (first, interval) => {
        const found = [first, ...series(first, interval, 60)]
        const longest = { week: 7, month: 31, year: 366 }[interval]
        for (const [i, period] of found.slice(1).entries()) {
          const days = (Date.parse(period) - Date.parse(found[i] ?? '')) / DAY_MS
          expect(days).toBeGreaterThan(0)
          expect(days).toBeLessThanOrEqual(longest)
        }
      }),
    )
  })

  test('over many months is strictly later, also as an instant, in any zone', () => {
    fc.assert(
      fc.property(periods, intervals, zones, (first, interval, zone) => {
        const instants = series(first, interval, 15).map((period) => dueInstant(period, zone))
        expect(instants).toEqual([...new Set(instants)].toSorted())
      }),
      { numRuns: 30 },
    )
  })
})

describe('A day begins', () => {
  test.each([
    ['2024-01-31', 'Etc/UTC', '2024-01-31T00:00:00.000Z'],
    ['2024-01-31', 'Pacific/Kiritimati', '2024-01-30T10:00:00.000Z'],
    ['2024-01-31', 'Asia/Kathmandu', '2024-01-30T18:15:00.000Z'],
    ['2024-01-31', 'America/St_Johns', '2024-01-31T03:30:00.000Z'],
    ['2024-07-31', 'Europe/London', '2024-07-30T23:00:00.000Z'],
    ['2024-01-31', 'Pacific/Pago_Pago', '2024-01-31T11:00:00.000Z'],
  ])('%s in %s at %s', (period, zone, instant) => {
    expect(dueInstant(period, zone)).toBe(instant)
  })

  test.each([
    ['2024-03-31', 'Asia/Beirut', '2024-03-30T22:00:00.000Z'],
    ['2024-03-31', 'Atlantic/Azores', '2024-03-31T01:00:00.000Z'],
    ['2024-03-10', 'America/Havana', '2024-03-10T05:00:00.000Z'],
    ['2024-04-26', 'Africa/Cairo', '2024-04-25T22:00:00.000Z'],
    ['2024-09-08', 'America/Santiago', '2024-09-08T04:00:00.000Z'],
  ])('%s in %s at 01:00, where clocks skip midnight: %s', (period, zone, instant) => {
    expect(dueInstant(period, zone)).toBe(instant)
    expect(localDate(Date.parse(instant) - 1, zone) < period).toBe(true)
  })

  test('at the first of two midnights where clocks go back over it', () => {
    // Havana, 3 November 2024, 01:00 → 00:00.
    expect(dueInstant('2024-11-03', 'America/Havana')).toBe('2024-11-03T04:00:00.000Z')
    // St. John's, 7 November 2010, 00:01 → 23:01 of the day before.
    expect(dueInstant('2010-11-07', 'America/St_Johns')).toBe('2010-11-07T02:30:00.000Z')
  })

  test('with the end of a gap that began before midnight', () => {
    // Toronto, 30 March 1919, 23:30 → 00:30 of the day after.
    expect(dueInstant('1919-03-31', 'America/Toronto')).toBe('1919-03-31T04:30:00.000Z')
  })

  test('with the next one where the date does not exist', () => {
    expect(dueInstant('2011-12-30', 'Pacific/Apia')).toBe('2011-12-30T10:00:00.000Z')
    expect(dueInstant('2011-12-31', 'Pacific/Apia')).toBe('2011-12-30T10:00:00.000Z')
  })

  test('exactly where the local date changes, in any zone', () => {
    fc.assert(
      fc.property(periods, zones, (period, zone) => {
        const start = startOfDayMs(period, zone)
        // Samoa and its neighbours each left out one date.
        expect(localDate(start, zone) >= period).toBe(true)
        expect(localDate(start - 1, zone) < period).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('at the first instant of its date, and no minute sooner, on all days around a change of the clocks', () => {
    let days = 0
    fc.assert(
      fc.property(fc.oneof(zones, restlessZones), fc.integer({ min: 1970, max: 2037 }), (zone, year) => {
        for (const day of daysOfChange(year, zone).flatMap((changed) =>
          [-1, 0, 1, 2].map((later) => changed + later),
        )) {
          const period = new Date(day * DAY_MS).toISOString().slice(0, 10)
          const start = startOfDayMs(period, zone)
          expect(localDate(start, zone) >= period, `${period} in ${zone}`).toBe(true)
          // Where midnight comes twice, its second coming looks like a start until one looks further back.
          for (let minutes = 1; minutes <= 180; minutes++) {
            expect(localDate(start - minutes * 60_000, zone) < period, `${period} in ${zone}`).toBe(true)
          }
          days++
        }
      }),
      { numRuns: 60 },
    )
    expect(days).toBeGreaterThan(200)
  })
})

test.each(['Mars', '', 'Europe/Berlin ', '2024-01-01T00:00Z', '2024-01-01T00:00[Europe/Berlin]'])(
  '"%s" is no time zone',
  (zone) => {
    expect(() => dueInstant('2024-01-31', zone)).toThrow(RangeError)
  },
)

test.each([
  '2023-02-29',
  '2100-02-29',
  '2024-04-31',
  '2024-13-01',
  '2024-00-10',
  '2024-01-00',
  '31.01.2024',
  '2024-1-31',
  '0024-01-31',
  '',
])('"%s" is no date', (text) => {
  expect(() => dayOf(text)).toThrow(InvalidDateError)
  expect(() => dueInstant(text, 'Etc/UTC')).toThrow(`"${text}" is not a date`)
})
