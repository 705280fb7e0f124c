/**
 * What one candidate may do next, until it leads (then leading.ts). It mirrors, as a machine of small steps, what
 * functions/election/acquire.ts does with promises: asking, the answer, giving back. Every decision about a row is the
 * shipped rules'. A candidate may sleep between any two steps: time passes without it.
 */
import { LONGEST_LEASE_MS } from '../../../functions/election/options.ts'
import type { LeaseRecord, Reply, StandbyReason } from '../../../functions/election/rules.ts'
import { leadingSteps } from './leading.ts'
import { become, failed, leftUnderWay, readClock, SDK_RETRIES, send, type Turn, withFault } from './model.ts'
import type { Move } from './situations.ts'
import type { Candidate, GivenBack, Leading, State, Won } from './state.ts'
import { acquireArrives, giveBackArrives, isCompleted, isDone } from './table.ts'
import {
  attemptName,
  candidateName,
  eventName,
  isWithinBudget,
  LEASE,
  tickName,
  tickOf,
  type World,
  who,
} from './world.ts'

type Asking = Extract<Candidate, { phase: 'asking' }>
type Granted = Extract<Candidate, { phase: 'granted' }>

export function candidateSteps(turn: Turn): void {
  const candidate = turn.state.candidates[turn.index]
  switch (candidate?.phase) {
    case 'idle':
      begins(turn)
      break
    case 'again':
      asksAgain(turn, candidate.attempt)
      break
    case 'asking':
      askingSteps(turn, candidate)
      break
    case 'granted':
      grantedSteps(turn, candidate)
      break
    case 'leading':
      leadingSteps(turn, candidate)
      break
  }
}

const me = ({ model, index }: Turn): string => who(model.world, index)

/** Candidates that differ only in their numbers begin in that order. */
function begins(turn: Turn): void {
  const { model, state, index } = turn
  const { candidates } = model.world
  const waits = candidates.some(
    (other, lower) => lower < index && isAlike(other, candidates[index]) && state.candidates[lower]?.phase === 'idle',
  )
  if (waits) return
  model.saw('an event begins')
  asks(turn, 1, () => `${me(turn)} is invoked and asks for tick ${tickOf(model.world, index)}`)
}

function isAlike(one: World['candidates'][number], other: World['candidates'][number] | undefined): boolean {
  return one.clockMs === other?.clockMs && one.tick === other.tick && one.attempts === other.attempts
}

/** Lambda offers the event of a failed or dead invocation again. An acquire that nobody won is made again likewise. */
function asksAgain(turn: Turn, attempt: number): void {
  turn.model.saw('a candidate asks again, with a fresh attempt')
  asks(turn, attempt + 1, () => `${me(turn)} asks again, with a fresh attempt`)
}

function asks(turn: Turn, attempt: number, tell: () => string): void {
  const candidate = asking(turn, attempt)
  send({ ...turn, state: become(turn, candidate) }, tell, (sent) => askingSteps(sent, candidate))
}

/** acquire.ts, askOnce: the request with the reading of the clock before it is sent. */
function asking(turn: Turn, attempt: number): Asking {
  const { index } = turn
  const { leaseMs, maxClockSkewMs } = turn.model.world
  const nowMs = readClock(turn)
  const request = {
    lease: LEASE,
    candidate: candidateName(index),
    attempt: attemptName(index, attempt),
    eventId: eventName(index),
    tick: tickName(tickOf(turn.model.world, index)),
    nowMs,
    expiresAtMs: nowMs + leaseMs,
    maxClockSkewMs,
  }
  return {
    phase: 'asking',
    attempt,
    sent: { kind: 'acquire', from: index, request, wasGranted: false },
    resends: SDK_RETRIES,
  }
}

