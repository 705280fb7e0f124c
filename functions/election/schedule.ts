/**
 * The times of a schedule of EventBridge Scheduler, from the expression and the time zone that Scheduler was given.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
import { cronerPattern } from './cron-fields.ts'
import { clockOf, cronTimes, type Times } from './cron-times.ts'
import { InvalidOptionError } from './errors.ts'
import { show } from './show.ts'

export interface Schedule extends Times {
  /** A tick of the schedule is its time, floored to multiples of this since 1970: the period, or a minute for `cron`. */
  readonly floorMs: number
  /** The times strictly between two instants, in epoch milliseconds. */
  occurrencesBetween(afterMs: number, beforeMs: number, options: { readonly atMost: number }): Occurrences
}

export interface Occurrences {
  /** Epoch milliseconds, oldest first. */
  readonly timesMs: readonly number[]
  /** There are more: these are the oldest `atMost`. */
  readonly capped: boolean
}

const MINUTE_MS = 60_000
const UNITS_MS = new Map([
  ['minute', MINUTE_MS],
  ['hour', 60 * MINUTE_MS],
  ['day', 24 * 60 * MINUTE_MS],
])

/**
 * @param timeZone an IANA name. It changes nothing for `rate`, whose days always have 24 hours
 * @throws InvalidOptionError that says what to write instead
 */
export function parseSchedule(expression: string, timeZone = 'UTC'): Schedule {
  const [, kind = '', content = ''] = /^([a-z]+)\((.*)\)$/.exec(expression.trim()) ?? []
  const refuse = (why: string) => new InvalidOptionError(`The schedule ${show(expression)} ${why}`)
  const clock = clockOf(timeZone)
  if (clock === undefined) {
    throw refuse(`has the time zone ${show(timeZone)}, which is unknown; write an IANA name, such as "Europe/Berlin"`)
  }
  if (kind === 'cron') return scheduleOf(cronTimes(cronerPattern(content, refuse), clock), MINUTE_MS)
  if (kind === 'at') throw refuse(`fires once, not at every tick; write a cron of one date, such as ${cronOf(content)}`)
  if (kind !== 'rate') {
    throw refuse('is neither a rate nor a cron; write rate(5 minutes), or cron(0 6 * * ? *) for 06:00 each day')
  }
  const periodMs = periodOf(content)
  if (periodMs !== undefined) return scheduleOf(rateTimes(periodMs), periodMs)
  throw refuse('is no rate; write a whole number above 0 and its unit, such as rate(1 hour) or rate(5 minutes)')
}

/** AWS writes both `rate(1 day)` and `rate(1 days)`. */
function periodOf(content: string): number | undefined {
  const [, digits = '', unit = '', plural] = /^\s*(\d+)\s+(minute|hour|day)(s)?\s*$/.exec(content) ?? []
  const periodMs = Number(digits) * (UNITS_MS.get(unit) ?? 0)
  const isRight = Number.isSafeInteger(periodMs) && periodMs > 0 && (Number(digits) === 1 || plural === 's')
  return isRight ? periodMs : undefined
}

/** Scheduler fires up to a period later: it counts from the start of the schedule, which a function does not know. */
function rateTimes(periodMs: number): Times {
  return {
    next: (afterMs) => (Math.floor(afterMs / periodMs) + 1) * periodMs,
    previous: (beforeMs) => (Math.ceil(beforeMs / periodMs) - 1) * periodMs,
  }
}

function scheduleOf(times: Times, floorMs: number): Schedule {
  return {
    ...times,
    floorMs,
    occurrencesBetween(afterMs, beforeMs, { atMost }) {
      const timesMs: number[] = []
      for (let time = times.next(afterMs); time !== undefined && time < beforeMs; time = times.next(time)) {
        if (timesMs.length >= atMost) return { timesMs, capped: true }
        timesMs.push(time)
      }
      return { timesMs, capped: false }
    },
  }
}

function cronOf(content: string): string {
  const [, year, month, day, hour, minute] = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+)/.exec(content) ?? []
  const fields = [minute ?? 0, hour ?? 6, day ?? 24, month ?? 12].map(Number)
  return `cron(${fields.join(' ')} ? ${year ?? 2027})`
}
