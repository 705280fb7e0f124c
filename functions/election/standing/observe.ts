/** Who leads, as a candidate or an onlooker sees it. */
import type { LeaseRecord } from '../rules.ts'

export interface Leader {
  readonly candidate: string
  readonly fencingToken: number
  readonly sinceMs: number
  /** When the lease ends unless it is renewed: epoch milliseconds by the leader's clock. */
  readonly expiresAtMs: number
  /** What it proclaimed. */
  readonly announcement?: unknown
}

/** Undefined if the lease is vacant, or has expired by more than the clocks may differ. */
export function leaderOf(record: LeaseRecord | undefined, nowMs: number, maxClockSkewMs: number): Leader | undefined {
  if (record?.holder === undefined || record.expiresAtMs + maxClockSkewMs <= nowMs) return undefined
  const { holder: candidate, fencingToken, acquiredAtMs: sinceMs, expiresAtMs } = record
  const isAnnounced = record.announcedBy === fencingToken
  return { candidate, fencingToken, sinceMs, expiresAtMs, ...(isAnnounced && { announcement: record.announcement }) }
}

/**
 * Puts looks into order: reads may be old, and an older one must not undo a newer. A token that was seen vacant is
 * never seen held again.
 */
export class Order {
  #latest: readonly [token: number, isVacant: number, step: number] = [0, 0, -1]

  /**
   * Whether this row is not older than all seen before.
   * @param isVacant also if it has expired: a renewal that arrives later makes no leader
   */
  isCurrent(record: LeaseRecord | undefined, isVacant: boolean): boolean {
    if (record === undefined) return this.#latest[0] === 0
    const place = [record.fencingToken, isVacant ? 1 : 0, record.step] as const
    const difference = place.map((value, index) => value - (this.#latest[index] ?? 0)).find((by) => by !== 0) ?? 0
    if (difference < 0) return false
    this.#latest = place
    return true
  }
}

/** Equal for two states between which nothing changed for an observer: a renewal is no change. */
export function stateOf(leader: Leader | undefined): string {
  const { expiresAtMs: _expiresAtMs, ...state } = leader ?? {}
  return JSON.stringify(state)
}
