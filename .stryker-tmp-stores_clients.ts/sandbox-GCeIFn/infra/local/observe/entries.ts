/**
 * The entries of the feed, of which the page draws its picture. Times are epoch milliseconds of this machine's clock,
 * never of a candidate's. Candidates, ticks and the tenures of a run are numbered from 1.
 */
// @ts-nocheck


export interface Setup {
  readonly kind: 'setup'
  readonly task: string
  readonly lease: string
  readonly leaseMs: number
  /** Absent for servers that stay: they have no ticks. */
  readonly periodMs?: number
  readonly switchedOff: readonly string[]
}

export interface CandidateEntry {
  readonly kind: 'candidate'
  readonly candidate: number
  /** Whether it is invoked at the next tick. */
  readonly isPresent: boolean
  /** How far its clock is ahead; negative if it is behind. */
  readonly skewMs: number
  readonly isCutOff: boolean
  readonly dropsNextReply: boolean
}

/** The fault that waits for the next leader, and the candidates that are frozen. */
export interface LeaderEntry {
  readonly kind: 'leader'
  readonly armed?: 'killLeader' | 'freezeLeader' | undefined
  readonly frozen: readonly number[]
}

export interface Counts {
  readonly kind: 'counts'
  readonly ticks: number
  readonly completed: number
  readonly completedTwice: number
  readonly overdue: number
  readonly staleRefused: number
  /** Writes of replaced leaders that nothing protected, accepted. */
  readonly staleAccepted: number
  /** The money that moved so far, such as `2 charges (EUR 19.98)`; absent for a task without money. */
  readonly money?: string | undefined
}

/** Of servers that stay, instead of `Counts`. */
export interface StandingCounts extends Pick<Counts, 'staleRefused' | 'staleAccepted'> {
  readonly kind: 'standingCounts'
  readonly tenures: number
  /** Writes that leaders had applied. */
  readonly appended: number
  /** How long the lease was without a leader: the last time, and the longest; absent if there was always one. */
  readonly lastGapMs?: number | undefined
  readonly longestGapMs?: number | undefined
  /** What went wrong so far, as sentences without their full stops. */
  readonly errors: readonly string[]
}

interface Timed {
  readonly atMs: number
}

export interface VerdictLine {
  readonly kind: 'right' | 'wrong' | 'open'
  readonly text: string
}

/** The run has ended: the last entry. */
export interface Over extends Timed {
  readonly kind: 'over'
  /** Absent if the run ended early. */
  readonly verdict?: readonly VerdictLine[] | undefined
}

/** How a tenure ended, as far as the lease row or the invocation shows. */
export type TenureEnd = 'completed' | 'released' | 'continued' | 'failed' | 'takenOver'

/** It began when DynamoDB granted the lease, even if the reply was lost. */
export interface TenureEntry extends Timed {
  readonly kind: 'tenure'
  /** Tokens are not unique if each candidate has a lease of its own. */
  readonly number: number
  readonly token: number
  readonly candidate: number
  readonly tick?: string | undefined
  readonly expiresAtMs: number
  /** What its leader proclaimed, as JSON. */
  readonly announcement?: string
  /** How and when it ended in the lease row; absent while the row names it. */
  readonly end?: TenureEnd
  readonly endedAtMs?: number
  readonly successor?: number
  /** When its invocation ended, with or without the row. */
  readonly doneAtMs?: number
  readonly error?: { readonly name: string; readonly message: string } | undefined
  readonly accepted: number
  readonly refused: number
  readonly unguarded: number
}

/** An attempt failed without having led. */
export interface FailedAttempt extends Timed {
  readonly kind: 'failure'
  /** Of its log; tenures and failed attempts are numbered together. */
  readonly number: number
  readonly candidate: number
  readonly tick: string
  readonly error: NonNullable<TenureEntry['error']>
}

/** Writes of a tenure to anything but the lease row; equal ones close together are one entry. */
export interface Effect extends Timed {
  readonly kind: 'effect'
  readonly tenure: number
  readonly token: number
  readonly candidate: number
  /**
   * `refused`: by the fence or the guard, because another candidate leads. `unguarded`: accepted though another one
   * leads, because the write had neither.
   */
  readonly verdict: 'accepted' | 'refused' | 'unguarded'
  /** Such as `charge at the gateway`, `UpdateItem of Charges`. */
  readonly what: string
  readonly times: number
}

export interface FaultEntry extends Timed {
  readonly kind: 'fault'
  readonly candidate?: number | undefined
  /** A sentence without its full stop. */
  readonly description: string
}

/** Only the latest of each kind counts; of `candidate`, the latest of each candidate. */
type StateEntry = Setup | CandidateEntry | LeaderEntry | Counts | StandingCounts | Over
type Ticked = Timed & { readonly kind: 'ticked'; readonly number: number; readonly tick: string }
type StoodBy = Timed & { readonly kind: 'standby'; readonly candidate: number; readonly reason: string }
export type EventEntry = Ticked | StoodBy | FailedAttempt | Effect | FaultEntry
/** Of a tenure, too, only the latest entry counts. */
export type Entry = StateEntry | TenureEntry | EventEntry

export interface Update {
  /** By this machine's clock; the browser's may differ. */
  readonly nowMs: number
  /** The page starts over with these entries, which are all that are kept. */
  readonly isSnapshot: boolean
  readonly entries: readonly Entry[]
}
