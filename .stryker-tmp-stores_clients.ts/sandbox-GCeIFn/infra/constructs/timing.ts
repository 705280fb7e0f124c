/**
 * Checks that a schedule's period, its function's timeout and its lease fit together.
 *
 * A schedule sends an event, Lambda queues it, a candidate leads and works, and if it dies, Lambda retries the event.
 * All of this should fit into one period: after it, the leader of the next tick has this one among the missed ticks.
 */
// @ts-nocheck

import { Duration } from 'aws-cdk-lib'
import { LONGEST_LEASE_MS } from '../../functions/election/options.ts'
import { problemsIf, type Warning } from './configuration.ts'

/** How often Scheduler, and then Lambda, retry an event. AWS's defaults: 185 retries in 24 hours, and 2 in 6 hours. */
export const RETRY_ATTEMPTS = 2

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

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

/** The last candidate may begin at the end of the window, die at the end of its time-out, and be retried then. */
export function timingWarnings(periodMs: number, timeoutMs: number, windowMs: number): Warning[] {
  const neededMs = windowMs + timeoutMs + FIRST_RETRY_MS
  if (neededMs < periodMs) return []
  const parts = [
    ...(windowMs === 0 ? [] : [`the flexible window of ${seconds(windowMs)}`]),
    `the time-out of ${seconds(timeoutMs)}`,
    'the minute before the first retry',
  ].join(', ')
  const message =
    `the period of ${seconds(periodMs)} leaves no room for a retry of a leader that died: ${parts} take ` +
    `${seconds(neededMs)}, and by then the next tick is due`
  return [{ id: 'tenure:RetryBeyondPeriod', message }]
}

/** The longest that each service keeps an event, retries included. The shortest is 60 s, for both. */
const LONGEST_EVENT_AGE_MS = { scheduler: DAY_MS, lambda: 6 * HOUR_MS }

/**
 * How long Lambda keeps the event of a continuation at least, however short the period is: for two tries that die at
 * the end of the longest time-out, the minute and the two minutes until the next try, and its own queue. Each
 * continuation is a new event, so this does not bound the chain.
 */
export const CONTINUATION_AGE_MS = 2 * LONGEST_TIMEOUT_MS + 5 * MINUTE_MS

/** How long the service keeps an event: the period or `atLeastMs`, within the limits of the service. */
export function eventAge(service: keyof typeof LONGEST_EVENT_AGE_MS, period: Duration, atLeastMs = 0): Duration {
  const wantedMs = Math.max(period.toMilliseconds(), atLeastMs, MINUTE_MS)
  const ageMs = Math.min(wantedMs, LONGEST_EVENT_AGE_MS[service])
  return Duration.seconds(Math.floor(ageMs / SECOND_MS))
}

/** @param timeout undefined, or a token, if the app does not know it: then Lambda's default */
export function timeoutMsOf(timeout: Duration | undefined): number {
  return timeout === undefined || timeout.isUnresolved() ? LAMBDA_TIMEOUT_MS : timeout.toMilliseconds()
}

function seconds(ms: number): string {
  return `${ms / SECOND_MS} s`
}
