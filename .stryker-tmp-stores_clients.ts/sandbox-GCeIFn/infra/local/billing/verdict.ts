/** Judges a run of billing: whether the money is right, what a missing protection did, and what the run proves. */
// @ts-nocheck

import { formatMoney, type Money, totalMinor } from '../../../functions/billing/money.ts'
import { count, grouped } from '../../programs/text.ts'
import { type CallFault, FAULT_WORDS } from '../faults/fault.ts'
import type { Protection } from '../faults/protections.ts'
import { type Asked, type Conclusion, type RunEnd, tickErrors } from '../run/verdict.ts'
import type { RunAudit } from './audit.ts'

export interface BillingReport extends RunAudit {
  /** Requests that the gateway answered from its store. */
  readonly replayedRequests: number
  readonly injected: readonly CallFault[]
}

export function concludeBilling(end: RunEnd, report: BillingReport, asked: Asked): Conclusion {
  const { undone, isInterrupted } = end
  const { charges, ledgerCharges, injected, ...counts } = report
  const summary = { ...end.summary, ...counts, charges: ledgerCharges }
  const effects = asked.without.map((protection) => ({ protection, effect: effectOf(protection, end, report, asked) }))
  const harmless = effects.filter(({ effect }) => effect === undefined)
  const verdict = {
    errors: [...moneyErrors(report, end), ...tickErrors(end, asked)],
    harm: effects.flatMap(({ protection, effect }) => (effect ? [`without the ${protection}: ${effect}`] : [])),
    inconclusive: isInterrupted
      ? []
      : [...undone, ...faultsInVain(end, injected, asked), ...harmless.map(({ protection }) => NO_HARM[protection])],
  }
  const { declined } = report
  const charged = declined > 0 ? 'charged or declined' : 'charged'
  const outcome = `everything due was ${charged} once; gateway and ledger agree`
  const success = ledgerCharges + declined === 0 ? 'nothing was due, nothing was charged' : outcome
  return { summary, verdict, lines: linesOf(report), success }
}

function linesOf({ injected, charges, declined, replayedRequests, ledgerCharges }: BillingReport): readonly string[] {
  const faults = grouped(injected.map((one) => FAULT_WORDS[one.do]))
  const total = charges.length > 0 ? chargesOf(charges) : count(0, 'charge')
  const recorded = charges.length === ledgerCharges ? '' : ` at the gateway, ${ledgerCharges} in the ledger`
  return [
    ...(injected.length > 0 ? [`${count(injected.length, 'fault')} injected: ${faults}`] : []),
    total + recorded,
    ...(declined > 0 ? [`${declined} declined by the gateway; the task tries again on a later day`] : []),
    ...(replayedRequests > 0 ? [`${count(replayedRequests, 'repeated request')} that charged nothing more`] : []),
  ]
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

function moneyErrors({ duplicateCharges, wrongCharges, dueNotCharged, lostUpdates }: RunAudit, { wasCut }: RunEnd) {
  return [
    ...(duplicateCharges > 0 ? [count(duplicateCharges, 'duplicate charge')] : []),
    ...(wrongCharges > 0 ? [count(wrongCharges, 'wrong charge')] : []),
    ...(dueNotCharged > 0 ? [`${dueNotCharged} due and not recorded as charged`] : []),
    // In a tick that was cut short, money may have moved that its retry would record.
    ...(lostUpdates > 0 && !wasCut ? [`gateway and ledger disagree on ${count(lostUpdates, 'charge')}`] : []),
  ]
}

function effectOf(
  protection: Protection,
  { summary: { completedTwice } }: RunEnd,
  money: RunAudit,
  { without }: Asked,
): string | undefined {
  const { lostUpdates, duplicateCharges } = money
  const overwritten = lostUpdates - duplicateCharges // a duplicate is also missing in the ledger
  const charges = `${count(overwritten, 'charge')} overwritten in the ledger`
  if (protection === 'fence') return overwritten > 0 ? `${charges} by a replaced leader` : undefined
  if (protection === 'key') return duplicateCharges > 0 ? count(duplicateCharges, 'duplicate charge') : undefined
  if (completedTwice === 0) return undefined
  const isOwnHarm = overwritten > 0 && !without.includes('fence')
  const more = isOwnHarm ? `; ${charges}, since each lease has its own fence` : ''
  return `${count(completedTwice, 'tick')} completed by more than one leader${more}`
}

const NO_HARM: Readonly<Record<Protection, string>> = {
  lease: 'The lease was switched off, but no tick was completed by two leaders.',
  fence: 'The fence was switched off, but no replaced leader overwrote anything.',
  key: 'The idempotency key was switched off, but nothing was charged twice.',
}

function faultsInVain({ summary }: RunEnd, injected: readonly CallFault[], asked: Asked): readonly string[] {
  const { ticks, tookOver, staleWritesRefused } = summary
  const { freezeLeader, chaos, without } = asked
  const happened = (name: CallFault['do']) => injected.some((fault) => fault.do === name)
  const missed = (['killLeader', 'freezeLeader'] as const).flatMap((name) => {
    const tick = asked[name]
    if (tick === undefined || happened(name)) return []
    const why = ticks < tick ? 'the run ended before it' : 'the tick had too few charges'
    return [`The leader of tick ${tick} was not ${FAULT_WORDS[name]}: ${why}.`]
  })
  const wasFrozen = freezeLeader !== undefined && happened('freezeLeader')
  const isUnproven = wasFrozen && staleWritesRefused === 0 && without.length === 0
  const isFenceless = without.includes('fence')
  return [
    ...missed,
    ...(isUnproven ? [`The leader of tick ${freezeLeader} was frozen, but none of its writes was refused.`] : []),
    ...(chaos !== undefined && tookOver === 0 ? ['No tick was completed by a successor of its first leader.'] : []),
    ...(chaos !== undefined && staleWritesRefused === 0 && !isFenceless
      ? ['No write of a replaced leader was refused.']
      : []),
  ]
}
