import { Duration } from 'aws-cdk-lib'
import { ScheduleExpression, TimeWindow } from 'aws-cdk-lib/aws-scheduler'
import type { IConstruct } from 'constructs'
import { LAMBDA_LEASE_MS } from '../../functions/election/options.ts'
import { ConfigurationError } from './configuration-error.ts'
import { cronGaps } from './cron-gap.ts'
import { functionOf, functionProblems, functionWarnings, isOwn, unqualified } from './elected-function.ts'
import type { ElectedScheduleProps } from './elected-schedule-props.ts'
import { defaultTimeout, handlerOptions } from './handler-function.ts'
import { isFunction } from './lease-grants.ts'
import { leaseNameProblems } from './lease-name.ts'
import {
  anObjectWith,
  boolean,
  duration,
  isObject,
  type Kinds,
  leaseTable,
  number,
  propProblems,
  required,
  text,
} from './prop-problems.ts'
import { cronProblems, cronWarnings, timingProblems, timingWarnings } from './timing.ts'
import type { Warning } from './warning.ts'

/** How an elected schedule fires: its props with their defaults, found to work together. */
export interface ElectedScheduleSettings {
  readonly candidates: number
  readonly leaseDuration: Duration
  readonly expression: ScheduleExpression
  readonly period: Duration
  /** Whether each tick comes exactly one period after the one before, so that missed ticks can be counted. */
  readonly exactPeriod: boolean
  readonly timeWindow: TimeWindow
  readonly enabled: boolean
  /** What works, but probably not as meant. */
  readonly warnings: readonly Warning[]
}

/** @throws ConfigurationError that names everything which cannot work */
export function settingsOf(scope: IConstruct, props: ElectedScheduleProps): ElectedScheduleSettings {
  refuseIncomplete(scope, props)
  const { candidates = 2, leaseDuration = Duration.millis(LAMBDA_LEASE_MS), flexibleWindow } = props
  const period = props.rate ?? props.period
  if (period.isUnresolved() || leaseDuration.isUnresolved() || flexibleWindow?.isUnresolved()) {
    throw new ConfigurationError(scope, ['all durations must be known at synthesis, not tokens'])
  }
  const handler = props.handler === undefined ? undefined : unqualified(props.handler)
  const timeout = timeoutOf(props)
  const problems = [
    ...leaseNameProblems(props.lease),
    ...candidateProblems(candidates),
    ...(handler === undefined ? [] : functionProblems(scope, handler)),
    ...timingProblems({ period, leaseDuration, timeout, leaseOutlastsRetries: props.leaseOutlastsRetries ?? false }),
    ...windowProblems(flexibleWindow, period),
  ]
  const gaps = props.cron === undefined ? undefined : cronGaps(props.cron)
  if (gaps !== undefined) problems.push(...cronProblems(gaps, period))
  if (props.rate !== undefined && period.toMilliseconds() % 60_000 !== 0) {
    problems.push(`\`rate\` is ${period.toMilliseconds() / 1000} s; it must be a whole number of minutes`)
  }
  if (problems.length > 0) throw new ConfigurationError(scope, problems)
  const expression =
    props.rate === undefined ? ScheduleExpression.cron(props.cron) : ScheduleExpression.rate(props.rate)
  const timeWindow = flexibleWindow === undefined ? TimeWindow.off() : TimeWindow.flexible(flexibleWindow)
  const warnings = [
    ...(handler === undefined ? [] : functionWarnings(scope, handler)),
    ...timingWarnings({ period, timeout }),
    ...(props.cron === undefined ? [] : cronWarnings(props.cron, gaps, period)),
  ]
  const exactPeriod = props.rate !== undefined
  const enabled = props.enabled ?? true
  return { candidates, leaseDuration, expression, period, exactPeriod, timeWindow, enabled, warnings }
}

function timeoutOf(props: ElectedScheduleProps): Duration | undefined {
  if (props.entry !== undefined) return props.entryProps?.timeout ?? defaultTimeout
  const handler = functionOf(props.handler)
  return isOwn(handler) ? handler.timeout : undefined
}

const KINDS: Kinds = {
  leaseTable: required(leaseTable),
  lease: required(text),
  handler: { expected: 'a function', accepts: isFunction },
  entry: text,
  entryProps: { expected: 'an object', accepts: isObject },
  rate: duration,
  cron: { expected: "an object of its fields, such as `{ minute: '0', hour: '6' }`", accepts: isObject },
  period: duration,
  candidates: number,
  leaseDuration: duration,
  leaseOutlastsRetries: boolean,
  flexibleWindow: duration,
  enabled: boolean,
}

const CRON_FIELDS: Kinds = {
  minute: text,
  hour: text,
  day: text,
  month: text,
  weekDay: text,
  year: text,
  timeZone: anObjectWith('timezoneName', "a TimeZone, such as `TimeZone.of('Europe/Berlin')`"),
}

/** The types forbid all of this; JavaScript does not. */
function refuseIncomplete(scope: IConstruct, props: ElectedScheduleProps): void {
  const { handler, entry, entryProps, rate, cron, period }: Record<string, unknown> = { ...props }
  const problems = [
    ...propProblems(props, KINDS),
    ...(isObject(entryProps) ? propProblems(entryProps, handlerOptions, 'entryProps.') : []),
    ...(isObject(cron) ? cronFieldProblems(cron) : []),
    ...(handler === undefined && entry === undefined
      ? ['give `handler`, a function, or `entry`, the file of one']
      : []),
    ...(rate === undefined && (cron === undefined || period === undefined)
      ? ['give `rate`, or both `cron` and `period`, the shortest time between two ticks']
      : []),
    ...contradictions(props),
  ]
  if (problems.length > 0) throw new ConfigurationError(scope, problems)
}

function cronFieldProblems(cron: object): string[] {
  const { day, weekDay }: Record<string, unknown> = { ...cron }
  return [
    ...propProblems(cron, CRON_FIELDS, 'cron.'),
    ...(day !== undefined && weekDay !== undefined
      ? ['`cron` has both `day` and `weekDay`, of which Scheduler takes one']
      : []),
  ]
}

function contradictions(props: ElectedScheduleProps): string[] {
  const { handler, entry, entryProps, rate, cron, period }: Record<string, unknown> = { ...props }
  return [
    ...(handler !== undefined && entryProps !== undefined
      ? ['`entryProps` was given with `handler`; set on that function what it is to have']
      : []),
    ...(handler !== undefined && entry !== undefined
      ? ['both `handler` and `entry` were given; give one of them']
      : []),
    ...(rate !== undefined && (cron ?? period) !== undefined
      ? ['`rate` was given with `cron` or `period`; give `rate`, or the other two']
      : []),
  ]
}

function candidateProblems(candidates: number): string[] {
  if (Number.isInteger(candidates) && candidates >= 1 && candidates <= 10) return []
  return [`\`candidates\` is ${candidates}; it must be a whole number from 1 to 10`]
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
