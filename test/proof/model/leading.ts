/**
 * What a leader may do next: extend its lease, have effects (those by `send`: effects.ts), end. Mirrors
 * functions/election/lease-handle.ts (`#extend`, `#end`, `transact`) and with-lease.ts (`finished`, `failed`).
 */
import type { HolderWrite, Tenure } from '../../../functions/election/rules.ts'
import { effectSteps, sendEffect } from './effects.ts'
import {
  become,
  failed,
  leftUnderWay,
  type Model,
  readClock,
  SDK_RETRIES,
  send,
  type Turn,
  underWay,
  withFault,
} from './model.ts'
import type { Candidate, End, Guarded, Leading, State, Write } from './state.ts'
import { guardedArrives, isCompleted, nameOf, writeArrives } from './table.ts'
import { attemptName, candidateName, clockOf, LEASE, tickName, tickOf, type World, who } from './world.ts'

/** lease-handle.ts, remainingMs() > 0: what S1 is about. */
export function believes(world: World, state: State, index: number): boolean {
  const candidate = state.candidates[index]
  if (candidate?.phase !== 'leading' || candidate.ending !== undefined) return false
  return state.timeMs + clockOf(world, index) < candidate.expiresAtMs
}

const me = ({ model, index }: Turn): string => who(model.world, index)

export function leadingSteps(turn: Turn, leader: Leading): void {
  const { sent, ending, pending } = leader
  if (pending.length > 0) pendingSteps(turn, leader)
  else if (sent !== undefined) sentSteps(turn, leader, sent)
  else if (ending !== undefined) unansweredEndSteps(turn, leader, ending)
  else freeSteps(turn, leader)
  const { state, take } = turn
  if (state.ledger.faults === 0) return
  const left = [...(sent === undefined ? [] : [sent]), ...pending.map((one) => one.sent)]
  const faulty = left.reduce(underWay, withFault(state))
  take('a leader crashes', become({ ...turn, state: faulty }, failed(turn, leader)), () => `${me(turn)} crashes`)
}

/** Nothing is under way: the task goes on, extends its lease, has effects, or ends. */
function freeSteps(turn: Turn, leader: Leading): void {
  const { model, state, index } = turn
  // H3: nothing is extended, and no effect sent, after the own deadline. Ending is tried.
  if (believes(model.world, state, index)) {
    if (leader.extensions > 0) {
      extend(turn, leader, 'renew')
      if (model.world.checkpoints) extend(turn, leader, 'saveCheckpoint')
    }
    if (leader.effects > 0) haveEffect(turn, leader)
  }
  for (const how of model.world.ends) end(turn, leader, how)
}

/** The task waits for its effects, and may send another beside them. What else it does does not concern that row. */
function pendingSteps(turn: Turn, leader: Leading): void {
  const { model, state, index } = turn
  for (const pending of leader.pending) effectSteps(turn, leader, pending)
  if (leader.effects > 0 && model.world.sideBySide && believes(model.world, state, index)) sendEffect(turn, leader)
}

function extend(turn: Turn, leader: Leading, kind: 'renew' | 'saveCheckpoint'): void {
  const { model, index } = turn
  const nowMs = readClock(turn)
  const step = leader.step + 1
  const expiresAtMs = Math.max(leader.expiresAtMs, nowMs + model.world.leaseMs)
  const common = { ...tenureOf(index, leader), step, nowMs, expiresAtMs }
  const checkpoint = { tick: tickName(tickOf(model.world, index)), state: step }
  const request: HolderWrite = kind === 'renew' ? { ...common, kind } : { ...common, kind, checkpoint }
  model.saw(kind === 'renew' ? 'a leader renews' : 'a leader saves a checkpoint')
  sendOwn(turn, { ...leader, step, extensions: leader.extensions - 1 }, request)
}

function haveEffect(turn: Turn, leader: Leading): void {
  const { model, index } = turn
  if (model.world.fencing === 'fence') {
    sendEffect(turn, leader)
    return
  }
  // `transact` waits for its turn like every request of the lease.
  model.saw('a leader sends a guarded effect')
  const next = { ...leader, effects: leader.effects - 1 }
  sendInTurn(turn, next, { kind: 'guard', from: index, order: leader.order, tenure: tenureOf(index, leader) })
}

