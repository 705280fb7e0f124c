import { type ClockReading, certainOffsetMs, jitter } from './clock.ts'
import { Deadline, type Instant, instantAfter, instantOf } from './deadline.ts'
import {
  ClockSkewError,
  CorruptLeaseError,
  InvalidTickError,
  LeaseLostError,
  LeaseStillHeldError,
  LeaseStoreError,
} from './errors.ts'
import { LeaseHandle } from './lease-handle.ts'
import { LONGEST_LEASE_MS, type Settings } from './options.ts'
import { type AcquireRequest, explainRefusal, impossibleTime, type LeaseRecord, type StandbyReason } from './rules.ts'
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

/** An acquire that nobody won, because a request reached the table late, is made again this often. */
const FRESH_TRIES = 3
const FRESH_DELAY_MS = 100

/**
 * Asks for the lease: one request, win or lose, unless the caller wants to wait or the network misbehaved.
 *
 * @throws LeaseStillHeldError, ClockSkewError, InvalidTickError, CorruptLeaseError, LeaseLostError, LeaseStoreError,
 *   and the reason of the caller's own signal. In none of these cases does this candidate lead afterwards.
 */
export async function acquireLease(settings: Settings): Promise<LeaseHandle | Standby> {
  const { clock, signal, waitMs, leaseMs, tell, lease, candidate } = settings
  const waitUntilMs = clock.monotonicMs() + waitMs
  for (let outdated = 0; ; ) {
    signal?.throwIfAborted()
    const answer = await askOnce(settings)
    if (answer === 'outdated') {
      if (++outdated === FRESH_TRIES) throw outOfStep(settings)
      await clock.sleep(FRESH_DELAY_MS * outdated * jitter(), signal)
      continue
    }
    if (answer instanceof LeaseHandle) {
      tell({ kind: 'elected', lease, candidate, fencingToken: answer.fencingToken, tick: answer.tick })
      return answer
    }
    const leftMs = waitUntilMs - clock.monotonicMs()
    const mayPass = answer.reason === 'held' || answer.reason === 'contended'
    if (!mayPass || leftMs <= 0) {
      tell({ kind: 'standby', lease, candidate, reason: answer.reason })
      return answer
    }
    // A holder may finish early, so look in every third of a lease rather than only when this one expires.
    await clock.sleep(Math.min(leftMs, answer.retryAfterMs ?? FRESH_DELAY_MS, (leaseMs / 3) * jitter()) + 1, signal)
  }
}

async function askOnce(settings: Settings): Promise<LeaseHandle | Standby | 'outdated'> {
  const { store, clock, lease, leaseMs, latestExpiryMs, maxClockSkewMs } = settings
  const askedAt = instantOf(clock)
  const request: AcquireRequest = {
    lease,
    candidate: settings.candidate,
    attempt: crypto.randomUUID(),
    ...(settings.eventId === undefined ? {} : { eventId: settings.eventId }),
    ...(settings.tick === undefined ? {} : { tick: settings.tick }),
    nowMs: askedAt.wallMs,
    expiresAtMs: Math.min(askedAt.wallMs + leaseMs, latestExpiryMs),
    maxClockSkewMs,
  }
  let reply: AcquireReply
  try {
    reply = await store.acquire(request)
  } catch (error) {
    // It may have been granted without our knowing.
    const unknown = error instanceof CorruptLeaseError || (error instanceof LeaseStoreError && error.applied !== 'no')
    if (unknown) await giveBack(settings, request, askedAt)
    throw error
  }
  if ('contended' in reply) {
    if (!reply.unanswered) return { status: 'standby', reason: 'contended', retryAfterMs: FRESH_DELAY_MS }
    await giveBack(settings, request, askedAt)
    throw new LeaseStoreError(
      `A try for lease "${lease}" got no answer, and transactions on its row kept all others from telling what became of it. The task did not run. The event can be retried.`,
      { lease, retryable: true },
    )
  }

  const won = wonRecord(reply, request)
  const problem = clockProblem(settings, reply) ?? (won === undefined ? undefined : lateAnswer(settings, askedAt, won))
  if (problem !== undefined) {
    // By DynamoDB's clock where ours is wrong: a row written in the future would keep everybody else out.
    if (won !== undefined) await giveBack(settings, request, askedAt, serverTimeMs(reply.clockReading))
    throw problem
  }
  if (won !== undefined) return new LeaseHandle({ ...settings, record: won, askedAt })
  return reply.record === undefined ? 'outdated' : standby(settings, reply.record, request)
}

type Won = LeaseRecord & { readonly holder: string }

