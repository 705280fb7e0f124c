import { type ClockReading, jitter } from './clock.ts'
import { aheadOfTime, clockProblem, latestHonestMs, outOfStep, serverTimeMs } from './clock-skew.ts'
import { Deadline, endOf, type Instant, instantOf } from './deadline.ts'
import {
  CorruptLeaseError,
  InvalidTickError,
  LeaseError,
  LeaseLostError,
  LeaseStillHeldError,
  LeaseStoreError,
} from './errors.ts'
import { UnansweredError, whileInvocationLasts } from './invocation.ts'
import { LeaseHandle } from './lease-handle.ts'
import { LONGEST_LEASE_MS, type Settings, withinLimits } from './options.ts'
import {
  type AcquireRequest,
  acquireConditions,
  explainRefusal,
  impossibleTime,
  isAhead,
  type LeaseRecord,
  type StandbyReason,
} from './rules.ts'
import type { AcquireReply } from './stores/store.ts'

/** The outcome of losing: a normal value, never an error. */
export interface Standby {
  readonly status: 'standby'
  readonly reason: StandbyReason
  /** Who leads, where the reason is `held`. */
  readonly holder?: string
  /** When asking again may help, in milliseconds from now. */
  readonly retryAfterMs?: number
}

/** What a request came to, if this candidate does not lead, and whether it is made again. */
interface NotWon {
  /** Returned or thrown, unless a later request fares better. */
  readonly answer: Standby | LeaseError
  /** It proved nothing: it is made again a few times, whatever the caller's `waitMs`. */
  readonly provesNothing?: true
  /** Another leads, or may: it is made again within the caller's `waitMs`. */
  readonly mayWait?: true
  /** How long until asking again can help, in milliseconds, if it is known. */
  readonly inMs?: number | undefined
}

/** A request that proved nothing is made again so often, whatever the caller's `waitMs`, with a pause of at most so long. */
const FRESH_TRIES = 3
const FRESH_DELAY_MS = 100
const LONGEST_FRESH_DELAY_MS = 10_000
/** A candidate with a wrong clock gives back what it won as soon as it has the answer: that is waited for so long. */
const GIVE_BACK_MS = 500

/**
 * Asks for the lease: one request, win or lose, unless the caller wants to wait, the network misbehaved or a clock was wrong.
 *
 * @throws LeaseStillHeldError, ClockSkewError, InvalidTickError, CorruptLeaseError, LeaseLostError, LeaseStoreError,
 *   and the reason of the caller's own signal. In none of these cases does this candidate lead afterwards.
 */
export async function acquireLease(settings: Settings): Promise<LeaseHandle | Standby> {
  const { clock, signal, notify, lease, candidate } = settings
  const startedAtMs = clock.monotonicMs()
  let known: NotWon['answer'] | undefined
  for (let freshTries = 1; ; ) {
    signal?.throwIfAborted()
    const result = await askOnce(settings, known)
    if (result instanceof LeaseHandle) {
      notify({ kind: 'elected', lease, candidate, fencingToken: result.fencingToken, tick: result.tick })
      return result
    }
    const pauseMs = pauseBeforeNext(settings, result, clock.monotonicMs() - startedAtMs, freshTries)
    if (pauseMs === undefined) {
      if (result.answer instanceof LeaseError) throw result.answer
      notify({ kind: 'standby', lease, candidate, reason: result.answer.reason })
      return result.answer
    }
    if (result.provesNothing) freshTries++
    known = result.answer
    await clock.sleep(pauseMs, signal)
  }
}

/** How long to pause before the next request; undefined if there is to be none. */
function pauseBeforeNext(
  { waitMs, lookEveryMs, remainingMs, answerMs }: Settings,
  { provesNothing, mayWait, inMs }: NotWon,
  elapsedMs: number,
  freshTries: number,
): number | undefined {
  const untilAnswerMs = remainingMs() - answerMs
  if (provesNothing && freshTries < FRESH_TRIES) {
    const pauseMs = Math.max(inMs ?? 0, FRESH_DELAY_MS * freshTries * jitter())
    if (pauseMs <= Math.min(untilAnswerMs, LONGEST_FRESH_DELAY_MS)) return pauseMs
  }
  const leftMs = mayWait ? Math.min(untilAnswerMs, waitMs - elapsedMs) : 0
  // A holder may finish early, so look again and again rather than only when its lease expires.
  return leftMs > 0 ? Math.min(leftMs, inMs ?? leftMs, lookEveryMs * jitter()) + 1 : undefined
}

