/**
 * The protocol, as pure functions of a lease row and a request. No clock, no randomness, no network: `nowMs` is the
 * reading that the candidate put into its request, so a copy that the network delayed is judged by the time it was made.
 *
 * A store applies `acquire` and `write` atomically: in memory by calling them, in DynamoDB by condition expressions that
 * say the same rules under the same numbers. One conformance suite and one differential test hold them together.
 *
 * Acquire is granted only where all hold (B is `maxClockSkewMs`):
 *   A1  vacant, or expired by more than B
 *   A2  the tick is not done; and a row that has ticks is not acquired without one
 *   A3  not paused
 *   (A4 not reserved for another candidate: for standing elections, not built yet)
 *   A5  the row's last attempt is not mine: a second copy of my request acquires nothing
 *   A6  the request is not older than the row's last write by more than B: nor does a delayed copy
 * The holder's writes are granted only where both hold:
 *   H1  holder, attempt and fencing token are still mine
 *   H2  the row's step is lower than mine: a delayed copy of an older write changes nothing
 *   (H3 never after my own deadline: the holder's business, see lease.ts. No row can tell.)
 */

/** What a task saved on its way, and the tick it belongs to (absent where the lease has no ticks). */
export interface Checkpoint {
  readonly tick?: string
  readonly state: unknown
}

export type EndedBy = 'completed' | 'released' | 'failed' | 'forced'

/** The lease row. Times are epoch milliseconds by the clock of whoever wrote them; ticks are canonical ISO-8601 UTC. */
export interface LeaseRecord {
  readonly lease: string
  /** +1 at every acquisition, never lower, never reset. */
  readonly fencingToken: number
  /** The candidate that leads; absent where the lease is vacant. */
  readonly holder?: string
  /** The UUID of the last granted acquisition; kept after release. */
  readonly attempt: string
  /** The Lambda event's request id, equal for its retries. */
  readonly eventId?: string
  readonly acquiredAtMs: number
  readonly expiresAtMs: number
  readonly writtenAtMs: number
  /** Counts the holder's own writes. */
  readonly step: number
  readonly tick?: string
  /** The highest tick that was completed. */
  readonly completedTick?: string
  readonly checkpoint?: Checkpoint
  /** How the tenure of `fencingToken` ended; absent while it lasts and where it just expired. */
  readonly endedBy?: EndedBy
  readonly errorName?: string
  readonly pausedUntilMs?: number
}

export interface AcquireRequest {
  readonly lease: string
  readonly candidate: string
  readonly attempt: string
  readonly eventId?: string
  readonly tick?: string
  readonly nowMs: number
  readonly expiresAtMs: number
  readonly maxClockSkewMs: number
}

/** Who writes: the three things that H1 compares. */
export interface Tenure {
  readonly lease: string
  readonly candidate: string
  readonly attempt: string
  readonly fencingToken: number
}

/** One of the holder's own writes. `step` is higher than that of every write before it, and the same for all of its tries. */
export type HolderWrite = Tenure & { readonly step: number; readonly nowMs: number } & (
    | { readonly kind: 'renew'; readonly expiresAtMs: number }
    | { readonly kind: 'saveCheckpoint'; readonly expiresAtMs: number; readonly checkpoint: Checkpoint }
    | { readonly kind: 'complete'; readonly tick?: string }
    | { readonly kind: 'release'; readonly endedBy: 'released' | 'failed'; readonly errorName?: string }
  )

/** Gives back whatever this attempt acquired, for a candidate that never learned its token. */
export interface GiveBackRequest {
  readonly lease: string
  readonly candidate: string
  readonly attempt: string
  readonly nowMs: number
}

/** The row after the request, or, where it was refused, the row as it is. */
export type Reply =
  | { readonly granted: true; readonly record: LeaseRecord }
  | { readonly granted: false; readonly record: LeaseRecord | undefined }

export const STANDBY_REASONS = ['held', 'tickDone', 'superseded', 'paused', 'contended'] as const
export type StandbyReason = (typeof STANDBY_REASONS)[number]

