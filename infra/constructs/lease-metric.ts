import { Duration } from 'aws-cdk-lib'
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch'
import { NAMESPACE } from '../../functions/election/measurements.ts'
import type { ElectedSchedule } from './elected-schedule.ts'

/** A metric of one lease in one table, in sums over 5 minutes unless asked otherwise. */
export function leaseMetric(
  { leaseTable, lease }: Pick<ElectedSchedule, 'leaseTable' | 'lease'>,
  metricName: string,
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
