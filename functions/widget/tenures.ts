/** The last tenures of a lease, from its history and, for the newest, from the lease row, which is never behind. Pure. */
import type { LeaseRecord } from '../election/rules.ts'
import type { TenureRow } from './tenure-row.ts'
import { isInstant } from './time-words.ts'
import type { BarOutcome } from './timeline.ts'

export interface TenureView {
  readonly fencingToken?: number | undefined
  readonly candidate?: string | undefined
  readonly tick?: string | undefined
  readonly beganAtMs: number
  /** Absent while it lasts. */
  readonly endedAtMs?: number | undefined
  readonly outcome: BarOutcome
  readonly failure?: string | undefined
  readonly successor?: number | undefined
}

/** In the order in which they began; rows that tell no time are left out. */
export function tenuresOf(
  record: LeaseRecord | undefined,
  rows: readonly TenureRow[],
  nowMs: number,
): readonly TenureView[] {
  const current = record === undefined ? undefined : currentTenure(record, rows, nowMs)
  const earlier = rows
    .filter(({ fencingToken }) => record === undefined || fencingToken !== record.fencingToken)
    .flatMap((row) => pastTenure(row, record))
  return [...earlier, ...(current === undefined ? [] : [current])].sort((a, b) => a.beganAtMs - b.beganAtMs)
}

function currentTenure(record: LeaseRecord, rows: readonly TenureRow[], nowMs: number): TenureView | undefined {
  const row = rows.find(({ fencingToken }) => fencingToken === record.fencingToken)
  const known = {
    fencingToken: record.fencingToken,
    candidate: record.holder ?? row?.candidate,
    tick: record.tick,
    beganAtMs: record.acquiredAtMs,
    failure: record.errorName ?? row?.failure,
  }
  if (!isInstant(known.beganAtMs)) return undefined
  if (record.holder !== undefined) {
    if (record.expiresAtMs > nowMs) return { ...known, outcome: 'leading' }
    return { ...known, outcome: 'unknown', endedAtMs: record.expiresAtMs }
  }
  // The history may be some seconds behind: the lease row tells of the end first.
  const outcome = row?.outcome === undefined || row.outcome === 'unreadable' ? record.endedBy : row.outcome
  return { ...known, outcome: outcome ?? 'unknown', endedAtMs: row?.endedAtMs ?? record.writtenAtMs }
}

function pastTenure(row: TenureRow, record: LeaseRecord | undefined): TenureView[] {
  const { outcome, endedAtMs } = row
  const beganAtMs = timeOf(row)
  if (beganAtMs === undefined) return []
  // Elected between our two reads: the lease row was read before, and does not know of it yet.
  const isNewer = record !== undefined && row.fencingToken !== undefined && row.fencingToken > record.fencingToken
  if (outcome === undefined && isNewer) return [{ ...row, beganAtMs, outcome: 'leading' }]
  const isKnown = outcome !== undefined && outcome !== 'unreadable'
  // Nothing is claimed about how long it lasted where no end is told.
  return [{ ...row, beganAtMs, endedAtMs: endedAtMs ?? beganAtMs, outcome: isKnown ? outcome : 'unknown' }]
}

/** When it began, or else when it ended; undefined for a row that has no place in time. */
export function timeOf({ beganAtMs, endedAtMs }: TenureRow): number | undefined {
  return [beganAtMs, endedAtMs].find((ms) => ms !== undefined && isInstant(ms))
}
