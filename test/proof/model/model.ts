import { explainRefusedWrite, fenceAdmits } from '../../../functions/election/fencing.ts'
import * as shipped from '../../../functions/election/rules.ts'
import type { Claim } from '../claims.ts'
import type { Move, Situation } from './situations.ts'
import type { Candidate, Message, State } from './state.ts'
import { clockOf, LEASE, START_MS, tickName, type World } from './world.ts'

export type Rules = Pick<
  typeof shipped,
  | 'acquire'
  | 'acquireConditions'
  | 'write'
  | 'giveBack'
  | 'explainRefusal'
  | 'isOwnWrite'
  | 'isHeldBy'
  | 'impossibleTime'
  | 'isAhead'
> & {
  readonly fenceAdmits: typeof fenceAdmits
  readonly explainRefusedWrite: typeof explainRefusedWrite
}

export const SHIPPED: Rules = { ...shipped, fenceAdmits, explainRefusedWrite }

/** A world under certain rules, and who listens to what happens in it. */
export interface Model {
  readonly world: World
  readonly rules: Rules
  /** Something worth counting happened: a search that never meets it would prove little about it. */
  readonly saw: (situation: Situation) => void
  readonly broke: (claim: Claim, what: string) => void
}

/** Takes one step: what kind, the state after it, and the sentence that tells it, made only where somebody reads it. */
export type Take = (kind: Move, next: State, tell: () => string) => void

/** One candidate at a certain moment. */
export interface Turn {
  readonly model: Model
  readonly state: State
  readonly index: number
  readonly take: Take
}

/** What the candidate's own clock says. */
export function readClock({ model, state, index }: Turn): number {
  return state.timeMs + clockOf(model.world, index)
}

/** The turn's state with its candidate changed, and perhaps more. */
export function become({ state, index }: Turn, candidate: Candidate, rest: Partial<State> = {}): State {
  return { ...state, ...rest, candidates: state.candidates.with(index, candidate) }
}

/** The invocation has failed or died. Lambda offers its event again, but not for ever. */
export function failed({ model, index }: Turn, { attempt }: { readonly attempt: number }): Candidate {
  const attempts = model.world.candidates[index]?.attempts ?? 0
  return attempt < attempts ? { phase: 'again', attempt } : { phase: 'over' }
}

export function withFault(state: State): State {
  return { ...state, ledger: { ...state.ledger, faults: state.ledger.faults - 1 } }
}

/** A fault that leaves a request under way. It may never arrive, so a request that is lost needs no step of its own. */
export function leftUnderWay(state: State, message: Message): State {
  return underWay(withFault(state), message)
}

export function underWay(state: State, message: Message): State {
  return { ...state, network: [...state.network, message] }
}

/** How often the SDK sends a request again by itself. */
export const SDK_RETRIES = 1

/**
 * A request is sent: it meets one of its fates at once, or takes its time. What others did between sending and arriving in
 * the same instant they might as well have done before: those orders differ in nothing.
 */
export function send(
  turn: Turn,
  tell: () => string,
  fates: (turn: Turn) => void,
  delaysAreFree = turn.model.world.freeDelays,
): void {
  const { state, take } = turn
  fates({ ...turn, take: (kind, next, told) => take(kind, next, () => `${tell()}; ${told()}`) })
  if (delaysAreFree) take('a request takes its time', state, () => `${tell()}; that takes its time`)
  else if (state.ledger.faults > 0) {
    take('a request takes its time', withFault(state), () => `${tell()}; that takes its time`)
  }
}

export function initialState(world: World): State {
  const there = world.row === 'there'
  return {
    timeMs: START_MS,
    row: there ? earlierRow(world) : undefined,
    candidates: world.candidates.map(() => ({ phase: 'idle' })),
    network: [],
    ledger: {
      acquisitions: 0,
      highestToken: there ? EARLIER_TOKEN : 0,
      lastAttempt: '',
      otherOrder: 0,
      lastSentMs: there ? earlierWriteMs(world) : 0,
      completed: 0,
      forced: 0,
      fenced: {
        seen: { fencingToken: undefined, step: undefined, settled: undefined },
        order: 0,
        landed: 0,
        settled: 0,
      },
      createdAtMs: 0,
      acquisitionsOfRow: 0,
      faults: world.faults,
      interventions: world.interventions,
      deletions: world.deletions,
    },
  }
}

const EARLIER_TOKEN = 41

/** As a tenure left it whose tick was before all of this world's. */
function earlierRow(world: World): shipped.LeaseRecord {
  const writtenAtMs = earlierWriteMs(world)
  return {
    lease: LEASE,
    fencingToken: EARLIER_TOKEN,
    attempt: 'earlier',
    acquiredAtMs: writtenAtMs,
    expiresAtMs: writtenAtMs + world.leaseMs,
    writtenAtMs,
    step: 1,
    tick: tickName(0),
    completedTick: tickName(0),
    endedBy: 'completed',
  }
}

function earlierWriteMs({ leaseMs, maxClockSkewMs }: World): number {
  return START_MS - leaseMs - 2 * maxClockSkewMs
}
