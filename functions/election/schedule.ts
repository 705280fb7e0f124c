/**
 * The times of a schedule of EventBridge Scheduler, from the expression and the time zone that Scheduler was given.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
import { cronerPattern } from './cron-fields.ts'
import { InvalidOptionError } from './errors.ts'
import { show } from './show.ts'

export interface Schedule {
  /** A tick is a time of the schedule, floored to multiples of this since 1970: its period, or a minute for `cron`. */
  readonly floorMs: number
  /** Whether the time between two ticks is always `floorMs`, as with `rate`. */
  readonly isRate: boolean
  /** @throws InvalidOptionError if the time zone is unknown */
  load(): Promise<Occurrences>
}

export interface Occurrences {
  /** The first `atMost` ticks after one instant and before another, in epoch milliseconds, oldest first. */
  between(afterMs: number, beforeMs: number, atMost: number): readonly number[]
}

const MINUTE_MS = 60_000
const UNITS_MS: ReadonlyMap<string | undefined, number> = new Map([
  ['minute', MINUTE_MS],
  ['hour', 60 * MINUTE_MS],
  ['day', 24 * 60 * MINUTE_MS],
])

/** Options are read at each invocation, and a time zone is slow to load: each schedule is made once in a process. */
const parsed = new Map<string, Schedule>()

/**
 * @param timeZone an IANA name. It changes nothing for `rate`, whose days always have 24 hours
 * @throws InvalidOptionError that says what to write instead
 */
export function parseSchedule(expression: string, timeZone = 'UTC'): Schedule {
  const key = `${timeZone} ${expression}`
  const schedule = parsed.get(key) ?? parse(expression, timeZone)
  parsed.set(key, schedule)
  return schedule
}

function parse(expression: string, timeZone: string): Schedule {
  const { kind, content = '' } = /^(?<kind>[a-z]+)\((?<content>.*)\)$/.exec(expression.trim())?.groups ?? {}
  const refuse = (why: string) => new InvalidOptionError(`The schedule ${show(expression)} ${why}`)
  if (kind === 'cron') {
    const pattern = cronerPattern(content, refuse)
    const read = async () => occurrencesOf((await import('./cron-times.ts')).cronTimes(pattern, timeZone))
    let occurrences: Promise<Occurrences> | undefined
    const load = () => (occurrences ??= read()) // only leaders need the library
    return { floorMs: MINUTE_MS, isRate: false, load }
  }
  if (kind === 'at') throw refuse(`fires once, not at every tick; write a cron of one date, such as ${cronOf(content)}`)
  if (kind !== 'rate') {
    throw refuse('is neither a rate nor a cron; write rate(5 minutes), or cron(0 6 * * ? *) for 06:00 each day')
  }
  const periodMs = periodOf(content)
  if (periodMs !== undefined) return rateSchedule(periodMs)
  throw refuse(
    'is not a valid rate; write a whole number above 0 and its unit, such as rate(1 hour) or rate(5 minutes)',
  )
}

/** Scheduler fires up to a period later: it counts from the start of the schedule, which a function does not know. */
export function rateSchedule(periodMs: number): Schedule {
  const occurrences = occurrencesOf((afterMs) => (Math.floor(afterMs / periodMs) + 1) * periodMs)
  return { floorMs: periodMs, isRate: true, load: async () => occurrences }
}

/** AWS writes both `rate(1 day)` and `rate(1 days)`. */
function periodOf(content: string): number | undefined {
  const rate = /^\s*(?<digits>\d+)\s+(?<unit>minute|hour|day)(?<plural>s)?\s*$/
  const { digits, unit, plural } = rate.exec(content)?.groups ?? {}
  const periodMs = Number(digits) * (UNITS_MS.get(unit) ?? 0)
  const isRight = Number.isSafeInteger(periodMs) && periodMs > 0 && (Number(digits) === 1 || plural === 's')
  return isRight ? periodMs : undefined
}

/** @param next the first time after an instant, if there is one */
function occurrencesOf(next: (afterMs: number) => number | undefined): Occurrences {
  return {
    between(afterMs, beforeMs, atMost) {
      const timesMs: number[] = []
      for (let time = next(afterMs); time !== undefined && time < beforeMs; time = next(time)) {
        if (timesMs.length >= atMost) break
        timesMs.push(time)
      }
      return timesMs
    },
  }
}

function cronOf(content: string): string {
  const date = /^(?<year>\d+)-(?<month>\d+)-(?<day>\d+)T(?<hour>\d+):(?<minute>\d+)/
  const { year, month, day, hour, minute } = date.exec(content)?.groups ?? {}
  const fields = [minute ?? 0, hour ?? 6, day ?? 24, month ?? 12].map(Number)
  return `cron(${fields.join(' ')} ? ${year ?? 2027})`
}
