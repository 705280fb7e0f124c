/** Every step that a state allows. */
import { candidateSteps } from './candidate.ts'
import { type Model, type Take, withFault } from './model.ts'
import { operatorSteps } from './operator.ts'
import { type Asked, type Message, messageKey, type State, type Write } from './state.ts'
import {
  acquireArrives,
  fencedArrives,
  giveBackArrives,
  guardedArrives,
  nameOf,
  writeArrives,
  writeName,
} from './table.ts'
import { START_MS, who } from './world.ts'

export function steps(model: Model, state: State, take: Take): void {
  timePasses(model, state, take)
  for (let index = 0; index < state.candidates.length; index++) candidateSteps({ model, state, index, take })
  networkSteps(model, state, take)
  operatorSteps(model, state, take)
}

/** The rules know only differences of times, so the world begins with its first event. */
function timePasses({ world }: Model, state: State, take: Take): void {
  if (state.timeMs >= START_MS + world.horizonMs) return
  if (state.candidates.every(({ phase }) => phase === 'idle')) return
  const timeMs = state.timeMs + world.stepMs
  take('time passes', { ...state, timeMs }, () => `time passes: it is ${(timeMs - START_MS) / 1000} s`)
}

/** Requests that nobody waits for: delayed, doubled, or left by a candidate that gave up or died. */
function networkSteps(model: Model, state: State, take: Take): void {
  const { network } = state
  for (const [nth, message] of network.entries()) {
    if (isRepeated(network, nth)) continue
    const what = () => `the delayed ${nameOf(message)} of ${who(model.world, message.from)} arrives`
    take(
      'a delayed request arrives',
      lateArrival(model, { ...state, network: network.toSpliced(nth, 1) }, message),
      what,
    )
    if (state.ledger.faults === 0) continue
    const again = () => `${what()}, and another copy of it stays under way`
    take(
      'a delayed request arrives, another copy stays under way',
      lateArrival(model, withFault(state), message),
      again,
    )
  }
}

function isRepeated(network: readonly Message[], nth: number): boolean {
  const message = network[nth]
  if (message === undefined || nth === 0) return false
  const key = messageKey(message)
  return network.slice(0, nth).some((earlier) => messageKey(earlier) === key)
}

function lateArrival(model: Model, state: State, message: Message): State {
  switch (message.kind) {
    case 'acquire':
      return lateAcquire(model, state, message)
    case 'write':
      return lateWrite(model, state, message)
    case 'giveBack':
      return giveBackArrives(model, state, message).state
    case 'fence':
      return fencedArrives(model, state, message).state
    case 'guard':
      guardedArrives(model, state, message)
      return state
  }
}

/** By which rule a delayed acquire is refused, or for nobody granted. */
export const LATE_ACQUIRE = {
  granted: 'a delayed acquire leads for nobody',
  grantedAgain: 'a delayed acquire that was granted before leads for nobody, another tenure in between',
  A1: 'a delayed acquire is refused by A1',
  A2: 'a delayed acquire is refused by A2',
  A5: 'a delayed acquire is refused by A5',
  A6: 'a delayed acquire is refused by A6 alone',
} as const

function lateAcquire(model: Model, state: State, message: Asked): State {
  const conditions = model.rules.acquireConditions(state.row, message.request)
  const { state: after, reply } = acquireArrives(model, state, message)
  if (reply.granted) model.saw(message.wasGranted ? LATE_ACQUIRE.grantedAgain : LATE_ACQUIRE.granted)
  else if (!conditions.vacantOrExpired) model.saw(LATE_ACQUIRE.A1)
  else if (!conditions.tickNotDone) model.saw(LATE_ACQUIRE.A2)
  else if (!conditions.attemptIsNew) model.saw(LATE_ACQUIRE.A5)
  else model.saw(LATE_ACQUIRE.A6)
  return after
}

const OVERTAKEN = {
  before: 'an overtaken renewal arrives before the end',
  after: 'an overtaken renewal arrives too late, and changes nothing',
} as const

function lateWrite(model: Model, state: State, message: Write): State {
  const { state: after, reply } = writeArrives(model, state, message)
  if (message.isOvertaken) model.saw(reply.granted ? OVERTAKEN.before : OVERTAKEN.after)
  if (reply.granted) model.saw(`a delayed ${writeName(message)} lands`)
  else if (!model.rules.isHeldBy(state.row, message.request)) model.saw('a delayed write is refused by H1')
  else model.saw('a delayed write is refused by H2')
  return after
}
