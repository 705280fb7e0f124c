/** Metrics of elections: written to the log, from where CloudWatch takes them (embedded metric format), without a request. */
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import type { Tell } from './election-event.ts'
import { InvalidOptionError } from './errors.ts'

/** The namespace in CloudWatch. Every metric has the dimensions `table` and `lease`; `standby` has `reason` besides. */
export const NAMESPACE = 'Tenure'

export interface Measurement {
  readonly name: string
  readonly unit: typeof MetricUnit.Count | typeof MetricUnit.Milliseconds
  readonly value: number
}

export const count = (name: string, value = 1): Measurement => ({ name, unit: MetricUnit.Count, value })
export const milliseconds = (name: string, value: number): Measurement => ({
  name,
  unit: MetricUnit.Milliseconds,
  value,
})

export interface MeasureOptions {
  /** When it was, epoch milliseconds. @default now */
  readonly atMs?: number
  /** A dimension more. @default none */
  readonly reason?: string
}

/** Writes measurements of one lease: one line, or none where there are none. */
export type Measure = (lease: string, measurements: readonly Measurement[], options?: MeasureOptions) => void

/** @throws InvalidOptionError without a table name */
export function measureFor(tableName: string | undefined): Measure {
  if (typeof tableName !== 'string' || tableName === '') {
    throw new InvalidOptionError(
      `Metrics of leases need the name of the lease table, but got ${JSON.stringify(tableName)}. Is the environment variable set?`,
    )
  }
  const metrics = new Metrics({ namespace: NAMESPACE })
  // Otherwise every metric would have `service` too, and whoever asks for these dimensions would find nothing.
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

/**
 * What only a candidate knows, as metrics: `standby` by reason, `lost`, `staleWritesRefused`, and `clockSkew`, how far its
 * clock is from DynamoDB's for certain, in milliseconds. Give it to `leaderOnly` or `withLease` as `onEvent`.
 *
 * @throws InvalidOptionError without a table name
 */
export function leaseMetrics({ tableName }: { readonly tableName: string | undefined }): Tell {
  const measure = measureFor(tableName)
  return (event) => {
    const { lease } = event
    // Elections are counted where the table's stream is read, once per token.
    switch (event.kind) {
      case 'clockRead':
        return measure(lease, [milliseconds('clockSkew', Math.abs(event.offsetMs))])
      case 'standby':
        return measure(lease, [count('standby')], { reason: event.reason })
      case 'lost':
        return measure(lease, [count('lost')])
      case 'staleWriteRefused':
        return measure(lease, [count('staleWritesRefused')])
    }
  }
}
