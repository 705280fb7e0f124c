/**
 * The protocol: pure functions of a lease row and a request, without clock, randomness or network. `nowMs` is the time
 * at which the candidate made its request, so a copy that the network delayed is judged by that time.
 *
 * A store applies `acquire`, `write` and `giveBack` atomically. RulesStore (testing/) calls them; DynamoDBLeaseStore
 * sends condition expressions with the same rules under the same numbers (stores/expressions.ts). The conformance suite
 * and a differential test check that both give the same answers.
 *
 * An acquire is granted only if all hold (B is `maxClockSkewMs`, the most that two candidates' clocks may differ):
 *   A1  the lease is vacant, or expired by more than B
 *   A2  the tick is not done; and a row that has ticks is not acquired without one, nor the other way round
 *   A3  the lease is not paused
 *   A4  the lease is not reserved for another candidate, or continuation
 *   A5  the row's last attempt is not mine: a second copy of my request acquires nothing
 *   A6  the request is not older than the row's last write by more than B: a delayed copy acquires nothing
 * A holder's write is granted only if both hold:
 *   H1  holder, attempt and fencing token are still mine
 *   H2  the row's step is lower than mine: a delayed copy of an older write changes nothing
 * A write that closes a tick has a third (an advance closes an earlier tick while the leader goes on):
 *   H4  the completed tick is not later than the closed one; for an advance with items it is earlier: they apply once
 * A request to hand over, which any candidate or an operator may write, is granted only if
 *   T1  the tenure lasts, and no transfer of it to another candidate is open
 * The leader itself obeys one more rule, which the row cannot check, since the lease may be expired and not yet taken:
 *   H3  nothing extends the lease after my own deadline (renewals.ts; the deadline is in deadline.ts)
 */
// @ts-nocheck


/** What a leader saved for the next leader, and the tick that it belongs to (absent for a lease without ticks). */
export interface Checkpoint {
  readonly tick?: string
  /** Of the task that saved it, from 1; absent if the task has no schema. */
  readonly version?: number
  readonly state: unknown
  /** How often the work of this tick was handed over to a new invocation; absent before the first time. */
  readonly continuations?: number
  /** When the first of these invocations acquired the lease. */
  readonly sinceMs?: number
}

export const ENDED_BY = ['completed', 'released', 'failed', 'continued', 'forced'] as const
export type EndedBy = (typeof ENDED_BY)[number]

/** Who alone may acquire a vacant lease, and until when. */
export interface Reservation {
  /** The id of a continuation, or the name of a candidate. */
  readonly reservedFor: string
  readonly reservedUntilMs: number
}

/** No correct candidate reserves a lease for longer. */
export const LONGEST_RESERVATION_MS = 600_000

/** The lease row. Times are epoch milliseconds by the writer's clock; ticks are canonical ISO-8601 UTC. */
export interface LeaseRecord {
  readonly lease: string
  /** +1 at every acquisition, never lower, never reset. */
  readonly fencingToken: number
  /** The candidate that leads; absent if the lease is vacant. */
  readonly holder?: string
  /** The UUID of the last granted acquisition; kept after release. */
  readonly attempt: string
  /** The Lambda event's request id, which is the same for its retries. */
  readonly eventId?: string
  readonly acquiredAtMs: number
  readonly expiresAtMs: number
  readonly writtenAtMs: number
  /** Counts the holder's own writes. */
  readonly step: number
  readonly tick?: string
  /** The first tick that any candidate acquired: it was missed if no tick was completed. */
  readonly firstTick?: string
  /** The highest tick that was completed, or given up. */
  readonly completedTick?: string
  /** The token of the leader that completed it. */
  readonly completedBy?: number
  /** Why `completedTick` was given up; absent if its work was done. */
  readonly gaveUp?: string
  readonly checkpoint?: Checkpoint
  /** How the tenure of `fencingToken` ended; absent while it lasts, and if it expired. */
  readonly endedBy?: EndedBy
  readonly errorName?: string
  /** Ticks from `pausedFromMs` until `pausedUntilMs` are not missed. */
  readonly pausedFromMs?: number
  readonly pausedUntilMs?: number
  readonly reservedFor?: string
  readonly reservedUntilMs?: number
  /** The token of the leader that reserved the lease; the reservation ends with the next acquisition. */
  readonly reservedBy?: number
  /** What the leader with the token `announcedBy` proclaimed, such as its address. */
  readonly announcement?: unknown
  readonly announcedBy?: number
  /** The candidate to which the leader with the token `transferBy` is asked to hand over, until `transferUntilMs`. */
  readonly transferTo?: string
  readonly transferUntilMs?: number
  readonly transferBy?: number
}

