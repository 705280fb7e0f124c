/**
 * What the widget shows of each lease at one instant, without any markup. Pure. The last tenures come from the history
 * rows and, for the newest one, from the lease row, which is current.
 */
// @ts-nocheck

import { type HistoryAttributes, TENURE_ENDS, type TenureEnd } from '../announce/history-row.ts'
import type { LeaseRecord } from '../election/rules.ts'
import { type AttributeMap, TENURE_PREFIX } from '../election/stores/row.ts'
import { isInstant } from './time-words.ts'
import type { BarOutcome } from './timeline.ts'

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
  readonly hasMore: boolean
}

/**
 * `expired`: the holder neither ended nor renewed, and no candidate has taken over yet. `unused`: there is no row. A
 * leader goes on in a pause, so only a lease without a leader is `paused`.
 */
export type LeaseState =
  | {
      readonly kind: 'leading'
      readonly candidate: string
      readonly remainingMs: number
      /** What a leader that stays proclaimed. */
      readonly announcement?: unknown
      /** How long a leader without ticks has led. */
      readonly ledMs?: number | undefined
    }
  | { readonly kind: 'expired'; readonly candidate: string; readonly sinceMs: number }
  | { readonly kind: 'paused'; readonly untilMs: number }
  /** It may be kept for a candidate, or a continuation, for some seconds. */
  | { readonly kind: 'vacant'; readonly keptFor?: string | undefined }
  | { readonly kind: 'unused' }
  | { readonly kind: 'unreadable'; readonly problem: string }

export type LeaseView = ReturnType<typeof leaseView>

export function leaseView({ lease, record: reading, history }: LeaseReading, nowMs: number) {
  const record = reading.ok ? reading.value : undefined
  const { rows, hasMore } = history.ok ? history.value : { rows: [], hasMore: false }
  const tenures = tenuresOf(record, rows, nowMs)
  const { pausedUntilMs = 0 } = record ?? {}
  const state: LeaseState = reading.ok ? stateOf(record, nowMs) : { kind: 'unreadable', problem: reading.problem }
  return {
    lease,
    state,
    fencingToken: record?.fencingToken,
    tick: record?.holder === undefined ? undefined : record.tick,
    /** Set with or without a leader. */
    pausedUntilMs: pausedUntilMs > nowMs ? pausedUntilMs : undefined,
    lastCompletion: lastCompletion(record, tenures),
    tenures,
    /** They have no time and cannot be drawn. */
    unreadableRows: rows.filter((row) => timeOf(row) === undefined).length,
    /** Tenures that ended before are not known. */
    knownFromMs: hasMore ? tenures[0]?.beganAtMs : undefined,
    historyProblem: history.ok ? undefined : history.problem,
  }
}

function stateOf(record: LeaseRecord | undefined, nowMs: number): LeaseState {
  if (record === undefined) return { kind: 'unused' }
  const { fencingToken, holder: candidate, expiresAtMs, pausedUntilMs = 0 } = record
  if (candidate !== undefined) {
    if (expiresAtMs <= nowMs) return { kind: 'expired', candidate, sinceMs: nowMs - expiresAtMs }
    const announcement = record.announcedBy === fencingToken ? record.announcement : undefined
    const ledMs = record.tick === undefined ? nowMs - record.acquiredAtMs : undefined
    return { kind: 'leading', candidate, remainingMs: expiresAtMs - nowMs, announcement, ledMs }
  }
  if (pausedUntilMs > nowMs) return { kind: 'paused', untilMs: pausedUntilMs }
  const isKept = record.reservedBy === fencingToken && (record.reservedUntilMs ?? 0) > nowMs
  return { kind: 'vacant', keptFor: isKept ? record.reservedFor : undefined }
}

function lastCompletion(record: LeaseRecord | undefined, tenures: readonly TenureView[]) {
  const tick = record?.completedTick
  const completed = tenures.findLast(
    (tenure) => tenure.outcome === 'completed' && (tick === undefined || tenure.tick === tick),
  )
  if (completed !== undefined) return { tick: tick ?? completed.tick, atMs: completed.endedAtMs }
  return tick === undefined ? undefined : { tick }
}

