/** Entries of small elections, and readers of the page's markup. */
import type {
  Began,
  CandidateEntry,
  Done,
  Effect,
  Entry,
  FaultEntry,
  Setup,
  Update,
} from '../../../infra/local/observe/entries.ts'
import { History } from '../../../infra/local/page/client/history.ts'

/** When the election begins. */
export const T0 = Date.parse('2026-01-01T12:00:00.000Z')
export const TICK = '2026-01-01T06:00:00.000Z'

export function historyOf(...updates: readonly Update[]): History {
  const history = new History()
  history.fold(updates)
  return history
}

export function candidate(number: number, changes: Partial<CandidateEntry> = {}): Entry {
  const state = { isPresent: true, skewMs: 0, isCutOff: false, dropsNextReply: false }
  return { kind: 'candidate', candidate: number, ...state, ...changes }
}

export const SETUP_ENTRY: Setup = {
  kind: 'setup',
  ...{ task: 'billing', lease: 'nightly', leaseMs: 15_000, periodMs: 3_600_000, switchedOff: [], maxCandidates: 3 },
}

/** Three candidates on a lease of 15 seconds. */
export const SETUP: readonly Entry[] = [
  SETUP_ENTRY,
  ...[1, 2, 3].map((number) => candidate(number)),
  { kind: 'leader', frozen: [] },
]

export const OVER = { kind: 'over', atMs: T0 + 3_600_000, description: 'The run is over' } as const

/** The tenure of this number; its token is 100 more, its candidate has the same number. */
export function began(tenure: number, afterMs: number, changes: Partial<Began> = {}): Entry {
  const expiresAtMs = T0 + afterMs + 15_000
  const ids = { tenure, token: 100 + tenure, candidate: tenure, invocation: `i${tenure}` }
  return { kind: 'began', atMs: T0 + afterMs, ...ids, tick: TICK, expiresAtMs, ...changes }
}

export function ended(tenure: number, afterMs: number, how: 'completed' | 'released' | 'failed' = 'completed'): Entry {
  return { kind: 'ended', atMs: T0 + afterMs, tenure, how }
}

/** The invocation of the candidate, and of the tenure, of this number. */
export function done(number: number, afterMs: number, changes: Partial<Done> = {}): Entry {
  const ids = { candidate: number, invocation: `i${number}` }
  return { kind: 'done', atMs: T0 + afterMs, ...ids, status: 'completed', ...changes }
}

export const KILLED = { name: 'Runtime.ExitError', message: 'signal: killed', trace: ['at work (index.mjs:1:1)'] }

export const failed = (number: number, afterMs: number): Entry =>
  done(number, afterMs, { status: 'failed', error: KILLED })

export function effect(tenure: number, afterMs: number, changes: Partial<Effect> = {}): Entry {
  const ids = { tenure, token: 100 + tenure, candidate: tenure }
  return { kind: 'effect', atMs: T0 + afterMs, ...ids, verdict: 'accepted', what: 'charge', times: 1, ...changes }
}

export function fault(description: string, afterMs: number, changes: Partial<FaultEntry> = {}): Entry {
  return { kind: 'fault', atMs: T0 + afterMs, candidate: 1, description, ...changes }
}

export function invoked(number: number, afterMs: number, invocation = `i${number}`, tick = TICK): Entry {
  return { kind: 'invoked', atMs: T0 + afterMs, candidate: number, invocation, tick, retry: 0 }
}

/** The text of markup, without its elements. */
export const textOf = (markup: unknown) =>
  String(markup)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