export interface AcquireRequest {
  readonly lease: string
  readonly candidate: string
  readonly attempt: string
  readonly eventId?: string
  /** The id of the continuation that this invocation is. */
  readonly continuation?: string
  readonly tick?: string
  readonly nowMs: number
  readonly expiresAtMs: number
  readonly maxClockSkewMs: number
}

/** One candidate's time as the leader: H1 compares the last three. */
export interface Tenure {
  readonly lease: string
  readonly candidate: string
  readonly attempt: string
  readonly fencingToken: number
}

/** A holder's write. `step` is higher than that of every write before it, and the same for all tries of this one. */
export type HolderWrite = Tenure & { readonly step: number; readonly nowMs: number } & (
    | { readonly kind: 'renew'; readonly expiresAtMs: number }
    | { readonly kind: 'saveCheckpoint'; readonly expiresAtMs: number; readonly checkpoint: Checkpoint }
    | { readonly kind: 'proclaim'; readonly expiresAtMs: number; readonly announcement: unknown }
    | ({ readonly kind: 'advance'; readonly tick: string; readonly expiresAtMs: number } & Closing)
    | ({ readonly kind: 'complete'; readonly tick?: string } & Closing)
    | ({ readonly kind: 'release' } & Release)
  )

/** How a lease is released without completing its tick. */
export type Release =
  | { readonly endedBy: 'failed'; readonly errorName?: string }
  /** With a reservation: handed over to another candidate. */
  | ({ readonly endedBy: 'released' } & Partial<Reservation>)
  /** Handed over to the next invocation of the same work. */
  | ({ readonly endedBy: 'continued'; readonly checkpoint: Checkpoint } & Reservation)

/** How a tick is closed. */
export interface Closing {
  /** Of an advance with items. */
  readonly closesOnce?: true
  /** The checkpoint belongs to a later tick than the closed one. */
  readonly keepsCheckpoint?: true
  /** Why the tick is given up; absent if its work is done. */
  readonly gaveUp?: string
}

/** Asks the leader with this token to hand over to a candidate: by that candidate itself, or by an operator. */
export interface TransferRequest {
  readonly lease: string
  readonly fencingToken: number
  readonly to: string
  readonly nowMs: number
  readonly untilMs: number
}

/** Gives back what this attempt may have acquired, for a candidate that never received its token. */
export interface GiveBackRequest extends Omit<Tenure, 'fencingToken'> {
  readonly nowMs: number
}

/** The row after a granted request, or the unchanged row after a refused one. */
export type Reply =
  | { readonly granted: true; readonly record: LeaseRecord }
  | { readonly granted: false; readonly record: LeaseRecord | undefined }

export const STANDBY_REASONS = ['held', 'tickDone', 'superseded', 'paused', 'reserved', 'contended'] as const

