import { Duration } from 'aws-cdk-lib'
import { ScheduleExpression, TimeWindow } from 'aws-cdk-lib/aws-scheduler'
import type { IConstruct } from 'constructs'
import { LAMBDA_LEASE_MS } from '../../functions/election/options.ts'
import { leaseNameProblems, problemsIf, refuse, refuseIf } from './configuration.ts'
import { cronGaps } from './cron-gaps.ts'
import { functionOf, functionProblems, isMadeHere, unqualified } from './elected-function.ts'
import { type ElectedScheduleProps, refuseWrongScheduleProps } from './elected-schedule-props.ts'
import { DEFAULT_TIMEOUT } from './handler-function.ts'
import { regionWarnings } from './regions.ts'
import { cronProblems, cronWarnings, timeoutMsOf, timingProblems, timingWarnings } from './timing.ts'

export type ElectedScheduleSettings = ReturnType<typeof settingsOf>

/** Checks the props and applies their defaults. @throws ConfigurationError that names every problem */
export function settingsOf(scope: IConstruct, props: ElectedScheduleProps) {
  refuseWrongScheduleProps(scope, props)
  const { candidates = 2, leaseDuration = Duration.millis(LAMBDA_LEASE_MS), flexibleWindow, rate, cron } = props
  const period = props.rate ?? props.period
  const hasToken = [period, leaseDuration, flexibleWindow].some((duration) => duration?.isUnresolved())
  refuseIf(scope, hasToken, 'durations must be known during synthesis, so they cannot be tokens')
  const handler = props.handler === undefined ? undefined : unqualified(props.handler)
  const timeoutMs = timeoutMsOf(timeoutOf(props))
  const [periodMs, leaseMs] = [period.toMilliseconds(), leaseDuration.toMilliseconds()]
  const gaps = cron === undefined ? undefined : cronGaps(cron)
  refuse(scope, [
    ...leaseNameProblems(props.lease),
    ...(handler === undefined ? [] : functionProblems(scope, handler)),
    ...timingProblems(periodMs, leaseMs, timeoutMs, props.leaseOutlastsRetries ?? false),
    ...(gaps === undefined ? [] : cronProblems(gaps, period)),
    ...limitProblems(candidates, props),
  ])
  return {
    candidates,
    leaseDuration,
    expression: props.rate === undefined ? ScheduleExpression.cron(props.cron) : ScheduleExpression.rate(props.rate),
    period,
    /** Whether ticks are exactly one period apart, so that missed ticks can be counted. */
    exactPeriod: rate !== undefined,
    timeWindow: flexibleWindow === undefined ? TimeWindow.off() : TimeWindow.flexible(flexibleWindow),
    enabled: props.enabled ?? true,
    warnings: [
      ...(handler === undefined ? [] : regionWarnings(`the function ${handler.node.path}`, handler.env, scope)),
      ...timingWarnings(period, timeoutMs),
      ...(cron === undefined ? [] : cronWarnings(cron.timeZone, gaps, period)),
    ],
  }
}

function timeoutOf(props: ElectedScheduleProps): Duration | undefined {
  if (props.entry !== undefined) return props.entryProps?.timeout ?? DEFAULT_TIMEOUT
  const handler = functionOf(props.handler)
  return isMadeHere(handler) ? handler.timeout : undefined
}

function limitProblems(candidates: number, { rate, period, flexibleWindow: window }: ElectedScheduleProps): string[] {
  const minutes = (duration = rate ?? period) => duration.toMilliseconds() / 60_000
  const isWhole = (count: number, most: number) => Number.isInteger(count) && count >= 1 && count <= most
  // https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-flexible-time-windows.html
  const fits = window === undefined || (isWhole(minutes(window), 1440) && minutes(window) < minutes())
  return problemsIf(
    [!isWhole(candidates, 10), `\`candidates\` is ${candidates}; it must be a whole number from 1 to 10`],
    [
      rate !== undefined && minutes() % 1 !== 0,
      `\`rate\` is ${minutes() * 60} s; it must be a whole number of minutes`,
    ],
    [
      !fits,
      `\`flexibleWindow\` is ${minutes(window)} min; it must be whole minutes from 1 to 1440, ` +
        `and less than the period of ${minutes()} min`,
    ],
  )
}
