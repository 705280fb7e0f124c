/** The object that `--json` prints, counted from the outcomes of the candidates, the gateway and the ledger. */
import type { BillingReport } from '../billing/billing-task.ts'
import type { Tally } from '../run/running-ticks.ts'

export interface ElectionSummary extends Tally {
  readonly candidates: number
}

export interface BillingSummary extends ElectionSummary {
  /** Charges in the ledger. */
  readonly charges: number
  /** The larger of the gateway's count and the ledger's. */
  readonly duplicateCharges: number
  /** Requests that the gateway answered from its store. */
  readonly replayedRequests: number
  readonly dueNotCharged: number
  /** Business units that the gateway declined and that are still unpaid. */
  readonly declined: number
  /** Charges that were not due, or of a wrong amount. */
  readonly wrongCharges: number
  /** Charges that are missing at the gateway or in the ledger, or that differ in amount. */
  readonly lostUpdates: number
}

export type Summary = ElectionSummary | BillingSummary

export const isBilling = (summary: Summary): summary is BillingSummary => 'charges' in summary

export function summarize(tally: Tally, candidates: number, report: BillingReport): BillingSummary {
  const { ticks, completed, completedTwice, standby, failed, tookOver, staleWritesRefused } = tally
  const { ledger, replayedRequests, declined, wrongCharges, lostUpdates } = report
  return {
    ...{ ticks, candidates, completed, completedTwice, standby, failed, tookOver },
    charges: ledger.charges,
    duplicateCharges: Math.max(report.duplicateCharges, ledger.duplicateCharges),
    replayedRequests,
    dueNotCharged: ledger.dueNotCharged,
    ...{ declined, wrongCharges, lostUpdates, staleWritesRefused },
  }
}
