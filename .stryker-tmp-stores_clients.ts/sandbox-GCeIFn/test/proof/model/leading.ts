/**
 * What a leader may do next: renew its lease, have effects (those by `send`: effects.ts), end. It mirrors
 * functions/election/lease-handle.ts (`#extend`, `#end`, `transact`) and with-lease.ts (`finished`, `failed`).
 */
// @ts-nocheck

import type { HolderWrite, LeaseRecord, Tenure } from '../../../functions/election/rules.ts'
import { effectSteps, sendEffect } from './effects.ts'
import {
  awaited,
  become,
  failed,
  fates,
  isResent,
  leftUnderWay,
  NO_ANSWER,
  readClock,
  send,
  type Turn,
  withFault,
} from './model.ts'
import type { Awaited, Candidate, End, Guarded, Leading, State, Write } from './state.ts'
import { arrives, isCompleted, nameOf } from './table.ts'
import { type Extension, extensionsOf, tickWorkOf, workAfter } from './work.ts'
import {
  attemptName,
  clockOf,
  continuationsOf,
  identityOf,
  LEASE,
  LEASE_MS,
  labelOf,
  RESERVED_MS,
  tickName,
  tickOf,
  type World,
} from './world.ts'

/** lease-handle.ts, remainingMs() > 0: what S1 is about. */
export function believes(world: World, state: State, index: number): boolean {
  const candidate = state.candidates[index]
  if (candidate?.phase !== 'leading' || candidate.ending !== undefined) return false
  return state.timeMs + clockOf(world, index) < candidate.expiresAtMs
}

export function leadingSteps(turn: Turn, leader: Leading): void {
  const { state, take } = turn
  const { ending } = leader
  if (leader.awaited.length > 0) awaitedSteps(turn, leader)
  else if (ending !== undefined) unansweredEndSteps(turn, leader, ending)
  else freeSteps(turn, leader)
  if (state.ledger.faults === 0) return
  const left = leftUnderWay(state, ...leader.awaited.map(({ sent }) => sent))
  take('it crashes as leader', become({ ...turn, state: left }, failed(turn, leader)))
}

/** It waits for no answer: the task goes on, renews, has effects, or ends. */
function freeSteps(turn: Turn, leader: Leading): void {
  const { model, state, index } = turn
  // H3: after its own deadline it extends nothing and sends no effect, but tries to end.
  if (believes(model.world, state, index)) {
    const renewal: Extension = model.world.standing
      ? { kind: 'proclaim', announcement: leader.token }
      : { kind: 'renew' }
    if (leader.renewals > 0) extend(turn, { ...leader, renewals: leader.renewals - 1 }, renewal)
    if (leader.effects > 0) haveEffect(turn, leader)
    if (leader.work !== undefined) goOn(turn, leader, leader.work)
  }
  if (model.world.standing) end(turn, leader, 'resigned')
  else if (!isAtMissedTick(turn, leader)) end(turn, leader, 'completed')
  end(turn, leader, 'failed')
}

/** lease-handle.ts, `ticks` and `handOver`. */
function goOn(turn: Turn, leader: Leading, work: NonNullable<Leading['work']>): void {
  const { model, index } = turn
  const own = tickName(tickOf(model.world, index))
  const { offered } = tickWorkOf(own, work)
  if (offered !== undefined && offered !== work.tick) model.broke('L3', `${work.tick} goes on from ${offered}`)
  for (const extension of extensionsOf(model.world, own, work)) {
    const checkpoints = work.checkpoints - (extension.kind === 'saveCheckpoint' ? 1 : 0)
    extend(turn, { ...leader, work: { ...work, checkpoints } }, extension)
  }
  if (continuationsOf(model.world, attemptName(index, leader.attempt)).length > 0) end(turn, leader, 'continued')
}

/** Then the shipped `complete` refuses. */
function isAtMissedTick({ model, index }: Turn, { work }: Leading): boolean {
  return work !== undefined && tickWorkOf(tickName(tickOf(model.world, index)), work).isAtMissedTick
}

/** The task may send another fenced effect beside those that it waits for. */
function awaitedSteps(turn: Turn, leader: Leading): void {
  const { model, state, index } = turn
  let mayAdd = leader.effects > 0 && model.world.sideBySide && believes(model.world, state, index)
  for (const { sent, resends } of leader.awaited) {
    if (sent.kind === 'fence') effectSteps(turn, leader, { sent, resends })
    else sentSteps(turn, leader, { sent, resends })
    mayAdd &&= sent.kind === 'fence'
  }
  if (mayAdd) sendEffect(turn, leader)
}

