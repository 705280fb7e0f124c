/** Measurements of leases, written to the log in CloudWatch's embedded metric format. */
// @ts-nocheck

import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import { InvalidOptionError } from './errors.ts'
import { show } from './show.ts'

/** The namespace in CloudWatch. Every metric has the dimensions `table` and `lease`; `standby` also has `reason`. */
export const NAMESPACE = 'Tenure'

/** Every metric of a lease. */
export type MetricName =
  // counted by the candidate: see metrics.ts
  | 'standby'
  | 'lost'
  | 'staleWritesRefused'
  | 'clockSkew'
  // counted by the announcer
  | 'elected'
  | 'takeover'
  | 'ticksCompleted'
  | 'ticksFailed'
  | 'tickDuration'
  | 'continuations'
  // measured by the checks of LeadershipAlarms
  | 'ticksOverdue'
  | 'ticksDead'
  | 'deadLettersBenign'
  | 'leaderless'

export interface Measurement {
  readonly name: MetricName
  readonly unit: typeof MetricUnit.Count | typeof MetricUnit.Milliseconds
  readonly value: number
}

export const count = (name: MetricName, value = 1): Measurement => ({ name, unit: MetricUnit.Count, value })
export const milliseconds = (name: MetricName, value: number): Measurement => ({
  name,
  unit: MetricUnit.Milliseconds,
  value,
})

export interface MeasureOptions {
  /** The time of the measurement, epoch milliseconds. @default now */
  readonly atMs?: number
  /** An additional dimension. */
  readonly reason?: string
}

/** Writes measurements of one lease as one line, or nothing if there are none. */
export type Measure = (lease: string, measurements: readonly Measurement[], options?: MeasureOptions) => void

/** @throws InvalidOptionError without a table name */
export function measureFor(tableName: string | undefined): Measure {
  if (typeof tableName !== 'string' || tableName === '') {
    throw new InvalidOptionError(
      `Metrics of leases need the name of the lease table, but got ${show(tableName)}. ` +
        'Is the environment variable set?',
    )
  }
  const metrics = new Metrics({ namespace: NAMESPACE })
  // Powertools adds the dimension `service` by default: a query for `table` and `lease` alone would find nothing.
  metrics.clearDefaultDimensions()
  return (lease, measurements, { atMs, reason } = {}) => {
    if (measurements.length === 0) return
    metrics.addDimension('table', tableName).addDimension('lease', lease)
    if (reason !== undefined) metrics.addDimension('reason', reason)
    if (atMs !== undefined) metrics.setTimestamp(atMs)
    for (const { name, unit, value } of measurements) metrics.addMetric(name, unit, value)
    metrics.publishStoredMetrics()
  }
}
