/** What a standing candidate does next. Pure, as rules.ts is: no clock, no randomness, no network. */
// @ts-nocheck

import { type LeaseRecord, LONGEST_RESERVATION_MS } from '../rules.ts'
import type { CandidateRow } from '../stores/store.ts'

/** What one candidate knows. The rows may be as old as its last look and its last refresh. */
export interface View {
  readonly record: LeaseRecord | undefined
  readonly me: CandidateRow
  /** May or may not contain mine. */
  readonly candidates: readonly CandidateRow[]
  readonly nowMs: number
  readonly maxClockSkewMs: number
  /** How often each candidate writes its row. */
  readonly refreshMs: number
  /** By how much a candidate lets each better one acquire first. */
  readonly headStartMs: number
  readonly preempt?: Preempt | undefined
}

/** When a better candidate may ask the leader to hand over to it. */
export interface Preempt {
  /** By how much its merit must exceed the leader's. */
  readonly margin: number
  /** How long a leader leads at least, in milliseconds. */
  readonly minTenureMs: number
}

export type Decision =
  | { readonly kind: 'acquire' }
  /** Look again at `untilMs` at the latest, if that is known; else at the next poll. */
  | { readonly kind: 'wait'; readonly untilMs?: number }
  /** The leader will hand over to me: look again soon. */
  | { readonly kind: 'takeOver' }
  /** Ask the leader with this token to hand over to me. */
  | { readonly kind: 'requestTransfer'; readonly fencingToken: number }

/** Ranks above this one wait no longer: a crowd of better candidates must not keep the lease vacant. */
const LOWEST_RANK = 5

export function decide(view: View): Decision {
  const { record, me, nowMs, maxClockSkewMs } = view
  if (!me.eligible) return { kind: 'wait' }
  if (record === undefined) return { kind: 'acquire' }
  const isHeld = record.holder !== undefined && record.expiresAtMs + maxClockSkewMs > nowMs
  const next = isHeld ? besideLeader(view, record) : undefined
  if (next !== undefined) return next
  const startsAtMs = startOf(view, record)
  return !isHeld && startsAtMs <= nowMs ? { kind: 'acquire' } : { kind: 'wait', untilMs: startsAtMs }
}

/** When it is my turn to acquire, if nothing is written before. The rules are A1, A3 and A4 of rules.ts. */
function startOf(view: View, record: LeaseRecord): number {
  const { me, nowMs, maxClockSkewMs, headStartMs } = view
  const { holder, pausedUntilMs = 0, reservedFor, reservedUntilMs = 0, reservedBy, fencingToken } = record
  const isTooLong = reservedUntilMs > nowMs + maxClockSkewMs + LONGEST_RESERVATION_MS
  const isKept = reservedBy === fencingToken && !isTooLong && reservedUntilMs + maxClockSkewMs > nowMs
  const isKeptForMe = isKept && reservedFor === me.name
  // A leader that let its lease expire is most likely dead, whatever its row says.
  const alive = view.candidates.filter(({ name }) => name !== holder)
  const rank = isKeptForMe ? 0 : rankOf({ ...view, candidates: alive })
  const wasKeptUntilMs = reservedBy === fencingToken && !isTooLong ? reservedUntilMs + maxClockSkewMs : 0
  const vacantFromMs = holder === undefined ? record.writtenAtMs : record.expiresAtMs + maxClockSkewMs
  const freeFromMs = Math.max(
    holder === undefined && rank === 0 ? 0 : vacantFromMs,
    pausedUntilMs,
    isKeptForMe ? 0 : wasKeptUntilMs,
  )
  return freeFromMs + rank * headStartMs
}

/** Undefined if there is nothing to do but to wait for the end of the lease. */
function besideLeader(view: View, record: LeaseRecord): Decision | undefined {
  const { me, nowMs, preempt } = view
  const transfer = openTransfer(record, nowMs)
  if (record.holder === me.name) return undefined // another process of this name leads, or this one did
  if (transfer === me.name) return { kind: 'takeOver' }
  if (transfer !== undefined || preempt === undefined) return undefined
  if ((record.pausedUntilMs ?? 0) > nowMs) return undefined
  const leader = view.candidates.find(({ name }) => name === record.holder)
  if (leader === undefined || me.merit <= leader.merit || me.merit < leader.merit + preempt.margin) return undefined
  const isBest = rankOf({ ...view, candidates: view.candidates.filter(({ name }) => name !== leader.name) }) === 0
  if (!isBest) return undefined
  const mayAskAtMs = record.acquiredAtMs + preempt.minTenureMs
  if (mayAskAtMs > nowMs) return { kind: 'wait', untilMs: mayAskAtMs }
  return { kind: 'requestTransfer', fencingToken: record.fencingToken }
}

/** The candidate to which the leader of this token is asked to hand over. */
export function openTransfer(record: LeaseRecord, nowMs: number): string | undefined {
  const { transferTo, transferUntilMs = 0, transferBy, fencingToken } = record
  return transferBy === fencingToken && transferUntilMs > nowMs ? transferTo : undefined
}

/** How many live, eligible candidates are better than me. */
function rankOf(view: View): number {
  const better = view.candidates.filter((other) => other.name !== view.me.name && isBetter(other, view.me))
  return Math.min(LOWEST_RANK, better.filter((other) => other.eligible && isLive(other, view)).length)
}

/** The best live, eligible candidate but me: to whom a leader hands over. */
export function successor(view: Pick<View, 'me' | 'candidates' | 'nowMs' | 'refreshMs' | 'maxClockSkewMs'>) {
  const others = view.candidates.filter((other) => other.name !== view.me.name)
  const live = others.filter((other) => other.eligible && isLive(other, view))
  return live.reduce<CandidateRow | undefined>(
    (best, other) => (best === undefined || isBetter(other, best) ? other : best),
    undefined,
  )
}

/** By merit, then by name, so that all candidates agree. */
function isBetter(one: CandidateRow, other: CandidateRow): boolean {
  return one.merit === other.merit ? one.name < other.name : one.merit > other.merit
}

type Liveness = Pick<View, 'nowMs' | 'refreshMs' | 'maxClockSkewMs'>

export function isLive({ seenAtMs }: CandidateRow, { nowMs, refreshMs, maxClockSkewMs }: Liveness): boolean {
  return Math.abs(nowMs - seenAtMs) <= longestSilenceMs(refreshMs, maxClockSkewMs)
}

/** A candidate that has not written its row for longer is gone. */
export function longestSilenceMs(refreshMs: number, maxClockSkewMs: number): number {
  return 3 * refreshMs + maxClockSkewMs
}