/**
 * Why a candidate stands by. None is an error, and none needs an action unless it is the reason of every candidate.
 * - `held`: another candidate leads, by the event of another delivery, or the next invocation of its work is about to.
 *   Usual if a schedule has several candidates. With `overlap: 'skip'`, it may work on an earlier tick: this one is
 *   then in `missed` of a later leader
 * - `tickDone`: the tick is completed. Usual for a candidate that came late, and for a second delivery of an event
 * - `superseded`: a later tick is completed, and this one never will be: the event came very late, or the period was
 *   made longer. Or another candidate leads for a later tick
 * - `paused`: an operator paused the lease, until `pausedUntilMs` of its row
 * - `reserved`: the leader of a lease without ticks handed over to a candidate, which has not acquired yet
 * - `contended`: a leader's transactions on the row were under way at each try, so this candidate left the lease to it
 */
export type StandbyReason = (typeof STANDBY_REASONS)[number]

/** Rules A1 to A6, one by one; A2 has two parts. All hold if there is no row. */
export function acquireConditions(record: LeaseRecord | undefined, request: AcquireRequest) {
  const { tick, attempt, nowMs, maxClockSkewMs } = request
  return {
    vacantOrExpired: record?.holder === undefined || record.expiresAtMs <= nowMs - maxClockSkewMs, // A1
    tickNotDone: tick === undefined || record?.completedTick === undefined || record.completedTick < tick, // A2
    tickedAlike: record === undefined || hasTicks(record) === (tick !== undefined), // A2
    notPaused: record?.pausedUntilMs === undefined || record.pausedUntilMs <= nowMs, // A3
    notReserved: !isReserved(record, request), // A4
    attemptIsNew: record?.attempt !== attempt, // A5
    requestIsFresh: record === undefined || record.writtenAtMs <= nowMs + maxClockSkewMs, // A6
  }
}

/** Ticked or not belongs to the lease: one request with a tick must not lock out all candidates that have none. */
function hasTicks({ tick, completedTick }: LeaseRecord): boolean {
  return tick !== undefined || completedTick !== undefined
}

/**
 * A4: whether the lease is reserved for another. A retry of the event that handed over may go on, too: the continuation
 * that it should have started may not exist. A reservation that is too long was written by a wrong clock.
 */
function isReserved(record: LeaseRecord | undefined, request: AcquireRequest): boolean {
  const { candidate, continuation = candidate, eventId, nowMs, maxClockSkewMs } = request
  if (record?.reservedUntilMs === undefined || record.reservedBy !== record.fencingToken) return false
  const isOver = record.reservedUntilMs <= nowMs - maxClockSkewMs
  const isTooLong = record.reservedUntilMs > nowMs + maxClockSkewMs + LONGEST_RESERVATION_MS
  const isMine = record.reservedFor === continuation || (eventId !== undefined && record.eventId === eventId)
  return !isOver && !isTooLong && !isMine
}

export function acquire(record: LeaseRecord | undefined, request: AcquireRequest): Reply {
  if (!Object.values(acquireConditions(record, request)).every(Boolean)) return { granted: false, record }
  return { granted: true, record: acquired(record, request) }
}

/** The row after a granted acquire: it keeps tick, checkpoint and pause, under a new token and a new holder. */
export function acquired(record: LeaseRecord | undefined, request: AcquireRequest): LeaseRecord {
  const { endedBy: _endedBy, errorName: _errorName, eventId: _eventId, tick: _tick, ...inherited } = record ?? {}
  const { tick, eventId } = request
  return {
    ...inherited,
    lease: request.lease,
    // The first token is the creation time: if the row was deleted, the new one does not repeat its tokens.
    fencingToken: (record?.fencingToken ?? request.nowMs) + 1,
    holder: request.candidate,
    attempt: request.attempt,
    ...(eventId === undefined ? {} : { eventId }),
    acquiredAtMs: request.nowMs,
    expiresAtMs: request.expiresAtMs,
    writtenAtMs: request.nowMs,
    step: 0,
    ...(tick === undefined ? {} : { tick, firstTick: record?.firstTick ?? tick }),
  }
}

/** H1: this tenure lasts. Alone it is the guard of a transaction on other rows. */
export function isHeldBy(record: LeaseRecord | undefined, tenure: Tenure): record is LeaseRecord {
  return (
    record !== undefined &&
    record.holder === tenure.candidate &&
    record.attempt === tenure.attempt &&
    record.fencingToken === tenure.fencingToken
  )
}

