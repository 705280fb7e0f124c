/** The last tenures of a lease, from its history rows and, for the newest one, from the lease row, which is current. */
import { type HistoryAttributes, TENURE_ENDS, type TenureEnd } from '../announce/history-row.ts'
import type { LeaseRecord } from '../election/rules.ts'
import { type AttributeMap, TENURE_PREFIX } from '../election/stores/row.ts'
import { isInstant } from './time-words.ts'
import type { BarOutcome } from './timeline.ts'

type SameAttributes = 'candidate' | 'beganAtMs' | 'endedAtMs' | 'failure' | 'successor'

export interface TenureRow extends Pick<HistoryAttributes, SameAttributes> {
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
export function tenuresOf(
  record: LeaseRecord | undefined,
  rows: readonly TenureRow[],
  nowMs: number,
): readonly TenureView[] {
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
export function timeOf({ beganAtMs, endedAtMs }: TenureRow): number | undefined {
  return [beganAtMs, endedAtMs].find((ms) => ms !== undefined && isInstant(ms))
}
