/** What a run came to, counted from the candidates' outcomes, and from the gateway and the ledger independently. */
import { count } from './display/phrases.ts'
import { completionOf, completionsOf, type TickRecord, type Try, wasTakenOver } from './tick.ts'

/** The object that `--json` prints. */
export interface Summary {
  /** Ticks fired. */
  readonly ticks: number
  readonly candidates: number
  /** Ticks completed. */
  readonly completed: number
  /** Ticks completed by more than one invocation. */
  readonly completedTwice: number
  /** Invocations that stood by, and those that failed; retries count. */
  readonly standby: number
  readonly failed: number
  /** Ticks completed by another invocation than the one that led them first. */
  readonly tookOver: number
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
  readonly staleWritesRefused: number
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

export function summarize(records: readonly TickRecord[], candidates: number, counted: Counted): Summary {
  const tries = records.flatMap((record) => record.tries)
  const ended = (status: Try['outcome']['status']) => tries.filter(({ outcome }) => outcome.status === status).length
  const { ledger, replayedRequests, declined, wrongCharges, lostUpdates } = counted
  return {
    ticks: records.length,
    candidates,
    completed: records.filter((record) => completionOf(record) !== undefined).length,
    completedTwice: records.filter((record) => completionsOf(record).length > 1).length,
    standby: ended('standby'),
    failed: ended('failed'),
    tookOver: records.filter(wasTakenOver).length,
    charges: ledger.charges,
    duplicateCharges: Math.max(counted.duplicateCharges, ledger.duplicateCharges),
    replayedRequests,
    dueNotCharged: ledger.dueNotCharged,
    declined,
    wrongCharges,
    lostUpdates,
    staleWritesRefused: tries.reduce((sum, { outcome }) => sum + staleWritesOf(outcome), 0),
  }
}

/** Whether the run was interrupted before this tick was over. */
export const wasCut = (record: TickRecord | undefined, signal: AbortSignal): boolean =>
  signal.aborted && record !== undefined && completionOf(record) === undefined

const staleWritesOf = (outcome: Try['outcome']) => ('work' in outcome ? outcome.work.staleWritesRefused : 0)

export interface Circumstances {
  /** A tick was cut short: money may have moved that its retry would record. */
  readonly cut: boolean
  /** Faults may use up all retries of a tick; what it leaves undone is then for the next one. */
  readonly chaos: boolean
}

/** What went wrong, in words; empty where nothing did. A tick that was cut short is no fault. */
export function faultsOf(summary: Summary, { cut, chaos }: Circumstances): string[] {
  const { ticks, completed, completedTwice, duplicateCharges, wrongCharges, dueNotCharged, lostUpdates } = summary
  const faults: string[] = []
  const uncompleted = ticks - completed - (cut ? 1 : 0)
  if (duplicateCharges > 0) faults.push(`${count(duplicateCharges, 'charge')} too many`)
  if (wrongCharges > 0) faults.push(`${count(wrongCharges, 'charge')} of what was not owed`)
  if (dueNotCharged > 0) faults.push(`${dueNotCharged} due and not recorded as charged`)
  if (!cut && lostUpdates > 0) faults.push(`gateway and ledger disagree on ${count(lostUpdates, 'charge')}`)
  if (!chaos && uncompleted > 0) faults.push(`${uncompleted} of ${count(ticks, 'tick')} completed by nobody`)
  if (completedTwice > 0) faults.push(`${completedTwice} of ${count(ticks, 'tick')} completed more than once`)
  return faults
}
