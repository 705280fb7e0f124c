import { Duration } from 'aws-cdk-lib'
import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch'
import type { MetricName } from '../../functions/election/metric-names.ts'
import { NAMESPACE } from '../../functions/election/metrics.ts'
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
