/** Judges a run: whether every tick was completed by one leader, and whether the run proves anything. */
import { count, oneLine } from '../../programs/text.ts'
import type { VerdictLine } from '../observe/entries.ts'
import type { Asked, Conclusion, RunEnd, Summary } from './task.ts'

/** Of a task about which only its election is known. */
export function concludeElection(end: RunEnd, asked: Asked): Conclusion {
  const { tally, candidates, undone, isInterrupted } = end
  const summary = { ...tally, candidates }
  const inconclusive = isInterrupted ? [] : undone.length > 0 ? undone : thawedForNothing(summary, asked)
  const verdict = { errors: tickErrors(summary, end, asked), harm: [], inconclusive }
  return { summary, verdict, lines: [], success: 'each tick was completed by one leader' }
}

/** The verdict for the terminal and the page. */
export function verdictLines({ summary, verdict, success }: Conclusion, wasCut: boolean): readonly VerdictLine[] {
  const { errors, inconclusive } = verdict
  const lines: VerdictLine[] = [
    ...(errors.length > 0 ? [{ kind: 'wrong', text: `✗ ${oneLine(errors.join('; '))}` } as const] : []),
    ...inconclusive.map((why) => ({ kind: 'open', text: `? ${oneLine(why)}` }) as const),
  ]
  if (lines.length > 0) return lines
  if (wasCut) {
    const before = summary.ticks > 1 ? ` Before it, ${success}.` : ''
    return [{ kind: 'open', text: `The last tick was cut short.${before}` }]
  }
  if (summary.ticks === 0) return [{ kind: 'open', text: 'No tick was run.' }]
  return [{ kind: 'right', text: `✓ All is well: ${success}.` }]
}

/** A tick that was cut short is no error. Chaos may use up all retries of a tick; the next one then does its work. */
export function tickErrors(summary: Summary, { wasCut }: Pick<RunEnd, 'wasCut'>, { chaos }: Asked): string[] {
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

/** How many writes, of all tables. */
export const writesIn = (byTable: Summary['unguardedWrites']): number =>
  Object.values(byTable).reduce((sum, writes) => sum + writes, 0)

function thawedForNothing(
  { staleWritesRefused, completionsRefused, unguardedWrites }: Summary,
  { scenario }: Asked,
): string[] {
  const has = (name: string) => scenario.some((fault) => fault.do === name)
  const stale = staleWritesRefused + completionsRefused + writesIn(unguardedWrites)
  if (!has('freezeLeader') || !has('thawLeader') || stale > 0) return []
  return ['The leader was frozen and thawed, but none of its writes was refused.']
}
