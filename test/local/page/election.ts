/** Entries of small made-up elections, for what the page makes of them. */
import type { Began, Broken, Done, Effect, Entry } from '../../../infra/local/observe/entries.ts'
import { fold } from '../../../infra/local/page/client/fold.ts'
import { type History, newHistory } from '../../../infra/local/page/client/history.ts'

/** When the election begins. */
export const T0 = Date.parse('2026-01-01T12:00:00.000Z')
export const TICK = '2026-01-01T06:00:00.000Z'

export function historyOf(...entries: readonly Entry[]): History {
  const history = newHistory()
  fold(history, entries)
  return history
}

/** Three candidates on a lease of 15 seconds. */
export const SETUP: readonly Entry[] = [
  {
    kind: 'setup',
    task: 'billing',
    lease: 'nightly',
    leaseMs: 15_000,
    periodMs: 3_600_000,
    switchedOff: [],
    mostCandidates: 3,
  },
  candidate(1),
  candidate(2),
  candidate(3),
  { kind: 'leader', frozen: [] },
]

export function candidate(number: number, changed: object = {}): Entry {
  const fresh = { isThere: true, skewMs: 0, isCutOff: false, dropsReply: false }
  return { kind: 'candidate', candidate: number, ...fresh, ...changed }
}

/** The tenure of this number; its token is 100 more, its candidate the same. */
export function began(tenure: number, afterMs: number, changed: Partial<Began> = {}): Entry {
  const expiresAtMs = T0 + afterMs + 15_000
  const whose = { tenure, token: 100 + tenure, candidate: tenure, invocation: `i${tenure}` }
  return { kind: 'began', atMs: T0 + afterMs, ...whose, tick: TICK, expiresAtMs, ...changed }
}

export function ended(tenure: number, afterMs: number, how: 'completed' | 'released' | 'failed' = 'completed'): Entry {
  return { kind: 'ended', atMs: T0 + afterMs, tenure, how }
}

/** The invocation of the candidate of this number, and of the tenure of this number where it had one. */
export function done(number: number, afterMs: number, changed: Partial<Done> = {}): Entry {
  const whose = { candidate: number, invocation: `i${number}` }
  return { kind: 'done', atMs: T0 + afterMs, ...whose, status: 'completed', ...changed }
}

export const KILLED = { name: 'Runtime.ExitError', message: 'signal: killed', trace: ['at work (index.mjs:1:1)'] }

export function failed(number: number, afterMs: number): Entry {
  return done(number, afterMs, { status: 'failed', error: KILLED })
}

export function effect(tenure: number, afterMs: number, changed: Partial<Effect> = {}): Entry {
  const whose = { tenure, token: 100 + tenure, candidate: tenure }
  return { kind: 'effect', atMs: T0 + afterMs, ...whose, verdict: 'accepted', what: 'charge', times: 1, ...changed }
}

export function broken(words: string, afterMs: number, changed: Partial<Broken> = {}): Entry {
  return { kind: 'broken', atMs: T0 + afterMs, candidate: 1, words, ...changed }
}
