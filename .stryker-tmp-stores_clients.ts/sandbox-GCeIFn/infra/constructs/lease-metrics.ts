/** The metrics of one lease, and its alarms. */
// @ts-nocheck

import { Duration } from 'aws-cdk-lib'
import {
  ComparisonOperator,
  type CreateAlarmOptions,
  Metric,
  type MetricOptions,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { type MetricName, NAMESPACE } from '../../functions/election/measurements.ts'
import type { ElectedSchedule } from './elected-schedule.ts'
import { isRate } from './lease-table-use.ts'

type Watched = Pick<ElectedSchedule, 'leaseTable' | 'lease'>

/** A metric of the lease; the sum over 5 minutes unless `options` differ. */
export function leaseMetric(watched: Watched, metricName: MetricName, options: MetricOptions = {}): Metric {
  const { leaseTable, lease } = watched
  const dimensionsMap = { table: leaseTable.tableName, lease, ...options.dimensionsMap }
  const usual = { period: Duration.minutes(5), statistic: 'Sum' }
  return new Metric({ namespace: NAMESPACE, metricName, ...usual, ...options, dimensionsMap })
}

export interface AlarmDefinition extends CreateAlarmOptions {
  readonly id: string
  readonly metric: Metric
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/**
 * CloudWatch evaluates at most 7 days, and at most 1 day in periods of less than an hour.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
const LONGEST_WINDOW_MS = 7 * DAY_MS
const SHORTEST_WINDOW_MS = 5 * MINUTE_MS

/** How long the alarm waits for a completed tick, in milliseconds. */
function windowMs(period: Duration, overdueAfter: number): number {
  return Math.max(overdueAfter * period.toMilliseconds(), SHORTEST_WINDOW_MS)
}

/** Whether CloudWatch can detect overdue ticks by completed ones. Otherwise a function reads the lease every hour. */
export function fitsWindow({ period, expression }: ElectedSchedule, overdueAfter: number): boolean {
  return isRate(expression) && windowMs(period, overdueAfter) <= LONGEST_WINDOW_MS
}

/** Dead man's switch: the alarm goes off even if nothing is running. */
export function overdueAlarm(schedule: ElectedSchedule, overdueAfter: number): AlarmDefinition {
  const { lease, period } = schedule
  const common = {
    id: 'Overdue',
    alarmDescription: `No tick of the lease "${lease}" was completed, although ${overdueAfter} were due`,
    // No data means that nothing counts ticks, or that the check does not run.
    treatMissingData: TreatMissingData.BREACHING,
  }
  if (!fitsWindow(schedule, overdueAfter)) {
    const metric = leaseMetric(schedule, 'ticksOverdue', { statistic: 'Maximum', period: Duration.hours(1) })
    return { ...common, metric, threshold: overdueAfter, evaluationPeriods: 3 }
  }
  const ms = windowMs(period, overdueAfter)
  const bucketMs = ms <= DAY_MS ? 5 * MINUTE_MS : HOUR_MS
  return {
    ...common,
    metric: leaseMetric(schedule, 'ticksCompleted', { period: Duration.millis(bucketMs) }),
    comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    threshold: 1,
    evaluationPeriods: Math.ceil(ms / bucketMs),
  }
}

export function electionAlarms(watched: Watched, clockSkew: Duration): AlarmDefinition[] {
  const { lease } = watched
  const skew = leaseMetric(watched, 'clockSkew', { statistic: 'Maximum' })
  const wrongClock = `The clock of a candidate for the lease "${lease}" differs too much from DynamoDB's`
  const takenOver = `A leader of the lease "${lease}" died; another took over`
  return [
    anyAlarm('Takeovers', leaseMetric(watched, 'takeover'), takenOver),
    { ...anyAlarm('ClockSkew', skew, wrongClock), threshold: clockSkew.toMilliseconds() },
  ]
}

export function failedTicksAlarm(schedule: ElectedSchedule): AlarmDefinition {
  const failed = `A leader of the lease "${schedule.lease}" failed at its tick`
  return anyAlarm('FailedTicks', leaseMetric(schedule, 'ticksFailed'), failed)
}

/** The check measures every minute. */
export function leaderlessAlarm(watched: Watched, leaderlessAfter: Duration): AlarmDefinition {
  const after = leaderlessAfter.toHumanString()
  return {
    id: 'Leaderless',
    alarmDescription: `The lease "${watched.lease}" has had no leader for ${after}; or the check for that does not run`,
    metric: leaseMetric(watched, 'leaderless', { statistic: 'Maximum', period: Duration.minutes(3) }),
    threshold: leaderlessAfter.toMilliseconds(),
    evaluationPeriods: 1,
    treatMissingData: TreatMissingData.BREACHING,
  }
}

export function changesAlarm(watched: Watched, leadersPerHour: number): AlarmDefinition {
  const metric = leaseMetric(watched, 'elected', { period: Duration.hours(1) })
  const changes = `The lease "${watched.lease}" had ${leadersPerHour} leaders in an hour`
  return { ...anyAlarm('Changes', metric, changes), threshold: leadersPerHour }
}

/** The check measures every five minutes. */
export function deadTicksAlarm(schedule: ElectedSchedule): AlarmDefinition {
  return {
    id: 'DeadTicks',
    alarmDescription:
      `A tick of the lease "${schedule.lease}" is not done, and no candidate tries it any more; ` +
      'or the check for such ticks does not run',
    metric: leaseMetric(schedule, 'ticksDead', { statistic: 'Maximum', period: Duration.minutes(15) }),
    threshold: 1,
    evaluationPeriods: 1,
    treatMissingData: TreatMissingData.BREACHING,
  }
}

/** Of a queue whose messages each need an operator. */
export function deadLetterAlarm(id: string, queue: IQueue, alarmDescription: string): AlarmDefinition {
  return anyAlarm(id, queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum' }), alarmDescription)
}

/** Goes off at the first occurrence. */
function anyAlarm(id: string, metric: Metric, alarmDescription: string): AlarmDefinition {
  const treatMissingData = TreatMissingData.NOT_BREACHING
  return { id, metric, alarmDescription, threshold: 1, evaluationPeriods: 1, treatMissingData }
}
