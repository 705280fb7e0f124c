import { Duration } from 'aws-cdk-lib'
import type { IFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { ScheduleExpression, TimeWindow } from 'aws-cdk-lib/aws-scheduler'
import type { IConstruct } from 'constructs'
import { LAMBDA_LEASE_MS } from '../../functions/election/options.ts'
import { ConfigurationError } from './configuration-error.ts'
import type { ElectedScheduleProps } from './elected-schedule-props.ts'
import { defaultTimeout } from './handler-function.ts'
import { leaseNameProblems } from './lease-name.ts'
import { timingProblems } from './timing.ts'

/** How an elected schedule fires: its props with their defaults, found to work together. */
export interface ElectedScheduleSettings {
  readonly candidates: number
  readonly leaseDuration: Duration
  readonly expression: ScheduleExpression
  readonly period: Duration
  readonly timeWindow: TimeWindow
  readonly enabled: boolean
  /** Of the function, where the app knows it. */
  readonly timeout: Duration | undefined
}

/** @throws ConfigurationError that names everything which cannot work */
export function settingsOf(scope: IConstruct, props: ElectedScheduleProps): ElectedScheduleSettings {
  const { candidates = 2, leaseDuration = Duration.millis(LAMBDA_LEASE_MS), flexibleWindow } = props
  const period = props.rate ?? props.period
  if (period.isUnresolved() || leaseDuration.isUnresolved() || flexibleWindow?.isUnresolved()) {
    throw new ConfigurationError(scope, ['all durations must be known at synthesis, not tokens'])
  }
  const timeout = timeoutOf(props)
  const problems = [
    ...leaseNameProblems(props.lease),
    ...candidateProblems(candidates),
    ...(props.handler === undefined ? [] : functionProblems(props.handler)),
    ...contradictions(props),
    ...timingProblems({ period, leaseDuration, timeout, leaseOutlastsRetries: props.leaseOutlastsRetries ?? false }),
    ...windowProblems(flexibleWindow, period),
  ]
  if (props.rate !== undefined && period.toMilliseconds() % 60_000 !== 0) {
    problems.push(`\`rate\` is ${period.toMilliseconds() / 1000} s; it must be a whole number of minutes`)
  }
  if (problems.length > 0) throw new ConfigurationError(scope, problems)
  const expression =
    props.rate === undefined ? ScheduleExpression.cron(props.cron) : ScheduleExpression.rate(props.rate)
  const timeWindow = flexibleWindow === undefined ? TimeWindow.off() : TimeWindow.flexible(flexibleWindow)
  return { candidates, leaseDuration, expression, period, timeWindow, enabled: props.enabled ?? true, timeout }
}

/** Whether the function is made in this app, so that its environment can be set. */
export function isOwn(handler: IFunction): handler is LambdaFunction {
  return 'addEnvironment' in handler
}

function timeoutOf(props: ElectedScheduleProps): Duration | undefined {
  if (props.entry !== undefined) return props.entryProps?.timeout ?? defaultTimeout
  return isOwn(props.handler) ? props.handler.timeout : undefined
}

/** The types forbid it; JavaScript does not. */
function contradictions(props: ElectedScheduleProps): string[] {
  const { handler, entry, rate, cron, period }: Record<string, unknown> = { ...props }
  return [
    ...(handler !== undefined && entry !== undefined ? ['give either `handler` or `entry`'] : []),
    ...(rate !== undefined && (cron ?? period) !== undefined ? ['give either `rate`, or `cron` and `period`'] : []),
  ]
}

function candidateProblems(candidates: number): string[] {
  if (Number.isInteger(candidates) && candidates >= 1 && candidates <= 10) return []
  return [`\`candidates\` is ${candidates}; it must be a whole number from 1 to 10`]
}

function functionProblems(handler: IFunction): string[] {
  if (handler.node.tryFindChild('EventInvokeConfig') === undefined) return []
  return [
    `the function ${handler.node.path} already has an asynchronous invoke configuration, which this construct sets; give each elected schedule a function of its own, without \`onFailure\`, \`onSuccess\`, \`maxEventAge\` and \`retryAttempts\``,
  ]
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-flexible-time-windows.html */
function windowProblems(window: Duration | undefined, period: Duration): string[] {
  if (window === undefined) return []
  const minutes = window.toMilliseconds() / 60_000
  const fits = Number.isInteger(minutes) && minutes >= 1 && minutes <= 1440
  if (fits && window.toMilliseconds() < period.toMilliseconds()) return []
  return [
    `\`flexibleWindow\` is ${minutes} min; it must be whole minutes from 1 to 1440, and less than the period of ${period.toMilliseconds() / 60_000} min`,
  ]
}