export function write(record: LeaseRecord | undefined, request: HolderWrite): Reply {
  const isNewer = record !== undefined && record.step < request.step // H2
  if (!isHeldBy(record, request) || !isNewer || !isInOrder(record, request)) return { granted: false, record }
  return { granted: true, record: written(record, request) }
}

/** H4 */
function isInOrder({ completedTick = '' }: LeaseRecord, request: HolderWrite): boolean {
  if (!('tick' in request) || request.tick === undefined || completedTick < request.tick) return true
  return completedTick === request.tick && request.closesOnce === undefined
}

function written(record: LeaseRecord, request: HolderWrite): LeaseRecord {
  const stamped = { ...record, step: request.step, writtenAtMs: request.nowMs }
  switch (request.kind) {
    case 'renew':
      return { ...stamped, expiresAtMs: request.expiresAtMs }
    case 'saveCheckpoint':
      return { ...stamped, expiresAtMs: request.expiresAtMs, checkpoint: request.checkpoint }
    case 'advance':
      return closed({ ...stamped, expiresAtMs: request.expiresAtMs }, request)
    case 'complete':
      return closed(vacated(stamped, 'completed'), request)
    case 'proclaim': {
      const { expiresAtMs, announcement, fencingToken: announcedBy } = request
      return { ...stamped, expiresAtMs, announcement, announcedBy }
    }
    case 'release': {
      if (request.endedBy === 'failed') return vacated(stamped, 'failed', request.errorName)
      const vacant = vacated(stamped, request.endedBy)
      const saved = request.endedBy === 'continued' ? { ...vacant, checkpoint: request.checkpoint } : vacant
      const { reservedFor, reservedUntilMs, fencingToken: reservedBy } = request
      if (reservedFor === undefined || reservedUntilMs === undefined) return saved
      return { ...saved, reservedFor, reservedUntilMs, reservedBy }
    }
  }
}

function closed(
  record: LeaseRecord,
  { tick, keepsCheckpoint, gaveUp, fencingToken }: Closing & { readonly tick?: string; readonly fencingToken: number },
): LeaseRecord {
  const { checkpoint, gaveUp: _earlier, ...rest } = record
  const kept = keepsCheckpoint && checkpoint !== undefined ? { ...rest, checkpoint } : rest
  if (tick === undefined) return kept
  return { ...kept, completedTick: tick, completedBy: fencingToken, ...(gaveUp === undefined ? {} : { gaveUp }) }
}

function vacated(record: LeaseRecord, endedBy: EndedBy, errorName?: string): LeaseRecord {
  const { holder: _holder, endedBy: _endedBy, errorName: _errorName, ...rest } = record
  return { ...rest, endedBy, ...(errorName === undefined ? {} : { errorName }) }
}

/** T1: the tenure lasts, and no other transfer of it is open. It is not a holder's write, so it stamps nothing. */
export function requestTransfer(record: LeaseRecord | undefined, request: TransferRequest): Reply {
  const { fencingToken, to, nowMs, untilMs } = request
  if (record?.holder === undefined || record.fencingToken !== fencingToken) return { granted: false, record }
  const isOpen = record.transferBy === fencingToken && (record.transferUntilMs ?? 0) > nowMs
  if (isOpen && record.transferTo !== to) return { granted: false, record }
  return {
    granted: true,
    record: { ...record, transferTo: to, transferUntilMs: untilMs, transferBy: fencingToken },
  }
}

/** H1 without the token, which this candidate never received. */
export function giveBack(record: LeaseRecord | undefined, request: GiveBackRequest): Reply {
  if (record?.holder !== request.candidate || record.attempt !== request.attempt) return { granted: false, record }
  return { granted: true, record: vacated({ ...record, writtenAtMs: request.nowMs }, 'released') }
}
