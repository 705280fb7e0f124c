/** Every metric of a lease. */
export type MetricName =
  // a candidate knows: see metrics.ts
  | 'standby'
  | 'lost'
  | 'staleWritesRefused'
  | 'clockSkew'
  // the announcer reads off the table's stream
  | 'elected'
  | 'takeover'
  | 'ticksCompleted'
  | 'ticksFailed'
  | 'tickDuration'
  // the hourly check measures
  | 'ticksOverdue'
