// @ts-nocheck
import { explainRefusedWrite, fenceAdmits } from '../../../functions/election/fencing.ts'
import * as refusal from '../../../functions/election/refusal.ts'
import * as rules from '../../../functions/election/rules.ts'
import { openTransfer } from '../../../functions/election/standing/decision.ts'
import { leaderOf } from '../../../functions/election/standing/observe.ts'
import type { Claim } from '../claims.ts'
import type { Situation } from './situations.ts'
import type { Awaited, Candidate, Leading, Message, State } from './state.ts'
import { arrives, nameOf } from './table.ts'
import { clockOf, LEASE, LEASE_MS, SKEW_MS, START_MS, tickName, type World } from './world.ts'

/** The shipped rules, which a test may replace. */
export const SHIPPED = { ...rules, ...refusal, fenceAdmits, explainRefusedWrite, openTransfer, leaderOf }
export type Rules = typeof SHIPPED

export interface Model {
  readonly world: World
  readonly rules: Rules
  readonly reached: (situation: Situation) => void
  readonly broke: (claim: Claim, what: string) => void
}

/** Takes one step. `from` is the candidate, if it is one's step, and `detail` says which request. */
export type Take = (move: string, next: State, from?: number, detail?: string) => void

/** One candidate in one state. */
export interface Turn {
  readonly model: Model
  readonly state: State
  readonly index: number
  readonly take: (move: string, next: State, detail?: string) => void
}

/** The candidate's own clock. */
export function readClock({ model, state, index }: Turn): number {
  return state.timeMs + clockOf(model.world, index)
}

/** The turn's state with its candidate changed. */
export function become({ state, index }: Turn, candidate: Candidate): State {
  return { ...state, candidates: state.candidates.with(index, candidate) }
}

/** The invocation has failed or died. Lambda invokes the function again, but not forever. */
export function failed({ model, index }: Turn, { attempt }: { readonly attempt: number }): Candidate {
  const attempts = model.world.candidates[index]?.attempts ?? 0
  return attempt < attempts ? { phase: 'again', attempt } : { phase: 'over' }
}

export function withFault(state: State): State {
  return { ...state, ledger: { ...state.ledger, faults: state.ledger.faults - 1 } }
}

/** A fault that leaves requests under way. They may never arrive, so a lost request needs no step of its own. */
export function leftUnderWay(state: State, ...messages: readonly Message[]): State {
  return { ...withFault(state), network: [...state.network, ...messages] }
}

/** How often the SDK sends a request again by itself. */
const SDK_RETRIES = 1

export function awaited<Sent extends Message>(sent: Sent): Awaited<Sent> {
  return { sent, resends: SDK_RETRIES }
}

export const NO_ANSWER = 'its request gets no answer, and may still be under way'

/** The leader with one of its requests replaced, or answered. */
export function withAwaited(leader: Leading, old: Awaited, ...replacement: readonly Awaited[]): Leading {
  return { ...leader, awaited: leader.awaited.flatMap((one) => (one.sent === old.sent ? replacement : [one])) }
}

/** An earlier try got no answer, and may still arrive. */
export function isResent({ resends }: Awaited<Message>): boolean {
  return resends < SDK_RETRIES
}

/**
 * Sends a request: it arrives or meets a fault at once, or takes its time. Steps of others in the same instant might
 * as well come before the sending.
 */
export function send(turn: Turn, message: Message, fates: (turn: Turn) => void, delaysAreFree = false): void {
  const { state, take } = turn
  fates(turn)
  const delayed = 'it sends a request, which takes its time'
  if (delaysAreFree) take(delayed, state, nameOf(message))
  else if (state.ledger.faults > 0) take(delayed, withFault(state), nameOf(message))
}

/**
 * What can happen to a request while its sender waits for it.
 *
 * @param answered the sender has the answer to the request that arrives in this state
 * @param again the sender, for which the SDK sends the request again
 * @param unanswered called if the sender waits no longer, with the request still under way
 */
export function fates<Sent extends Message>(
  turn: Turn,
  { sent, resends }: Awaited<Sent>,
  answered: (state: State) => State,
  again: (awaited: Awaited<Sent>) => Candidate,
  unanswered: (turn: Turn) => void,
): void {
  const { model, state, take } = turn
  const name = nameOf(sent)
  take('its request arrives', answered(state), name)
  if (state.ledger.faults === 0) return
  if (resends > 0) {
    const { state: after } = arrives(model, withFault(state), sent)
    const waiting = become({ ...turn, state: after }, again({ sent, resends: resends - 1 }))
    take('its request arrives, the reply is lost, and the SDK sends it again', waiting, name)
  }
  const left = leftUnderWay(state, sent)
  take('its request arrives, a copy stays under way', answered(left), name)
  unanswered({ ...turn, state: left })
}

export function initialState(world: World): State {
  const exists = world.row === 'there'
  return {
    timeMs: START_MS,
    row: exists ? (world.standing ? TICKLESS_ROW : EARLIER_ROW) : undefined,
    candidates: world.candidates.map(({ continues }) => ({ phase: continues === undefined ? 'idle' : 'absent' })),
    network: [],
    ledger: {
      acquisitions: 0,
      highestToken: exists ? EARLIER_ROW.fencingToken : 0,
      ...{ lastAttempt: '', otherOrder: 0 },
      lastSentMs: exists ? EARLIER_ROW.writtenAtMs : 0,
      ...{ completed: 0, missed: 0, reserved: undefined },
      fenced: { seen: NEVER_FENCED, order: 0, landed: 0, settled: 0 },
      ...{ faults: world.faults, deletions: world.deletions, pauses: world.pauses },
    },
  }
}

const NEVER_FENCED = { fencingToken: undefined, step: undefined, settled: undefined }

/** As an earlier tenure left it, whose tick was before all of this world's. */
const EARLIER_ROW: rules.LeaseRecord = {
  lease: LEASE,
  fencingToken: 41,
  attempt: 'earlier',
  acquiredAtMs: START_MS - LEASE_MS - 2 * SKEW_MS,
  expiresAtMs: START_MS - 2 * SKEW_MS,
  writtenAtMs: START_MS - LEASE_MS - 2 * SKEW_MS,
  step: 1,
  tick: tickName(0),
  completedTick: tickName(0),
  endedBy: 'completed',
}

const { tick: _tick, completedTick: _completedTick, ...TICKLESS_ROW } = EARLIER_ROW
