// @ts-nocheck
import { Duration, Token } from 'aws-cdk-lib'
import { ScheduleExpression, TimeWindow } from 'aws-cdk-lib/aws-scheduler'
import type { IConstruct } from 'constructs'
import { LAMBDA_LEASE_MS } from '../../functions/election/options.ts'
import { leaseNameProblems, problemsIf, refuse, refuseIf } from './configuration.ts'
import { shortestGapMs } from './cron-gaps.ts'
import { functionOf, functionProblems, isMadeHere, unqualified } from './elected-function.ts'
import { type ElectedScheduleProps, refuseWrongScheduleProps } from './elected-schedule-props.ts'
import { DEFAULT_TIMEOUT } from './handler-function.ts'
import { regionWarnings } from './regions.ts'
import { timeoutMsOf, timingProblems, timingWarnings } from './timing.ts'

export type ElectedScheduleSettings = ReturnType<typeof settingsOf>

/** Checks the props and applies their defaults. @throws ConfigurationError that names every problem */
export function settingsOf(scope: IConstruct, props: ElectedScheduleProps) {
  refuseWrongScheduleProps(scope, props)
  const { candidates = 2, leaseDuration = Duration.millis(LAMBDA_LEASE_MS), flexibleWindow, rate, cron } = props
  const hasToken = [rate, leaseDuration, flexibleWindow].some((duration) => duration?.isUnresolved())
  refuseIf(scope, hasToken, 'durations must be known during synthesis, so they cannot be tokens')
  const handler = props.handler === undefined ? undefined : unqualified(props.handler)
  const timeoutMs = timeoutMsOf(timeoutOf(props))
  const leaseMs = leaseDuration.toMilliseconds()
  const times = cron === undefined ? undefined : readCron(ScheduleExpression.cron(cron))
  const periodMs = times?.periodMs ?? rate?.toMilliseconds() ?? 0
  const windowMs = flexibleWindow?.toMilliseconds() ?? 0
  refuse(scope, [
    ...leaseNameProblems(props.lease),
    ...(handler === undefined ? [] : functionProblems(scope, handler)),
    ...timingProblems(periodMs, leaseMs, timeoutMs, props.leaseOutlastsRetries ?? false),
    ...(times?.problems ?? []),
    ...limitProblems(candidates, periodMs, props),
  ])
  return {
    candidates,
    leaseDuration,
    expression: props.rate === undefined ? ScheduleExpression.cron(props.cron) : ScheduleExpression.rate(props.rate),
    period: Duration.millis(periodMs),
    timeWindow: flexibleWindow === undefined ? TimeWindow.off() : TimeWindow.flexible(flexibleWindow),
    enabled: props.enabled ?? true,
    warnings: [
      ...(handler === undefined ? [] : regionWarnings(`the function ${handler.node.path}`, handler.env, scope)),
      ...timingWarnings(periodMs, timeoutMs, windowMs),
    ],
  }
}

function timeoutOf(props: ElectedScheduleProps): Duration | undefined {
  if (props.entry !== undefined) return props.entryProps?.timeout ?? DEFAULT_TIMEOUT
  const handler = functionOf(props.handler)
  return isMadeHere(handler) ? handler.timeout : undefined
}

/** The shortest time between two ticks of a cron that ticks only once. */
const LONGEST_PERIOD_MS = 366 * 86_400_000

/** The shortest time between two ticks; the problems if candidates could not read the expression. */
function readCron({ expressionString, timeZone }: ScheduleExpression) {
  const noPeriod = { periodMs: LONGEST_PERIOD_MS }
  const problem = (text: string) => ({ ...noPeriod, problems: [text] })
  if ([expressionString, timeZone?.timezoneName].some((text) => Token.isUnresolved(text)))
    return problem('`cron` must be known during synthesis: give it no tokens')
  try {
    const gapMs = shortestGapMs(expressionString, timeZone?.timezoneName)
    const everTicked = gapMs !== undefined || shortestGapMs(expressionString, timeZone?.timezoneName, 0) !== undefined
    if (!everTicked) return problem('`cron` never ticks: no date matches it')
    return { periodMs: Math.min(gapMs ?? LONGEST_PERIOD_MS, LONGEST_PERIOD_MS), problems: [] }
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error))
  }
}

function limitProblems(
  candidates: number,
  periodMs: number,
  { rate, flexibleWindow: window }: ElectedScheduleProps,
): string[] {
  const minutes = (duration = Duration.millis(periodMs)) => duration.toMilliseconds() / 60_000
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