function askingSteps(turn: Turn, candidate: Asking): void {
  const { model, state, index, take } = turn
  take('an acquire arrives', answered(turn, candidate, state), () => `the acquire of ${me(turn)} arrives`)
  if (!isWithinBudget(model.world, index)) {
    // acquire.ts, clockProblem: the reply's Date may tell. It has whole seconds and a way to go, so it need not.
    const { state: after } = acquireArrives(model, state, candidate.sent)
    const tell = () => `the acquire of ${me(turn)} arrives, and the reply's Date shows that its clock is wrong`
    // acquire.ts, giveBack: by this clock or by DynamoDB's, which may be taken for B / 2 later than it is, whichever is earlier.
    const stampMs = Math.min(readClock(turn), state.timeMs + model.world.maxClockSkewMs / 2)
    givesBack({ ...turn, state: after }, candidate, "an acquire's reply shows that the clock is wrong", tell, stampMs)
  }
  if (state.ledger.faults > 0) askingFaults(turn, candidate)
}

function askingFaults(turn: Turn, candidate: Asking): void {
  const { model, state, take } = turn
  const { sent, resends } = candidate
  const arrival = acquireArrives(model, withFault(state), sent)
  if (resends > 0) {
    take(
      'the reply to an acquire is lost, the SDK sends it again',
      become({ ...turn, state: arrival.state }, { ...candidate, resends: resends - 1 }),
      () => `the acquire of ${me(turn)} arrives, its reply is lost, and the SDK sends the same request again`,
    )
  }
  const copy = { ...sent, wasGranted: arrival.reply.granted }
  take(
    'an acquire arrives, a copy stays under way',
    answered(turn, candidate, leftUnderWay(state, copy)),
    () => `the acquire of ${me(turn)} arrives, and a copy of it stays under way`,
  )
  const left = { ...turn, state: leftUnderWay(state, sent) }
  const tell = () => `the acquire of ${me(turn)} gets no answer, and may still be under way`
  givesBack(left, candidate, 'an acquire gets no answer', tell)
  take(
    'a candidate crashes while it asks',
    become(left, failed(turn, candidate)),
    () => `${me(turn)} crashes; its acquire may still be under way`,
  )
}

function answered(turn: Turn, candidate: Asking, state: State): State {
  const { state: after, reply } = acquireArrives(turn.model, state, candidate.sent)
  const then = { ...turn, state: after }
  return become(then, heard(then, candidate, reply))
}

/** acquire.ts, wonRecord and standby: what a reply means. */
function heard(turn: Turn, candidate: Asking, reply: Reply): Candidate {
  const { model, state } = turn
  const { attempt, sent } = candidate
  const { record } = reply
  if (record === undefined) return failed(turn, candidate)
  const won = { token: record.fencingToken, order: state.ledger.acquisitions, expiresAtMs: record.expiresAtMs }
  if (reply.granted) return { phase: 'granted', attempt, won }
  const refusal = model.rules.explainRefusal(record, sent.request)
  if (refusal.kind === 'won') {
    model.saw('a refused acquire is recognised as won')
    return { phase: 'granted', attempt, won }
  }
  if (record.holder === sent.request.candidate && record.attempt === sent.request.attempt) {
    model.broke('L3', `${me(turn)} leads, and is told "${refusal.kind}": it fails or stands by`)
  }
  const isHeld = refusal.kind === 'stillHeld' || (refusal.kind === 'standby' && refusal.reason === 'held')
  if (isHeld && isFromFuture(turn, record)) {
    model.saw('a candidate fails at a row from the future')
    return failed(turn, candidate)
  }
  switch (refusal.kind) {
    case 'standby':
      judgeStandby(turn, refusal.reason)
      return { phase: 'over' }
    case 'stillHeld':
      model.saw('a retry is told that its own event still holds the lease')
      return failed(turn, candidate)
    case 'outdated':
      model.saw('nobody won: asks with a fresh attempt')
      return failed(turn, candidate)
    case 'ticksMissing':
      throw new Error('Every candidate of the model gives its tick.')
  }
}

