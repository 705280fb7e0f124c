/** Who leads, as a candidate or an onlooker sees it. */
// @ts-nocheck

import { jitter } from '../clock.ts'
import { LeaseStoreError } from '../errors.ts'
import type { LeaseRecord } from '../rules.ts'
import type { Parts } from './tenure.ts'

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
class Order {
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

type Watching = Pick<Parts, 'settings' | 'times' | 'store' | 'vitals'>

export async function readLeader(
  { settings, store }: Watching,
  options?: { readonly consistent?: boolean },
): Promise<{ readonly record: LeaseRecord | undefined; readonly leader: Leader | undefined }> {
  const { lease, clock, maxClockSkewMs } = settings
  const askedAtMs = clock.wallMs() // an answer that comes late shows the row of then
  const { record } = await store.read(lease, options)
  return { record, leader: leaderOf(record, askedAtMs, maxClockSkewMs) }
}

/** At once the present leader, then every change in order, until `over` aborts. */
export async function* observeLeaders(watching: Watching, over: AbortSignal) {
  const { times, vitals } = watching
  const order = new Order()
  let before: string | undefined
  for (let failures = 0; !over.aborted; ) {
    try {
      const { record, leader } = await readLeader(watching)
      failures = 0
      if (order.isCurrent(record, leader === undefined) && stateOf(leader) !== before) {
        before = stateOf(leader)
        yield leader === undefined ? {} : { leader }
      }
    } catch (error) {
      if (!(error instanceof LeaseStoreError)) throw error
      failures++
    }
    await vitals.pause(failures === 0 ? times.pollMs * jitter() : vitals.backoffMs(failures), over)
  }
}

/** Equal for two states between which nothing changed for an observer: a renewal is no change. */
function stateOf(leader: Leader | undefined): string {
  const { expiresAtMs: _expiresAtMs, ...state } = leader ?? {}
  return JSON.stringify(state)
}
