/** Whether a run has shown anything: that nothing went wrong says little where little happened. */
import type { Failure } from '../../part.ts'
import type { Workload } from '../workloads.ts'

/** What happened in one run. */
export interface Figures {
  /** Additions that were sent at least once. */
  readonly operations: number
  readonly acknowledged: number
  readonly tenures: number
  /** Processes that led at least once. */
  readonly candidates: number
  /** Tenures that began where another's had expired, not ended. */
  readonly takeovers: number
  readonly staleRefused: number
  readonly lost: number
  /** How often two workers believed at once that they lead, when clocks had left the budget. */
  readonly overlapsBeyondBudget: number
  readonly requests: number
  readonly unanswered: number
  /** How often each fault struck. */
  readonly faults: ReadonlyMap<string, number>
}

export function checkSubstance(figures: Figures, { title, isControl }: Workload): Failure[] {
  const { operations, acknowledged, candidates, takeovers, staleRefused, lost, faults } = figures
  const poor = [
    ...(acknowledged * 2 < operations ? [`only ${acknowledged} of ${operations} additions were acknowledged`] : []),
    ...(candidates < 2 ? ['fewer than two candidates ever led'] : []),
    ...(takeovers === 0 ? ['no lease was ever taken over'] : []),
    ...(faults.size === 0 ? ['no fault struck'] : []),
    ...(isControl && lost === 0 ? ['it lost no update, as a control must'] : []),
    ...(!isControl && staleRefused === 0 ? ['no write of a replaced leader was ever refused'] : []),
  ]
  return poor.map((what) => ({ what: `The run of "${title}" shows too little: ${what}.`, trace: [] }))
}