/** acquire.ts, heldBy, with clock-skew.ts, latestHonestMs: what a leader's clock may say, by this one's and by DynamoDB's. */
function isFromFuture(turn: Turn, record: LeaseRecord): boolean {
  const { model, state } = turn
  const { maxClockSkewMs } = model.world
  if (model.rules.impossibleTime(record, LONGEST_LEASE_MS)) throw new Error('A candidate wrote an impossible row.')
  const latestMs = Math.max(readClock(turn) + maxClockSkewMs, state.timeMs + 1_000 + maxClockSkewMs / 2)
  return model.rules.isAhead(record, latestMs, LONGEST_LEASE_MS)
}

/** acquire.ts, giveBack: best effort. Whoever gives back fails then, whether or not the request has arrived. */
function givesBack(
  turn: Turn,
  call: { readonly attempt: number },
  kind: Move,
  tell: () => string,
  nowMs = readClock(turn),
): void {
  const { model, index, state, take } = turn
  const request = { lease: LEASE, candidate: candidateName(index), attempt: attemptName(index, call.attempt), nowMs }
  const givenBack: GivenBack = { kind: 'giveBack', from: index, request }
  const gone = become(turn, failed(turn, call))
  take(kind, giveBackArrives(model, gone, givenBack).state, () => `${tell()}; it gives back and fails`)
  if (state.ledger.faults === 0) return
  const late = () => `${tell()}; it gives back and fails, and giving back is still under way`
  take('giving back takes its time', leftUnderWay(gone, givenBack), late)
}

/** The lease is granted, the answer under way or not yet looked at. Its candidate may learn it too late. */
function grantedSteps(turn: Turn, candidate: Granted): void {
  const { model, state, index, take } = turn
  const { won } = candidate
  if (readClock(turn) < won.expiresAtMs) {
    judgeBeginning(turn, won)
    take(
      'a candidate learns that it won: its task begins',
      become(turn, leading(model.world, candidate)),
      () => `${me(turn)} learns that it leads tick ${tickOf(model.world, index)} with token ${won.token}`,
    )
  } else {
    const tell = () => `${me(turn)} learns too late that it won`
    givesBack(turn, candidate, 'a candidate learns too late that it won', tell)
  }
  if (state.ledger.faults === 0) return
  const faulty = { ...turn, state: withFault(state) }
  givesBack(
    faulty,
    candidate,
    'the reply to a granted acquire is lost for good',
    () => `${me(turn)} never gets its answer`,
  )
  take(
    'a candidate crashes before it learns that it won',
    become(faulty, failed(turn, candidate)),
    () => `${me(turn)} crashes before it learns that it won`,
  )
}

/**
 * S4, where the task begins rather than where the lease is granted: that needs clocks within the budget, and is not
 * claimed of a tenure that an operator ended by force before its leader knew of it.
 */
function judgeBeginning({ model, state, index }: Turn, won: Won): void {
  const { world } = model
  const tick = tickOf(world, index)
  if (!isCompleted(state.ledger, tick) || state.ledger.forced === won.order) return
  const onTime = world.candidates.every((_, other) => isWithinBudget(world, other))
  if (onTime) model.broke('S4', `${who(world, index)} begins its task for tick ${tick}, which was completed`)
  else model.saw('beyond the budget: a task begins whose tick was completed meanwhile')
}

/** A candidate that stands by for a reason that is not true loses its tick. */
function judgeStandby({ model, state: { row, ledger }, index }: Turn, reason: StandbyReason): void {
  const tick = tickOf(model.world, index)
  const isTrue = reason === 'held' ? row?.holder !== undefined : isDone(ledger, tick)
  if (!isTrue)
    model.broke('L3', `${who(model.world, index)} stands by as ${reason} and loses its tick, but that is not so`)
  // Nobody pauses a lease here.
  if (reason !== 'paused' && reason !== 'contended') model.saw(`stands by: ${reason}`)
}

function leading({ extensions, effects }: World, { attempt, won }: Granted): Leading {
  const nothing = { effectStep: 0, pending: [], ending: undefined, isRepeated: false, sent: undefined, resends: 0 }
  return { phase: 'leading', attempt, ...won, step: 0, extensions, effects, ...nothing }
}
