/** The times of a cron in a time zone, to the minute. */
import { Cron } from 'croner'

/** In epoch milliseconds; undefined if there is no such time. */
export interface Times {
  /** The first time after an instant. */
  next(afterMs: number): number | undefined
  /** The last time before an instant. */
  previous(beforeMs: number): number | undefined
}

const DAY_MS = 86_400_000

/**
 * Croner computes local times as if they were UTC, and `firstInstant` turns them into instants: Croner's own rules for
 * clock changes are those of Vixie cron.
 */
export function cronTimes(pattern: string, timeZone: string): Times {
  // In this mode 1 is Sunday.
  const cron = new Cron(pattern, { mode: '7-part', alternativeWeekdays: true, utcOffset: 0 })
  const localMsAt = clockOf(timeZone)
  return {
    next(afterMs) {
      let local = cron.nextRun(new Date(localMsAt(afterMs)))
      while (local !== null) {
        const timeMs = firstInstant(local.getTime(), localMsAt)
        // While clocks repeat an hour, the rest of it is in the past.
        if (timeMs !== undefined && timeMs > afterMs) return timeMs
        local = cron.nextRun(local)
      }
      return undefined
    },
    previous(beforeMs) {
      const localMs = localMsAt(beforeMs)
      const repeatedMs = beforeMs - (firstInstant(localMs, localMsAt) ?? beforeMs)
      let [local] = cron.previousRuns(1, new Date(localMs + repeatedMs))
      while (local !== undefined) {
        const timeMs = firstInstant(local.getTime(), localMsAt)
        if (timeMs !== undefined && timeMs < beforeMs) return timeMs
        ;[local] = cron.previousRuns(1, local)
      }
      return undefined
    },
  }
}

/** What a zone's clocks show at an instant, as the epoch milliseconds of the same reading in UTC. */
type Clock = (instantMs: number) => number

function clockOf(timeZone: string): Clock {
  const dates = { year: 'numeric', month: 'numeric', day: 'numeric' } as const
  const times = { hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const
  const format = new Intl.DateTimeFormat('en', { timeZone, ...dates, ...times })
  return (instantMs) => {
    const parts = new Map(format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]))
    const [year, month, ...rest] = (['year', 'month', 'day', 'hour', 'minute', 'second'] as const).map(
      (type) => parts.get(type) ?? 0,
    )
    return Date.UTC(year ?? 0, (month ?? 0) - 1, ...rest) + (instantMs - Math.floor(instantMs / 1000) * 1000)
  }
}

/**
 * When clocks show a local time: Scheduler skips one that they skip, and fires once, the first time, if they show it
 * twice. No zone changes its clocks twice in two days.
 */
function firstInstant(localMs: number, localMsAt: Clock): number | undefined {
  const offsets = [localMs - DAY_MS, localMs + DAY_MS].map((nearMs) => localMsAt(nearMs) - nearMs)
  return offsets.map((offsetMs) => localMs - offsetMs).find((instantMs) => localMsAt(instantMs) === localMs)
}
