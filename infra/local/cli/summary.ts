/** What a run came to, counted from the candidates' outcomes, and from the gateway and the ledger independently. */

import type { Tally } from '../run/tally.ts'
import { completionOf, type TickRecord } from '../run/tick.ts'
import { count } from './phrases.ts'

/** The object that `--json` prints, of whatever task. */
export interface ElectionSummary extends Tally {
  readonly candidates: number
}

/** That of billing. */
export interface Summary extends ElectionSummary {
  /** Charges in the ledger. */
  readonly charges: number
  /** The larger of the gateway's count and the ledger's. */
  readonly duplicateCharges: number
  /** Requests that the gateway answered from what it had stored. */
  readonly replayedRequests: number
  readonly dueNotCharged: number
  /** Business units that the gateway declined to charge, and nobody has paid since. */
  readonly declined: number
  /** Charges of what was not due, or of another amount than was owed. */
  readonly wrongCharges: number
  /** Charges that only the gateway or only the ledger has, or that they have with different amounts. */
  readonly lostUpdates: number
}

/** What the gateway and the ledger say. */
export interface Counted {
  /** At the gateway, of one (customer, plan, period), beyond the first. */
  readonly duplicateCharges: number
  readonly replayedRequests: number
  readonly lostUpdates: number
  readonly declined: number
  readonly wrongCharges: number
  readonly ledger: { readonly charges: number; readonly duplicateCharges: number; readonly dueNotCharged: number }
}

export function summarize(tally: Tally, candidates: number, counted: Counted): Summary {
  const { ticks, completed, completedTwice, standby, failed, tookOver, staleWritesRefused } = tally
  const { ledger, replayedRequests, declined, wrongCharges, lostUpdates } = counted
  return {
    ticks,
    candidates,
    completed,
    completedTwice,
    standby,
    failed,
    tookOver,
    charges: ledger.charges,
    duplicateCharges: Math.max(counted.duplicateCharges, ledger.duplicateCharges),
    replayedRequests,
    dueNotCharged: ledger.dueNotCharged,
    declined,
    wrongCharges,
    lostUpdates,
    staleWritesRefused,
  }
}

/** Whether the run was interrupted before this tick was over. */
export const wasCut = (record: TickRecord | undefined, signal: AbortSignal): boolean =>
  signal.aborted && record !== undefined && completionOf(record) === undefined

export interface Circumstances {
  /** A tick was cut short: money may have moved that its retry would record. */
  readonly cut: boolean
  /** Faults may use up all retries of a tick; what it leaves undone is then for the next one. */
  readonly chaos: boolean
}

/** What went wrong with the money, and then with the ticks, in words; empty where nothing did. */
export function faultsOf(summary: Summary, circumstances: Circumstances): string[] {
  const { duplicateCharges, wrongCharges, dueNotCharged, lostUpdates } = summary
  const faults: string[] = []
  if (duplicateCharges > 0) faults.push(`${count(duplicateCharges, 'charge')} too many`)
  if (wrongCharges > 0) faults.push(`${count(wrongCharges, 'charge')} of what was not owed`)
  if (dueNotCharged > 0) faults.push(`${dueNotCharged} due and not recorded as charged`)
  if (!circumstances.cut && lostUpdates > 0) {
    faults.push(`gateway and ledger disagree on ${count(lostUpdates, 'charge')}`)
  }
  return [...faults, ...electionFaultsOf(summary, circumstances)]
}

/** A tick that was cut short is no fault. */
export function electionFaultsOf({ ticks, completed, completedTwice }: Tally, { cut, chaos }: Circumstances): string[] {
  const uncompleted = ticks - completed - (cut ? 1 : 0)
  return [
    ...(!chaos && uncompleted > 0 ? [`${uncompleted} of ${count(ticks, 'tick')} completed by nobody`] : []),
    ...(completedTwice > 0 ? [`${completedTwice} of ${count(ticks, 'tick')} completed more than once`] : []),
  ]
}
