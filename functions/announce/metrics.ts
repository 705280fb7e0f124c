/** Facts as CloudWatch metrics: namespace `Tenure`, dimension `lease`. */
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import { delayMs, durationMs } from './events.ts'
import type { Fact } from './facts.ts'

export interface Measurement {
  readonly name: string
  readonly unit: typeof MetricUnit.Count | typeof MetricUnit.Milliseconds
  readonly value: number
}

/** Writes measurements of one lease to the log, as CloudWatch's embedded metric format. */
export type Measure = (lease: string, measurements: readonly Measurement[], atMs: number) => void

export function measure(): Measure {
  const metrics = new Metrics({ namespace: 'Tenure' })
  // Otherwise every metric would have `service` too, and whoever asks by lease alone would find nothing.
  metrics.clearDefaultDimensions()
  return (lease, measurements, atMs) => {
    if (measurements.length === 0) return
    metrics.addDimension('lease', lease).setTimestamp(atMs)
    for (const { name, unit, value } of measurements) metrics.addMetric(name, unit, value)
    metrics.publishStoredMetrics()
  }
}

export function measurementsOf(fact: Fact): readonly Measurement[] {
  const { tick } = fact
  switch (fact.kind) {
    case 'elected':
      return [count('elected'), ...(tick === undefined ? [] : [milliseconds('tickDelay', delayMs({ ...fact, tick }))])]
    case 'takenOver':
      return [count('takeover')]
    case 'ended':
      if (tick === undefined || fact.endedBy === 'released') return []
      if (fact.endedBy === 'failed') return [count('ticksFailed')]
      return [count('ticksCompleted'), milliseconds('tickDuration', durationMs(fact))]
    case 'forced':
    case 'paused':
    case 'resumed':
      return []
  }
}

export function count(name: string, value = 1): Measurement {
  return { name, unit: MetricUnit.Count, value }
}

function milliseconds(name: string, value: number): Measurement {
  return { name, unit: MetricUnit.Milliseconds, value }
}
