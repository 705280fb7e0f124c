/**
 * What a candidate may do next until it leads (then leading.ts). It mirrors functions/election/acquire.ts in small
 * steps; every decision about a row is made by the shipped rules. Time may pass between any two steps.
 */
// @ts-nocheck

import { LONGEST_LEASE_MS } from '../../../functions/election/options.ts'
import type { AcquireRequest, LeaseRecord, StandbyReason } from '../../../functions/election/rules.ts'
import { leadingSteps } from './leading.ts'
import { awaited, become, failed, fates, leftUnderWay, readClock, send, type Turn, withFault } from './model.ts'
import type { Acquire, Candidate, GiveBack, Leading, State, Transfer, Won } from './state.ts'
import { arrives, isCompleted, isDone } from './table.ts'
import { isPaused, missedIn, workOf } from './work.ts'
import {
  acquireRequest,
  attemptName,
  continuationsOf,
  identityOf,
  isWithinBudget,
  LEASE,
  labelOf,
  SKEW_MS,
  START_MS,
  tickName,
  tickOf,
} from './world.ts'

type Acquiring = Extract<Candidate, { phase: 'acquiring' }>
type Answer = Pick<ReturnType<typeof arrives>, 'granted' | 'record'>
type Granted = Extract<Candidate, { phase: 'granted' }>

export function candidateSteps(turn: Turn): void {
  const candidate = turn.state.candidates[turn.index]
  switch (candidate?.phase) {
    case 'idle':
      askForTransfer(turn)
      return void acquire(turn, 1)
    case 'again':
      askForTransfer(turn)
      return void acquire(turn, candidate.attempt + 1)
    case 'acquiring':
      return void acquiringSteps(turn, candidate)
    case 'granted':
      return void grantedSteps(turn, candidate)
    case 'leading':
      return void leadingSteps(turn, candidate)
    case 'handedOver':
      handedOverSteps(turn, candidate)
  }
}

/** The request holds the reading of the clock before it is sent. */
function acquire(turn: Turn, attempt: number): void {
  const { index, model } = turn
  const who = identityOf(model.world, index)
  const tick = tickName(tickOf(model.world, index))
  const named = model.world.standing ? { candidate: who.candidate } : { ...who, tick }
  const request = acquireRequest({ ...named, attempt: attemptName(index, attempt) }, readClock(turn))
  const sent: Acquire = { kind: 'acquire', from: index, request }
  const candidate: Acquiring = { phase: 'acquiring', attempt, awaited: awaited(sent) }
  send({ ...turn, state: become(turn, candidate) }, sent, (then) => acquiringSteps(then, candidate))
}

/** No tenure of a world lasts longer. */
const ALWAYS_MS = START_MS * 2

/** standing/standby.ts: a better candidate asks the leader that it sees to hand over to it. */
function askForTransfer(turn: Turn): void {
  const { model, state, index, take } = turn
  const { holder, fencingToken = 0 } = state.row ?? {}
  const { candidate: to } = identityOf(model.world, index)
  if (!model.world.standing || holder === undefined || holder === to) return
  const nowMs = readClock(turn)
  const request = { lease: LEASE, fencingToken, to, nowMs, untilMs: ALWAYS_MS }
  const sent: Transfer = { kind: 'transfer', from: index, request }
  take('it asks the leader to hand over', arrives(model, state, sent).state)
  if (state.ledger.faults > 0) take('it asks the leader to hand over, which takes its time', leftUnderWay(state, sent))
}

function acquiringSteps(turn: Turn, candidate: Acquiring): void {
  const { model, state, index } = turn
  fates(
    turn,
    candidate.awaited,
    (before) => answered(turn, candidate, before),
    (again) => ({ ...candidate, awaited: again }),
    (left) => {
      giveBack(left, candidate, 'its acquire gets no answer, and it gives back')
      left.take('it crashes while it acquires', become(left, failed(turn, candidate)))
    },
  )
  if (!isWithinBudget(model.world, index)) {
    // acquire.ts, clockProblem: the reply's Date may show it, but need not: it has whole seconds and travels for a
    // while.
    const { state: after } = arrives(model, state, candidate.awaited.sent)
    // By its own clock or by DynamoDB's, which it may take for B / 2 later than it is, whichever is earlier.
    const stampMs = Math.min(readClock(turn), state.timeMs + SKEW_MS / 2)
    const move = 'its acquire arrives, the reply shows that its clock is wrong, and it gives back'
    giveBack({ ...turn, state: after }, candidate, move, stampMs)
  }
}

