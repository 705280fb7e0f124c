/** Entries of small elections, and a reader of the page's markup. */
// @ts-nocheck

import type {
  CandidateEntry,
  Counts,
  Effect,
  Entry,
  FailedAttempt,
  FaultEntry,
  Setup,
  TenureEntry,
} from '../../../infra/local/observe/entries.ts'
import { History } from '../../../infra/local/page/client/history.ts'

/** When the election begins. */
export const T0 = Date.parse('2026-01-01T12:00:00.000Z')
export const TICK = '2026-01-01T06:00:00.000Z'

export function historyOf(...entries: readonly Entry[]): History {
  const history = new History()
  history.fold(entries)
  return history
}

export function candidate(number: number, changes: Partial<CandidateEntry> = {}): Entry {
  const state = { isPresent: true, skewMs: 0, isCutOff: false, dropsNextReply: false }
  return { kind: 'candidate', candidate: number, ...state, ...changes }
}

export const SETUP_ENTRY: Setup = {
  kind: 'setup',
  ...{ task: 'billing', lease: 'nightly', leaseMs: 15_000, periodMs: 3_600_000, switchedOff: [] },
}

/** Three candidates on a lease of 15 seconds. */
export const SETUP: readonly Entry[] = [
  SETUP_ENTRY,
  ...[1, 2, 3].map((number) => candidate(number)),
  { kind: 'leader', frozen: [] },
]

export const OVER = { kind: 'over', atMs: T0 + 3_600_000, verdict: [] } as const

export const counts = (changes: Partial<Counts> = {}): Counts => ({
  ...{ kind: 'counts', ticks: 3, completed: 3, completedTwice: 0, overdue: 0, staleRefused: 0, staleAccepted: 0 },
  ...changes,
})

export const KILLED = { name: 'Runtime.ExitError', message: 'signal: killed' }

/** What happened to a tenure, in milliseconds after the beginning of the election. */
interface Happened {
  readonly ended?: number
  readonly done?: number
}

/** The tenure of this number; its token is 100 more, its candidate has the same number. */
export function tenure(
  number: number,
  afterMs: number,
  { ended, done, ...changes }: Partial<TenureEntry> & Happened = {},
): TenureEntry {
  const ids = { number, token: 100 + number, candidate: number, tick: TICK, expiresAtMs: T0 + afterMs + 15_000 }
  const ends = {
    ...(ended === undefined ? {} : ({ end: 'completed', endedAtMs: T0 + ended } as const)),
    ...(done === undefined ? {} : { doneAtMs: T0 + done }),
  }
  return {
    kind: 'tenure',
    atMs: T0 + afterMs,
    ...ids,
    ...ends,
    ...{ accepted: 0, refused: 0, unguarded: 0 },
    ...changes,
  }
}

/** Its leader died. */
export const died = (number: number, afterMs: number, done: number, changes: Partial<TenureEntry> & Happened = {}) =>
  tenure(number, afterMs, { done, error: KILLED, ...changes })

/** The tenure with the next number took it over. */
export const takenOver = (number: number, ended: number) =>
  ({ ended, end: 'takenOver', successor: 101 + number }) as const

export const failure = (number: number, afterMs: number, changes: Partial<FailedAttempt> = {}): FailedAttempt => ({
  ...{ kind: 'failure', atMs: T0 + afterMs, number, candidate: number, tick: TICK, error: KILLED, ...changes },
})

export const standby = (number: number, afterMs: number): Entry => ({
  ...{ kind: 'standby', atMs: T0 + afterMs, candidate: number, reason: 'held' },
})

export const ticked = (number: number, afterMs: number, tick = TICK): Entry => ({
  ...{ kind: 'ticked', atMs: T0 + afterMs, number, tick },
})

export function effect(number: number, afterMs: number, changes: Partial<Effect> = {}): Effect {
  const ids = { tenure: number, token: 100 + number, candidate: number }
  return { kind: 'effect', atMs: T0 + afterMs, ...ids, verdict: 'accepted', what: 'charge', times: 1, ...changes }
}

export function fault(description: string, afterMs: number, changes: Partial<FaultEntry> = {}): Entry {
  return { kind: 'fault', atMs: T0 + afterMs, candidate: 1, description, ...changes }
}

/** The text of markup, without its elements. */
export const textOf = (markup: unknown) =>
  String(markup)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
