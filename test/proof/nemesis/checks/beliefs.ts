/**
 * S1: while clocks keep the budget, no two workers believe at the same time that they lead. A worker's belief is what it
 * noted each time that it looked: it takes the time first and then asks its lease, so that each note is true of its instant.
 */
import type { Failure } from '../../part.ts'
import type { History } from '../history.ts'
import { timesOf } from './times.ts'

/** A worker's wall clock, by which it ends its belief, counts whole milliseconds; and a second rounds the expiry. */
export const MEASURING_ERROR_MS = 2

interface Belief {
  readonly who: string
  readonly attempt: string
  readonly fencingToken: number
  readonly fromMs: number
  readonly toMs: number
}

export function checkBeliefs(history: History): Failure[] {
  const at = timesOf(history)
  const tell = ({ who, fencingToken, fromMs, toMs }: Belief) =>
    `${at(fromMs)} to ${at(toMs)}: ${who} believed that it leads, with token ${fencingToken}`
  let longest: Belief | undefined
  return beliefsOf(history).flatMap((belief) => {
    const other = longest
    if (longest === undefined || belief.toMs > longest.toMs) longest = belief
    const startedInBudget = belief.fromMs < history.clocksLeftAtMs
    if (other === undefined || !startedInBudget || other.toMs <= belief.fromMs + MEASURING_ERROR_MS) return []
    return [
      {
        claim: 'S1' as const,
        what: `Beliefs: ${other.who} and ${belief.who} both believed that they lead, for ${Math.ceil(Math.min(other.toMs, belief.toMs) - belief.fromMs)} ms at least, while clocks kept the budget.`,
        trace: [tell(other), tell(belief)],
      },
    ]
  })
}

/** In the order in which they began. */
function beliefsOf({ reports }: History): Belief[] {
  const notes = reports.filter(({ kind }) => kind === 'believes')
  return [...Map.groupBy(notes, ({ attempt }) => attempt).values()]
    .flatMap((ofTenure) => {
      const [first] = ofTenure
      const last = ofTenure.at(-1)
      if (first === undefined || last === undefined) return []
      const { who, attempt, fencingToken } = first
      return [{ who, attempt, fencingToken, fromMs: first.atMs, toMs: last.atMs }]
    })
    .toSorted((a, b) => a.fromMs - b.fromMs)
}