type SameAttributes = 'candidate' | 'beganAtMs' | 'endedAtMs' | 'failure' | 'successor'

interface TenureRow extends Pick<HistoryAttributes, SameAttributes> {
  readonly fencingToken?: number | undefined
  readonly tick?: string | undefined
  /** Absent while the tenure lasts, or if its end is not known. */
  readonly outcome?: TenureEnd | 'unknown' | undefined
}

export interface TenureView extends Omit<TenureRow, 'outcome'> {
  readonly beganAtMs: number
  readonly outcome: BarOutcome
}

/**
 * A history row, as far as it can be read: what is missing or of another type is left out. Unlike the lease row, it
 * decides nothing, so damage is no error.
 */
export function readTenure(row: AttributeMap): TenureRow {
  const attribute = (name: keyof HistoryAttributes) => row[name]
  const outcome = attribute('outcome')
  return {
    fencingToken: whole(row['record']?.S?.slice(TENURE_PREFIX.length)),
    candidate: attribute('candidate')?.S,
    tick: attribute('forTick')?.S,
    beganAtMs: whole(attribute('beganAtMs')?.N),
    endedAtMs: whole(attribute('endedAtMs')?.N),
    outcome: outcome && (TENURE_ENDS.find((end) => end === outcome.S) ?? 'unknown'),
    failure: attribute('failure')?.S,
    successor: whole(attribute('successor')?.N),
  }
}

function whole(text: string | undefined): number | undefined {
  const number = text?.trim() ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined
}

/** In the order in which they began, without the rows that have no time. */
function tenuresOf(record: LeaseRecord | undefined, rows: readonly TenureRow[], nowMs: number): readonly TenureView[] {
  const current = record === undefined ? [] : currentTenure(record, rows, nowMs)
  const others = rows.filter(({ fencingToken }) => record === undefined || fencingToken !== record.fencingToken)
  return [...others.flatMap((row) => otherTenure(row, record)), ...current].sort((a, b) => a.beganAtMs - b.beganAtMs)
}

function currentTenure(record: LeaseRecord, rows: readonly TenureRow[], nowMs: number): readonly TenureView[] {
  const { fencingToken, tick, acquiredAtMs: beganAtMs, expiresAtMs } = record
  if (!isInstant(beganAtMs)) return []
  const row = rows.find((each) => each.fencingToken === fencingToken)
  const candidate = record.holder ?? row?.candidate
  const known = { fencingToken, candidate, tick, beganAtMs, failure: record.errorName ?? row?.failure }
  if (record.holder !== undefined) {
    if (expiresAtMs > nowMs) return [{ ...known, outcome: 'leading' }]
    return [{ ...known, outcome: 'unknown', endedAtMs: expiresAtMs }]
  }
  // The history can be some seconds behind the lease row.
  const outcome = row?.outcome === 'unknown' ? undefined : row?.outcome
  const endedAtMs = row?.endedAtMs ?? record.writtenAtMs
  return [{ ...known, outcome: outcome ?? record.endedBy ?? 'unknown', endedAtMs }]
}

function otherTenure(row: TenureRow, record: LeaseRecord | undefined): readonly TenureView[] {
  const { outcome = 'unknown', endedAtMs } = row
  const beganAtMs = timeOf(row)
  if (beganAtMs === undefined) return []
  // Elected after the lease row was read and before the history was.
  const isNewer = record !== undefined && row.fencingToken !== undefined && row.fencingToken > record.fencingToken
  if (row.outcome === undefined && isNewer) return [{ ...row, beganAtMs, outcome: 'leading' }]
  // A tenure without a known end is drawn as a moment, since its length is not known.
  return [{ ...row, beganAtMs, endedAtMs: endedAtMs ?? beganAtMs, outcome }]
}

/** When the tenure began, else when it ended; undefined if the row has no time. */
function timeOf({ beganAtMs, endedAtMs }: TenureRow): number | undefined {
  return [beganAtMs, endedAtMs].find((ms) => ms !== undefined && isInstant(ms))
}