function answered(turn: Turn, candidate: Acquiring, state: State): State {
  const { state: after, ...reply } = arrives(turn.model, state, candidate.awaited.sent)
  const then = { ...turn, state: after }
  return become(then, afterReply(then, candidate, reply))
}

/** acquire.ts, wonRecord and standby: what a reply means. */
function afterReply(turn: Turn, candidate: Acquiring, reply: Answer): Candidate {
  const { model, state, index } = turn
  const { attempt, awaited } = candidate
  const { request } = awaited.sent
  const { record } = reply
  if (record === undefined) return failed(turn, candidate)
  const work = workOf(model.world, record)
  const { fencingToken: token, expiresAtMs } = record
  const won = { token, order: state.ledger.acquisitions, expiresAtMs, ...(work && { work }) }
  if (reply.granted) return { phase: 'granted', attempt, won }
  const refusal = model.rules.explainRefusal(record, request)
  if (refusal.kind === 'won') return { phase: 'granted', attempt, won }
  if (record.holder === request.candidate && record.attempt === request.attempt) {
    model.broke('L3', `${labelOf(model.world, index)} leads, but the refusal reads as "${refusal.kind}"`)
  }
  const isHeld =
    ['stillHeld', 'behind'].includes(refusal.kind) || (refusal.kind === 'standby' && refusal.holder !== undefined)
  if (isHeld && isFromFuture(turn, record)) {
    model.reached('a candidate fails because of a row from the future')
    return failed(turn, candidate)
  }
  switch (refusal.kind) {
    case 'standby':
      checkStandby(turn, refusal.reason, request)
      return model.world.standing ? failed(turn, candidate) : { phase: 'over' }
    case 'stillHeld':
      model.reached('a retry learns that its own event still holds the lease')
      return failed(turn, candidate)
    case 'behind':
      return failed(turn, candidate)
    case 'outdated':
      return failed(turn, candidate)
    case 'ticksDiffer':
      throw new Error('Every candidate of the model has a tick.')
  }
}

/** acquire.ts, heldBy, with clock-skew.ts, latestHonestMs: the latest that a leader's right clock may say. */
function isFromFuture(turn: Turn, record: LeaseRecord): boolean {
  const { model, state } = turn
  if (model.rules.impossibleTime(record, LONGEST_LEASE_MS)) throw new Error('A candidate wrote an impossible row.')
  const latestMs = Math.max(readClock(turn) + SKEW_MS, state.timeMs + 1_000 + SKEW_MS / 2)
  return model.rules.isAhead(record, latestMs, LONGEST_LEASE_MS)
}

/** acquire.ts, giveBack: best effort. The candidate then fails, whether or not the request has arrived. */
function giveBack(turn: Turn, call: { readonly attempt: number }, move: string, nowMs = readClock(turn)): void {
  const { model, index, state, take } = turn
  const attempt = attemptName(index, call.attempt)
  const request = { lease: LEASE, candidate: identityOf(model.world, index).candidate, attempt, nowMs }
  const message: GiveBack = { kind: 'giveBack', from: index, request }
  const gone = become(turn, failed(turn, call))
  take(move, arrives(model, gone, message).state)
  if (state.ledger.faults === 0) return
  take('it gives back, and that request stays under way', leftUnderWay(gone, message))
}

/** The lease is granted, but the candidate has not read the answer. It may do so too late. */
function grantedSteps(turn: Turn, candidate: Granted): void {
  const { state, take } = turn
  const { attempt, won } = candidate
  if (readClock(turn) < won.expiresAtMs) {
    checkBeginning(turn)
    take('it learns that it won, and its task begins', become(turn, leading(turn, attempt, won)))
  } else giveBack(turn, candidate, 'it learns too late that it won, and gives back')
  if (state.ledger.faults === 0) return
  const faulty = { ...turn, state: withFault(state) }
  giveBack(faulty, candidate, 'it never gets the answer to its granted acquire, and gives back')
  take('it crashes before it learns that it won', become(faulty, failed(turn, candidate)))
}

