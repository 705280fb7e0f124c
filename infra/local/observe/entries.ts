/**
 * What a page is told, one entry after the other, and what it folds into its picture. Plain data, the same on the server,
 * in the browser and in tests. Times are epoch milliseconds of this machine, whatever a candidate's clock says.
 */

/** How a tenure ended, as far as the lease row or the invocation tells. */
export type TenureEnd = 'completed' | 'released' | 'failed' | 'takenOver'

/** What is watched. Told first. */
export interface Setup {
  readonly kind: 'setup'
  /** `billing`, or the path of one's own function. */
  readonly task: string
  readonly lease: string
  readonly leaseMs: number
  readonly periodMs: number
  /** The protections that were taken away. */
  readonly switchedOff: readonly string[]
  /** Candidates are numbered from 1 to this. */
  readonly mostCandidates: number
}

/** How a candidate is now. The last of each candidate holds. */
export interface CandidateEntry {
  readonly kind: 'candidate'
  /** From 1. */
  readonly candidate: number
  /** Whether it is woken at the next tick. */
  readonly isThere: boolean
  /** How far its clock is ahead; below 0, behind. */
  readonly skewMs: number
  readonly isCutOff: boolean
  /** Whether the next reply to it will be lost. */
  readonly dropsReply: boolean
}

/** What the hand that breaks things has ready for the next leader. The last one holds. */
export interface LeaderEntry {
  readonly kind: 'leader'
  readonly armed?: 'kill' | 'freeze' | undefined
  /** The candidates that were frozen by hand, and are. */
  readonly frozen: readonly number[]
}

export interface Ticked {
  readonly kind: 'ticked'
  readonly atMs: number
  /** From 1. */
  readonly number: number
  /** Canonical ISO text. */
  readonly tick: string
}

/** An invocation begins: a candidate's try. */
export interface Woken {
  readonly kind: 'woken'
  readonly atMs: number
  readonly candidate: number
  readonly invocation: string
  readonly tick: string
  /** 0 for the first try; Lambda's own repetitions count. */
  readonly retry: number
}

export interface Done {
  readonly kind: 'done'
  readonly atMs: number
  readonly candidate: number
  readonly invocation: string
  readonly status: 'completed' | 'released' | 'standby' | 'failed'
  /** When Lambda tries the event again; absent where it does not. */
  readonly retryAtMs?: number | undefined
  /** Why it stood by. */
  readonly reason?: string | undefined
  /** Why it failed, and where, a line each. */
  readonly error?: { readonly name: string; readonly message: string; readonly trace: readonly string[] } | undefined
}

/** A candidate was granted the lease, whether or not it has been told. */
export interface Began {
  readonly kind: 'began'
  readonly atMs: number
  /** From 1, its number in this run: candidates that were each given a lease of their own may have equal tokens. */
  readonly tenure: number
  readonly token: number
  readonly candidate: number
  readonly invocation: string
  readonly tick?: string | undefined
  readonly expiresAtMs: number
  /** The tenure that had not ended. */
  readonly replaced?: number | undefined
}

export interface Renewed {
  readonly kind: 'renewed'
  readonly atMs: number
  readonly tenure: number
  readonly expiresAtMs: number
}

/** The leader ended its tenure in the lease row. */
export interface Ended {
  readonly kind: 'ended'
  readonly atMs: number
  readonly tenure: number
  readonly how: 'completed' | 'released' | 'failed'
}

/** Writes of a tenure outside of the lease row that reached what they are for, together where they come thick. */
export interface Effect {
  readonly kind: 'effect'
  readonly atMs: number
  readonly tenure: number
  readonly token: number
  readonly candidate: number
  /** `refused`: by the fence or the guard, since another leads. */
  readonly verdict: 'accepted' | 'refused'
  /** Such as `charge`, `UpdateItem of Charges`. */
  readonly what: string
  readonly times: number
}

/** Something that was done to a candidate, or to all. Stays in the picture. */
export interface Broken {
  readonly kind: 'broken'
  readonly atMs: number
  readonly candidate?: number | undefined
  /** A sentence without its full stop. */
  readonly words: string
}

/** All since the start, whatever is forgotten of it. The last one holds. */
export interface Counts {
  readonly kind: 'counts'
  readonly ticks: number
  readonly completed: number
  /** Completed by more than one invocation. */
  readonly completedTwice: number
  /** Over, and completed by nobody. */
  readonly overdue: number
  /** Writes of replaced leaders that were refused. */
  readonly staleRefused: number
}

/** The run is over, or could not go on; nothing more comes. */
export interface Over {
  readonly kind: 'over'
  readonly atMs: number
  readonly words: string
}

/** Of these the last one holds, of each candidate where there are several. */
export type Standing = Setup | CandidateEntry | LeaderEntry | Counts | Over

/** These stay as long as the history reaches back. */
export type Happening = Ticked | Woken | Done | Began | Renewed | Ended | Effect | Broken

export type Entry = Standing | Happening

/** In the order in which they are told. */
const STANDING: readonly Entry['kind'][] = ['setup', 'candidate', 'leader', 'counts', 'over']

export const byKind = (a: Standing, b: Standing): number => STANDING.indexOf(a.kind) - STANDING.indexOf(b.kind)

export const isStanding = (entry: Entry): entry is Standing => STANDING.includes(entry.kind)

/** So many tenures are kept, and what happened since the first of them began. */
export const KEPT_TENURES = 2_000
/** Of each there are so many happenings at most, on average, also where no tenure ever begins. */
export const KEPT_PER_TENURE = 40
/** Forgetting is done for many at once: each time is a copy of all. So much more than what is kept may be there. */
export const SLACK = 1.1

/** What a page is told first, and again when it comes back: it begins anew with this. */
export interface All {
  /** By the clock of this machine, from which that of the page may differ. */
  readonly nowMs: number
  readonly entries: readonly Entry[]
}