function extend(turn: Turn, leader: Leading, extension: Extension): void {
  const nowMs = readClock(turn)
  const step = leader.step + 1
  const expiresAtMs = Math.max(leader.expiresAtMs, nowMs + LEASE_MS)
  sendWrite(turn, { ...leader, step }, { ...tenureOf(turn, leader), ...extension, step, nowMs, expiresAtMs })
}

function haveEffect(turn: Turn, leader: Leading): void {
  const { model, index } = turn
  if (model.world.fencing === 'fence') {
    sendEffect(turn, leader)
    return
  }
  // `transact` waits like every request of the lease.
  const next = { ...leader, effects: leader.effects - 1 }
  sendAlone(turn, next, { kind: 'guard', from: index, order: leader.order, request: tenureOf(turn, leader) })
}

/** Every try of one end has the same step. */
function end(turn: Turn, leader: Leading, how: End): void {
  const { model } = turn
  const isRepeated = how === leader.ending
  const step = isRepeated ? leader.step : leader.step + 1
  const common = { ...tenureOf(turn, leader), step, nowMs: readClock(turn) }
  const request: HolderWrite = { ...common, ...endOf(turn, leader, how, common.nowMs) }
  const mayGoOn = model.world.refusals && how === 'completed' && !isRepeated
  const left = mayGoOn ? {} : { renewals: 0, effects: 0 }
  sendWrite(turn, { ...leader, step, ending: how, isRepeated, ...left }, request)
}

function endOf({ model, index }: Turn, { attempt, work }: Leading, how: End, nowMs: number) {
  const tick = tickName(tickOf(model.world, index))
  const ticks = work === undefined ? undefined : tickWorkOf(tick, work)
  if (how === 'resigned') {
    const other = (index + 1) % model.world.candidates.length
    const reservedFor = identityOf(model.world, other).candidate
    return { kind: 'release', endedBy: 'released', reservedFor, reservedUntilMs: nowMs + RESERVED_MS } as const
  }
  if (how === 'completed') return { kind: 'complete', tick, ...ticks?.closing } as const
  if (how === 'failed' || ticks === undefined) return { kind: 'release', endedBy: 'failed' } as const
  const reservation = { reservedFor: attemptName(index, attempt), reservedUntilMs: nowMs + RESERVED_MS }
  return { kind: 'release', endedBy: how, checkpoint: ticks.handedOver, ...reservation } as const
}

/**
 * An end without an answer: `#sendEnd` sends it again until the deadline, and then releases the lease as failed. If
 * that gets no answer either, it is sent a few more times, and the lease is left to expire.
 */
function unansweredEndSteps(turn: Turn, leader: Leading, ending: End): void {
  if (readClock(turn) < leader.expiresAtMs) end(turn, leader, ending)
  if (ending === 'failed' || ending === 'resigned')
    turn.take('it leaves its lease to expire', become(turn, failed(turn, leader)))
  else end(turn, leader, 'failed')
}

function sendWrite(turn: Turn, leader: Leading, request: HolderWrite): void {
  sendAlone(turn, leader, { kind: 'write', from: turn.index, order: leader.order, request })
}

/** One lease sends one request at a time. */
function sendAlone(turn: Turn, leader: Leading, sent: Write | Guarded): void {
  const waiting: Leading = { ...leader, awaited: [awaited(sent)] }
  send({ ...turn, state: become(turn, waiting) }, sent, (then) => leadingSteps(then, waiting))
}

function sentSteps(turn: Turn, leader: Leading, request: Awaited<Write | Guarded>): void {
  const { sent } = request
  fates(
    turn,
    request,
    (before) => answered(turn, leader, sent, before),
    (again) => ({ ...leader, awaited: [again] }),
    (left) => {
      if (sent.kind === 'write') refuseItems(turn, leader, { ...request, sent })
      left.take(NO_ANSWER, become(left, { ...leader, awaited: [] }), nameOf(sent))
    },
  )
}

/**
 * The conditions of a completion's items may fail. Then nothing happens and the leader goes on; but not if a try of the
 * completion got no answer, because that try may still arrive when the conditions hold.
 */
