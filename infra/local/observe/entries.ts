/**
 * The entries of the feed, which the page folds into its picture. Times are epoch milliseconds of this machine's clock,
 * never of a candidate's. Candidates, ticks and the tenures of a run are numbered from 1.
 */

/** How a tenure ended, as far as the lease row or the invocation shows. */
export type TenureEnd = 'completed' | 'released' | 'failed' | 'takenOver'

export interface Setup {
  readonly kind: 'setup'
  /** `billing`, or the path of the user's own function. */
  readonly task: string
  readonly lease: string
  readonly leaseMs: number
  readonly periodMs: number
  readonly switchedOff: readonly string[]
  readonly maxCandidates: number
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
  /** Completed by more than one invocation. */
  readonly completedTwice: number
  /** Past, and not completed. */
  readonly overdue: number
  /** Writes of replaced leaders to protected rows, refused. */
  readonly staleRefused: number
  /** Writes of replaced leaders that nothing protected, accepted. */
  readonly staleAccepted: number
  /** The money that moved so far, such as `2 charges (EUR 19.98)`; absent for a task without money. */
  readonly money?: string | undefined
}

interface Event {
  readonly atMs: number
}

/** A line of the verdict on a run, such as `✓ All is well: …`. */
export interface VerdictLine {
  readonly kind: 'right' | 'wrong' | 'open'
  readonly text: string
}

/** The run has ended: the last entry. */
export interface Over extends Event {
  readonly kind: 'over'
  readonly description: string
  /** Absent if the run ended early. */
  readonly verdict?: readonly VerdictLine[] | undefined
}

interface Ticked extends Event {
  readonly kind: 'ticked'
  readonly number: number
  readonly tick: string
}

interface OfInvocation extends Event {
  readonly candidate: number
  readonly invocation: string
}

interface Invoked extends OfInvocation {
  readonly kind: 'invoked'
  readonly tick: string
  /** 0 for the first attempt; counts Lambda's own retries. */
  readonly retry: number
}

export interface Done extends OfInvocation {
  readonly kind: 'done'
  readonly status: 'completed' | 'released' | 'standby' | 'failed'
  /** When Lambda retries the event; absent if it does not. */
  readonly retryAtMs?: number | undefined
  readonly reason?: string | undefined
  readonly error?: { readonly name: string; readonly message: string; readonly trace: readonly string[] } | undefined
}

/** DynamoDB granted the lease to a candidate, even if the reply was lost. */
export interface Began extends OfInvocation {
  readonly kind: 'began'
  /** Its number; tokens are not unique if each candidate has a lease of its own. */
  readonly tenure: number
  readonly token: number
  readonly tick?: string | undefined
  readonly expiresAtMs: number
  /** The earlier tenure, if it had not ended. */
  readonly replaced?: number | undefined
}

interface Renewed extends Event {
  readonly kind: 'renewed'
  readonly tenure: number
  readonly expiresAtMs: number
}

/** The leader ended its tenure in the lease row. */
interface Ended extends Event {
  readonly kind: 'ended'
  readonly tenure: number
  readonly how: Exclude<TenureEnd, 'takenOver'>
}

/** Writes of a tenure to anything but the lease row; equal ones close together are one entry. */
export interface Effect extends Event {
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

export interface FaultEntry extends Event {
  readonly kind: 'fault'
  readonly candidate?: number | undefined
  /** A sentence without its full stop. */
  readonly description: string
}

/** Only the latest of each kind counts; of `candidate`, the latest of each candidate. */
export type StateEntry = Setup | CandidateEntry | LeaderEntry | Counts | Over
export type EventEntry = Ticked | Invoked | Done | Began | Renewed | Ended | Effect | FaultEntry
export type Entry = StateEntry | EventEntry

/** The feed has dropped all events before this time; so does the page. */
interface Forgotten {
  readonly kind: 'forgotten'
  readonly beforeMs: number
}

export type Update = Entry | Forgotten

/** The first message to a page, and to one that reconnects: it starts over with these entries. */
export interface Snapshot {
  /** By this machine's clock; the browser's may differ. */
  readonly nowMs: number
  readonly entries: readonly Update[]
}
