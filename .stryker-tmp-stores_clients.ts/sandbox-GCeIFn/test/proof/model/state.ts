// @ts-nocheck
import type { FencedWrite, Seen } from '../../../functions/election/fencing.ts'
import type * as rules from '../../../functions/election/rules.ts'

/** Everything at one moment, as plain values. A step makes a new state that shares the unchanged parts. */
export interface State {
  readonly timeMs: number
  readonly row: rules.LeaseRecord | undefined
  readonly candidates: readonly Candidate[]
  /** Requests whose senders do not wait for them, in no order: any may arrive next, or never. */
  readonly network: readonly Message[]
  readonly ledger: Ledger
}

/** What a candidate knows and waits for. Its name, event, tick and clock follow from its number. */
export type Candidate =
  /** A continuation that no leader has invoked. */
  | { readonly phase: 'absent' }
  | { readonly phase: 'idle' }
  | { readonly phase: 'acquiring'; readonly attempt: number; readonly awaited: Awaited<Acquire> }
  | { readonly phase: 'granted'; readonly attempt: number; readonly won: Won }
  | Leading
  /** It has released the lease for its continuation, which it has not invoked. */
  | { readonly phase: 'handedOver'; readonly attempt: number }
  | { readonly phase: 'over' }
  /** The invocation failed or died, and Lambda invokes it again; or no candidate won. */
  | { readonly phase: 'again'; readonly attempt: number }

export interface Won {
  readonly token: number
  /** Counts acquisitions in the order of their granting, whatever the tokens are. No candidate knows it. */
  readonly order: number
  /** The deadline, by the candidate's own clock. */
  readonly expiresAtMs: number
  /** Only in worlds whose leaders work on more than their own tick, at one go. */
  readonly work?: Work
}

/** What a leader works on, and what it knows of the row. */
export interface Work {
  readonly tick: string
  /** The row as it was won. */
  readonly inherited: Pick<rules.LeaseRecord, 'firstTick' | 'completedTick' | 'pausedFromMs' | 'pausedUntilMs'>
  readonly saved: rules.Checkpoint | undefined
  /** How many are left. */
  readonly checkpoints: number
}

export interface Leading extends Won {
  readonly phase: 'leading'
  readonly attempt: number
  readonly step: number
  /** How many are left. */
  readonly renewals: number
  readonly effects: number
  /** The step of its last fenced effect. */
  readonly effectStep: number
  /** The requests that it waits for: one, or several fenced effects in the order of their sending. */
  readonly awaited: readonly Awaited[]
  /** The end that it has sent, which has no answer yet. */
  readonly ending: End | undefined
  /** An earlier try of that end got no answer. */
  readonly isRepeated: boolean
}

/** A request whose sender waits for the answer. */
export interface Awaited<Sent extends Message = Write | Guarded | Fenced> {
  readonly sent: Sent
  /** How often the SDK may still send it again. */
  readonly resends: number
}

/** `resigned`: with a reservation for another server. */
export type End = 'completed' | 'failed' | 'continued' | 'resigned'

export type Message = Acquire | Write | GiveBack | Fenced | Guarded | Transfer

interface Sent<Kind, Request> {
  readonly kind: Kind
  readonly from: number
  readonly request: Request
}

/** @see Won.order */
interface InTenure<Kind, Request> extends Sent<Kind, Request> {
  readonly order: number
}

export type Acquire = Sent<'acquire', rules.AcquireRequest>

export type Write = InTenure<'write', rules.HolderWrite>

export type GiveBack = Sent<'giveBack', rules.GiveBackRequest>

/** Asks a leader to hand over: its sender does not wait. */
export type Transfer = Sent<'transfer', rules.TransferRequest>

/** An effect by `send`: its row keeps the highest token, and that leader's last step. */
export type Fenced = InTenure<'fence', FencedWrite>

/** An effect by `transact`, which lands only while the tenure lasts by the lease row. */
export type Guarded = InTenure<'guard', rules.Tenure>

/** What no candidate can see: the facts that the claims are about, and how many faults are left. */
export interface Ledger {
  readonly acquisitions: number
  readonly highestToken: number
  /** The attempt that acquired last. */
  readonly lastAttempt: string
  /** The newest tenure of any other attempt: a copy of a request may be granted again. */
  readonly otherOrder: number
  /** When the request that changed the row last was sent, in true time. */
  readonly lastSentMs: number
  /** The closed ticks, one bit for each: completed or given up. */
  readonly completed: number
  /** Those that were missed for the leader of the last acquisition. */
  readonly missed: number
  /** The last hand-over, until the next acquisition. */
  readonly reserved: Reserved | undefined
  /** The protected row that leaders fence. */
  readonly fenced: FencedRow
  readonly faults: number
  readonly deletions: number
  readonly pauses: number
}

export interface Reserved extends rules.Reservation {
  /** The event of the leader that handed over; a server has none. */
  readonly eventId: string | undefined
}

export interface FencedRow {
  readonly seen: Seen
  /** The newest tenure that wrote it. */
  readonly order: number
  /** Of that tenure: a bit for each step that landed, and the step up to which all had ended when one was sent. */
  readonly landed: number
  readonly settled: number
}

// Keys: equal texts for equal values. Each kind of value is always made with its fields in one order, but for rows.

const ROW_FIELDS = [
  ...['fencingToken', 'holder', 'attempt', 'acquiredAtMs', 'expiresAtMs', 'writtenAtMs', 'step'],
  ...['eventId', 'tick', 'firstTick', 'completedTick', 'completedBy', 'gaveUp', 'endedBy'],
  ...['checkpoint', 'state', 'continuations', 'pausedFromMs', 'pausedUntilMs'],
  ...['reservedFor', 'reservedUntilMs', 'reservedBy', 'transferTo', 'transferUntilMs', 'transferBy'],
  ...['announcement', 'announcedBy'],
]

export function rowKey(row: rules.LeaseRecord | undefined): string {
  return JSON.stringify(row, ROW_FIELDS) ?? ''
}

export function networkKey(network: readonly Message[]): string {
  return network.map(keyOf).sort().join()
}

export function keyOf(value: Message | Candidate | Ledger): string {
  return JSON.stringify(value)
}
