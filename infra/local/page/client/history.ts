/** What the page knows of the election: plain data, no word of markup and nothing of the browser. See `fold.ts`. */
import type { CandidateEntry, Counts, Done, LeaderEntry, Over, Setup, TenureEnd, Woken } from '../../observe/entries.ts'

/** One candidate's time as the leader, from what the lease row and the invocation say. */
export interface Tenure {
  /** From 1, its number in the run. */
  readonly number: number
  readonly token: number
  readonly candidate: number
  readonly tick?: string | undefined
  readonly fromMs: number
  /** As it was granted, or renewed last. */
  expiresAtMs: number
  /** How it ended, and when, by the lease row; absent while the row names it. */
  end?: TenureEnd
  endedAtMs?: number
  /** The token of who took over. */
  successor?: number
  /** When its invocation ended, whether or not the row knows. */
  doneAtMs?: number
  error?: Done['error']
  /** How many of its effects were. */
  accepted: number
  refused: number
}

/** A try that failed without ever leading. */
export interface FailedTry {
  readonly atMs: number
  readonly candidate: number
  readonly invocation: string
  readonly tick: string | undefined
  readonly error: NonNullable<Done['error']>
}

/** What is drawn as a mark. */
export interface Note {
  readonly atMs: number
  readonly kind: 'tick' | 'standby' | 'failure' | 'accepted' | 'refused' | 'broken'
  /** Absent for what is in no candidate's lane. */
  readonly candidate?: number | undefined
  readonly words: string
}

export interface Retry {
  readonly candidate: number
  readonly tick: string | undefined
  readonly atMs: number
}

export interface History {
  setup?: Setup
  counts?: Counts
  leader?: LeaderEntry
  over?: Over
  /** By their numbers. */
  readonly candidates: Map<number, CandidateEntry>
  /** In the order in which they began, those that are kept. */
  tenures: Tenure[]
  failedTries: FailedTry[]
  /** In the order of their times. */
  notes: Note[]
  /** When the first thing happened that is kept. */
  fromMs?: number
  hasForgotten: boolean
  /** What Lambda is going to try again, by its request. */
  readonly retries: Map<string, Retry>
  /** The last that was begun. */
  tick?: string
  /** The newest thing that is worth telling, in a sentence without its full stop. */
  news: string
  /** Another after each change. */
  revision: number
  /** The tries under way, and their tenures where they lead, by their invocations. */
  readonly tries: Map<string, Woken>
  readonly leading: Map<string, Tenure>
  /** The tenures that are kept, by their numbers. */
  readonly byNumber: Map<number, Tenure>
}

export function newHistory(): History {
  return {
    candidates: new Map(),
    tenures: [],
    failedTries: [],
    notes: [],
    hasForgotten: false,
    retries: new Map(),
    news: '',
    revision: 0,
    tries: new Map(),
    leading: new Map(),
    byNumber: new Map(),
  }
}

export const candidatesOf = ({ candidates }: History) =>
  [...candidates.values()].sort((a, b) => a.candidate - b.candidate)