const ENDS = {
  completed: 'a leader completes its tick',
  released: 'a task releases the lease itself',
  failed: 'a task fails: its leader releases',
} as const

/** Every try of one end has the same step. */
function end(turn: Turn, leader: Leading, how: End): void {
  const { model, index } = turn
  const isRepeated = how === leader.ending
  const step = isRepeated ? leader.step : leader.step + 1
  const common = { ...tenureOf(index, leader), step, nowMs: readClock(turn) }
  const request: HolderWrite =
    how === 'completed'
      ? { ...common, kind: 'complete', tick: tickName(tickOf(model.world, index)) }
      : { ...common, kind: 'release', endedBy: how }
  model.saw(ENDS[how])
  const mayGoOn = model.world.refusals && how === 'completed' && !isRepeated
  const left = mayGoOn ? {} : { extensions: 0, effects: 0 }
  sendOwn(turn, { ...leader, step, ending: how, isRepeated, ...left }, request)
}

/**
 * An end got no answer. `#sendEnd` sends it again until the deadline; then the lease is released as failed. Where that has no
 * answer either, it is sent again a few times, and left to expire.
 */
function unansweredEndSteps(turn: Turn, leader: Leading, ending: End): void {
  if (readClock(turn) < leader.expiresAtMs) end(turn, leader, ending)
  if (ending === 'failed') {
    const tell = () => `${me(turn)} leaves its lease to expire`
    turn.take('an unanswered release is left', become(turn, failed(turn, leader)), tell)
    return
  }
  end(turn, leader, 'failed')
}

function sendOwn(turn: Turn, leader: Leading, request: HolderWrite): void {
  sendInTurn(turn, leader, { kind: 'write', from: turn.index, order: leader.order, request })
}

/** One lease sends one request at a time. */
function sendInTurn(turn: Turn, leader: Leading, sent: Write | Guarded): void {
  const waiting: Leading = { ...leader, sent, resends: SDK_RETRIES }
  const tell = () => `${me(turn)} sends ${nameOf(sent)}`
  send({ ...turn, state: become(turn, waiting) }, tell, (then) => leadingSteps(then, waiting))
}

/** A request of the leader is under way, and its answer is waited for. */
function sentSteps(turn: Turn, leader: Leading, sent: Write | Guarded): void {
  const { model, state, take } = turn
  const what = () => `the ${nameOf(sent)} of ${me(turn)}`
  take("a leader's request arrives", answered(turn, leader, sent, state), () => `${what()} arrives`)
  if (model.world.overtaking && sent.kind === 'write' && sent.request.kind === 'renew') overtake(turn, leader, sent)
  if (state.ledger.faults === 0) return
  if (sent.kind === 'write') refuseItems(turn, leader, sent)
  if (leader.resends > 0) {
    const { state: after } = arrives(model, withFault(state), sent)
    take(
      "the reply to a leader's request is lost, the SDK sends it again",
      become({ ...turn, state: after }, { ...leader, resends: leader.resends - 1 }),
      () => `${what()} arrives, its reply is lost, and the SDK sends the same request again`,
    )
  }
  const left = leftUnderWay(state, sent)
  take(
    "a leader's request arrives, a copy stays under way",
    answered(turn, leader, sent, left),
    () => `${what()} arrives, and a copy of it stays under way`,
  )
  take(
    "a leader's request gets no answer",
    become({ ...turn, state: left }, { ...leader, sent: undefined, resends: 0 }),
    () => `${what()} gets no answer, and may still be under way`,
  )
}

/** An end does not wait for a renewal, which may arrive before it, behind it, or never. */
function overtake(turn: Turn, leader: Leading, sent: Write): void {
  const { model } = turn
  model.saw('an end overtakes a renewal')
  const then = { ...turn, state: underWay(turn.state, { ...sent, isOvertaken: true }) }
  for (const how of model.world.ends) end(then, { ...leader, sent: undefined, resends: 0 }, how)
}

