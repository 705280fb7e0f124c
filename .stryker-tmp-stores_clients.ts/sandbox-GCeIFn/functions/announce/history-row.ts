/**
 * The history row of a tenure: `(lease, "TENURE#<fencing token>")`, beside the lease row in the same table. The
 * announcer writes it, the dashboard's widget reads it.
 */
// @ts-nocheck

import { TENURE_PREFIX } from '../election/stores/row.ts'

/**
 * The attributes besides the keys; any of them may be absent. None has the name of an attribute of the lease row, so
 * that IAM can separate them.
 */
export interface HistoryAttributes {
  readonly candidate?: string | undefined
  readonly forTick?: string | undefined
  readonly beganAtMs?: number | undefined
  readonly endedAtMs?: number | undefined
  /** Absent until the end is known. */
  readonly outcome?: TenureEnd | undefined
  /** The name of the error, if the task failed. */
  readonly failure?: string | undefined
  readonly successor?: number | undefined
  /** The last missed tick whose closing was announced. */
  readonly closedTick?: string | undefined
  /** The local ids of the events that were sent, except those of closed ticks. */
  readonly announced?: ReadonlySet<string> | undefined
  /** When DynamoDB deletes the row, epoch seconds; absent until the end is known. */
  readonly ttl?: number | undefined
}

export const TENURE_ENDS = ['completed', 'released', 'continued', 'failed', 'forced', 'takenOver'] as const
export type TenureEnd = (typeof TENURE_ENDS)[number]

export interface TenureKey {
  readonly lease: string
  readonly fencingToken: number
}

/** Keys sort, as text, in the order of their tokens: no safe integer has more than 16 digits. */
export function historyKey({ lease, fencingToken }: TenureKey) {
  return { lease, record: `${TENURE_PREFIX}${String(fencingToken).padStart(16, '0')}` }
}
