/** What a run came to, counted from the candidates' outcomes, and from the gateway and the ledger independently. */
import { completionOf, type TickRecord, type Try, wasTakenOver } from './tick.ts'

/** The object that `--json` prints. */
export interface Summary {
  /** Ticks fired. */
  readonly ticks: number
  readonly candidates: number
  /** Ticks completed. */
  readonly completed: number
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
  readonly staleWritesRefused: number
}

/** What the gateway and the ledger say. */
export interface Counted {
  readonly gateway: { readonly charges: number; readonly duplicateCharges: number; readonly replayedRequests: number }
  readonly ledger: { readonly charges: number; readonly duplicateCharges: number; readonly dueNotCharged: number }
  /** A tick was cut short: money may have moved that its retry would record. */
  readonly cut: boolean
}

export function summarize(records: readonly TickRecord[], candidates: number, counted: Counted): Summary {
  const tries = records.flatMap((record) => record.tries)
  const ended = (status: Try['outcome']['status']) => tries.filter(({ outcome }) => outcome.status === status).length
  const { gateway, ledger } = counted
  return {
    ticks: records.length,
    candidates,
    completed: records.filter((record) => completionOf(record) !== undefined).length,
    standby: ended('standby'),
    failed: ended('failed'),
    tookOver: records.filter(wasTakenOver).length,
    charges: ledger.charges,
    duplicateCharges: Math.max(gateway.duplicateCharges, ledger.duplicateCharges),
    replayedRequests: gateway.replayedRequests,
    dueNotCharged: ledger.dueNotCharged,
    staleWritesRefused: tries.reduce((sum, { outcome }) => sum + staleWritesOf(outcome), 0),
  }
}

/** Whether the run was interrupted before this tick was over. */
export const wasCut = (record: TickRecord | undefined, signal: AbortSignal): boolean =>
  signal.aborted && record !== undefined && completionOf(record) === undefined

const staleWritesOf = (outcome: Try['outcome']) => ('work' in outcome ? outcome.work.staleWritesRefused : 0)

/** What went wrong, in words; empty where nothing did. A tick that was cut short is no fault. */
export function faultsOf(summary: Summary, { gateway, ledger, cut }: Counted): string[] {
  const faults: string[] = []
  const uncompleted = summary.ticks - summary.completed - (cut ? 1 : 0)
  if (summary.duplicateCharges > 0) faults.push(`${summary.duplicateCharges} charged more than once`)
  if (summary.dueNotCharged > 0) faults.push(`${summary.dueNotCharged} due and not charged`)
  if (!cut && gateway.charges !== ledger.charges) {
    faults.push(`the gateway counts ${gateway.charges} charges, the ledger ${ledger.charges}`)
  }
  if (uncompleted > 0) faults.push(`${uncompleted} of ${summary.ticks} ticks completed by nobody`)
  return faults
}