/**
 * The items' own conditions may fail where the lease row's holds. Nothing happens, and the leader goes on, but not if some
 * try of the completion got no answer: it may arrive yet, when those conditions hold.
 */
function refuseItems(turn: Turn, leader: Leading, { request }: Write): void {
  const { model, state, take } = turn
  if (!model.world.refusals || request.kind !== 'complete' || !model.rules.write(state.row, request).granted) return
  const mayArrive = leader.isRepeated || leader.resends < SDK_RETRIES
  const next: Leading = { ...leader, sent: undefined, resends: 0 }
  take(
    'a completion is refused for its items',
    become({ ...turn, state: withFault(state) }, mayArrive ? next : { ...next, ending: undefined }),
    () => `the completion of ${me(turn)} is refused for its items${mayArrive ? '' : ', and it goes on'}`,
  )
}

function arrives(model: Model, state: State, sent: Write | Guarded) {
  if (sent.kind === 'guard') return { state, granted: guardedArrives(model, state, sent), record: undefined }
  const { state: after, reply } = writeArrives(model, state, sent)
  return { state: after, granted: reply.granted, record: reply.record }
}

/** lease-handle.ts, `#write`: granted, or in truth my own, or I am replaced. */
function answered(turn: Turn, leader: Leading, sent: Write | Guarded, before: State): State {
  const { model } = turn
  const { state, granted, record } = arrives(model, before, sent)
  const then = { ...turn, state }
  const own = !granted && sent.kind === 'write' && model.rules.isOwnWrite(record, sent.request)
  if (own) judgeOwn(then, leader, sent)
  if (!granted && !own) {
    model.saw('a leader learns from a refused request that it is replaced')
    judgeReplaced(then, leader)
    return become(then, failed(turn, leader))
  }
  if (granted && leader.ending === 'completed' && readClock(turn) >= leader.expiresAtMs) {
    model.saw('a completion after the own deadline is granted')
  }
  return become(then, afterSuccess(turn, leader, sent))
}

function afterSuccess(turn: Turn, leader: Leading, sent: Write | Guarded): Candidate {
  const { ending } = leader
  if (ending === 'failed') return failed(turn, leader)
  if (ending !== undefined) return { phase: 'over' }
  const extended = sent.kind === 'write' && 'expiresAtMs' in sent.request
  const expiresAtMs = extended ? sent.request.expiresAtMs : leader.expiresAtMs
  return { ...leader, expiresAtMs, sent: undefined, resends: 0 }
}

/** A leader that takes itself for replaced leaves its tick undone, or reports a finished one as lost. */
function judgeReplaced({ model, state: { row, ledger }, index }: Turn, leader: Leading): void {
  if (model.world.deletions > 0 || row === undefined) return
  const { attempt, fencingToken } = tenureOf(index, leader)
  if (row.attempt !== attempt || row.fencingToken !== fencingToken) return
  const hasCompleted = leader.ending === 'completed' && isCompleted(ledger, tickOf(model.world, index))
  const isSo = row.holder === undefined && !hasCompleted
  if (!isSo) model.broke('L3', `${who(model.world, index)} is told that it was replaced, but was not`)
}

/** What a leader takes for its own write must be true. */
function judgeOwn({ model, state, index }: Turn, leader: Leading, { request, order }: Write): void {
  const { row, ledger } = state
  model.saw('a refused write is recognised as my own')
  const tick = tickOf(model.world, index)
  if (request.kind === 'complete' && !isCompleted(ledger, tick)) {
    model.broke('L3', `tick ${tick} is reported as completed, but is not`)
  }
  const isExtension = request.kind === 'renew' || request.kind === 'saveCheckpoint'
  const isHeld = row?.holder === request.candidate && row.fencingToken === leader.token && order === ledger.acquisitions
  if (isExtension && !isHeld) {
    model.broke('S1', `${who(model.world, index)} takes its lease for extended, but the row is not its own`)
  }
}

function tenureOf(index: number, { attempt, token }: Leading): Tenure {
  return {
    lease: LEASE,
    candidate: candidateName(index),
    attempt: attemptName(index, attempt),
    fencingToken: token,
  }
}
