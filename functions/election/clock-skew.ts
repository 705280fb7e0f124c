/** Whose clock is wrong: this candidate's, or that of the candidate which wrote the lease row last. */
import { type ClockReading, certainOffsetMs } from './clock.ts'
import { type Instant, wallClockSetByMs } from './deadline.ts'
import { ClockSkewError } from './errors.ts'
import type { Settings } from './options.ts'
import type { AcquireRequest, LeaseRecord } from './rules.ts'

/** Two readings of two clocks, one after the other, may be this far apart on a busy machine. */
const LEAST_SET_MS = 50

interface ClockProblem {
  readonly error: ClockSkewError
  /** The clock was set while the lease was asked for: a new request, made and answered by one clock, may fare better. */
  readonly wasSet: boolean
}

/**
 * What makes the times of a request useless, and those of its answer: a clock that is certainly wrong, or one that was set in
 * between, so that the request was made by one clock and answered under another. A process that slept while the monotonic
 * clock stood still looks like the latter.
 */
export function clockProblem(
  { clock, lease, candidate, maxClockSkewMs, notify }: Settings,
  askedAt: Instant,
  reading: ClockReading | undefined,
): ClockProblem | undefined {
  const offsetMs = reading === undefined ? 0 : certainOffsetMs(reading)
  const isWrong = Math.abs(offsetMs) > maxClockSkewMs / 2
  const setByMs = Math.round(wallClockSetByMs(askedAt, clock))
  if (Number.isNaN(setByMs)) {
    const message = `While lease "${lease}" was asked for, the option clock stopped telling the time: wallMs() and monotonicMs() must be numbers of milliseconds. The task did not run.`
    return { error: new ClockSkewError(message, { lease }), wasSet: true }
  }
  if (Math.abs(setByMs) > (isWrong ? LEAST_SET_MS : Math.max(LEAST_SET_MS, maxClockSkewMs / 2))) {
    const message = `While lease "${lease}" was asked for, this machine's clock was set ${setByMs > 0 ? 'forward' : 'back'} by ${Math.abs(setByMs)} ms, or the machine slept. The task did not run. The event can be retried.`
    return { error: new ClockSkewError(message, { lease }), wasSet: true }
  }
  if (reading !== undefined) notify({ kind: 'clockRead', lease, candidate, offsetMs })
  if (!isWrong) return undefined
  const message = `This machine's clock is at least ${Math.abs(offsetMs)} ms ${offsetMs > 0 ? 'ahead of' : 'behind'} DynamoDB's; lease "${lease}" allows ${maxClockSkewMs / 2} ms (half of maxClockSkewMs). Synchronise the clock, or raise maxClockSkewMs for all candidates alike.`
  return { error: new ClockSkewError(message, { lease }), wasSet: false }
}

/**
 * DynamoDB's time, of which only the second is known. Never more than B / 2 ahead, as with any clock that keeps the budget:
 * the next candidate's may be as far behind, and A6 must let it in.
 */
export function serverTimeMs({ dateMs }: ClockReading, maxClockSkewMs: number): number {
  return dateMs + Math.min(999, Math.floor(maxClockSkewMs / 2))
}

/**
 * The latest time that a leader's clock may say at present. A leader's was compared with DynamoDB's when it acquired, as far
 * as whole seconds tell; and two clocks within the budget are no further apart than B.
 */
export function latestHonestMs({ clock, maxClockSkewMs }: Settings, reading: ClockReading | undefined): number {
  const byBudgetMs = clock.wallMs() + maxClockSkewMs
  return reading === undefined ? byBudgetMs : Math.max(byBudgetMs, latestByServerMs(reading, maxClockSkewMs))
}

function latestByServerMs({ dateMs }: ClockReading, maxClockSkewMs: number): number {
  return dateMs + 1000 + maxClockSkewMs / 2
}

/** The lease is held under a time that is further ahead than a leader's clock may be: its candidate has not yet learned so, or died. */
export function aheadOfTime(
  settings: Settings,
  record: LeaseRecord,
  reading: ClockReading | undefined,
): ClockSkewError {
  const { clock, lease, maxClockSkewMs } = settings
  const nowMs = clock.wallMs()
  const { holder, acquiredAtMs, expiresAtMs } = record
  const freeInMs = Math.max(0, expiresAtMs + maxClockSkewMs - nowMs)
  return new ClockSkewError(
    `Lease "${lease}" is held by "${holder}", ${writerOf(record)}, whose time of acquisition is ${acquiredAtMs - nowMs} ms ahead of this machine's clock; ${maxClockSkewMs} ms are allowed (maxClockSkewMs). ${blame(acquiredAtMs, reading, maxClockSkewMs)}. A candidate whose clock is wrong gives the lease back when it learns so; if it died before, the lease can be taken in ${freeInMs} ms. The event can be retried; if acquiredAtMs (${acquiredAtMs}) was edited, repair it.`,
    { lease },
  )
}

/** The lease is free, but A5 or A6 refused the request. Names the row's last writer: this clock need not be the wrong one. */
export function outOfStep(
  { lease, maxClockSkewMs }: Settings,
  { nowMs }: AcquireRequest,
  record?: LeaseRecord,
  reading?: ClockReading,
): ClockSkewError {
  const aheadMs = (record?.writtenAtMs ?? 0) - nowMs
  if (record === undefined || aheadMs <= maxClockSkewMs) {
    return new ClockSkewError(
      `Lease "${lease}" is free, but each fresh request was refused as if it were a copy of an older one. The event can be retried.`,
      { lease },
    )
  }
  const { writtenAtMs } = record
  return new ClockSkewError(
    `Lease "${lease}" is free, but ${writerOf(record)} wrote its row last, with a time that is ${aheadMs} ms ahead of this machine's clock; ${maxClockSkewMs} ms are allowed (maxClockSkewMs). ${blame(writtenAtMs, reading, maxClockSkewMs)}. The event can be retried in ${aheadMs - maxClockSkewMs} ms; if writtenAtMs (${writtenAtMs}) was edited, repair it.`,
    { lease },
  )
}

function writerOf({ fencingToken, attempt, eventId }: LeaseRecord): string {
  return `the candidate of token ${fencingToken} (attempt ${attempt}${eventId === undefined ? '' : `, event ${eventId}`})`
}

function blame(ms: number, reading: ClockReading | undefined, maxClockSkewMs: number): string {
  return reading !== undefined && ms > latestByServerMs(reading, maxClockSkewMs)
    ? "DynamoDB's time shows that the other clock was wrong: synchronise that one"
    : "Either that candidate's clock was ahead or this one is behind: synchronise both"
}
