/** What the answer to an acquire means for a candidate that does not lead after it. */
// @ts-nocheck

import type { ClockReading } from './clock.ts'
import { aheadOfTime, latestHonestMs, outOfStep } from './clock-skew.ts'
import { Deadline, type Instant } from './deadline.ts'
import { CorruptLeaseError, InvalidTickError, type LeaseError, LeaseLostError, LeaseStillHeldError } from './errors.ts'
import { LONGEST_LEASE_MS, type Settings } from './options.ts'
import { explainRefusal, impossibleTime, isAhead } from './refusal.ts'
import type { AcquireRequest, LeaseRecord, StandbyReason } from './rules.ts'
import type { AcquireReply } from './stores/store.ts'

/** The outcome of losing: a normal value, never an error. */
export interface Standby {
  readonly status: 'standby'
  readonly reason: StandbyReason
  /**
   * The leader, if the reason is `held` (unless the lease is kept for the next invocation of its work), or if it is
   * `superseded` by a leader at work.
   */
  readonly holder?: string
  /** When asking again may help, in milliseconds from now. */
  readonly retryAfterMs?: number
}

export interface NotWon {
  /** Returned or thrown, unless a later request does better. */
  readonly answer: Standby | LeaseError
  /** The request proved nothing: it is repeated a few times, whatever the caller's `waitMs`. */
  readonly provesNothing?: true
  /** Another candidate leads, or may: the request is repeated within the caller's `waitMs`. */
  readonly mayWait?: true
  /** When asking again can help, in milliseconds from now, if it is known. */
  readonly inMs?: number | undefined
}

/** A candidate with a wrong clock gives back what it won as soon as it has the answer: wait this long for that. */
const GIVE_BACK_MS = 500

type Answered = Exclude<AcquireReply, { contended: true }>
type Won = LeaseRecord & { readonly holder: string }

export function wonRecord(reply: Answered, request: AcquireRequest): Won | undefined {
  const { record } = reply
  if (record === undefined) return undefined
  if (!reply.granted && explainRefusal(record, request).kind !== 'won') return undefined
  return { ...record, holder: request.candidate }
}

export function notWon(settings: Settings, { record, clockReading }: Answered, request: AcquireRequest): NotWon {
  const { lease, eventId, maxClockSkewMs, overlap } = settings
  if (record === undefined) return { answer: outOfStep(settings, request), provesNothing: true }
  const refusal = explainRefusal(record, request)
  switch (refusal.kind) {
    case 'standby': {
      const { kind: _kind, ...answer } = { ...refusal, status: 'standby' as const }
      if (answer.reason === 'held' || answer.reason === 'reserved') {
        return heldBy(settings, answer, record, clockReading)
      }
      if (answer.holder === undefined) return { answer }
      const held = heldBy(settings, answer, record, clockReading)
      return held.provesNothing ? held : { answer }
    }
    case 'stillHeld': {
      const { retryAfterMs } = refusal
      const answer = new LeaseStillHeldError(
        `An earlier try or another delivery of this event (request id ${eventId}) holds lease "${lease}". ` +
          'It is still at work, or it died: the row cannot say which. ' +
          `If it died, the lease can be taken in ${retryAfterMs} ms: let the event be retried after that.`,
        { lease, retryAfterMs },
      )
      return heldBy(settings, answer, record, clockReading)
    }
    case 'behind': {
      const { kind: _kind, heldTick, ...held } = refusal
      if (overlap === 'skip') {
        return heldBy(settings, { status: 'standby', reason: 'held', ...held }, record, clockReading)
      }
      const { holder, retryAfterMs } = held
      const answer = new LeaseStillHeldError(
        (holder === undefined
          ? `Lease "${lease}" is kept for the next invocation that works`
          : `"${holder}" holds lease "${lease}" and still works`) +
          ` on the earlier tick ${heldTick}, so tick ${request.tick} ` +
          'cannot begin. Let the event be retried, as Lambda does. If this tick is never led, the next leader has it ' +
          "in lease.missed. To stand by instead, give overlap: 'skip'.",
        { lease, retryAfterMs },
      )
      return heldBy(settings, answer, record, clockReading)
    }
    case 'ticksDiffer':
      throw new InvalidTickError(
        request.tick === undefined
          ? `Lease "${lease}" is used with ticks, but this candidate gave none. ` +
              'Give the option tick, or use another lease.'
          : `Lease "${lease}" is used without ticks, but this candidate gave one. ` +
              'Leave the option tick out, or use another lease.',
        { lease },
      )
    case 'won': // already handled by wonRecord
    case 'outdated': {
      const answer = outOfStep(settings, request, record, clockReading)
      return { answer, provesNothing: true, inMs: Math.max(0, record.writtenAtMs - maxClockSkewMs - request.nowMs) + 1 }
    }
  }
}

/**
 * Another candidate holds the lease. If its times are further ahead than a leader's clock can be, it is about to give
 * the lease back, or it died: a standby would lose this tick, and every tick until the lease expires.
 */
function heldBy(
  settings: Settings,
  answer: Standby | LeaseStillHeldError,
  record: LeaseRecord,
  reading: ClockReading | undefined,
): NotWon {
  const { lease } = settings
  const attribute = impossibleTime(record, LONGEST_LEASE_MS)
  if (attribute !== undefined) {
    throw new CorruptLeaseError(
      `The row of lease "${lease}" is damaged: no candidate writes ${attribute} ${record[attribute]} ` +
        `with writtenAtMs ${record.writtenAtMs}, whatever its clock says. ` +
        'Was the row edited? Repair the attribute by hand.',
      { lease, attribute },
    )
  }
  const latestMs = latestHonestMs(settings, reading)
  if (!isAhead(record, latestMs, LONGEST_LEASE_MS)) return { answer, mayWait: true, inMs: answer.retryAfterMs }
  return { answer: aheadOfTime(settings, record, reading), provesNothing: true, mayWait: true, inMs: GIVE_BACK_MS }
}

/** Granted, but so late that another candidate may lead by now, or that the invocation is about to end. */
export function lateAnswer(settings: Settings, askedAt: Instant, won: Won | undefined): LeaseLostError | undefined {
  if (won === undefined) return undefined
  const { clock, lease, candidate, notify, answerMs } = settings
  const invocationMs = settings.remainingMs()
  const isOver = new Deadline(clock, askedAt, won.expiresAtMs).remainingMs() === 0
  if (!isOver && invocationMs > answerMs / 2) return undefined
  const error = new LeaseLostError(
    `Lease "${lease}" was granted, but the answer came ` +
      (isOver
        ? `after its deadline, ${won.expiresAtMs - askedAt.wallMs} ms after asking. ` +
          'The task did not run. Ask for a longer lease if DynamoDB is this slow.'
        : `when only ${Math.max(0, Math.floor(invocationMs))} ms of the invocation were left. ` +
          'The task did not run. The event can be retried; give the function more time' +
          `${settings.waitMs > 0 ? ', or a shorter waitMs' : ''}.`),
    { lease },
  )
  notify({ kind: 'lost', lease, candidate, fencingToken: won.fencingToken, error })
  return error
}