function refuseItems(turn: Turn, leader: Leading, completion: Awaited<Write>): void {
  const { model, state, take } = turn
  const { request } = completion.sent
  if (!model.world.refusals || request.kind !== 'complete' || !model.rules.write(state.row, request).granted) return
  const mayArrive = leader.isRepeated || isResent(completion)
  const ending = mayArrive ? leader.ending : undefined
  const next = become({ ...turn, state: withFault(state) }, { ...leader, awaited: [], ending })
  take('its completion is refused for its items', next)
}

/** lease-handle.ts, `#write`: granted, or its own by an earlier try, or it is replaced. */
function answered(turn: Turn, leader: Leading, sent: Write | Guarded, before: State): State {
  const { model } = turn
  const { state, granted, record } = arrives(model, before, sent)
  const then = { ...turn, state }
  const { isOwnCompletion, isOwnWrite } = model.rules
  const isOwn =
    !granted && sent.kind === 'write' && (isOwnWrite(record, sent.request) || isOwnCompletion(record, sent.request))
  if (isOwn) checkOwn(then, leader, sent)
  if (granted || isOwn) return become(then, afterSuccess(turn, leader, sent, record))
  // renewals.ts: an earlier advance of the task got no answer, and closed the tick. Now the task fails.
  if (sent.kind === 'write' && model.rules.isClosedAlready(record, sent.request)) {
    model.reached('an advance with items is sent again, and refused')
    return become(then, { ...leader, step: leader.step + 1, ending: 'failed', awaited: [] })
  }
  checkReplaced(then, leader)
  return become(then, failed(turn, leader))
}

function afterSuccess(turn: Turn, leader: Leading, sent: Write | Guarded, record: LeaseRecord | undefined): Candidate {
  const { ending, work } = leader
  if (ending === 'failed' || ending === 'resigned') return failed(turn, leader)
  if (ending === 'continued') return { phase: 'handedOver', attempt: leader.attempt }
  if (ending !== undefined) return { phase: 'over' }
  if (sent.kind !== 'write' || !('expiresAtMs' in sent.request)) return { ...leader, awaited: [] }
  const { request } = sent
  const next = { ...leader, expiresAtMs: request.expiresAtMs, awaited: [] }
  if (work === undefined || record === undefined) return next
  return { ...next, work: workAfter(tickName(tickOf(turn.model.world, turn.index)), work, request, record) }
}

/** A leader that takes itself for replaced leaves its tick undone, or reports a finished one as lost. */
function checkReplaced(turn: Turn, leader: Leading): void {
  const { model, index } = turn
  const { row, ledger } = turn.state
  if (model.world.deletions > 0 || row === undefined) return
  const { attempt, fencingToken } = tenureOf(turn, leader)
  const isItsTick = row.completedTick === tickName(tickOf(model.world, index)) && row.completedBy === fencingToken
  if (leader.ending === 'completed' && isItsTick) {
    model.broke('L3', `${labelOf(model.world, index)} learns that it was replaced, but it has completed its tick`)
  }
  if (row.attempt !== attempt || row.fencingToken !== fencingToken) return
  const hasCompleted = leader.ending === 'completed' && isCompleted(ledger, tickOf(model.world, index))
  if (row.holder === undefined && !hasCompleted) return
  model.broke('L3', `${labelOf(model.world, index)} learns that it was replaced, but was not`)
}

/** A write that a leader takes for its own must be. */
function checkOwn({ model, state, index }: Turn, leader: Leading, { request, order }: Write): void {
  const { row, ledger } = state
  const tick = tickOf(model.world, index)
  if (request.kind === 'complete' && !isCompleted(ledger, tick)) {
    model.broke('L3', `tick ${tick} is reported as completed, but is not`)
  }
  const isHeld = row?.holder === request.candidate && row.fencingToken === leader.token && order === ledger.acquisitions
  if ('expiresAtMs' in request && !isHeld) {
    model.broke('S1', `${labelOf(model.world, index)} takes its lease for extended, but the row is not its own`)
  }
}

function tenureOf({ model, index }: Turn, { attempt, token }: Leading): Tenure {
  const { candidate } = identityOf(model.world, index)
  return { lease: LEASE, candidate, attempt: attemptName(index, attempt), fencingToken: token }
}
