import { Duration } from 'aws-cdk-lib'
import { ComparisonOperator, type CreateAlarmOptions, type Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import type { ElectedSchedule } from './elected-schedule.ts'
import { leaseMetric } from './lease-metric.ts'

/** What to watch, and from which value on somebody is told. */
export interface AlarmDefinition extends CreateAlarmOptions {
  readonly id: string
  readonly metric: Metric
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/**
 * CloudWatch looks back 7 days at most, and 1 day by periods of less than an hour.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
const longestWindowMs = 7 * DAY_MS
const shortestWindowMs = 5 * MINUTE_MS

/** How long nobody may have completed a tick, in milliseconds. */
function windowMs(period: Duration, overdueAfter: number): number {
  return Math.max(overdueAfter * period.toMilliseconds(), shortestWindowMs)
}

/** Whether CloudWatch can tell by itself that ticks are overdue; otherwise somebody has to look at the lease. */
export function canLookBack(period: Duration, overdueAfter: number): boolean {
  return windowMs(period, overdueAfter) <= longestWindowMs
}

/** The dead man's alarm: it goes off where nothing happens, be it that nobody is alive to say so. */
export function overdue(schedule: ElectedSchedule, overdueAfter: number): AlarmDefinition {
  const { lease, period } = schedule
  return {
    id: 'Overdue',
    alarmDescription: `Nobody has completed a tick of the lease "${lease}" for ${overdueAfter} periods`,
    ...(canLookBack(period, overdueAfter) ? byCount(schedule, overdueAfter) : byCheck(schedule, overdueAfter)),
    // A count that nobody makes, and a check that does not run, must not pass for a tick that is done.
    treatMissingData: TreatMissingData.BREACHING,
  }
}

type Watched = Pick<AlarmDefinition, 'metric' | 'comparisonOperator' | 'threshold' | 'evaluationPeriods'>

function byCount(schedule: ElectedSchedule, overdueAfter: number): Watched {
  const ms = windowMs(schedule.period, overdueAfter)
  const bucketMs = ms <= DAY_MS ? 5 * MINUTE_MS : HOUR_MS
  return {
    metric: leaseMetric(schedule, 'ticksCompleted', { period: Duration.millis(bucketMs) }),
    comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    threshold: 1,
    evaluationPeriods: Math.ceil(ms / bucketMs),
  }
}

/** By what the hourly check finds. */
function byCheck(schedule: ElectedSchedule, overdueAfter: number): Watched {
  return {
    metric: leaseMetric(schedule, 'ticksOverdue', { statistic: 'Maximum', period: Duration.hours(1) }),
    threshold: overdueAfter,
    evaluationPeriods: 3,
  }
}

/** What goes wrong in an election, and in the ticks of whoever was elected. */
export function ofElection(schedule: ElectedSchedule, clockSkew: Duration): AlarmDefinition[] {
  const { lease } = schedule
  return [
    some('FailedTicks', leaseMetric(schedule, 'ticksFailed'), `A leader of the lease "${lease}" failed at its tick`),
    some('Takeovers', leaseMetric(schedule, 'takeover'), `A leader of the lease "${lease}" died; another took over`),
    {
      ...some(
        'ClockSkew',
        leaseMetric(schedule, 'clockSkew', { statistic: 'Maximum' }),
        `The clock of a candidate for the lease "${lease}" is further off than it should be`,
      ),
      threshold: clockSkew.toMilliseconds(),
    },
  ]
}

export function deadLetters(id: string, queue: IQueue, alarmDescription: string): AlarmDefinition {
  return some(id, queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }), alarmDescription)
}

function some(id: string, metric: Metric, alarmDescription: string): AlarmDefinition {
  return {
    id,
    metric,
    alarmDescription,
    threshold: 1,
    evaluationPeriods: 1,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  }
}
