/**
 * What must hold in a state, however it was reached. What must hold of a step is checked where it happens, in
 * table.ts.
 */
// @ts-nocheck

import type { LeaseRecord } from '../../../functions/election/rules.ts'
import { believes } from './leading.ts'
import type { Model } from './model.ts'
import type { State } from './state.ts'
import {
  acquireRequest,
  attemptOwner,
  continuationsOf,
  identityOf,
  LEASE,
  LEASE_MS,
  labelOf,
  SKEW_MS,
  tickName,
} from './world.ts'

/** S1. */
export function checkBelief({ world, broke }: Model, state: State): void {
  const leaders = state.candidates.flatMap((_, index) => (believes(world, state, index) ? [index] : []))
  if (leaders.length > 1) {
    broke('S1', `two believe that they lead: ${leaders.map((index) => labelOf(world, index)).join(' and ')}`)
  }
}

/** L1 to L3, R1 and R4, as requests to the row: they depend on nothing else. */
export function checkRow(model: Model, row: LeaseRecord | undefined, timeMs: number): void {
  checkFreshCandidate(model, row, timeMs)
  const { announcement, fencingToken } = model.rules.leaderOf(row, timeMs, SKEW_MS) ?? {}
  if (announcement !== undefined && announcement !== fencingToken) {
    model.broke('R4', `what was proclaimed under token ${announcement} is announced under token ${fencingToken}`)
  }
  if (row?.holder !== undefined) checkRetry(model, row, timeMs)
  else if (row?.endedBy === 'continued') checkContinuation(model, row, timeMs)
}

/** The worst clock for getting a lease, within the budget. */
const SLOWEST_MS = -SKEW_MS / 2
const TAKEOVER_MS = LEASE_MS + 2 * SKEW_MS
/** Its tick is later than all of any world. */
const FRESH = { candidate: 'a fresh candidate', attempt: 'fresh', eventId: 'a fresh event', tick: tickName(9) }

/** A pause keeps all candidates out for as long as it says. */
const afterPause = (row: LeaseRecord | undefined, nowMs: number): number => Math.max(nowMs, row?.pausedUntilMs ?? 0)

function checkFreshCandidate({ world, rules, broke }: Model, row: LeaseRecord | undefined, timeMs: number): void {
  const { candidate, attempt } = FRESH
  const fresh = world.standing ? { candidate, attempt } : FRESH
  const isGranted = (nowMs: number) => rules.acquire(row, acquireRequest(fresh, afterPause(row, nowMs))).granted
  if (!isGranted(timeMs + TAKEOVER_MS + SLOWEST_MS)) broke('L1', `a fresh candidate is refused ${TAKEOVER_MS} ms later`)
  if (row === undefined) return
  // The ends of lease and reservation + 2 B by the clock that wrote them; the candidate's clock may be B behind.
  if (row.holder !== undefined) {
    if (isGranted(Math.max(row.expiresAtMs + SKEW_MS, timeMs + SLOWEST_MS))) return
    broke('L2', 'a fresh candidate is refused at the expiry + 2 B')
  } else if (row.reservedBy !== row.fencingToken) {
    if (!isGranted(timeMs + SLOWEST_MS)) broke('L2', 'the lease is vacant, but a fresh candidate is refused')
  } else if (!isGranted(Math.max((row.reservedUntilMs ?? 0) + SKEW_MS, timeMs + SLOWEST_MS))) {
    broke('R1', 'a fresh candidate is refused at the end of the reservation + 2 B')
  }
}

/** L3: if the holder is dead, Lambda retries its event until that leads, and completes the tick. */
function checkRetry({ world, rules, broke }: Model, row: LeaseRecord, timeMs: number): void {
  const owner = attemptOwner(row.attempt)
  const { tick } = row
  if (owner === undefined || tick === undefined) return
  const retry = identityOf(world, owner)
  const request = (nowMs: number) => acquireRequest({ ...FRESH, ...retry, tick }, nowMs)
  for (const offsetMs of [SLOWEST_MS, 0, -SLOWEST_MS]) {
    const now = request(timeMs + offsetMs)
    if (rules.acquire(row, now).granted) continue
    const refusal = rules.explainRefusal(row, now)
    const { kind } = refusal
    if (kind === 'standby' && refusal.reason === 'paused') continue // L4: a later leader misses the tick
    if (kind !== 'stillHeld') broke('L3', `the refusal of the retry of the leader's event reads as "${kind}"`)
  }
  const later = request(afterPause(row, timeMs + TAKEOVER_MS + SLOWEST_MS))
  const won = rules.acquire(row, later)
  if (!won.granted) {
    broke('L3', 'the retry is refused after the lease + 2 B')
    return
  }
  const { attempt, candidate, nowMs } = later
  const tenure = { lease: LEASE, candidate, attempt, fencingToken: won.record.fencingToken }
  const done = rules.write(won.record, { ...tenure, kind: 'complete', step: 1, nowMs, tick })
  if (!done.granted || done.record.completedTick !== tick) broke('L3', 'the retry leads, but cannot complete its tick')
}

/** L3: what was handed over goes on at once, by the continuation, or by the event if that could not be invoked. */
function checkContinuation({ world, rules, broke }: Model, row: LeaseRecord, timeMs: number): void {
  const owner = attemptOwner(row.attempt)
  if (owner === undefined || row.tick === undefined) return
  const heirs = [owner, ...continuationsOf(world, row.attempt)].map((index) => identityOf(world, index))
  for (const heir of heirs) {
    const request = acquireRequest({ ...FRESH, ...heir, tick: row.tick }, afterPause(row, timeMs + SLOWEST_MS))
    if (!rules.acquire(row, request).granted) broke('L3', `${heir.candidate} cannot go on with what was handed over`)
  }
}
