/** Judges a run: whether every tick was completed by one leader, and whether the run proves anything. */
// @ts-nocheck

import { count, oneLine } from '../../programs/text.ts'
import type { VerdictLine } from '../observe/entries.ts'
import type { RunOptions } from './options.ts'
import type { Tally } from './running-ticks.ts'

/** The object that `--json` prints, counted from the outcomes of the candidates. */
export interface Summary extends Tally {
  /** Writes of replaced leaders that the fence refused. */
  readonly staleWritesRefused: number
  readonly completionsRefused: number
  /** By table: writes of replaced leaders that were accepted, because neither fence nor guard protected them. */
  readonly unguardedWrites: Readonly<Record<string, number>>
  readonly candidates: number
}

export interface RunEnd {
  readonly summary: Summary
  /** The run was interrupted before its last tick was over. */
  readonly wasCut: boolean
  readonly isInterrupted: boolean
  /** The last tick that is over, and the last that was started, as canonical ISO text; empty if there is none. */
  readonly lastTick: string
  readonly latestTick: string
  readonly undone: readonly string[]
}

export interface Conclusion {
  readonly summary: Summary
  readonly verdict: {
    readonly errors: readonly string[]
    /** What each missing protection would have prevented. */
    readonly harm: readonly string[]
    /** Why the run proves nothing, as sentences. */
    readonly inconclusive: readonly string[]
  }
  readonly lines: readonly string[]
  readonly success: string
}

export type Asked = Pick<RunOptions, 'killLeader' | 'freezeLeader' | 'chaos' | 'without' | 'scenario'>

/** Of a task about which only its election is known. */
export function concludeElection(end: RunEnd, asked: Asked): Conclusion {
  const { summary, undone, isInterrupted } = end
  const inconclusive = isInterrupted ? [] : undone.length > 0 ? undone : thawedForNothing(summary, asked)
  const verdict = { errors: tickErrors(end, asked), harm: [], inconclusive }
  return { summary, verdict, lines: [], success: 'each tick was completed by one leader' }
}

export function verdictLines({ summary, verdict, success }: Conclusion, wasCut: boolean): readonly VerdictLine[] {
  const { errors, inconclusive } = verdict
  const lines: VerdictLine[] = [
    ...(errors.length > 0 ? [{ kind: 'wrong', text: `✗ ${oneLine(errors.join('; '))}` } as const] : []),
    ...inconclusive.map((why) => ({ kind: 'open', text: `? ${oneLine(why)}` }) as const),
  ]
  if (lines.length > 0) return lines
  const before = summary.ticks > 1 ? ` Before it, ${success}.` : ''
  if (wasCut) return [{ kind: 'open', text: `The last tick was cut short.${before}` }]
  if (summary.ticks === 0) return [{ kind: 'open', text: 'No tick was run.' }]
  return [{ kind: 'right', text: `✓ All is well: ${success}.` }]
}

/** A tick that was cut short is no error. Chaos may use up all retries of a tick; the next one then does its work. */
export function tickErrors({ summary, wasCut }: RunEnd, { chaos }: Asked): string[] {
  const { ticks, completed, completedTwice } = summary
  const unguarded = writesIn(summary.unguardedWrites)
  const missing = ticks - completed - (wasCut ? 1 : 0)
  return [
    ...(missing > 0 && chaos === undefined ? [`${missing} of ${count(ticks, 'tick')} not completed`] : []),
    ...(unguarded > 0
      ? [`${count(unguarded, 'write')} of replaced leaders accepted, because no fence guarded them`]
      : []),
    ...(completedTwice > 0 ? [`${completedTwice} of ${count(ticks, 'tick')} completed more than once`] : []),
  ]
}

export const writesIn = (byTable: Summary['unguardedWrites']): number =>
  Object.values(byTable).reduce((sum, writes) => sum + writes, 0)

function thawedForNothing(summary: Summary, { scenario }: Asked): string[] {
  const has = (name: string) => scenario.some((fault) => fault.do === name)
  const stale = summary.staleWritesRefused + summary.completionsRefused + writesIn(summary.unguardedWrites)
  if (!has('freezeLeader') || !has('thawLeader') || stale > 0) return []
  return ['The leader was frozen and thawed, but none of its writes was refused.']
}
