import type { FencedWrite, Seen } from '../../../functions/election/fencing.ts'
import type {
  AcquireRequest,
  GiveBackRequest,
  HolderWrite,
  LeaseRecord,
  Tenure,
} from '../../../functions/election/rules.ts'

/** All that there is at one moment. Plain values, never changed: a step makes a new state that shares what stayed. */
export interface State {
  readonly timeMs: number
  readonly row: LeaseRecord | undefined
  readonly candidates: readonly Candidate[]
  /** Requests under way that nobody waits for, in no order: any may arrive next, or never. */
  readonly network: readonly Message[]
  readonly ledger: Ledger
}

/** What a candidate knows and waits for. Its name, event, tick and clock follow from its number. */
export type Candidate =
  | { readonly phase: 'idle' }
  | { readonly phase: 'asking'; readonly attempt: number; readonly sent: Asked; readonly resends: number }
  | { readonly phase: 'granted'; readonly attempt: number; readonly won: Won }
  | Leading
  | { readonly phase: 'over' }
  /** The invocation failed or died: Lambda offers its event again. (Or nobody won, and it asks with a fresh attempt.) */
  | { readonly phase: 'again'; readonly attempt: number }

export interface Won {
  readonly token: number
  /** Counts acquisitions in the order in which they were granted, whatever tokens say. Only the ledger knows it. */
  readonly order: number
  /** The deadline, by the candidate's own clock. */
  readonly expiresAtMs: number
}

export interface Leading extends Won {
  readonly phase: 'leading'
  readonly attempt: number
  readonly step: number
  /** How many extensions and effects are left. */
  readonly extensions: number
  readonly effects: number
  /** The step of its last fenced effect. */
  readonly effectStep: number
  /** Fenced effects whose answers are waited for, in the order in which they were sent. */
  readonly pending: readonly Pending[]
  /** The end that was asked for and has no answer yet. */
  readonly ending: End | undefined
  /** It was asked for before, without an answer. */
  readonly isRepeated: boolean
  /** The request whose answer is waited for: one lease sends one at a time. */
  readonly sent: Write | Guarded | undefined
  /** How often the SDK may send it again. */
  readonly resends: number
}

export interface Pending {
  readonly sent: Fenced
  /** Some try got no answer. */
  readonly unanswered: boolean
  readonly resends: number
}

export type End = 'completed' | 'released' | 'failed'

export type Message = Asked | Write | GivenBack | Fenced | Guarded

export interface Asked {
  readonly kind: 'acquire'
  readonly from: number
  readonly request: AcquireRequest
  /** Of a copy: whether the original is known to have been granted. */
  readonly wasGranted: boolean
}

export interface Write {
  readonly kind: 'write'
  readonly from: number
  readonly order: number
  readonly request: HolderWrite
  /** A renewal that its sender gave up for an end. */
  readonly isOvertaken?: true
}

export interface GivenBack {
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

/** An effect that lands only while the lease row says that the tenure lasts. */
export interface Guarded {
  readonly kind: 'guard'
  readonly from: number
  readonly order: number
  readonly tenure: Tenure
}

/** What no candidate can see: the truth that the claims are judged by, and what may still go wrong. */
export interface Ledger {
  readonly acquisitions: number
  readonly highestToken: number
  /** The attempt that acquired last. */
  readonly lastAttempt: string
  /** The newest tenure of any other attempt: a copy of a request may be granted again. */
  readonly otherOrder: number
  /** When the request was sent, in true time, that changed the row last. */
  readonly lastSentMs: number
  /** One bit for each tick. */
  readonly completed: number
  /** The tenure that an operator ended by force, 0 for none. */
  readonly forced: number
  /** The protected row that leaders fence, and what was done to it. */
  readonly fenced: FencedRow
  /** The clock reading that the row was created with, and its acquisitions since. Kept only where rows are deleted. */
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
  /** Of that tenure: one bit for each step that landed, and the step up to which all had ended when one of them was sent. */
  readonly landed: number
  readonly settled: number
}

/** Equal texts for equal values, so that a state is a few small numbers. Attributes of a row come in any order. */
export function rowKey(row: LeaseRecord | undefined): string {
  if (row === undefined) return ''
  const { fencingToken, holder, attempt, eventId, acquiredAtMs, expiresAtMs, writtenAtMs, step, tick } = row
  const { completedTick, checkpoint, endedBy, errorName } = row
  const saved = checkpoint === undefined ? '' : `${checkpoint.tick}=${checkpoint.state}`
  return `${fencingToken}|${holder}|${attempt}|${eventId}|${acquiredAtMs}|${expiresAtMs}|${writtenAtMs}|${step}|${tick}|${completedTick}|${saved}|${endedBy}|${errorName}`
}

export function candidateKey(candidate: Candidate): string {
  switch (candidate.phase) {
    case 'idle':
    case 'over':
      return candidate.phase
    case 'again':
      return `again ${candidate.attempt}`
    case 'asking':
      return `asking ${candidate.attempt} ${candidate.resends} ${messageKey(candidate.sent)}`
    case 'granted': {
      const { attempt, won } = candidate
      return `granted ${attempt} ${won.token} ${won.order} ${won.expiresAtMs}`
    }
    case 'leading': {
      const { attempt, token, order, expiresAtMs, step, extensions, effects, effectStep, resends } = candidate
      const { ending, isRepeated } = candidate
      const sent = candidate.sent === undefined ? '' : messageKey(candidate.sent)
      const pending = candidate.pending.map((one) => `${messageKey(one.sent)} ${one.unanswered} ${one.resends}`)
      return `leading ${attempt} ${token} ${order} ${expiresAtMs} ${step} ${extensions} ${effects} ${effectStep} ${ending} ${isRepeated} ${resends} ${sent} ${pending.join(', ')}`
    }
  }
}

export function messageKey(message: Message): string {
  switch (message.kind) {
    case 'acquire':
      return `a${message.wasGranted ? '+' : ''} ${message.request.attempt} ${message.request.tick} ${message.request.nowMs}`
    case 'write': {
      const { request, order } = message
      const expiresAtMs = 'expiresAtMs' in request ? request.expiresAtMs : ''
      const what = request.kind === 'release' ? request.endedBy : request.kind === 'complete' ? request.tick : ''
      const overtaken = message.isOvertaken ? '!' : ''
      return `${request.kind}${overtaken} ${what} ${request.attempt} ${request.fencingToken} ${order} ${request.step} ${request.nowMs} ${expiresAtMs}`
    }
    case 'giveBack':
      return `b ${message.request.attempt} ${message.request.nowMs}`
    case 'fence':
      return `f ${message.from} ${message.order} ${message.write.fencingToken} ${message.write.step} ${message.write.settled}`
    case 'guard':
      return `g ${message.tenure.attempt} ${message.tenure.fencingToken} ${message.order}`
  }
}

export function networkKey(network: readonly Message[]): string {
  return network.length === 0 ? '' : network.map(messageKey).sort().join('; ')
}

export function ledgerKey(ledger: Ledger): string {
  const { acquisitions, highestToken, lastAttempt, completed, forced, fenced } = ledger
  const { seen, order, landed, settled } = fenced
  const { otherOrder, lastSentMs, createdAtMs, acquisitionsOfRow, faults, interventions, deletions } = ledger
  return `${acquisitions} ${highestToken} ${lastAttempt} ${otherOrder} ${lastSentMs} ${completed} ${forced} ${seen.fencingToken} ${seen.step} ${seen.settled} ${order} ${landed} ${settled} ${createdAtMs} ${acquisitionsOfRow} ${faults} ${interventions} ${deletions}`
}