export interface AcquireConditions {
  readonly vacantOrExpired: boolean
  readonly tickNotDone: boolean
  readonly tickedAlike: boolean
  readonly notPaused: boolean
  readonly attemptIsNew: boolean
  readonly requestIsFresh: boolean
}

/** Rules A1 to A6, one by one. A row that does not exist refuses nothing. */
export function acquireConditions(record: LeaseRecord | undefined, request: AcquireRequest): AcquireConditions {
  const { tick, attempt, nowMs, maxClockSkewMs } = request
  return {
    vacantOrExpired: record?.holder === undefined || record.expiresAtMs <= nowMs - maxClockSkewMs, // A1
    tickNotDone: tick === undefined || record?.completedTick === undefined || record.completedTick < tick, // A2
    tickedAlike: tick !== undefined || (record?.completedTick === undefined && record?.tick === undefined), // A2
    notPaused: record?.pausedUntilMs === undefined || record.pausedUntilMs <= nowMs, // A3
    attemptIsNew: record?.attempt !== attempt, // A5
    requestIsFresh: record === undefined || record.writtenAtMs <= nowMs + maxClockSkewMs, // A6
  }
}

export function acquire(record: LeaseRecord | undefined, request: AcquireRequest): Reply {
  if (!Object.values(acquireConditions(record, request)).every(Boolean)) return { granted: false, record }
  return { granted: true, record: acquired(record, request) }
}

/** The row that a granted acquire leaves behind: what was inherited, under a new token and a new holder. */
export function acquired(record: LeaseRecord | undefined, request: AcquireRequest): LeaseRecord {
  const { endedBy: _endedBy, errorName: _errorName, eventId: _eventId, tick: _tick, ...inherited } = record ?? {}
  return {
    ...inherited,
    lease: request.lease,
    // The first token is the creation time: a row that somebody deleted cannot repeat one.
    fencingToken: (record?.fencingToken ?? request.nowMs) + 1,
    holder: request.candidate,
    attempt: request.attempt,
    ...(request.eventId === undefined ? {} : { eventId: request.eventId }),
    acquiredAtMs: request.nowMs,
    expiresAtMs: request.expiresAtMs,
    writtenAtMs: request.nowMs,
    step: 0,
    ...(request.tick === undefined ? {} : { tick: request.tick }),
  }
}

/** H1: the row still says that this tenure lasts. Alone it is the guard of a leader's own writes to other rows. */
export function isHeldBy(record: LeaseRecord | undefined, tenure: Tenure): record is LeaseRecord {
  return (
    record !== undefined &&
    record.holder === tenure.candidate &&
    record.attempt === tenure.attempt &&
    record.fencingToken === tenure.fencingToken
  )
}

/** The holder's writes: H1 and H2, then what each kind changes. */
export function write(record: LeaseRecord | undefined, request: HolderWrite): Reply {
  const isNewer = record !== undefined && record.step < request.step // H2
  if (!isHeldBy(record, request) || !isNewer) return { granted: false, record }
  return { granted: true, record: written(record, request) }
}

function written(record: LeaseRecord, request: HolderWrite): LeaseRecord {
  const stamped = { ...record, step: request.step, writtenAtMs: request.nowMs }
  switch (request.kind) {
    case 'renew':
      return { ...stamped, expiresAtMs: request.expiresAtMs }
    case 'saveCheckpoint':
      return { ...stamped, expiresAtMs: request.expiresAtMs, checkpoint: request.checkpoint }
    case 'complete': {
      const { checkpoint: _checkpoint, ...rest } = vacated(stamped, 'completed')
      return request.tick === undefined ? rest : { ...rest, completedTick: request.tick }
    }
    case 'release':
      return vacated(stamped, request.endedBy, request.errorName)
  }
}

