import { builtin } from './builtin.ts'
import { jitter } from './clock.ts'
import { clockProblem, serverTimeMs } from './clock-skew.ts'
import { endOf, type Instant, instantOf } from './deadline.ts'
import { CorruptLeaseError, LeaseError, LeaseStoreError } from './errors.ts'
import { UnansweredError, whileInvocationLasts } from './invocation.ts'
import type { Tenancy } from './leadership.ts'
import { LeaseHandle } from './lease-handle.ts'
import { lateAnswer, type NotWon, notWon, type Standby, wonRecord } from './not-won.ts'
import { type Settings, withinLimits } from './options.ts'
import { type AcquireRequest, acquireConditions } from './rules.ts'
import { type AcquireReply, assertReply } from './stores/store.ts'

/** `standing` of a leader that stays. */
type Acquiring = Settings & Pick<Tenancy, 'standing'>

/** A request that proved nothing is repeated in any case: this many tries, with pauses of at most this length. */
const FRESH_TRIES = 3
const FRESH_DELAY_MS = 100
const LONGEST_FRESH_DELAY_MS = 10_000

/**
 * Asks for the lease with one request, unless the caller wants to wait, a reply was lost or a clock was wrong.
 * @throws LeaseStillHeldError, ClockSkewError, InvalidTickError, CorruptLeaseError, LeaseLostError, LeaseStoreError,
 *   and the reason of the caller's own signal. After an error this candidate does not lead.
 */
export async function acquireLease(settings: Acquiring): Promise<LeaseHandle | Standby> {
  const { clock, signal, notify, lease, candidate } = settings
  const startedAtMs = clock.monotonicMs()
  let earlier: NotWon['answer'] | undefined
  for (let freshTries = 1; ; ) {
    signal?.throwIfAborted()
    const result = await askOnce(settings, earlier)
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
    earlier = result.answer
    await clock.sleep(pauseMs, signal)
  }
}

/** How long to pause before the next request; undefined if this was the last. */
function pauseBeforeNext(
  { waitMs, lookEveryMs, remainingMs, answerMs }: Settings,
  { provesNothing, mayWait, inMs }: NotWon,
  elapsedMs: number,
  freshTries: number,
): number | undefined {
  const untilAnswerMs = remainingMs() - answerMs
  if (provesNothing && freshTries < FRESH_TRIES) {
    const pauseMs = Math.max(inMs ?? 0, FRESH_DELAY_MS * freshTries * jitter())
    const longestMs = Math.min(untilAnswerMs, LONGEST_FRESH_DELAY_MS)
    if (pauseMs <= longestMs) return pauseMs
  }
  const leftMs = mayWait ? Math.min(untilAnswerMs, waitMs - elapsedMs) : 0
  // A holder may finish early, so ask again and again, not only when its lease expires.
  return leftMs > 0 ? Math.min(leftMs, inMs ?? leftMs, lookEveryMs * jitter()) + 1 : undefined
}

/** @param earlier the result of an earlier request, if this one gets no answer before the invocation is about to end */
async function askOnce(settings: Acquiring, earlier?: NotWon['answer']): Promise<LeaseHandle | NotWon> {
  const { store, clock, lease, leaseMs, killGraceMs, maxClockSkewMs } = settings
  const askedAt = instantOf(clock)
  const untilKilledMs = settings.remainingMs() + killGraceMs
  const request: AcquireRequest = {
    lease,
    candidate: settings.candidate,
    attempt: builtin('node:crypto').randomUUID(), // `crypto` itself would load more of Node.js
    ...(settings.eventId === undefined ? {} : { eventId: settings.eventId }),
    ...(settings.continuation === undefined ? {} : { continuation: settings.continuation }),
    ...(settings.tick === undefined ? {} : { tick: settings.tick }),
    nowMs: askedAt.wallMs,
    expiresAtMs: askedAt.wallMs + withinLimits(Math.min(leaseMs, untilKilledMs)),
    maxClockSkewMs,
  }
  let reply: AcquireReply
  try {
    // A later answer would leave too little time for the task: see lateAnswer.
    reply = await whileInvocationLasts(settings, settings.answerMs / 2, (signal) => store.acquire(request, signal))
    assertReply(reply, lease)
  } catch (error) {
    const mayBeGranted =
      error instanceof CorruptLeaseError || (error instanceof LeaseStoreError && error.applied !== 'no')
    if (mayBeGranted) await giveBack(settings, request, askedAt)
    if (error instanceof UnansweredError && earlier !== undefined) return { answer: earlier }
    throw error
  }
  if ('contended' in reply) return await contended(settings, request, askedAt, reply)

  const won = wonRecord(reply, request)
  const skew = clockProblem(settings, askedAt, reply.clockReading)
  // Whether a tick is done does not depend on clocks.
  const isHarmless = skew?.wasSet && !acquireConditions(reply.record, request).tickNotDone
  const problem = isHarmless ? undefined : (skew?.error ?? lateAnswer(settings, askedAt, won))
  if (problem !== undefined) {
    const isFree = won === undefined || (await giveBack(settings, request, askedAt, reply.clockReading))
    // A lease that could not be given back would refuse the next request.
    return skew?.wasSet && isFree ? { answer: problem, provesNothing: true } : { answer: problem }
  }
  if (won !== undefined) {
    const latestExpiryMs = Math.max(won.expiresAtMs, Math.floor(askedAt.wallMs + untilKilledMs))
    const occurrences = await settings.schedule?.load().catch(async (error: unknown) => {
      await giveBack(settings, request, askedAt, reply.clockReading)
      throw error
    })
    return new LeaseHandle({ ...settings, record: won, askedAt, occurrences, latestExpiryMs })
  }
  return notWon(settings, reply, request)
}

/** @throws LeaseStoreError if a try got no answer, so that the lease may have been granted */
async function contended(
  settings: Settings,
  request: AcquireRequest,
  askedAt: Instant,
  { unanswered, clockReading }: Extract<AcquireReply, { contended: true }>,
): Promise<NotWon> {
  const answer: Standby = { status: 'standby', reason: 'contended', retryAfterMs: FRESH_DELAY_MS }
  if (!unanswered) return { answer, mayWait: true, inMs: FRESH_DELAY_MS }
  await giveBack(settings, request, askedAt, clockReading)
  throw new LeaseStoreError(
    `A try for lease "${request.lease}" got no answer, and transactions on its row refused all later tries. ` +
      'The task did not run. The event can be retried.',
    { lease: request.lease, retryable: true },
  )
}

/**
 * Best effort: the lease expires by itself, this only frees it sooner. The row gets the earliest of three times, each
 * of which may be wrong: the time of asking plus what has passed since, this clock's (it may have been set back), and
 * DynamoDB's, if an answer had it. A row with a time in the future would keep all other candidates out.
 * @returns whether the store answered
 */
async function giveBack(
  settings: Settings,
  { lease, candidate, attempt }: AcquireRequest,
  askedAt: Instant,
  reading?: AcquireReply['clockReading'],
): Promise<boolean> {
  const { store, clock, maxClockSkewMs, answerMs } = settings
  const serverMs = reading === undefined ? Number.POSITIVE_INFINITY : serverTimeMs(reading, maxClockSkewMs)
  const request = { lease, candidate, attempt, nowMs: Math.min(endOf(askedAt, clock), serverMs) }
  return await whileInvocationLasts(settings, answerMs / 8, (signal) => store.giveBack(request, signal)).then(
    () => true,
    () => false,
  )
}
