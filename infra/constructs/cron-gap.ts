import type { CronOptionsWithTimezone } from 'aws-cdk-lib/aws-scheduler'
import { Cron } from 'croner'

/** Two ticks with none between them, epoch ms. */
export interface Neighbours {
  readonly firstMs: number
  readonly secondMs: number
}

export interface CronGaps {
  /** Whether there is any tick at all. */
  readonly everTicks: boolean
  /** The shortest time between two ticks by the clock on the wall, in milliseconds; Infinity if it ticks once at most. */
  readonly onTheWallMs: number
  /** The last tick before and the first after each time that the zone's clocks go forward, in the years from now on. */
  readonly whenClocksGoForward: readonly Neighbours[]
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** After so many years each date falls on the same day of the week again. */
const CYCLE_MS = 28 * 365.25 * DAY_MS

/**
 * How close the ticks of a cron expression come; undefined if the expression or its time zone cannot be read here.
 *
 * Scheduler skips a local time that does not exist, and fires once at one that comes twice. Clocks that go back can
 * therefore never bring two ticks closer.
 *
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function cronGaps(cron: CronOptionsWithTimezone, nowMs = Date.now()): CronGaps | undefined {
  const { minute = '*', hour = '*', timeZone } = cron
  const dates = [cron.day ?? '*', cron.month ?? '*', weekDayOf(cron.weekDay ?? '?'), cron.year ?? '*'].join(' ')
  try {
    const offsetMs = offsetsOf(timeZone?.timezoneName ?? 'UTC')
    const [times, days, ticks] = [`${minute} ${hour} * * ? *`, `0 0 ${dates}`, `${minute} ${hour} ${dates}`].map(read)
    if (times === undefined || days === undefined || ticks === undefined) return undefined
    const whenClocksGoForward = changesForward(offsetMs, nowMs).flatMap((change) => across(change, ticks, offsetMs))
    return {
      everTicks: days.nextRun(new Date(-1)) !== null,
      onTheWallMs: shortestOnTheWallMs(times, days),
      whenClocksGoForward,
    }
  } catch {
    return undefined
  }
}

/** A local time as if it were UTC, since Croner's own rules for summer time are not Scheduler's. @throws for what it cannot read */
function read(fields: string): Cron {
  // 1 is Sunday, and `2/3` needs no range.
  return new Cron(`0 ${fields}`, { mode: '7-part', alternativeWeekdays: true, sloppyRanges: true, utcOffset: 0 })
}

/** The last day of the week is a Saturday. */
function weekDayOf(field: string): string {
  return field
    .split(',')
    .map((part) => (part.toUpperCase() === 'L' ? 'SAT' : part))
    .join()
}

function shortestOnTheWallMs(times: Cron, days: Cron): number {
  const ofDay = times.nextRuns(DAY_MS / MINUTE_MS, new Date(-1)).map(Number)
  const inDay = ofDay.filter((timeMs) => timeMs < DAY_MS)
  // Enough for the 28 years of a weekly expression, and for more of a rarer one.
  const dates = days.nextRuns(1_500, new Date(-1)).map(Number)
  const fromLastToFirstMs = shortestStep(dates) + (inDay[0] ?? 0) - (inDay.at(-1) ?? 0)
  return Math.min(shortestStep(inDay), fromLastToFirstMs)
}

function shortestStep(ascending: readonly number[]): number {
  return ascending.reduce((least, ms, index) => Math.min(least, ms - (ascending[index - 1] ?? -Infinity)), Infinity)
}

/** The offset of a zone's local time from UTC at an instant, in milliseconds. */
type Offsets = (instantMs: number) => number

/** @throws RangeError for a zone that is not known here */
function offsetsOf(timeZone: string): Offsets {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
  return (instantMs) => {
    const name = format.formatToParts(instantMs).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign, hours = 0, minutes = 0] = /([+-])(\d\d):(\d\d)/.exec(name) ?? []
    return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS)
  }
}

/** The instants from which on a later local time holds than would have been. No zone changes twice in a week. */
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

function across(changeMs: number, ticks: Cron, offsetMs: Offsets): Neighbours[] {
  const existing = (times: Date[]) => times.flatMap((time) => instantOf(Number(time), offsetMs))[0]
  const firstMs = existing(ticks.previousRuns(SOME, new Date(changeMs + offsetMs(changeMs - 1))))
  const secondMs = existing(ticks.nextRuns(SOME, new Date(changeMs + offsetMs(changeMs) - 1)))
  return firstMs === undefined || secondMs === undefined ? [] : [{ firstMs, secondMs }]
}

/** A tick may fall into another gap, years away, and be skipped: then the next one counts. */
const SOME = 5

/** The first instant of a local time; none if clocks skip it. */
function instantOf(localMs: number, offsetMs: Offsets): number[] {
  const candidates = [offsetMs(localMs - DAY_MS), offsetMs(localMs + DAY_MS)].map((offset) => localMs - offset)
  return candidates.filter((instantMs) => instantMs + offsetMs(instantMs) === localMs).slice(0, 1)
}
