/**
 * When a subscription is due: calendar arithmetic, no clock.
 *
 * A period is a local calendar date, `YYYY-MM-DD`, in the subscriber's time zone, and is converted to an instant only
 * at the end. Adding to instants instead would shift the due date at every change of daylight saving time. Adding to
 * the last due date would turn "the 31st" into "the 28th" forever after one February; the anchor day prevents that.
 *
 * Calendar and time zones are Temporal's, in a polyfill until Node has it without a flag. The polyfill's functions are
 * a third of its classes in the bundle (20 KB instead of 57), and do not take `2024-01-01T00:00Z` for a time zone.
 */
// @ts-nocheck

import * as PlainDate from 'temporal-polyfill/fns/PlainDate'

export const INTERVALS = ['week', 'month', 'year'] as const
export type Interval = (typeof INTERVALS)[number]

const PERIOD_FORM = /^(\d{4})-(\d{2})-(\d{2})$/

/** Not a date of the calendar, or not written `YYYY-MM-DD`. */
export class InvalidDateError extends Error {
  override readonly name = 'InvalidDateError'
}

/** The day of the month, 1 to 31. @throws InvalidDateError */
export function dayOf(period: string): number {
  return parse(period).day
}

/**
 * The period after this one.
 *
 * @param anchorDay the day of the month that monthly and yearly plans aim at, 1 to 31. With 31, 31 January is followed
 *   by 28 or 29 February and then by 31 March; with 29, 29 February of a yearly plan by 28 February until the next leap
 *   year.
 * @throws InvalidDateError
 */
export function nextPeriod(period: string, interval: Interval, anchorDay: number): string {
  const date = parse(period)
  switch (interval) {
    case 'week':
      return PlainDate.toString(PlainDate.addWeeks(date, 1))
    case 'month':
      return anchored(PlainDate.addMonths(date, 1), anchorDay)
    case 'year':
      return anchored(PlainDate.addYears(date, 1), anchorDay)
  }
}

/**
 * The first instant of a local date, as canonical ISO text in UTC with milliseconds. That is midnight, except
 * - if clocks go forward over midnight (Beirut, Havana, the Azores): the first instant after the gap;
 * - if clocks go back over midnight, so that it occurs twice: the first of the two;
 * - if the date was skipped (Samoa, 30 December 2011): the start of the next date.
 *
 * @param timeZone an IANA name
 * @throws InvalidDateError
 * @throws RangeError for an unknown time zone
 */
export function dueInstant(period: string, timeZone: string): string {
  return new Date(PlainDate.toZonedDateTime(parse(period), timeZone).epochMilliseconds).toISOString()
}

/** In a month that is too short, Temporal takes its last day. */
function anchored(date: PlainDate.Record, anchorDay: number): string {
  return PlainDate.toString(PlainDate.withDayOfMonth(date, anchorDay))
}

/** Stricter than Temporal's parser, which also takes times, years of other lengths, and annotations. */
function parse(period: string): PlainDate.Record {
  const [year = 0, month = 0, day = 0] = (PERIOD_FORM.exec(period) ?? []).slice(1).map(Number)
  if (year < 1900) throw new InvalidDateError(`"${period}" is not a date written YYYY-MM-DD, from 1900 on`)
  if (month < 1 || month > 12) throw new InvalidDateError(`"${period}" is not a date: there is no month ${month}`)
  try {
    return PlainDate.create(year, month, day)
  } catch (cause) {
    const days = PlainDate.daysInMonth(PlainDate.create(year, month, 1))
    throw new InvalidDateError(`"${period}" is not a date: that month has ${days} days`, { cause })
  }
}