/** S4, when the task begins rather than when the lease is granted. That needs clocks within the budget. */
function checkBeginning({ model, state, index }: Turn): void {
  const { world } = model
  const tick = tickOf(world, index)
  if (!isCompleted(state.ledger, tick)) return
  const areClocksRight = world.candidates.every((_, other) => isWithinBudget(world, other))
  if (areClocksRight) model.broke('S4', `${labelOf(world, index)} begins its task for tick ${tick}, which is completed`)
  else model.reached('beyond the budget: a task begins whose tick was completed meanwhile')
}

/** A candidate that stands by for a false reason loses its tick. */
function checkStandby(turn: Turn, reason: StandbyReason, request: AcquireRequest): void {
  const { model, index } = turn
  if (!isTrue(turn, reason, request)) {
    model.broke('L3', `${labelOf(model.world, index)} stands by as ${reason}, which is not true`)
  }
  if (reason === 'tickDone') model.reached('stands by: tickDone')
  if (reason === 'paused') model.reached('stands by: paused')
}

function isTrue({ model, state, index }: Turn, reason: StandbyReason, { nowMs }: AcquireRequest): boolean {
  const { row, ledger } = state
  const tick = tickOf(model.world, index)
  if (reason === 'reserved') return row?.holder === undefined && ledger.reserved !== undefined
  if (reason === 'paused') return (row?.pausedUntilMs ?? 0) > nowMs
  if (reason !== 'held') return isDone(ledger, tick) || (reason === 'superseded' && isMissed(row, tick))
  if (row?.holder !== undefined) return true
  // The continuation of this tick is to come; it must not take itself for another.
  const { eventId, continuation } = identityOf(model.world, index)
  const { reserved } = ledger
  model.reached('stands by for a continuation that is to come')
  return reserved !== undefined && reserved.eventId !== eventId && reserved.reservedFor !== continuation
}

/** A leader of a newer tick has it among those that were missed, if it is not older than the lease itself. */
function isMissed(row: LeaseRecord | undefined, tick: number): boolean {
  const name = tickName(tick)
  if (row?.tick === undefined || row.tick <= name) return false
  const isOlder = row.completedTick === undefined && row.firstTick !== undefined && row.firstTick > name
  return isOlder || isPaused(row, tick) || missedIn(row, row.tick).includes(name)
}

function leading({ model }: Turn, attempt: number, won: Won): Leading {
  const { renewals, effects } = model.world
  const nothing = { effectStep: 0, awaited: [], ending: undefined, isRepeated: false }
  return { phase: 'leading', attempt, ...won, step: 0, renewals, effects, ...nothing }
}

/** Its lease is released for its continuation: it invokes that, or fails. */
function handedOverSteps(turn: Turn, candidate: Extract<Candidate, { phase: 'handedOver' }>): void {
  const { model, state, index, take } = turn
  const [first = -1, double] = continuationsOf(model.world, attemptName(index, candidate.attempt))
  const invoked = (before: State, self: Candidate, ...continuations: readonly number[]): State => {
    const { candidates } = become({ ...turn, state: before }, self)
    const idle = (one: Candidate, nth: number): Candidate => (continuations.includes(nth) ? { phase: 'idle' } : one)
    return { ...before, candidates: candidates.map(idle) }
  }
  take('its invoke is accepted', invoked(state, { phase: 'over' }, first))
  if (state.ledger.faults === 0) return
  const faulty = withFault(state)
  const again = failed(turn, candidate)
  take('its invoke fails, or it crashes before', invoked(faulty, again))
  take('its invoke is accepted, but it gets no answer', invoked(faulty, again, first))
  if (double !== undefined) take('its invoke is delivered twice', invoked(faulty, { phase: 'over' }, first, double))
}
