/**
 * When a subscription falls due: pure calendar arithmetic, no clock.
 *
 * A period is a local calendar date, `YYYY-MM-DD`, in the subscriber's time zone; it becomes an instant only at the end.
 * Adding to instants instead would drift at every change of summer time, and adding to the last due date would turn
 * "the 31st" into "the 28th" for good after one February: therefore the anchor day.
 */

export const INTERVALS = ['week', 'month', 'year'] as const
export type Interval = (typeof INTERVALS)[number]

const DAY_MS = 86_400_000
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
  const { year, month, day } = parse(period)
  switch (interval) {
    case 'week':
      return dateText(Date.UTC(year, month - 1, day) + 7 * DAY_MS)
    case 'month':
      return month === 12 ? anchored(year + 1, 1, anchorDay) : anchored(year, month + 1, anchorDay)
    case 'year':
      return anchored(year + 1, month, anchorDay)
  }
}

/**
 * The instant at which a local date begins, in epoch ms. That is midnight, except
 * - where clocks go forward at midnight (Beirut, Havana, the Azores): the first instant after the gap;
 * - where they go back over midnight, so that it comes twice: the first of the two;
 * - where the date was left out (Samoa, 30 December 2011): the start of the next one.
 *
 * @param timeZone an IANA name
 * @throws InvalidDateError
 * @throws RangeError for an unknown time zone
 */
export function startOfDayMs(period: string, timeZone: string): number {
  const { year, month, day } = parse(period)
  const midnight = Date.UTC(year, month - 1, day)
  // Offsets lie between -12 and +14 hours: a day to either side is surely before and after that midnight.
  const before = offsetMs(midnight - DAY_MS, timeZone)
  const after = offsetMs(midnight + DAY_MS, timeZone)
  const earliest = midnight - Math.max(before, after)
  const latest = midnight - Math.min(before, after)
  // Where clocks skip midnight neither is midnight, and the later one, midnight by the clocks as they were, is the end of
  // the day before: every gap over a midnight from 1970 to 2030, in all zones of the time zone database, begins right there.
  return earliest + offsetMs(earliest, timeZone) === midnight ? earliest : latest
}

/** {@link startOfDayMs} as canonical ISO text in UTC with milliseconds, which sorts as the instants do. */
export function dueInstant(period: string, timeZone: string): string {
  return new Date(startOfDayMs(period, timeZone)).toISOString()
}

function anchored(year: number, month: number, anchorDay: number): string {
  return dateText(Date.UTC(year, month - 1, Math.min(anchorDay, daysInMonth(year, month))))
}

function parse(period: string): { year: number; month: number; day: number } {
  const [year = 0, month = 0, day = 0] = (PERIOD_FORM.exec(period) ?? []).slice(1).map(Number)
  // Before 1900 Date.UTC takes two-digit years for 19xx, and zones have offsets of odd seconds.
  if (year < 1900) throw new InvalidDateError(`"${period}" is not a date written YYYY-MM-DD, from 1900 on`)
  if (month < 1 || month > 12) throw new InvalidDateError(`"${period}" is not a date: there is no month ${month}`)
  const days = daysInMonth(year, month)
  if (day < 1 || day > days) throw new InvalidDateError(`"${period}" is not a date: that month has ${days} days`)
  return { year, month, day }
}

function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function dateText(utcMs: number): string {
  return new Date(utcMs).toISOString().slice(0, 10)
}

// Building a formatter costs far more than using it, and there are only some 400 zones.
const formatters = new Map<string, Intl.DateTimeFormat>()

/** How far the zone's clocks are ahead of UTC at that instant. Temporal would say it directly; Node 24 has it only behind a flag. */
function offsetMs(instantMs: number, timeZone: string): number {
  let formatter = formatters.get(timeZone)
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formatters.set(timeZone, formatter)
  }
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of formatter.formatToParts(instantMs)) part[type] = Number(value)
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instantMs / 1000) * 1000
}
