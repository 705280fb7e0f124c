import { Duration } from 'aws-cdk-lib'
import type { CronOptionsWithTimezone } from 'aws-cdk-lib/aws-scheduler'
import { LONGEST_LEASE_MS } from '../../functions/election/options.ts'
import type { CronGaps } from './cron-gap.ts'
import type { Warning } from './warning.ts'

/**
 * How a schedule's period, its function's time-out and its lease must fit together.
 *
 * A tick has a life: its schedule fires, Lambda queues the event, a candidate leads and works, and where that candidate
 * dies, Lambda offers the event again. The whole life should fit the period, because a tick older than its period is
 * worthless: the next one does its work.
 */

/** How often Scheduler, and then Lambda, try an event again. AWS defaults to 185 tries over 24 hours, and to 2 over 6. */
export const retryAttempts = 2

/** What a schedule asks for; see `ElectedScheduleProps`. */
export interface Timing {
  readonly period: Duration
  readonly leaseDuration: Duration
  /** The function's time-out. Lambda's default is 3 s. */
  readonly timeout: Duration | undefined
  readonly leaseOutlastsRetries: boolean
}

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const shortestPeriodMs = MINUTE_MS
/** Of the option `periodMs`: a longer one would be refused at every tick. */
const longestPeriodMs = 366 * DAY_MS
const shortestLeaseMs = SECOND_MS

/**
 * Lambda waits 1 minute before it offers a failed asynchronous event again, and 2 before the next time.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const firstRetryDelayMs = MINUTE_MS

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const longestTimeoutMs = 15 * MINUTE_MS
const defaultTimeoutMs = 3 * SECOND_MS

/** Why this timing cannot work; empty where it can. The period and the lease must not be tokens. */
export function timingProblems({ period, leaseDuration, timeout, leaseOutlastsRetries }: Timing): string[] {
  const periodMs = period.toMilliseconds()
  const leaseMs = leaseDuration.toMilliseconds()
  const timeoutMs = millisecondsOf(timeout)

  const problems: string[] = []
  if (periodMs < shortestPeriodMs) {
    problems.push(`the period is ${written(periodMs)}; EventBridge Scheduler needs at least 60 s`)
  }
  if (periodMs > longestPeriodMs) {
    problems.push(`the period is ${written(periodMs)}; a lease takes ticks at most 366 days apart`)
  }
  if (timeoutMs > longestTimeoutMs) {
    problems.push(`the function's time-out is ${written(timeoutMs)}; Lambda allows at most 900 s`)
  }
  if (timeoutMs > periodMs) {
    problems.push(
      `the function's time-out is ${written(timeoutMs)}, longer than the period of ${written(periodMs)}; a tick must end before the next begins`,
    )
  }
  if (leaseMs < shortestLeaseMs || leaseMs > LONGEST_LEASE_MS) {
    problems.push(`\`leaseDuration\` is ${written(leaseMs)}; it must be from 1 s to ${written(LONGEST_LEASE_MS)}`)
  } else if (leaseMs >= firstRetryDelayMs && !leaseOutlastsRetries) {
    problems.push(
      `\`leaseDuration\` is ${written(leaseMs)}; it must be less than 60 s, so that a dead leader's lease has expired when Lambda retries its event after a minute, or \`leaseOutlastsRetries\` must say that the tick may be lost`,
    )
  }
  return problems
}

/** What works, but probably not as meant. */
export function timingWarnings({ period, timeout }: Pick<Timing, 'period' | 'timeout'>): Warning[] {
  const warnings: Warning[] = []
  if (millisecondsOf(timeout) + firstRetryDelayMs >= period.toMilliseconds()) {
    warnings.push({
      id: 'tenure:RetryBeyondPeriod',
      message: `the period of ${period.toHumanString()} leaves no room for a retry: Lambda waits a minute before it offers the tick of a leader that died again, by then the next tick is due`,
    })
  }
  return warnings
}

/**
 * Why a tick of these times would never come, or be lost; empty if none is. Ticks are floored to the period, and of two that become the
 * same one the second counts as done.
 */
export function cronProblems(gaps: CronGaps, period: Duration): string[] {
  const { everTicks, onTheWallMs, whenClocksGoForward } = gaps
  if (!everTicks) return ['`cron` never ticks: there is no such date']
  const periodMs = period.toMilliseconds()
  const advice = `give the shortest time between two ticks, ${inWords(shortestMs(gaps))}`
  if (onTheWallMs < periodMs) {
    return [
      `\`period\` is ${period.toHumanString()}, but \`cron\` ticks ${inWords(onTheWallMs)} apart; of two ticks less than a period apart the second would count as done, so ${advice}`,
    ]
  }
  const floored = (ms: number) => Math.floor(ms / periodMs)
  const lost = whenClocksGoForward.find(({ firstMs, secondMs }) => floored(firstMs) === floored(secondMs))
  if (lost === undefined) return []
  const [first, second] = [lost.firstMs, lost.secondMs].map((ms) => new Date(ms).toISOString())
  return [
    `\`period\` is ${period.toHumanString()}, but clocks go forward between the ticks ${first} and ${second}, so that the second would count as done; ${advice}`,
  ]
}

/** Of ticks that come closer than the period when clocks go forward, and of times that could not be compared with it. */
export function cronWarnings(
  { timeZone }: CronOptionsWithTimezone,
  gaps: CronGaps | undefined,
  period: Duration,
): Warning[] {
  if (gaps === undefined) {
    const message = 'the times of `cron` could not be read here: check that no two ticks are less than a `period` apart'
    return [{ id: 'tenure:UnreadCron', message }]
  }
  if (shortestMs(gaps) >= period.toMilliseconds()) return []
  const closest = inWords(shortestMs(gaps))
  const message = `the period is ${period.toHumanString()}, but ${timeZone?.timezoneName} has summer time, and when it begins two ticks are ${closest} apart; at these times of day both still count, but give ${closest}, which holds at any`
  return [{ id: 'tenure:SummerTime', message }]
}

function shortestMs({ onTheWallMs, whenClocksGoForward }: CronGaps): number {
  return Math.min(onTheWallMs, ...whenClocksGoForward.map(({ firstMs, secondMs }) => secondMs - firstMs))
}

function inWords(ms: number): string {
  return Duration.millis(ms).toHumanString()
}

/** How long Scheduler goes on offering a tick to Lambda: its period, within the 60 s to 24 h that Scheduler takes. */
export function scheduleEventAge(period: Duration): Duration {
  return clamped(period, DAY_MS)
}

/** How long Lambda keeps a tick in its queue, retries included: its period, within the 60 s to 6 h that Lambda takes. */
export function functionEventAge(period: Duration): Duration {
  return clamped(period, 6 * HOUR_MS)
}

function clamped(period: Duration, longestMs: number): Duration {
  const ageMs = Math.min(Math.max(period.toMilliseconds(), MINUTE_MS), longestMs)
  return Duration.seconds(Math.floor(ageMs / SECOND_MS))
}

function millisecondsOf(timeout: Duration | undefined): number {
  if (timeout === undefined || timeout.isUnresolved()) return defaultTimeoutMs
  return timeout.toMilliseconds()
}

function written(ms: number): string {
  return `${ms / SECOND_MS} s`
}