function wonRecord(reply: Exclude<AcquireReply, { contended: true }>, request: AcquireRequest): Won | undefined {
  const { record } = reply
  if (record === undefined) return undefined
  if (!reply.granted && explainRefusal(record, request).kind !== 'won') return undefined
  return { ...record, holder: request.candidate }
}

function standby(settings: Settings, record: LeaseRecord, request: AcquireRequest): Standby | 'outdated' {
  const { lease, clock, maxClockSkewMs } = settings
  const attribute = impossibleTime(record, clock.wallMs(), maxClockSkewMs, LONGEST_LEASE_MS)
  if (attribute !== undefined) {
    throw new CorruptLeaseError(
      `The row of lease "${lease}" comes from the future: attribute "${attribute}" is ${record[attribute]}, but this clock says ${clock.wallMs()}. Either somebody edited the row or a candidate's clock is wrong. Repair the attribute by hand.`,
      { lease, attribute },
    )
  }
  const refusal = explainRefusal(record, request)
  switch (refusal.kind) {
    case 'standby': {
      const { kind: _kind, ...why } = refusal
      return { status: 'standby', ...why }
    }
    case 'stillHeld':
      throw new LeaseStillHeldError(
        `An earlier try of this event (request id ${settings.eventId}) still holds lease "${lease}"; it probably died. The lease can be taken in ${refusal.retryAfterMs} ms: let the event be retried after that.`,
        { lease, retryAfterMs: refusal.retryAfterMs },
      )
    case 'ticksMissing':
      throw new InvalidTickError(
        `Lease "${lease}" is used with ticks, but this candidate gave none. Give the option tick, or use another lease.`,
        { lease },
      )
    case 'won': // told apart before
    case 'outdated':
      return 'outdated'
  }
}

/** A clock that is certainly wrong makes both the expiry we wrote and the one we read unreliable. */
function clockProblem(
  { lease, candidate, maxClockSkewMs, tell }: Settings,
  { clockReading }: Exclude<AcquireReply, { contended: true }>,
): ClockSkewError | undefined {
  if (clockReading === undefined) return undefined
  const offsetMs = certainOffsetMs(clockReading)
  tell({ kind: 'clockRead', lease, candidate, offsetMs })
  if (Math.abs(offsetMs) <= maxClockSkewMs / 2) return undefined
  return new ClockSkewError(
    `This machine's clock is at least ${Math.abs(offsetMs)} ms ${offsetMs > 0 ? 'ahead of' : 'behind'} DynamoDB's; lease "${lease}" allows ${maxClockSkewMs / 2} ms (half of maxClockSkewMs). Synchronise the clock, or raise maxClockSkewMs for all candidates alike.`,
    { lease },
  )
}

/** Granted, but the answer took so long that the lease may be another's by now. */
function lateAnswer(
  { clock, lease, candidate, tell }: Settings,
  askedAt: Instant,
  won: Won,
): LeaseLostError | undefined {
  if (new Deadline(clock, askedAt, won.expiresAtMs).remainingMs() > 0) return undefined
  const lengthMs = won.expiresAtMs - askedAt.wallMs
  const error = new LeaseLostError(
    `Lease "${lease}" was granted, but the answer came after its deadline, ${lengthMs} ms after asking. The task did not run. Ask for a longer lease if DynamoDB is this slow.`,
    { lease },
  )
  tell({ kind: 'lost', lease, candidate, fencingToken: won.fencingToken, error })
  return error
}

/**
 * Best effort: the lease expires by itself, this only frees it sooner. The error that led here is the one that matters. Where
 * no answer told the time, it is that of the acquire and what has passed since.
 */
async function giveBack(
  { store, clock }: Settings,
  { lease, candidate, attempt }: AcquireRequest,
  askedAt: Instant,
  serverMs?: number,
): Promise<void> {
  const nowMs = serverMs ?? instantAfter(askedAt, clock).wallMs
  await store.giveBack({ lease, candidate, attempt, nowMs }).catch(() => undefined)
}

function serverTimeMs(reading: ClockReading | undefined): number | undefined {
  return reading === undefined ? undefined : reading.dateMs + 999
}

function outOfStep({ lease, maxClockSkewMs }: Settings): ClockSkewError {
  return new ClockSkewError(
    `Lease "${lease}" is free, but ${FRESH_TRIES} fresh requests were each older than the row's last write by more than ${maxClockSkewMs} ms. This clock is behind that of the candidate that wrote last: synchronise both, or repair writtenAtMs if somebody edited the row. The event can be retried.`,
    { lease },
  )
}
