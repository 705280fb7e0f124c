/** Formats spans and instants for operators. */
// @ts-nocheck


export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** @see https://tc39.es/ecma262/#sec-time-values-and-time-range */
const LAST_INSTANT_MS = 8.64e15

/** `0.4 s`, `9 s`, `12 min`, `5 h 10 min`, `3 days`: at most two units, the rest cut off. */
export function span(ms: number): string {
  if (!Number.isFinite(ms)) return 'an unknown time'
  const length = Math.abs(ms)
  if (length < SECOND_MS) return `${(Math.floor(length / 100) / 10).toFixed(1)} s`
  if (length < MINUTE_MS) return `${Math.floor(length / SECOND_MS)} s`
  if (length < 10 * MINUTE_MS) return pair(length, MINUTE_MS, 'min', SECOND_MS, 's')
  if (length < HOUR_MS) return `${Math.floor(length / MINUTE_MS)} min`
  if (length < 2 * DAY_MS) return pair(length, HOUR_MS, 'h', MINUTE_MS, 'min')
  return `${Math.floor(length / DAY_MS)} days`
}

function pair(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const rest = Math.floor((ms % largeMs) / smallMs)
  return `${Math.floor(ms / largeMs)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
}

export const isInstant = (ms: number): boolean => Number.isFinite(ms) && Math.abs(ms) <= LAST_INSTANT_MS

/** `21 Nov`, or with the year. */
export function dayOf(ms: number, withYear = false): string {
  const date = new Date(ms)
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ''}`
  return withYear ? `${day} ${date.getUTCFullYear()}` : day
}

const CLOCK_LENGTH = { minutes: 5, seconds: 8, milliseconds: 12 } as const

/** The time of day in UTC: `06:00`, `06:00:00` or `06:00:00.000`. */
export function clockTime(ms: number, precision: keyof typeof CLOCK_LENGTH): string {
  return (new Date(ms).toISOString().split('T')[1] ?? '').slice(0, CLOCK_LENGTH[precision])
}

/** `06:00` on the day of `nowMs`, else `20 Nov 06:00`, or with the year; with seconds if there are any. UTC. */
export function instant(ms: number, nowMs: number): string {
  if (!isInstant(ms)) return 'an impossible time'
  const seconds = Math.floor(ms / SECOND_MS) * SECOND_MS
  const time = clockTime(seconds, seconds % MINUTE_MS === 0 ? 'minutes' : 'seconds')
  const [day, today] = [dayOf(ms, true), isInstant(nowMs) ? dayOf(nowMs, true) : '']
  if (day === today) return time
  return `${dayOf(ms, day.slice(-4) !== today.slice(-4))} ${time}`
}
