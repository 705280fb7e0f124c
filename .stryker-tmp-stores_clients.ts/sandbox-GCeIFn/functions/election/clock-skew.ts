/** Finds out whose clock is wrong: this candidate's, or that of the candidate that wrote the lease row last. */
// @ts-nocheck

import { type ClockReading, certainOffsetMs } from './clock.ts'
import { type Instant, wallClockSetByMs } from './deadline.ts'
import { ClockSkewError } from './errors.ts'
import type { Settings } from './options.ts'
import type { AcquireRequest, LeaseRecord } from './rules.ts'

/** On a busy machine, this much time may pass between reading one clock and the other, in milliseconds. */
const LEAST_SET_MS = 50

interface ClockProblem {
  readonly error: ClockSkewError
  /** The clock was set between request and answer: a new request may succeed. */
  readonly wasSet: boolean
}

/**
 * A clock that is certainly wrong, or was set between request and answer, makes the times of both useless. A process
 * that slept while its monotonic clock stood still looks like a clock that was set.
 */
export function clockProblem(
  settings: Settings,
  askedAt: Instant,
  reading: ClockReading | undefined,
): ClockProblem | undefined {
  const { clock, lease, candidate, maxClockSkewMs, notify } = settings
  const { offsetMs, isWrong } = certainSkew(settings, reading)
  const setByMs = Math.round(wallClockSetByMs(askedAt, clock))
  if (Number.isNaN(setByMs)) {
    const error = new ClockSkewError(
      `While lease "${lease}" was asked for, the option clock stopped giving the time: ` +
        'wallMs() and monotonicMs() must be numbers of milliseconds. The task did not run.',
      { lease },
    )
    return { error, wasSet: true }
  }
  if (Math.abs(setByMs) > (isWrong ? LEAST_SET_MS : Math.max(LEAST_SET_MS, maxClockSkewMs / 2))) {
    const error = new ClockSkewError(
      `While lease "${lease}" was asked for, this machine's clock was set ${setByMs > 0 ? 'forward' : 'back'} ` +
        `by ${Math.abs(setByMs)} ms, or the machine slept. The task did not run. The event can be retried.`,
      { lease },
    )
    return { error, wasSet: true }
  }
  if (reading !== undefined) notify({ kind: 'clockRead', lease, candidate, offsetMs })
  return isWrong ? { error: certainlyOff(settings, offsetMs), wasSet: false } : undefined
}

/** How far this machine's clock is certainly off, and whether that is more than its half of the budget. */
export function certainSkew({ maxClockSkewMs }: Settings, reading: ClockReading | undefined) {
  const offsetMs = reading === undefined ? 0 : certainOffsetMs(reading)
  return { offsetMs, isWrong: Math.abs(offsetMs) > maxClockSkewMs / 2 }
}

export function certainlyOff({ lease, maxClockSkewMs }: Settings, offsetMs: number): ClockSkewError {
  return new ClockSkewError(
    `This machine's clock is at least ${Math.abs(offsetMs)} ms ${offsetMs > 0 ? 'ahead of' : 'behind'} DynamoDB's; ` +
      `lease "${lease}" allows ${maxClockSkewMs / 2} ms (half of maxClockSkewMs). ` +
      'Synchronise the clock, or raise maxClockSkewMs for all candidates alike.',
    { lease },
  )
}

/**
 * DynamoDB's time, of which only the second is known: at most B / 2 ahead, as for any clock within the budget. The next
 * candidate's clock may be as far behind, and A6 must not refuse it.
 */
export function serverTimeMs({ dateMs }: ClockReading, maxClockSkewMs: number): number {
  return dateMs + Math.min(999, Math.floor(maxClockSkewMs / 2))
}

/**
 * The latest time that a leader's clock may show now: it was compared with DynamoDB's when it acquired, as far as whole
 * seconds allow, and two clocks within the budget differ by at most B.
 */
export function latestHonestMs({ clock, maxClockSkewMs }: Settings, reading: ClockReading | undefined): number {
  const byBudgetMs = clock.wallMs() + maxClockSkewMs
  return reading === undefined ? byBudgetMs : Math.max(byBudgetMs, latestByServerMs(reading, maxClockSkewMs))
}

function latestByServerMs({ dateMs }: ClockReading, maxClockSkewMs: number): number {
  return dateMs + 1000 + maxClockSkewMs / 2
}

/** For a lease that was acquired in the future: its holder has a wrong clock, and has not given it back, or died. */
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
    `Lease "${lease}" is held by "${holder}", ${writerOf(record)}, whose time of acquisition is ` +
      `${acquiredAtMs - nowMs} ms ahead of this machine's clock; ${maxClockSkewMs} ms are allowed (maxClockSkewMs). ` +
      `${blame(acquiredAtMs, reading, maxClockSkewMs)}. A candidate with a wrong clock gives the lease back when ` +
      `DynamoDB answers; if it died before, the lease can be taken ${later(nowMs, freeInMs)}. The event can be ` +
      `retried; if acquiredAtMs (${acquiredAtMs}) was edited, repair it.`,
    { lease },
  )
}

/** The lease is free, but A5 or A6 refused the request: the clock of the row's last writer may be wrong. */
export function outOfStep(
  { lease, maxClockSkewMs }: Settings,
  { nowMs }: AcquireRequest,
  record?: LeaseRecord,
  reading?: ClockReading,
): ClockSkewError {
  const aheadMs = (record?.writtenAtMs ?? 0) - nowMs
  if (record === undefined || aheadMs <= maxClockSkewMs) {
    return new ClockSkewError(
      `Lease "${lease}" is free, but each new request was refused as if it were a copy of an older one. ` +
        'The event can be retried.',
      { lease },
    )
  }
  const { writtenAtMs } = record
  return new ClockSkewError(
    `Lease "${lease}" is free, but ${writerOf(record)} wrote its row last, with a time that is ` +
      `${aheadMs} ms ahead of this machine's clock; ${maxClockSkewMs} ms are allowed (maxClockSkewMs). ` +
      `${blame(writtenAtMs, reading, maxClockSkewMs)}. The row heals by itself: ` +
      `the event can be retried ${later(nowMs, aheadMs - maxClockSkewMs)}; ` +
      `if writtenAtMs (${writtenAtMs}) was edited, repair it.`,
    { lease },
  )
}

/** With the time, for a log that is read later; a row may also hold a number that is no date. */
function later(nowMs: number, byMs: number): string {
  const at = new Date(nowMs + byMs)
  return Number.isNaN(at.getTime()) ? `in ${byMs} ms` : `in ${byMs} ms, at ${at.toISOString()}`
}

function writerOf({ fencingToken, attempt, eventId }: LeaseRecord): string {
  const ofEvent = eventId === undefined ? '' : `, event ${eventId}`
  return `the candidate of token ${fencingToken} (attempt ${attempt}${ofEvent})`
}

function blame(ms: number, reading: ClockReading | undefined, maxClockSkewMs: number): string {
  return reading !== undefined && ms > latestByServerMs(reading, maxClockSkewMs)
    ? "DynamoDB's time shows that the other clock was wrong: synchronise that one"
    : "Either that candidate's clock was ahead or this one is behind: synchronise both"
}
