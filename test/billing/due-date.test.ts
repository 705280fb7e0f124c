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

function series(first: string, interval: 'week' | 'month' | 'year', count: number): string[] {
  const found = [first]
  while (found.length <= count) found.push(nextPeriod(found.at(-1) ?? first, interval, dayOf(first)))
  return found.slice(1)
}

/** What a calendar on the wall shows there: written on its own, to be compared with. */
function localDate(ms: number, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(ms)
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
})

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
