// @ts-nocheck
import { InvalidTickError } from './errors.ts'
import { quoted, show } from './show.ts'

/** A tick as a caller may give it: an ISO-8601 instant with its offset, a Date, or epoch milliseconds. */
export type TickInput = string | number | Date

const ISO_INSTANT = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/
/** A number before 2000 is probably a time in seconds, which would floor to the same tick for days. */
const FIRST_NUMERIC_TICK_MS = Date.parse('2000-01-01T00:00:00.000Z')
const LAST_TICK_MS = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * The tick as ISO-8601 UTC with milliseconds, floored to the period: candidates whose `rate()` schedules fire in
 * different phases must name the same tick. Ticks are compared as texts, which is correct in this form only.
 * @throws InvalidTickError if the input is not an instant, such as a placeholder that was not replaced
 */
export function canonicalTick(input: TickInput, periodMs?: number): string {
  const instantMs = toEpochMs(input)
  const tickMs = periodMs === undefined ? instantMs : Math.floor(instantMs / periodMs) * periodMs
  return new Date(tickMs).toISOString()
}

export function isCanonicalTick(text: string): boolean {
  const instantMs = Date.parse(text)
  return isTickMs(instantMs) && new Date(instantMs).toISOString() === text
}

function toEpochMs(input: TickInput): number {
  const instantMs = typeof input === 'string' ? parseInstant(input) : Number(input)
  const isSeconds = typeof input === 'number' && input < FIRST_NUMERIC_TICK_MS
  if (isTickMs(instantMs) && !isSeconds) return instantMs
  throw new InvalidTickError(
    `The tick ${show(input)} cannot be read as an instant. ` +
      'Give an ISO-8601 time with its offset, like "2026-11-21T06:00:00Z", or epoch milliseconds; ' +
      'in an EventBridge Scheduler input that is the context attribute <aws.scheduler.scheduled-time>.',
  )
}

function isTickMs(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= LAST_TICK_MS
}

function parseInstant(text: string): number {
  const [, date] = ISO_INSTANT.exec(text) ?? []
  // Date.parse reads 30 February as 1 March: a date that comes back changed does not exist.
  const midnightMs = date === undefined ? Number.NaN : Date.parse(`${date}T00:00:00Z`)
  if (!isTickMs(midnightMs) || new Date(midnightMs).toISOString().slice(0, 10) !== date) return Number.NaN
  return Date.parse(text)
}

/** @throws InvalidTickError if the tick is further ahead than the clock budget: completing it would skip others */
export function assertNotFuture(tick: string, nowMs: number, maxClockSkewMs: number): void {
  const aheadMs = Date.parse(tick) - nowMs
  if (aheadMs <= maxClockSkewMs) return
  throw new InvalidTickError(
    `The tick ${tick} lies ${Math.round(aheadMs / 1000)} s in the future of this machine's clock, ` +
      `${new Date(nowMs).toISOString()}. Completing it would mark every tick before it as done. ` +
      'Pass the time for which the schedule fired.',
  )
}

/** The event that an `ElectedSchedule` sends. */
export interface ScheduledTickEvent {
  /** The time for which the schedule fired, ISO-8601; `lease.tick` is this, floored to the period. */
  readonly tick: string
  /** To what the tick is floored, in milliseconds, instead of what the schedule says. */
  readonly periodMs?: number
}

/** What an event says about its tick. */
export type EventTick = Omit<ScheduledTickEvent, 'tick'> & { readonly tick: TickInput }

/**
 * Reads the tick of a scheduled event: `{ tick }`, which an `ElectedSchedule` sends, or the
 * event of an EventBridge rule, whose `time` is the scheduled one.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
 * @throws InvalidTickError for any other event: an unreadable tick must not count as "no tick"
 */
export function tickOfEvent(event: unknown): EventTick {
  const fields: Record<string, unknown> = typeof event === 'object' && event !== null ? { ...event } : {}
  const { tick, periodMs, time, source } = fields
  if (periodMs !== undefined && !(Number.isSafeInteger(periodMs) && Number(periodMs) > 0)) {
    throw new InvalidTickError(
      `The event's periodMs is ${show(periodMs)}, but must be a whole number of milliseconds above 0.`,
    )
  }
  const period = periodMs === undefined ? {} : { periodMs: Number(periodMs) }
  if (typeof tick === 'string' || typeof tick === 'number') return { tick, ...period }
  if (source === 'aws.events' && typeof time === 'string') return { tick: time, ...period }
  const keys = Object.keys(fields).map((key) => quoted(key, 20))
  const got = keys.length === 0 ? typeOf(event) : `keys: ${keys.slice(0, 10).join(', ')}`
  throw new InvalidTickError(
    'The event has no tick. Expected { "tick": "2026-11-21T06:00:00Z" } ' +
      `or the scheduled event of an EventBridge rule, but got ${got}. ` +
      'For another kind of event give leaderOnly the option tickOf: (event) => …',
  )
}

/** Its contents may be secret. */
function typeOf(event: unknown): string {
  if (typeof event === 'object' && event !== null) return 'an object without keys'
  return event === null ? 'null' : typeof event
}
