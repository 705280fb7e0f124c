// @ts-nocheck
import { cronerPattern } from '../../functions/election/cron-fields.ts'
import { cronTimes } from '../../functions/election/cron-times.ts'
import { InvalidOptionError } from '../../functions/election/errors.ts'

/** 1,500 ticks are four years of a daily cron, in which each date, day of the week and clock change occurs. */
const MOST_TICKS = 1_500
/** After 28 years each date falls on the same day of the week again. */
const CYCLE_MS = 28 * 365.25 * 86_400_000

/**
 * The shortest time between two of the coming ticks, in milliseconds: Infinity if there is only one, undefined if there
 * is none.
 * @param expression such as `cron(0 6 ? * MON *)`
 * @throws InvalidOptionError if candidates could not read the expression or the time zone
 */
export function shortestGapMs(expression: string, timeZone = 'UTC', nowMs = Date.now()): number | undefined {
  const refuse = (why: string) => new InvalidOptionError(`${expression} ${why}`)
  const next = cronTimes(cronerPattern(expression.slice('cron('.length, -1), refuse), timeZone)
  let tickMs = next(nowMs)
  if (tickMs === undefined) return undefined
  let shortestMs = Number.POSITIVE_INFINITY
  for (let ticks = 1; ticks < MOST_TICKS; ticks++) {
    const nextMs = next(tickMs)
    if (nextMs === undefined || nextMs > nowMs + CYCLE_MS) break
    shortestMs = Math.min(shortestMs, nextMs - tickMs)
    tickMs = nextMs
  }
  return shortestMs
}
