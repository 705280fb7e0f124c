/**
 * What a leader may do next: extend its lease, have effects, end. Mirrors functions/election/lease-handle.ts (`#extend`,
 * `#end`, `transact`, `send`) and with-lease.ts (`finished`, `failed`).
 */
import type { HolderWrite, Tenure } from '../../functions/election/rules.ts'
import {
  become,
  failed,
  leftUnderWay,
  type Model,
  readClock,
  SDK_RETRIES,
  send,
  type Turn,
  withFault,
} from './model.ts'
import type { Candidate, End, Fenced, Guarded, Leading, State, Write } from './state.ts'
import { fencedArrives, guardedArrives, isCompleted, nameOf, writeArrives } from './table.ts'
import { attemptName, candidateName, clockOf, LEASE, tickName, tickOf, type World, who } from './world.ts'

/** lease-handle.ts, remainingMs() > 0: what S1 is about. */
export function believes(world: World, state: State, index: number): boolean {
  const candidate = state.candidates[index]
  if (candidate?.phase !== 'leading' || candidate.ending !== undefined) return false
  return state.timeMs + clockOf(world, index) < candidate.expiresAtMs
}

const me = ({ model, index }: Turn): string => who(model.world, index)

export function leadingSteps(turn: Turn, leader: Leading): void {
  const { sent, ending } = leader
  if (sent !== undefined) sentSteps(turn, leader, sent)
  else if (ending !== undefined) unansweredEndSteps(turn, leader, ending)
  else freeSteps(turn, leader)
  const { state, take } = turn
  if (state.ledger.faults === 0) return
  const faulty = sent === undefined ? withFault(state) : leftUnderWay(state, sent)
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
  const { model, state, index, take } = turn
  const { token, order } = leader
  const next = { ...leader, effects: leader.effects - 1 }
  if (model.world.fencing === 'guard') {
    // `transact` waits for its turn like every request of the lease.
    model.saw('a leader sends a guarded effect')
    sendInTurn(turn, next, { kind: 'guard', from: index, order, tenure: tenureOf(index, leader) })
    return
  }
  const sent: Fenced = { kind: 'fence', from: index, order, token }
  const after = become(turn, next)
  const tell = () => `${me(turn)} has an effect, fenced with token ${token}`
  take('a leader has a fenced effect', fencedArrives(model, after, sent), tell)
  if (state.ledger.faults === 0) return
  take('a fenced effect takes its time', leftUnderWay(after, sent), () => `${tell()}, which is still under way`)
}

const ENDS = {
  completed: 'a leader completes its tick',
  released: 'a task releases the lease itself',
  failed: 'a task fails: its leader releases',
} as const

function end(turn: Turn, leader: Leading, how: End): void {
  const { model, index } = turn
  const step = leader.step + 1
  const common = { ...tenureOf(index, leader), step, nowMs: readClock(turn) }
  const request: HolderWrite =
    how === 'completed'
      ? { ...common, kind: 'complete', tick: tickName(tickOf(model.world, index)) }
      : { ...common, kind: 'release', endedBy: how }
  model.saw(ENDS[how])
  sendOwn(turn, { ...leader, step, ending: how, extensions: 0, effects: 0 }, request)
}

/**
 * An end got no answer. `endWithRetries` sends the same end again until the deadline; then, or where the task itself
 * asked for it and throws, the lease is released as failed; where that has no answer either, it is left to expire.
 */
function unansweredEndSteps(turn: Turn, leader: Leading, ending: End): void {
  if (ending === 'failed') {
    const tell = () => `${me(turn)} leaves its lease to expire`
    turn.take('an unanswered release is left', become(turn, failed(turn, leader)), tell)
    return
  }
  if (readClock(turn) < leader.expiresAtMs) end(turn, leader, ending)
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
  if (state.ledger.faults === 0) return
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
  const sameStep = request.step === row?.step
  model.saw(
    sameStep ? 'a refused write is recognised as my own' : 'an end is recognised as my own, under a higher step',
  )
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
