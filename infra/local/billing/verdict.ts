/** Judges a run of billing: whether the money is right, what a missing protection did, and what the run proves. */
import { formatMoney, type Money, totalMinor } from '../../../functions/billing/money.ts'
import { count, grouped } from '../../programs/text.ts'
import { type CallFault, FAULT_WORDS } from '../faults/fault.ts'
import type { Protection } from '../faults/protections.ts'
import type { Asked, Conclusion, RunEnd, Summary } from '../run/task.ts'
import { tickErrors } from '../run/verdict.ts'
import type { RunAudit } from './audit.ts'

/** What the gateway and the ledger have after the run, and the faults that were injected. */
export interface BillingReport extends RunAudit {
  readonly replayedRequests: number
  readonly injected: readonly CallFault[]
}

/** Counted from the gateway and the ledger, too. */
interface BillingSummary
  extends Summary,
    Pick<RunAudit, 'duplicateCharges' | 'declined' | 'wrongCharges' | 'lostUpdates'> {
  readonly charges: number
  /** Requests that the gateway answered from its store. */
  readonly replayedRequests: number
  readonly dueNotCharged: number
}

export interface BillingConclusion extends Conclusion {
  readonly summary: BillingSummary
}

export function concludeBilling(end: RunEnd, report: BillingReport, asked: Asked): BillingConclusion {
  const { tally, candidates, undone, isInterrupted } = end
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
  return { summary, verdict, lines: linesOf(report), success: successOf(summary) }
}

function linesOf({ injected, charges, declined, replayedRequests, ledger }: BillingReport): readonly string[] {
  const faults = grouped(injected.map((one) => FAULT_WORDS[one.do]))
  const total = charges.length > 0 ? chargesOf(charges) : count(0, 'charge')
  const recorded = charges.length === ledger.charges ? '' : ` at the gateway, ${ledger.charges} in the ledger`
  return [
    ...(injected.length > 0 ? [`${count(injected.length, 'fault')} injected: ${faults}`] : []),
    total + recorded,
    ...(declined > 0 ? [`${declined} declined by the gateway; the task tries again on a later day`] : []),
    ...(replayedRequests > 0 ? [`${count(replayedRequests, 'repeated request')} that charged nothing more`] : []),
  ]
}

function successOf({ charges, declined }: BillingSummary): string {
  if (charges + declined === 0) return 'nothing was due, nothing was charged'
  return `everything due was ${declined > 0 ? 'charged or declined' : 'charged'} once; gateway and ledger agree`
}

/** `2 charges (EUR 19.98)`, `no charges`. */
export const chargesOf = (charges: readonly Money[]): string =>
  charges.length === 0 ? 'no charges' : `${count(charges.length, 'charge')} (${amountsOf(charges)})`

const MAX_CURRENCIES = 3

/** The total in each currency, the most frequent first: `EUR 79.96, JPY 1,980 and 2 more currencies`. */
export function amountsOf(charges: readonly Money[]): string {
  const byCurrency = [...Map.groupBy(charges, ({ currency }) => currency)]
  const shown = byCurrency
    .sort(([a, ofA], [b, ofB]) => ofB.length - ofA.length || a.localeCompare(b))
    .slice(0, MAX_CURRENCIES)
    .map(([currency, those]) => formatMoney({ amountMinor: totalMinor(those), currency }))
  const more = byCurrency.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more ${more === 1 ? 'currency' : 'currencies'}` : '')
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

function tooCalm({ tookOver, staleWritesRefused }: BillingSummary, { without }: Asked): string[] {
  return [
    ...(tookOver > 0 ? [] : ['No tick was completed by a successor of its first leader.']),
    ...(staleWritesRefused > 0 || without.includes('fence') ? [] : ['No write of a replaced leader was refused.']),
  ]
}
