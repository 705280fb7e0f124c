/** What is to be said about each lease, from what was read of it, at one instant. Pure; no word of markup. */
import type { LeaseRecord } from '../election/rules.ts'
import type { TenureRow } from './tenure-row.ts'
import { type TenureView, tenuresOf, timeOf } from './tenures.ts'

/** What was read, or why it could not be, in words for people. */
export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

export interface LeaseReading {
  readonly lease: string
  /** Undefined where nobody has asked for the lease yet. */
  readonly record: Reading<LeaseRecord | undefined>
  readonly history: Reading<History>
}

export interface History {
  readonly rows: readonly TenureRow[]
  /** Whether there are older ones, which were not read. */
  readonly hasMore: boolean
}

/**
 * Where the lease stands. `expired`: the holder neither ended nor renewed, and nobody has taken over yet. `unused`: there
 * is no row. Who leads goes on in a pause, so only a lease that nobody leads is `paused`.
 */
export type LeaseState =
  | { readonly kind: 'leading'; readonly candidate: string; readonly remainingMs: number }
  | { readonly kind: 'expired'; readonly candidate: string; readonly sinceMs: number }
  | { readonly kind: 'paused'; readonly untilMs: number }
  | { readonly kind: 'vacant' }
  | { readonly kind: 'unused' }
  | { readonly kind: 'unreadable'; readonly problem: string }

export interface LeaseView {
  readonly lease: string
  readonly state: LeaseState
  readonly fencingToken?: number | undefined
  /** The tick being worked; absent where nobody leads. */
  readonly tick?: string | undefined
  /** Set where the lease is paused, whoever leads. */
  readonly pausedUntilMs?: number | undefined
  readonly lastCompletion?: Completion | undefined
  readonly tenures: readonly TenureView[]
  /** How many rows of the history tell no time, and cannot be shown. */
  readonly unreadableRows: number
  /** Nothing is known of tenures that ended before. */
  readonly knownFromMs?: number | undefined
  readonly historyProblem?: string | undefined
}

export interface Completion {
  readonly tick?: string | undefined
  /** Absent where only the tick is known. */
  readonly atMs?: number | undefined
}

export function leaseView({ lease, record: reading, history }: LeaseReading, nowMs: number): LeaseView {
  const record = reading.ok ? reading.value : undefined
  const { rows, hasMore } = history.ok ? history.value : { rows: [], hasMore: false }
  const tenures = tenuresOf(record, rows, nowMs)
  const pausedUntilMs = record?.pausedUntilMs
  const isPaused = pausedUntilMs !== undefined && pausedUntilMs > nowMs
  return {
    lease,
    state: reading.ok ? stateOf(record, nowMs) : { kind: 'unreadable', problem: reading.problem },
    fencingToken: record?.fencingToken,
    tick: record?.holder === undefined ? undefined : record.tick,
    pausedUntilMs: isPaused ? pausedUntilMs : undefined,
    lastCompletion: lastCompletion(record, tenures),
    tenures,
    unreadableRows: rows.filter((row) => timeOf(row) === undefined).length,
    knownFromMs: hasMore ? tenures[0]?.beganAtMs : undefined,
    historyProblem: history.ok ? undefined : history.problem,
  }
}

function stateOf(record: LeaseRecord | undefined, nowMs: number): LeaseState {
  if (record === undefined) return { kind: 'unused' }
  const { holder: candidate, expiresAtMs, pausedUntilMs } = record
  if (candidate !== undefined) {
    const remainingMs = expiresAtMs - nowMs
    return remainingMs > 0
      ? { kind: 'leading', candidate, remainingMs }
      : { kind: 'expired', candidate, sinceMs: nowMs - expiresAtMs }
  }
  if (pausedUntilMs !== undefined && pausedUntilMs > nowMs) return { kind: 'paused', untilMs: pausedUntilMs }
  return { kind: 'vacant' }
}

function lastCompletion(record: LeaseRecord | undefined, tenures: readonly TenureView[]): Completion | undefined {
  const tick = record?.completedTick
  const completed = tenures.findLast(
    (tenure) => tenure.outcome === 'completed' && (tick === undefined || tenure.tick === tick),
  )
  if (completed !== undefined) return { tick: tick ?? completed.tick, atMs: completed.endedAtMs }
  return tick === undefined ? undefined : { tick }
}
