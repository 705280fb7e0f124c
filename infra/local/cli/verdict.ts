/** Judges a run: whether everything is right, what a missing protection did, and whether the run proves anything. */
import { count } from '../../programs/text.ts'
import type { RunAudit } from '../billing/audit.ts'
import type { BillingReport } from '../billing/billing-task.ts'
import { type CallFault, FAULT_WORDS } from '../faults/fault.ts'
import type { Protection } from '../faults/protections.ts'
import type { Tally } from '../run/running-ticks.ts'
import type { RunEnd } from '../run/task.ts'
import type { StartOptions } from './options.ts'

/** The object that `--json` prints, counted from the outcomes of the candidates, the gateway and the ledger. */
export type Summary = ElectionSummary | BillingSummary

interface ElectionSummary extends Tally {
  readonly candidates: number
}

interface BillingSummary
  extends ElectionSummary,
    Pick<RunAudit, 'duplicateCharges' | 'declined' | 'wrongCharges' | 'lostUpdates'> {
  readonly charges: number
  /** Requests that the gateway answered from its store. */
  readonly replayedRequests: number
  readonly dueNotCharged: number
}

export const isBilling = (summary: Summary): summary is BillingSummary => 'charges' in summary

export interface Verdict {
  readonly errors: readonly string[]
  /** What each missing protection would have prevented. */
  readonly harm: readonly string[]
  /** Why the run proves nothing, as sentences. */
  readonly inconclusive: readonly string[]
}

export interface Conclusion {
  readonly summary: Summary
  readonly verdict: Verdict
}

type Asked = Pick<StartOptions, 'killLeader' | 'freezeLeader' | 'chaos' | 'without' | 'scenario'>

/** @param report undefined for a task that moves no money */
export function conclude(end: RunEnd, report: BillingReport | undefined, asked: Asked): Conclusion {
  const { tally, candidates, undone, isInterrupted } = end
  if (report === undefined) {
    const summary = { ...tally, candidates }
    const inconclusive = isInterrupted ? [] : undone.length > 0 ? undone : thawedForNothing(summary, asked)
    return { summary, verdict: { errors: tickErrors(summary, end, asked), harm: [], inconclusive } }
  }
  const { ledger, replayedRequests, declined, wrongCharges, lostUpdates } = report
  const summary = {
    ...{ ...tally, candidates, replayedRequests, declined, wrongCharges, lostUpdates },
    charges: ledger.charges,
    duplicateCharges: Math.max(report.duplicateCharges, ledger.duplicateCharges),
    dueNotCharged: ledger.dueNotCharged,
  }
  const effects = asked.without.map((protection) => ({ protection, effect: effectOf(protection, summary, asked) }))
  const verdict = {
    errors: [...moneyErrors(summary, end), ...tickErrors(summary, end, asked)],
    harm: effects.flatMap(({ protection, effect }) => (effect ? [`without the ${protection}: ${effect}`] : [])),
    inconclusive: isInterrupted
      ? []
      : [
          ...undone,
          ...missedFaults(summary, report.injected, asked),
          ...frozenForNothing(summary, report.injected, asked),
          ...(asked.chaos === undefined ? [] : tooCalm(summary, asked)),
          ...effects.flatMap(({ protection, effect }) => (effect ? [] : [NO_HARM[protection]])),
        ],
  }
  return { summary, verdict }
}

function moneyErrors(summary: BillingSummary, { wasCut }: RunEnd): string[] {
  const { duplicateCharges, wrongCharges, dueNotCharged, lostUpdates } = summary
  return [
    ...(duplicateCharges > 0 ? [count(duplicateCharges, 'duplicate charge')] : []),
    ...(wrongCharges > 0 ? [count(wrongCharges, 'wrong charge')] : []),
    ...(dueNotCharged > 0 ? [`${dueNotCharged} due and not recorded as charged`] : []),
    // In a tick that was cut short, money may have moved that its retry would record.
    ...(lostUpdates > 0 && !wasCut ? [`gateway and ledger disagree on ${count(lostUpdates, 'charge')}`] : []),
  ]
}

/** A tick that was cut short is no error. Chaos may use up all retries of a tick; the next one then does its work. */
function tickErrors(summary: ElectionSummary, { wasCut }: RunEnd, { chaos }: Asked): string[] {
  const { ticks, completed, completedTwice } = summary
  const missing = ticks - completed - (wasCut ? 1 : 0)
  return [
    ...(missing > 0 && chaos === undefined ? [`${missing} of ${count(ticks, 'tick')} not completed`] : []),
    ...(completedTwice > 0 ? [`${completedTwice} of ${count(ticks, 'tick')} completed more than once`] : []),
  ]
}

function effectOf(protection: Protection, summary: BillingSummary, { without }: Asked): string | undefined {
  const { completedTwice, lostUpdates, duplicateCharges } = summary
  const overwritten = lostUpdates - duplicateCharges // a duplicate is also missing in the ledger
  const charges = `${count(overwritten, 'charge')} overwritten in the ledger`
  switch (protection) {
    case 'lease': {
      if (completedTwice === 0) return undefined
      const isOwnHarm = overwritten > 0 && !without.includes('fence')
      const more = isOwnHarm ? `; ${charges}, since each lease has its own fence` : ''
      return `${count(completedTwice, 'tick')} completed by more than one leader${more}`
    }
    case 'fence':
      return overwritten > 0 ? `${charges} by a replaced leader` : undefined
    case 'key':
      return duplicateCharges > 0 ? count(duplicateCharges, 'duplicate charge') : undefined
  }
}

const NO_HARM: Readonly<Record<Protection, string>> = {
  lease: 'The lease was switched off, but no tick was completed by two leaders.',
  fence: 'The fence was switched off, but no replaced leader overwrote anything.',
  key: 'The idempotency key was switched off, but nothing was charged twice.',
}

function missedFaults({ ticks }: BillingSummary, injected: readonly CallFault[], asked: Asked): string[] {
  return (['killLeader', 'freezeLeader'] as const).flatMap((name) => {
    const tick = asked[name]
    if (tick === undefined || injected.some((fault) => fault.do === name)) return []
    const why = ticks < tick ? 'the run ended before it' : 'the tick had too few charges'
    return [`The leader of tick ${tick} was not ${FAULT_WORDS[name]}: ${why}.`]
  })
}

function frozenForNothing(summary: BillingSummary, injected: readonly CallFault[], asked: Asked): string[] {
  const wasFrozen = asked.freezeLeader !== undefined && injected.some((fault) => fault.do === 'freezeLeader')
  if (!wasFrozen || summary.staleWritesRefused > 0 || asked.without.length > 0) return []
  return [`The leader of tick ${asked.freezeLeader} was frozen, but none of its writes was refused.`]
}

function thawedForNothing({ staleWritesRefused }: ElectionSummary, { scenario }: Asked): string[] {
  const has = (name: string) => scenario.some((fault) => fault.do === name)
  if (!has('freezeLeader') || !has('thawLeader') || staleWritesRefused > 0) return []
  return ['The leader was frozen and thawed, but none of its writes was refused.']
}

function tooCalm({ tookOver, staleWritesRefused }: BillingSummary, { without }: Asked): string[] {
  return [
    ...(tookOver > 0 ? [] : ['No tick was completed by a successor of its first leader.']),
    ...(staleWritesRefused > 0 || without.includes('fence') ? [] : ['No write of a replaced leader was refused.']),
  ]
}
