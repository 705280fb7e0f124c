/** What the widget shows of each lease at one instant, without any markup. Pure. */
import type { LeaseRecord } from '../election/rules.ts'
import { type TenureRow, type TenureView, tenuresOf, timeOf } from './tenures.ts'

/** What was read, or, for the user, why it could not be. */
export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

export interface LeaseReading {
  readonly lease: string
  /** Undefined if no candidate has asked for the lease yet. */
  readonly record: Reading<LeaseRecord | undefined>
  readonly history: Reading<History>
}

export interface History {
  readonly rows: readonly TenureRow[]
  /** Whether there are older rows, which were not read. */
  readonly hasMore: boolean
}

/**
 * `expired`: the holder neither ended nor renewed, and no candidate has taken over yet. `unused`: there is no row. A
 * leader goes on in a pause, so only a lease without a leader is `paused`.
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
  readonly fencingToken: number | undefined
  /** The tick that the leader works on. */
  readonly tick: string | undefined
  /** Set if the lease is paused, with or without a leader. */
  readonly pausedUntilMs: number | undefined
  readonly lastCompletion: { readonly tick?: string | undefined; readonly atMs?: number | undefined } | undefined
  readonly tenures: readonly TenureView[]
  /** How many history rows have no time and cannot be drawn. */
  readonly unreadableRows: number
  /** Tenures that ended before are not known. */
  readonly knownFromMs: number | undefined
  readonly historyProblem: string | undefined
}

export function leaseView({ lease, record: reading, history }: LeaseReading, nowMs: number): LeaseView {
  const record = reading.ok ? reading.value : undefined
  const { rows, hasMore } = history.ok ? history.value : { rows: [], hasMore: false }
  const tenures = tenuresOf(record, rows, nowMs)
  const { pausedUntilMs = 0 } = record ?? {}
  return {
    lease,
    state: reading.ok ? stateOf(record, nowMs) : { kind: 'unreadable', problem: reading.problem },
    fencingToken: record?.fencingToken,
    tick: record?.holder === undefined ? undefined : record.tick,
    pausedUntilMs: pausedUntilMs > nowMs ? pausedUntilMs : undefined,
    lastCompletion: lastCompletion(record, tenures),
    tenures,
    unreadableRows: rows.filter((row) => timeOf(row) === undefined).length,
    knownFromMs: hasMore ? tenures[0]?.beganAtMs : undefined,
    historyProblem: history.ok ? undefined : history.problem,
  }
}

function stateOf(record: LeaseRecord | undefined, nowMs: number): LeaseState {
  if (record === undefined) return { kind: 'unused' }
  const { holder: candidate, expiresAtMs, pausedUntilMs = 0 } = record
  if (candidate !== undefined) {
    return expiresAtMs > nowMs
      ? { kind: 'leading', candidate, remainingMs: expiresAtMs - nowMs }
      : { kind: 'expired', candidate, sinceMs: nowMs - expiresAtMs }
  }
  return pausedUntilMs > nowMs ? { kind: 'paused', untilMs: pausedUntilMs } : { kind: 'vacant' }
}

function lastCompletion(record: LeaseRecord | undefined, tenures: readonly TenureView[]) {
  const tick = record?.completedTick
  const completed = tenures.findLast(
    (tenure) => tenure.outcome === 'completed' && (tick === undefined || tenure.tick === tick),
  )
  if (completed !== undefined) return { tick: tick ?? completed.tick, atMs: completed.endedAtMs }
  return tick === undefined ? undefined : { tick }
}
