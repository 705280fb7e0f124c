import type { FencedWrite, Seen } from '../../../functions/election/fencing.ts'
import type {
  AcquireRequest,
  GiveBackRequest,
  HolderWrite,
  LeaseRecord,
  Tenure,
} from '../../../functions/election/rules.ts'

/** Everything at one moment, as plain values. A step makes a new state that shares the unchanged parts. */
export interface State {
  readonly timeMs: number
  readonly row: LeaseRecord | undefined
  readonly candidates: readonly Candidate[]
  /** Requests whose senders do not wait for them, in no order: any may arrive next, or never. */
  readonly network: readonly Message[]
  readonly ledger: Ledger
}

/** What a candidate knows and waits for. Its name, event, tick and clock follow from its number. */
export type Candidate =
  | { readonly phase: 'idle' }
  | { readonly phase: 'acquiring'; readonly attempt: number; readonly sent: Acquire; readonly resends: number }
  | { readonly phase: 'granted'; readonly attempt: number; readonly won: Won }
  | Leading
  | { readonly phase: 'over' }
  /** The invocation failed or died, and Lambda invokes it again; or no candidate won. */
  | { readonly phase: 'again'; readonly attempt: number }

export interface Won {
  readonly token: number
  /** Counts acquisitions in the order of their granting, whatever the tokens are. No candidate knows it. */
  readonly order: number
  /** The deadline, by the candidate's own clock. */
  readonly expiresAtMs: number
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
  /** Fenced effects without an answer, in the order of their sending. */
  readonly pending: readonly Pending[]
  /** The end that it has sent, which has no answer yet. */
  readonly ending: End | undefined
  /** An earlier try of that end got no answer. */
  readonly isRepeated: boolean
  /** The request that it waits for: one lease sends one at a time. */
  readonly sent: Write | Guarded | undefined
  /** How often the SDK may still send it again. */
  readonly resends: number
}

export interface Pending {
  readonly sent: Fenced
  /** An earlier try got no answer. */
  readonly isUnanswered: boolean
  readonly resends: number
}

export type End = 'completed' | 'failed'

export type Message = Acquire | Write | GiveBack | Fenced | Guarded

export interface Acquire {
  readonly kind: 'acquire'
  readonly from: number
  readonly request: AcquireRequest
  /** Of a copy: the original was granted. */
  readonly wasGranted: boolean
}

export interface Write {
  readonly kind: 'write'
  readonly from: number
  readonly order: number
  readonly request: HolderWrite
}

export interface GiveBack {
  readonly kind: 'giveBack'
  readonly from: number
  readonly request: GiveBackRequest
}

/** An effect by `send`: its row keeps the highest token, and that leader's last step. */
export interface Fenced {
  readonly kind: 'fence'
  readonly from: number
  readonly order: number
  readonly write: FencedWrite
}

/** An effect by `transact`, which lands only while the tenure lasts by the lease row. */
export interface Guarded {
  readonly kind: 'guard'
  readonly from: number
  readonly order: number
  readonly tenure: Tenure
}

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
  /** One bit for each tick. */
  readonly completed: number
  /** The tenure that an operator ended by force, or 0. */
  readonly forced: number
  /** The protected row that leaders fence. */
  readonly fenced: FencedRow
  /** The clock reading that the row was created with, and its acquisitions since. Only if rows are deleted. */
  readonly createdAtMs: number
  readonly acquisitionsOfRow: number
  readonly faults: number
  readonly interventions: number
  readonly deletions: number
}

export interface FencedRow {
  readonly seen: Seen
  /** The newest tenure that wrote it. */
  readonly order: number
  /** Of that tenure: a bit for each step that landed, and the step up to which all had ended when one was sent. */
  readonly landed: number
  readonly settled: number
}

// Keys: equal texts for equal values. The attributes of a row may come in any order.

export function rowKey(row: LeaseRecord | undefined): string {
  if (row === undefined) return ''
  const { fencingToken, holder, attempt, acquiredAtMs, expiresAtMs, writtenAtMs, step } = row
  const { eventId, tick, completedTick, endedBy } = row
  const times = `${acquiredAtMs}|${expiresAtMs}|${writtenAtMs}`
  return `${fencingToken}|${holder}|${attempt}|${times}|${step}|${eventId}|${tick}|${completedTick}|${endedBy}`
}

export function candidateKey(candidate: Candidate): string {
  switch (candidate.phase) {
    case 'idle':
    case 'over':
      return candidate.phase
    case 'again':
      return `again ${candidate.attempt}`
    case 'acquiring':
      return `acquiring ${candidate.attempt} ${candidate.resends} ${messageKey(candidate.sent)}`
    case 'granted': {
      const { attempt, won } = candidate
      return `granted ${attempt} ${won.token} ${won.order} ${won.expiresAtMs}`
    }
    case 'leading': {
      const { attempt, token, order, expiresAtMs, step, renewals, effects, effectStep } = candidate
      const { ending, isRepeated, resends, sent, pending } = candidate
      const request = sent === undefined ? '' : messageKey(sent)
      const effectKeys = pending.map((one) => `${messageKey(one.sent)} ${one.isUnanswered} ${one.resends}`)
      const tenure = `${attempt} ${token} ${order} ${expiresAtMs} ${step} ${renewals} ${effects} ${effectStep}`
      return `${tenure} ${ending} ${isRepeated} ${resends} ${request} ${effectKeys.join()}`
    }
  }
}

export function messageKey(message: Message): string {
  switch (message.kind) {
    case 'acquire':
      return `a ${message.wasGranted} ${message.request.attempt} ${message.request.tick} ${message.request.nowMs}`
    case 'write': {
      const { request, order } = message
      const expiresAtMs = 'expiresAtMs' in request ? request.expiresAtMs : ''
      const { kind, attempt, fencingToken, step, nowMs } = request
      return `${kind} ${attempt} ${fencingToken} ${order} ${step} ${nowMs} ${expiresAtMs}`
    }
    case 'giveBack':
      return `b ${message.request.attempt} ${message.request.nowMs}`
    case 'fence': {
      const { fencingToken, step, settled } = message.write
      return `f ${message.from} ${message.order} ${fencingToken} ${step} ${settled}`
    }
    case 'guard':
      return `g ${message.tenure.attempt} ${message.tenure.fencingToken} ${message.order}`
  }
}

export function networkKey(network: readonly Message[]): string {
  return network.length === 0 ? '' : network.map(messageKey).sort().join('; ')
}

export function ledgerKey(ledger: Ledger): string {
  const { acquisitions, highestToken, lastAttempt, otherOrder, lastSentMs, completed, forced, fenced } = ledger
  const { createdAtMs, acquisitionsOfRow, faults, interventions, deletions } = ledger
  const { seen, order, landed, settled } = fenced
  const row = `${seen.fencingToken} ${seen.step} ${seen.settled} ${order} ${landed} ${settled}`
  const granted = `${acquisitions} ${highestToken} ${lastAttempt} ${otherOrder} ${lastSentMs} ${completed} ${forced}`
  const left = `${faults} ${interventions} ${deletions}`
  return `${granted} ${createdAtMs} ${acquisitionsOfRow} ${left} ${row}`
}
