import { Duration } from 'aws-cdk-lib'
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch'
import { type MetricName, NAMESPACE } from '../../functions/election/measurements.ts'
import type { ElectedSchedule } from './elected-schedule.ts'

/** A metric of the schedule's lease; the sum over 5 minutes unless `options` differ. */
export function leaseMetric(
  { leaseTable, lease }: ElectedSchedule,
  metricName: MetricName,
  { dimensionsMap, ...options }: MetricOptions = {},
): Metric {
  return new Metric({
    namespace: NAMESPACE,
    metricName,
    dimensionsMap: { table: leaseTable.tableName, lease, ...dimensionsMap },
    period: Duration.minutes(5),
    statistic: 'Sum',
    ...options,
  })
}
