/**
 * When a subscription falls due: calendar arithmetic, no clock.
 *
 * A period is a local calendar date, `YYYY-MM-DD`, in the subscriber's time zone; it becomes an instant only at the end.
 * Adding to instants instead would drift at every change of summer time, and adding to the last due date would turn
 * "the 31st" into "the 28th" for good after one February: therefore the anchor day.
 *
 * Calendar and time zones are Temporal's, by way of a polyfill until the runtime has it: Node 24 only behind a flag. Its
 * functions are a third of its classes in the bundle (20 KB to 57), and refuse `2024-01-01T00:00Z` as the name of a zone.
 */
import * as PlainDate from 'temporal-polyfill/fns/PlainDate'

export const INTERVALS = ['week', 'month', 'year'] as const
export type Interval = (typeof INTERVALS)[number]

const PERIOD_FORM = /^(\d{4})-(\d{2})-(\d{2})$/

/** A date that is on no calendar, or not written `YYYY-MM-DD`. */
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
 * @param anchorDay day of the month that a monthly or yearly plan aims at, 1 to 31: 31 January is followed by
 *   28 or 29 February and that by 31 March; 29 February, yearly, by 28 February until the next leap year. Weekly plans ignore it.
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
 * The first instant of a local date, in epoch ms. That is midnight, except
 * - where clocks go forward over midnight (Beirut, Havana, the Azores): the first instant after the gap;
 * - where they go back over midnight, so that it comes twice: the first of the two;
 * - where the date was left out (Samoa, 30 December 2011): the start of the next one.
 *
 * @param timeZone an IANA name
 * @throws InvalidDateError
 * @throws RangeError for an unknown time zone
 */
export function startOfDayMs(period: string, timeZone: string): number {
  return PlainDate.toZonedDateTime(parse(period), timeZone).epochMilliseconds
}

/** {@link startOfDayMs} as canonical ISO text in UTC with milliseconds, which sorts as the instants do. */
export function dueInstant(period: string, timeZone: string): string {
  return new Date(startOfDayMs(period, timeZone)).toISOString()
}

/** A month that does not have the day ends with its last one: so Temporal constrains, unless told to refuse. */
function anchored(date: PlainDate.Record, anchorDay: number): string {
  return PlainDate.toString(PlainDate.withDayOfMonth(date, anchorDay))
}

/** Stricter than Temporal's own parser, which takes times, other years and annotations along with a date. */
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
