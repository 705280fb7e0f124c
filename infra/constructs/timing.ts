/**
 * Checks that a schedule's period, its function's timeout and its lease fit together.
 *
 * A schedule sends an event, Lambda queues it, a candidate leads and works, and if it dies, Lambda retries the event.
 * All of this should fit into one period, because a tick older than its period is worthless: the next does its work.
 */
import { Duration, type TimeZone } from 'aws-cdk-lib'
import { LONGEST_LEASE_MS } from '../../functions/election/options.ts'
import { problemsIf, type Warning } from './configuration.ts'
import type { CronGaps } from './cron-gaps.ts'

/** How often Scheduler, and then Lambda, retry an event. AWS's defaults: 185 retries in 24 hours, and 2 in 6 hours. */
export const RETRY_ATTEMPTS = 2

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** The limit of the option `periodMs`: candidates would refuse a longer period at every tick. */
const LONGEST_PERIOD_MS = 366 * DAY_MS

/**
 * Lambda waits 1 minute before the first retry of an asynchronous event, and 2 before the second.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const FIRST_RETRY_MS = MINUTE_MS

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LONGEST_TIMEOUT_MS = 15 * MINUTE_MS
const LAMBDA_TIMEOUT_MS = 3 * SECOND_MS

export function timingProblems(periodMs: number, leaseMs: number, timeoutMs: number, leaseOutlastsRetries: boolean) {
  const isLease = leaseMs >= SECOND_MS && leaseMs <= LONGEST_LEASE_MS
  const timeoutIs = `the function's timeout is ${seconds(timeoutMs)}`
  const lease = `\`leaseDuration\` is ${seconds(leaseMs)}; it must be`
  return problemsIf(
    [periodMs < MINUTE_MS, `the period is ${seconds(periodMs)}; Scheduler needs at least 60 s`],
    [periodMs > LONGEST_PERIOD_MS, `the period is ${seconds(periodMs)}; it can be at most 366 days`],
    [timeoutMs > LONGEST_TIMEOUT_MS, `${timeoutIs}; Lambda allows at most 900 s`],
    [
      timeoutMs > periodMs,
      `${timeoutIs}, longer than the period of ${seconds(periodMs)}; a tick must end before the next`,
    ],
    [!isLease, `${lease} from 1 s to ${seconds(LONGEST_LEASE_MS)}`],
    [
      isLease && leaseMs >= FIRST_RETRY_MS && !leaseOutlastsRetries,
      `${lease} less than 60 s, so that the lease of a dead leader has expired when Lambda retries its event; ` +
        'or set `leaseOutlastsRetries`, and the tick can be lost',
    ],
  )
}

export function timingWarnings(period: Duration, timeoutMs: number): Warning[] {
  if (timeoutMs + FIRST_RETRY_MS < period.toMilliseconds()) return []
  const message =
    `the period of ${period.toHumanString()} leaves no room for a retry: Lambda waits a minute before it retries the ` +
    'event of a leader that died, and by then the next tick is due'
  return [{ id: 'tenure:RetryBeyondPeriod', message }]
}

/** Ticks are floored to the period; if two become equal, the second counts as done and is lost. */
export function cronProblems(gaps: CronGaps, period: Duration): string[] {
  const { everTicks, localMs, acrossClockChanges } = gaps
  if (!everTicks) return ['`cron` never ticks: no date matches it']
  const periodMs = period.toMilliseconds()
  const has = `\`period\` is ${period.toHumanString()}, but`
  const advice = `give the shortest time between two ticks, ${inWords(shortestMs(gaps))}`
  if (localMs < periodMs) {
    return [
      `${has} \`cron\` ticks ${inWords(localMs)} apart; if two ticks are less than a period apart, ` +
        `the second counts as done, so ${advice}`,
    ]
  }
  const floor = (ms: number) => Math.floor(ms / periodMs)
  const lost = acrossClockChanges.find(({ firstMs, secondMs }) => floor(firstMs) === floor(secondMs))
  if (lost === undefined) return []
  const [first, second] = [lost.firstMs, lost.secondMs].map((ms) => new Date(ms).toISOString())
  return [`${has} clocks go forward between the ticks ${first} and ${second}, so the second counts as done; ${advice}`]
}

/** @param gaps undefined if `cron` could not be read */
export function cronWarnings(timeZone: TimeZone | undefined, gaps: CronGaps | undefined, period: Duration): Warning[] {
  if (gaps === undefined) {
    const message = '`cron` could not be read during synthesis: check that no two ticks are less than a `period` apart'
    return [{ id: 'tenure:UnreadCron', message }]
  }
  if (shortestMs(gaps) >= period.toMilliseconds()) return []
  const shortest = inWords(shortestMs(gaps))
  const message =
    `the period is ${period.toHumanString()}, but ${timeZone?.timezoneName} has summer time, and when it begins, two ` +
    `ticks are ${shortest} apart; at these times of day both still count, but ${shortest} is safe at any`
  return [{ id: 'tenure:SummerTime', message }]
}

function shortestMs({ localMs, acrossClockChanges }: CronGaps): number {
  return Math.min(localMs, ...acrossClockChanges.map(({ firstMs, secondMs }) => secondMs - firstMs))
}

function inWords(ms: number): string {
  return Duration.millis(ms).toHumanString()
}

/** The longest that each service keeps an event, retries included. The shortest is 60 s, for both. */
const LONGEST_EVENT_AGE_MS = { scheduler: DAY_MS, lambda: 6 * HOUR_MS }

/** How long the service keeps an event: the period, within the limits of the service. */
export function eventAge(service: keyof typeof LONGEST_EVENT_AGE_MS, period: Duration): Duration {
  const ageMs = Math.min(Math.max(period.toMilliseconds(), MINUTE_MS), LONGEST_EVENT_AGE_MS[service])
  return Duration.seconds(Math.floor(ageMs / SECOND_MS))
}

/** @param timeout undefined, or a token, if the app does not know it: then Lambda's default */
export function timeoutMsOf(timeout: Duration | undefined): number {
  return timeout === undefined || timeout.isUnresolved() ? LAMBDA_TIMEOUT_MS : timeout.toMilliseconds()
}

function seconds(ms: number): string {
  return `${ms / SECOND_MS} s`
}