/** @param known what an earlier request came to: the answer, if this one gets none before the invocation is as good as over */
async function askOnce(settings: Settings, known?: NotWon['answer']): Promise<LeaseHandle | NotWon> {
  const { store, clock, lease, leaseMs, killGraceMs, maxClockSkewMs } = settings
  const askedAt = instantOf(clock)
  const untilKilledMs = settings.remainingMs() + killGraceMs
  const request: AcquireRequest = {
    lease,
    candidate: settings.candidate,
    attempt: crypto.randomUUID(),
    ...(settings.eventId === undefined ? {} : { eventId: settings.eventId }),
    ...(settings.tick === undefined ? {} : { tick: settings.tick }),
    nowMs: askedAt.wallMs,
    expiresAtMs: askedAt.wallMs + withinLimits(Math.min(leaseMs, untilKilledMs)),
    maxClockSkewMs,
  }
  let reply: AcquireReply
  try {
    // An answer after that would find too little left for the task: see lateAnswer.
    reply = await whileInvocationLasts(settings, settings.answerMs / 2, (signal) => store.acquire(request, signal))
  } catch (error) {
    // It may have been granted without our knowing.
    const unknown = error instanceof CorruptLeaseError || (error instanceof LeaseStoreError && error.applied !== 'no')
    if (unknown) await giveBack(settings, request, askedAt)
    if (error instanceof UnansweredError && known !== undefined) return { answer: known }
    throw error
  }
  if ('contended' in reply) {
    const answer: Standby = { status: 'standby', reason: 'contended', retryAfterMs: FRESH_DELAY_MS }
    if (!reply.unanswered) return { answer, mayWait: true, inMs: FRESH_DELAY_MS }
    await giveBack(settings, request, askedAt, reply.clockReading)
    throw new LeaseStoreError(
      `A try for lease "${lease}" got no answer, and transactions on its row kept all others from telling what became of it. The task did not run. The event can be retried.`,
      { lease, retryable: true },
    )
  }

  const won = wonRecord(reply, request)
  const skew = clockProblem(settings, askedAt, reply.clockReading)
  const isHarmless = skew?.wasSet && isTickDone(reply.record, request)
  const problem = isHarmless ? undefined : (skew?.error ?? lateAnswer(settings, askedAt, won))
  if (problem !== undefined) {
    const isFree = won === undefined || (await giveBack(settings, request, askedAt, reply.clockReading))
    // A lease that could not be given back would be in the way of the next request.
    return skew?.wasSet && isFree ? { answer: problem, provesNothing: true } : { answer: problem }
  }
  if (won !== undefined) {
    const latestExpiryMs = Math.max(won.expiresAtMs, Math.floor(askedAt.wallMs + untilKilledMs))
    return new LeaseHandle({ ...settings, record: won, askedAt, latestExpiryMs })
  }
  return notWon(settings, reply, request)
}

type Answered = Exclude<AcquireReply, { contended: true }>
type Won = LeaseRecord & { readonly holder: string }

function wonRecord(reply: Answered, request: AcquireRequest): Won | undefined {
  const { record } = reply
  if (record === undefined) return undefined
  if (!reply.granted && explainRefusal(record, request).kind !== 'won') return undefined
  return { ...record, holder: request.candidate }
}

/** The one refusal in which no clock has a part. */
function isTickDone(record: LeaseRecord | undefined, request: AcquireRequest): boolean {
  return !acquireConditions(record, request).tickNotDone
}