function vacated(record: LeaseRecord, endedBy: EndedBy, errorName?: string): LeaseRecord {
  const { holder: _holder, endedBy: _endedBy, errorName: _errorName, ...rest } = record
  return { ...rest, endedBy, ...(errorName === undefined ? {} : { errorName }) }
}

/** Release by attempt: H1 without the token, which this candidate never learned. */
export function giveBack(record: LeaseRecord | undefined, request: GiveBackRequest): Reply {
  if (record?.holder !== request.candidate || record.attempt !== request.attempt) return { granted: false, record }
  return { granted: true, record: vacated({ ...record, writtenAtMs: request.nowMs }, 'released') }
}

/** What a refused acquire means. `retryAfterMs` counts from the request's own reading of the clock. */
export type Refusal =
  | { readonly kind: 'won'; readonly record: LeaseRecord }
  | { readonly kind: 'stillHeld'; readonly retryAfterMs: number }
  | { readonly kind: 'ticksMissing' }
  | { readonly kind: 'outdated' }
  | {
      readonly kind: 'standby'
      readonly reason: StandbyReason
      readonly holder?: string
      readonly retryAfterMs?: number
    }

/**
 * Tells why an acquire was refused, from the row that came with the refusal: it costs no further request.
 * The tick is looked at before the holder: a candidate whose tick is done has nothing to wait for.
 */
export function explainRefusal(record: LeaseRecord, request: AcquireRequest): Refusal {
  const conditions = acquireConditions(record, request)
  const { holder } = record
  const retryAfterMs = Math.max(0, record.expiresAtMs + request.maxClockSkewMs - request.nowMs)

  // My own first try was granted, its reply was lost, and the SDK asked again.
  if (holder === request.candidate && record.attempt === request.attempt) return { kind: 'won', record }
  if (!conditions.tickedAlike) return { kind: 'ticksMissing' }
  if (!conditions.tickNotDone) {
    return { kind: 'standby', reason: record.completedTick === request.tick ? 'tickDone' : 'superseded' }
  }
  if (!conditions.vacantOrExpired && holder !== undefined) {
    if (request.eventId !== undefined && record.eventId === request.eventId) return { kind: 'stillHeld', retryAfterMs }
    return { kind: 'standby', reason: 'held', holder, retryAfterMs }
  }
  if (!conditions.notPaused) {
    return {
      kind: 'standby',
      reason: 'paused',
      retryAfterMs: Math.max(0, (record.pausedUntilMs ?? 0) - request.nowMs),
    }
  }
  return { kind: 'outdated' } // A5 or A6 alone: nobody won. Ask again with a fresh attempt and a fresh clock.
}

/**
 * Whether a refused write is in truth this holder's own, granted at a first try whose reply was lost: every try of a write
 * has its step, and no other write has. A force release changes `attempt`, so it is never taken for the leader's own end.
 */
export function isOwnWrite(record: LeaseRecord | undefined, request: HolderWrite): boolean {
  return (
    record?.attempt === request.attempt && record.fencingToken === request.fencingToken && record.step === request.step
  )
}

/**
 * The attribute of a held lease that no candidate can have written, whatever its clock said: each writes the acquisition no
 * later than its last write, and an end of the lease no further after that than the longest lease.
 */
export function impossibleTime(
  { holder, acquiredAtMs, expiresAtMs, writtenAtMs }: LeaseRecord,
  longestLeaseMs: number,
): 'acquiredAtMs' | 'expiresAtMs' | undefined {
  if (holder === undefined) return undefined
  if (acquiredAtMs > writtenAtMs) return 'acquiredAtMs'
  return expiresAtMs > writtenAtMs + longestLeaseMs ? 'expiresAtMs' : undefined
}

/** Whether a held lease was acquired, or lasts, longer than a clock allows that says at most `latestMs`. */
export function isAhead({ acquiredAtMs, expiresAtMs }: LeaseRecord, latestMs: number, longestLeaseMs: number): boolean {
  return acquiredAtMs > latestMs || expiresAtMs > latestMs + longestLeaseMs
}
