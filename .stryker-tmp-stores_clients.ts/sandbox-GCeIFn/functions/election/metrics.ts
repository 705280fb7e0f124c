// @ts-nocheck
import type { Notify } from './election-event.ts'
import { count, measureFor, milliseconds } from './measurements.ts'

/**
 * What only a candidate knows, as metrics in CloudWatch: `standby` by reason, `lost`, `staleWritesRefused`, and
 * `clockSkew`, the certain difference between its clock and DynamoDB's in milliseconds. They are written to the log
 * (embedded metric format), so they cost no request. Give the function to `leaderOnly` or `withLease` as `onEvent`.
 * @throws InvalidOptionError without a table name
 */
export function leaseMetrics({ tableName }: { readonly tableName: string | undefined }): Notify {
  const measure = measureFor(tableName)
  return (event) => {
    const { lease } = event
    // The announcer counts elections: once per token, from the table's stream.
    switch (event.kind) {
      case 'clockRead':
        return measure(lease, [milliseconds('clockSkew', Math.abs(event.offsetMs))])
      case 'standby':
        return measure(lease, [count('standby')], { reason: event.reason })
      case 'lost':
        return measure(lease, [count('lost')])
      case 'staleWriteRefused':
        return measure(lease, [count('staleWritesRefused')])
      case 'elected':
        return undefined
    }
  }
}
