/** Turns facts into metrics. */
import { count, type Measurement, milliseconds } from '../election/metrics.ts'
import { durationMs } from './events.ts'
import type { Fact } from './facts.ts'

export function measurementsOf(fact: Fact): readonly Measurement[] {
  const { tick } = fact
  switch (fact.kind) {
    case 'elected':
      return [count('elected')]
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
