/** The times of a cron in a time zone, to the minute. */
// @ts-nocheck

import { Cron } from 'croner'
import { InvalidOptionError } from './errors.ts'
import { show } from './show.ts'

/** The first time after an instant, in epoch milliseconds; undefined if there is none. */
export type NextTime = (afterMs: number) => number | undefined

const DAY_MS = 86_400_000

/**
 * Croner computes local times as if they were UTC, and `firstInstant` turns them into instants: Croner's own rules for
 * clock changes are those of Vixie cron.
 */
export function cronTimes(pattern: string, timeZone: string): NextTime {
  const localMsAt = clockOf(timeZone)
  if (localMsAt === undefined) {
    throw new InvalidOptionError(
      `The schedule has the time zone ${show(timeZone)}, which is unknown; write an IANA name, such as "Europe/Berlin"`,
    )
  }
  // In this mode 1 is Sunday.
  const cron = new Cron(pattern, { mode: '7-part', alternativeWeekdays: true, utcOffset: 0 })
  return (afterMs) => {
    let local = cron.nextRun(new Date(localMsAt(afterMs)))
    while (local !== null) {
      const timeMs = firstInstant(local.getTime(), localMsAt)
      // While clocks repeat an hour, the times in the rest of it have fired already.
      if (timeMs !== undefined && timeMs > afterMs) return timeMs
      local = cron.nextRun(local)
    }
    return undefined
  }
}

/** The local time of a zone at an instant, to the second, as the epoch milliseconds at which UTC shows that time. */
type Clock = (instantMs: number) => number

/** Undefined for an unknown zone. Scheduler knows no offsets, such as `+01:00`. */
function clockOf(timeZone: string): Clock | undefined {
  // The first use of Intl takes 10 ms.
  if (timeZone === 'UTC' || timeZone === 'Etc/UTC') return (instantMs) => instantMs
  const format = /^\w/.test(timeZone) ? formatOf(timeZone) : undefined
  return format && ((instantMs) => localMsOf(format, instantMs))
}

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  const dates = { year: 'numeric', month: 'numeric', day: 'numeric' } as const
  const times = { hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const
  try {
    return new Intl.DateTimeFormat('en', { timeZone, ...dates, ...times })
  } catch {
    return undefined
  }
}

function localMsOf(format: Intl.DateTimeFormat, instantMs: number): number {
  const parts = new Map(format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]))
  const [year = 0, month = 0, ...rest] = (['year', 'month', 'day', 'hour', 'minute', 'second'] as const).map(
    (type) => parts.get(type) ?? 0,
  )
  return Date.UTC(year, month - 1, ...rest)
}

/**
 * The instant at which Scheduler fires for a local time. If the clocks skip that time, there is none; if they repeat
 * it, it is the first of both: AWS shows this for a fixed time, and says nothing about a wildcard. No zone changes its
 * clocks twice in two days.
 */
function firstInstant(localMs: number, localMsAt: Clock): number | undefined {
  const offsets = [localMs - DAY_MS, localMs + DAY_MS].map((nearMs) => localMsAt(nearMs) - nearMs)
  return offsets.map((offsetMs) => localMs - offsetMs).find((instantMs) => localMsAt(instantMs) === localMs)
}