function notWon(settings: Settings, { record, clockReading }: Answered, request: AcquireRequest): NotWon {
  const { lease, eventId, maxClockSkewMs } = settings
  if (record === undefined) return { answer: outOfStep(settings, request), provesNothing: true }
  const refusal = explainRefusal(record, request)
  switch (refusal.kind) {
    case 'standby': {
      const { kind: _kind, ...answer } = { ...refusal, status: 'standby' as const }
      return answer.reason === 'held' ? heldBy(settings, answer, answer.retryAfterMs, record, clockReading) : { answer }
    }
    case 'stillHeld': {
      const { retryAfterMs } = refusal
      const answer = new LeaseStillHeldError(
        `An earlier try or another delivery of this event (request id ${eventId}) holds lease "${lease}". Either it is still at work or it died: the row cannot say which. If it died, the lease can be taken in ${retryAfterMs} ms: let the event be retried after that.`,
        { lease, retryAfterMs },
      )
      return heldBy(settings, answer, retryAfterMs, record, clockReading)
    }
    case 'ticksMissing':
      throw new InvalidTickError(
        `Lease "${lease}" is used with ticks, but this candidate gave none. Give the option tick, or use another lease.`,
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
 * What to make of a lease that another holds, which may be waited for. If that one's clock is further ahead than a leader's
 * can be, it is about to give the lease back, or it died: to stand by would lose the tick, and each one until the lease
 * expires.
 */
function heldBy(
  settings: Settings,
  answer: NotWon['answer'],
  inMs: number | undefined,
  record: LeaseRecord,
  reading: ClockReading | undefined,
): NotWon {
  const { lease } = settings
  const attribute = impossibleTime(record, LONGEST_LEASE_MS)
  if (attribute !== undefined) {
    throw new CorruptLeaseError(
      `The row of lease "${lease}" is damaged: no candidate writes an ${attribute} of ${record[attribute]} beside a writtenAtMs of ${record.writtenAtMs}, whatever its clock says. Was the row edited? Repair the attribute by hand.`,
      { lease, attribute },
    )
  }
  const latestMs = latestHonestMs(settings, reading)
  if (!isAhead(record, latestMs, LONGEST_LEASE_MS)) return { answer, mayWait: true, inMs }
  return { answer: aheadOfTime(settings, record, reading), provesNothing: true, mayWait: true, inMs: GIVE_BACK_MS }
}

/** Granted, but the answer took so long that the lease may be another's by now, or that the invocation is as good as over. */
function lateAnswer(settings: Settings, askedAt: Instant, won: Won | undefined): LeaseLostError | undefined {
  if (won === undefined) return undefined
  const { clock, lease, candidate, notify, answerMs } = settings
  const invocationMs = settings.remainingMs()
  const isOver = new Deadline(clock, askedAt, won.expiresAtMs).remainingMs() === 0
  if (!isOver && invocationMs > answerMs / 2) return undefined
  const why = isOver
    ? `the answer came after its deadline, ${won.expiresAtMs - askedAt.wallMs} ms after asking. The task did not run. Ask for a longer lease if DynamoDB is this slow.`
    : `the answer came when only ${Math.max(0, Math.floor(invocationMs))} ms of the invocation were left. The task did not run. The event can be retried; give the function more time${settings.waitMs > 0 ? ', or a shorter waitMs' : ''}.`
  const error = new LeaseLostError(`Lease "${lease}" was granted, but ${why}`, { lease })
  notify({ kind: 'lost', lease, candidate, fencingToken: won.fencingToken, error })
  return error
}

/**
 * Best effort: the lease expires by itself, this only frees it sooner. The error that led here is the one that matters. The
 * row is stamped with the time of asking and what has passed since, with that of a clock set back meanwhile, or with
 * DynamoDB's time if an answer told it, whichever is earliest: each may be wrong, and a row from the future would keep all
 * others out.
 *
 * @returns whether the store answered
 */
async function giveBack(
  settings: Settings,
  { lease, candidate, attempt }: AcquireRequest,
  askedAt: Instant,
  reading?: ClockReading,
): Promise<boolean> {
  const { store, clock, maxClockSkewMs, answerMs } = settings
  const serverMs = reading === undefined ? Number.POSITIVE_INFINITY : serverTimeMs(reading, maxClockSkewMs)
  const request = { lease, candidate, attempt, nowMs: Math.min(endOf(askedAt, clock), serverMs) }
  return await whileInvocationLasts(settings, answerMs / 8, (signal) => store.giveBack(request, signal)).then(
    () => true,
    () => false,
  )
}
