// @ts-nocheck
import { expect, test } from 'vitest'
import { dayOf, dueInstant, InvalidDateError, nextPeriod } from '../../functions/billing/due-date.ts'

test.each([
  ['month', '2024-01-31', ['2024-02-29', '2024-03-31', '2024-04-30', '2024-05-31']],
  ['month', '2023-12-30', ['2024-01-30', '2024-02-29', '2024-03-30']],
  ['year', '2024-02-29', ['2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29']],
  ['week', '2024-02-22', ['2024-02-29', '2024-03-07']],
] as const)('The periods of a plan by the %s, after %s: %j', (interval, first, expected) => {
  let period: string = first
  for (const next of expected) {
    period = nextPeriod(period, interval, dayOf(first))
    expect(period).toBe(next)
  }
})

// The polyfill finds the instant; these are its unusual cases.
test.each([
  ['2024-01-31', 'Etc/UTC', '2024-01-31T00:00:00.000Z', 'midnight'],
  ['2024-01-31', 'Pacific/Kiritimati', '2024-01-30T10:00:00.000Z', 'midnight'],
  ['2024-07-31', 'Europe/London', '2024-07-30T23:00:00.000Z', 'midnight'],
  ['2024-03-31', 'Asia/Beirut', '2024-03-30T22:00:00.000Z', '01:00, as midnight is skipped'],
  ['1919-03-31', 'America/Toronto', '1919-03-31T04:30:00.000Z', '00:30, as 23:30 to 00:30 is skipped'],
  ['2024-11-03', 'America/Havana', '2024-11-03T04:00:00.000Z', 'the first midnight of two, at 01:00 back to 00:00'],
  ['2010-11-07', 'America/St_Johns', '2010-11-07T02:30:00.000Z', 'the first midnight of two, at 00:01 back to 23:01'],
  ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00.000Z', 'the start of the next date, as this one is skipped'],
  ['2011-12-31', 'Pacific/Apia', '2011-12-30T10:00:00.000Z', 'midnight'],
])('A period %s is due in %s at %s: %s', (period, zone, instant) => {
  expect(dueInstant(period, zone)).toBe(instant)
})

test.each(['Mars', '', 'Europe/Berlin ', '2024-01-01T00:00Z', '2024-01-01T00:00[Europe/Berlin]'])(
  '"%s" is not a time zone',
  (zone) => expect(() => dueInstant('2024-01-31', zone)).toThrow(RangeError),
)

test.each([
  ...['2023-02-29', '2100-02-29', '2024-04-31', '2024-13-01', '2024-00-10', '2024-01-00', '31.01.2024'],
  ...['2024-1-31', '0024-01-31', ''],
])('"%s" is not a date', (text) => {
  expect(() => dayOf(text)).toThrow(InvalidDateError)
  expect(() => dueInstant(text, 'Etc/UTC')).toThrow(`"${text}" is not a date`)
})
