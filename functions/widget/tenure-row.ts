/**
 * A history row, as far as it can be read. It tells people what was; nothing is decided by it. So whatever is missing, of
 * another type or of another's making is left out, where the lease row itself would be called damaged.
 */
import { type AttributeMap, TENURE_PREFIX } from '../election/stores/row.ts'

const ENDS = ['completed', 'released', 'failed', 'forced', 'takenOver'] as const
export type TenureEnd = (typeof ENDS)[number]

export interface TenureRow {
  readonly fencingToken?: number | undefined
  readonly candidate?: string | undefined
  readonly tick?: string | undefined
  readonly beganAtMs?: number | undefined
  readonly endedAtMs?: number | undefined
  /** Absent while leading, and where nobody knows; `unreadable` for what this version has no word for. */
  readonly outcome?: TenureEnd | 'unreadable' | undefined
  /** The name of the error, where it failed. */
  readonly failure?: string | undefined
  /** The token of who took over. */
  readonly successor?: number | undefined
}

export function readTenure(row: AttributeMap): TenureRow {
  const outcome = row['outcome']
  return {
    fencingToken: tokenOf(row),
    candidate: row['candidate']?.S,
    tick: row['forTick']?.S,
    beganAtMs: whole(row['beganAtMs']?.N),
    endedAtMs: whole(row['endedAtMs']?.N),
    outcome: outcome === undefined ? undefined : (ENDS.find((end) => end === outcome.S) ?? 'unreadable'),
    failure: row['failure']?.S,
    successor: whole(row['successor']?.N),
  }
}

function tokenOf(row: AttributeMap): number | undefined {
  const [, digits] = new RegExp(`^${TENURE_PREFIX}(\\d+)$`).exec(row['record']?.S ?? '') ?? []
  return whole(digits)
}

function whole(text: string | undefined): number | undefined {
  const number = text === undefined ? Number.NaN : Number(text)
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined
}
