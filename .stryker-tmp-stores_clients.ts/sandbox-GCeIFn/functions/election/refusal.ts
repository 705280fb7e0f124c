/** What a refusal means, from the row that came with it. Pure, as rules.ts. */
// @ts-nocheck

import {
  type AcquireRequest,
  acquireConditions,
  type HolderWrite,
  isHeldBy,
  type LeaseRecord,
  type StandbyReason,
} from './rules.ts'

/**
 * What a refused acquire means.
 * - `won`: it was granted: the reply to an earlier try was lost, and the SDK sent the request again
 * - `stillHeld`: another delivery of the same event holds the lease
 * - `behind`: another candidate holds the lease for the earlier tick `heldTick`, or it is reserved for that tick's work
 * - `ticksDiffer`: the row has ticks, and the request had none, or the other way round
 * - `outdated`: A5 or A6 alone refused it, so no candidate leads: ask again with a new attempt and the present time
 *
 * `retryAfterMs` counts from the request's `nowMs`.
 */
export type Refusal =
  | { readonly kind: 'won'; readonly record: LeaseRecord }
  | { readonly kind: 'stillHeld'; readonly retryAfterMs: number }
  | {
      readonly kind: 'behind'
      /** Absent if the lease is reserved. */
      readonly holder?: string
      readonly heldTick: string
      readonly retryAfterMs: number
    }
  | { readonly kind: 'ticksDiffer' }
  | { readonly kind: 'outdated' }
  | {
      readonly kind: 'standby'
      readonly reason: StandbyReason
      readonly holder?: string
      readonly retryAfterMs?: number
    }

/** From the row that came with the refusal. The tick comes first: a candidate whose tick is done need not wait. */
export function explainRefusal(record: LeaseRecord, request: AcquireRequest): Refusal {
  const conditions = acquireConditions(record, request)
  const { holder } = record
  const retryAfterMs = Math.max(0, record.expiresAtMs + request.maxClockSkewMs - request.nowMs)

  if (holder === request.candidate && record.attempt === request.attempt) return { kind: 'won', record }
  if (!conditions.tickedAlike) return { kind: 'ticksDiffer' }
  if (!conditions.tickNotDone) {
    return { kind: 'standby', reason: record.completedTick === request.tick ? 'tickDone' : 'superseded' }
  }
  if (!conditions.vacantOrExpired && holder !== undefined) {
    if (request.eventId !== undefined && record.eventId === request.eventId) return { kind: 'stillHeld', retryAfterMs }
    return keptOut(record, request, { holder, retryAfterMs })
  }
  if (!conditions.notPaused) {
    return {
      kind: 'standby',
      reason: 'paused',
      retryAfterMs: Math.max(0, (record.pausedUntilMs ?? 0) - request.nowMs),
    }
  }
  if (!conditions.notReserved) {
    const reservedMs = Math.max(0, (record.reservedUntilMs ?? 0) + request.maxClockSkewMs - request.nowMs)
    return keptOut(record, request, { retryAfterMs: reservedMs })
  }
  return { kind: 'outdated' }
}

/** By a leader at work, or by the reservation for the next invocation of its work. */
function keptOut(
  { tick: heldTick = '' }: LeaseRecord,
  { tick }: AcquireRequest,
  by: { readonly holder?: string; readonly retryAfterMs: number },
): Refusal {
  if (tick === undefined || heldTick === '') {
    return { kind: 'standby', reason: by.holder === undefined ? 'reserved' : 'held', ...by }
  }
  if (heldTick === tick) return { kind: 'standby', reason: 'held', ...by }
  if (heldTick < tick) return { kind: 'behind', heldTick, ...by }
  return { kind: 'standby', reason: 'superseded', ...(by.holder === undefined ? {} : { holder: by.holder }) }
}

/**
 * Whether an earlier try of a refused write was applied, and its reply lost: only tries of one write have the same
 * step. A forced release changes `attempt`, so it is never taken for the leader's own end.
 */
export function isOwnWrite(record: LeaseRecord | undefined, { attempt, fencingToken, step }: HolderWrite): boolean {
  return record?.attempt === attempt && record.fencingToken === fencingToken && record.step === step
}

/**
 * Whether a refused completion without items was applied before: the row says who completed the tick, also when the
 * leader of the next one holds it.
 */
export function isOwnCompletion(record: LeaseRecord | undefined, request: HolderWrite): boolean {
  if (request.kind !== 'complete' || record?.completedTick !== request.tick) return false
  return record?.completedBy === request.fencingToken
}

/** Whether H4 alone refused it: an operator closed this tick, or a later one. */
export function isClosedAlready(record: LeaseRecord | undefined, request: HolderWrite): record is LeaseRecord {
  if (!('tick' in request) || request.tick === undefined || !isHeldBy(record, request)) return false
  return record.step < request.step && (record.completedTick ?? '') >= request.tick
}

/**
 * The attribute of a held lease that no candidate can have written, whatever its clock says: no acquisition is later
 * than the last write, and no expiry later than that by more than the longest lease.
 */
export function impossibleTime(
  { holder, acquiredAtMs, expiresAtMs, writtenAtMs }: LeaseRecord,
  longestLeaseMs: number,
): 'acquiredAtMs' | 'expiresAtMs' | undefined {
  if (holder === undefined) return undefined
  if (acquiredAtMs > writtenAtMs) return 'acquiredAtMs'
  return expiresAtMs > writtenAtMs + longestLeaseMs ? 'expiresAtMs' : undefined
}

/** Whether a clock that shows at most `latestMs` cannot have written when a held lease was acquired, or expires. */
export function isAhead({ acquiredAtMs, expiresAtMs }: LeaseRecord, latestMs: number, longestLeaseMs: number): boolean {
  return acquiredAtMs > latestMs || expiresAtMs > latestMs + longestLeaseMs
}
