import type { CronOptionsWithTimezone } from 'aws-cdk-lib/aws-scheduler'
import { Cron } from 'croner'

/** Two successive ticks, epoch ms. */
interface SuccessiveTicks {
  readonly firstMs: number
  readonly secondMs: number
}

export interface CronGaps {
  readonly everTicks: boolean
  /** The shortest time between two ticks in local time, in milliseconds; Infinity if there are no two ticks. */
  readonly localMs: number
  /** The last tick before and the first tick after each time in the coming years that the zone's clocks go forward. */
  readonly acrossClockChanges: readonly SuccessiveTicks[]
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** After 28 years each date falls on the same day of the week again. */
const CYCLE_MS = 28 * 365.25 * DAY_MS

/**
 * Finds the shortest times between two ticks; undefined if the expression or its time zone cannot be read.
 *
 * Scheduler skips a local time that does not exist, and fires once at a local time that occurs twice. So ticks get
 * closer only when clocks go forward.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function cronGaps(cron: CronOptionsWithTimezone, nowMs = Date.now()): CronGaps | undefined {
  const { minute = '*', hour = '*', timeZone } = cron
  const dates = [cron.day ?? '*', cron.month ?? '*', cronerWeekDay(cron.weekDay ?? '?'), cron.year ?? '*'].join(' ')
  try {
    const offsetMs = offsetsOf(timeZone?.timezoneName ?? 'UTC')
    const [times, days, ticks] = [`${minute} ${hour} * * ? *`, `0 0 ${dates}`, `${minute} ${hour} ${dates}`].map(read)
    if (times === undefined || days === undefined || ticks === undefined) return undefined
    return {
      everTicks: days.nextRun(new Date(-1)) !== null,
      localMs: shortestLocalMs(times, days),
      acrossClockChanges: changesForward(offsetMs, nowMs).flatMap((change) => ticksAround(change, ticks, offsetMs)),
    }
  } catch {
    return undefined
  }
}

/** Reads local times as if they were UTC: Croner's rules for summer time differ from Scheduler's. @throws Error */
function read(fields: string): Cron {
  // In these modes 1 is Sunday, and `2/3` needs no range.
  return new Cron(`0 ${fields}`, { mode: '7-part', alternativeWeekdays: true, sloppyRanges: true, utcOffset: 0 })
}

/** Scheduler's `L` for the last day of the week, Saturday, is unknown to Croner. */
function cronerWeekDay(weekDay: string): string {
  const days = weekDay.split(',')
  return days.map((day) => (day.toUpperCase() === 'L' ? 'SAT' : day)).join()
}

function shortestLocalMs(times: Cron, days: Cron): number {
  const timesOfDay = times.nextRuns(DAY_MS / MINUTE_MS, new Date(-1)).map(Number)
  const inDay = timesOfDay.filter((timeMs) => timeMs < DAY_MS)
  // 1,500 dates are 28 years of a weekly expression, and more years of a rarer one.
  const dates = days.nextRuns(1_500, new Date(-1)).map(Number)
  const overnightMs = shortestStep(dates) + (inDay[0] ?? 0) - (inDay.at(-1) ?? 0)
  return Math.min(shortestStep(inDay), overnightMs)
}

function shortestStep(ascending: readonly number[]): number {
  return ascending.reduce((least, ms, index) => Math.min(least, ms - (ascending[index - 1] ?? -Infinity)), Infinity)
}

/** The offset of a zone's local time from UTC at an instant, in milliseconds. */
type Offsets = (instantMs: number) => number

/** @throws RangeError for an unknown zone */
function offsetsOf(timeZone: string): Offsets {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
  return (instantMs) => {
    const name = format.formatToParts(instantMs).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign, hours = 0, minutes = 0] = /([+-])(\d\d):(\d\d)/.exec(name) ?? []
    return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS)
  }
}

/** The instants at which the zone's clocks go forward. No zone changes its clocks twice in a week. */
function changesForward(offsetMs: Offsets, fromMs: number): number[] {
  const changes: number[] = []
  for (let weekMs = fromMs; weekMs < fromMs + CYCLE_MS; weekMs += 7 * DAY_MS) {
    let [before, after] = [weekMs, weekMs + 7 * DAY_MS]
    if (offsetMs(before) >= offsetMs(after)) continue
    const beforeOffsetMs = offsetMs(before)
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2)
      if (offsetMs(middle) === beforeOffsetMs) before = middle
      else after = middle
    }
    changes.push(after)
  }
  return changes
}

/** How many ticks to look at: the nearest can fall into a gap, perhaps years away, and be skipped. */
const NEARBY_TICKS = 5

function ticksAround(changeMs: number, ticks: Cron, offsetMs: Offsets): SuccessiveTicks[] {
  const existing = (times: Date[]) => times.flatMap((time) => instantOf(Number(time), offsetMs))[0]
  const firstMs = existing(ticks.previousRuns(NEARBY_TICKS, new Date(changeMs + offsetMs(changeMs - 1))))
  const secondMs = existing(ticks.nextRuns(NEARBY_TICKS, new Date(changeMs + offsetMs(changeMs) - 1)))
  return firstMs === undefined || secondMs === undefined ? [] : [{ firstMs, secondMs }]
}

/** The first instant of a local time; none if clocks skip it. */
function instantOf(localMs: number, offsetMs: Offsets): number[] {
  const instants = [offsetMs(localMs - DAY_MS), offsetMs(localMs + DAY_MS)].map((offset) => localMs - offset)
  return instants.filter((instantMs) => instantMs + offsetMs(instantMs) === localMs).slice(0, 1)
}
