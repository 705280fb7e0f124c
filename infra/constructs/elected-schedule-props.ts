import { Duration } from 'aws-cdk-lib'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler'
import type { IConstruct } from 'constructs'
import { LAMBDA_LEASE_MS } from '../../functions/election/options.ts'
import { ConfigurationError } from './configuration-error.ts'
import { type LeaseTable, leaseNameProblems } from './lease-table.ts'
import { timingProblems } from './timing.ts'

interface ElectionProps {
  readonly leaseTable: LeaseTable
  /** The lease's name: 1 to 128 letters, digits and `. _ - / :`. Schedules that share it must have the same period. */
  readonly lease: string
  /**
   * Runs at every tick, once per candidate; `withLease` or `leaderOnly` inside it elects the one that works. The
   * construct sets its asynchronous retries and its `LEASE_TABLE`, `LEASE_NAME` and `LEASE_MS`, so a function serves one
   * schedule. Its time-out may not exceed the period.
   */
  readonly handler: LambdaFunction
  /**
   * How many schedules fire the function at each tick, 1 to 10.
   * @default 2
   */
  readonly candidates?: number | undefined
  /**
   * How long a leader leads without renewing, 1 s to less than 60 s: shorter than the minute after which Lambda retries
   * the event of a leader that died.
   * @default Duration.seconds(15)
   */
  readonly leaseDuration?: Duration | undefined
}

interface RateProps {
  /** Tick every so often: whole minutes, at least one. */
  readonly rate: Duration
}

interface ExpressionProps {
  /** Tick when this expression says so; for a time of day, or a time zone. */
  readonly schedule: ScheduleExpression
  /**
   * The *shortest* time between two ticks, at least 60 s. Of two ticks less than a period apart the second may count as
   * done, so for a daily schedule in a time zone that has summer time say 23 hours.
   */
  readonly period: Duration
}

export type ElectedScheduleProps = ElectionProps & (RateProps | ExpressionProps)

/** The props with their defaults, found to work together. */
export interface ElectedScheduleSettings extends Required<ElectionProps> {
  readonly candidates: number
  readonly leaseDuration: Duration
  readonly expression: ScheduleExpression
  readonly period: Duration
}

/** @throws ConfigurationError that names everything which cannot work */
export function settingsOf(scope: IConstruct, props: ElectedScheduleProps): ElectedScheduleSettings {
  const { leaseTable, lease, handler, candidates = 2, leaseDuration = Duration.millis(LAMBDA_LEASE_MS) } = props
  const period = 'rate' in props ? props.rate : props.period
  if (period.isUnresolved() || leaseDuration.isUnresolved()) {
    throw new ConfigurationError(scope, ['the period and `leaseDuration` must be known at synthesis, not tokens'])
  }
  const problems = [
    ...leaseNameProblems(lease),
    ...candidateProblems(candidates),
    ...functionProblems(handler),
    ...timingProblems({ period, leaseDuration, timeout: handler.timeout }),
  ]
  if ('rate' in props && period.toMilliseconds() % 60_000 !== 0) {
    problems.push(`\`rate\` is ${period.toMilliseconds() / 1000} s; it must be a whole number of minutes`)
  }
  if (problems.length > 0) throw new ConfigurationError(scope, problems)
  const expression = 'rate' in props ? ScheduleExpression.rate(props.rate) : props.schedule
  return { leaseTable, lease, handler, candidates, leaseDuration, expression, period }
}

function candidateProblems(candidates: number): string[] {
  if (Number.isInteger(candidates) && candidates >= 1 && candidates <= 10) return []
  return [`\`candidates\` is ${candidates}; it must be a whole number from 1 to 10`]
}

function functionProblems(handler: LambdaFunction): string[] {
  if (handler.node.tryFindChild('EventInvokeConfig') === undefined) return []
  return [
    `the function ${handler.node.path} already has an asynchronous invoke configuration, which this construct sets; give each elected schedule a function of its own, without \`onFailure\`, \`onSuccess\`, \`maxEventAge\` and \`retryAttempts\``,
  ]
}
