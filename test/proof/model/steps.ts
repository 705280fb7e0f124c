/** Every step that a state allows. */
import type { LeaseRecord } from '../../../functions/election/rules.ts'
import { candidateSteps } from './candidate.ts'
import { type Model, type Take, withFault } from './model.ts'
import type { Situation } from './situations.ts'
import { type Acquire, keyOf, type Message, type State } from './state.ts'
import { arrives, nameOf } from './table.ts'
import { SKEW_MS, START_MS } from './world.ts'

export function steps(model: Model, state: State, take: Take): void {
  timePasses(model, state, take)
  for (let index = 0; index < state.candidates.length; index++) {
    candidateSteps({ model, state, index, take: (move, next, detail) => take(move, next, index, detail) })
  }
  networkSteps(model, state, take)
  operatorSteps(model, state, take)
}

/** The rules know only differences of times, so time begins with the first event. */
function timePasses({ world }: Model, state: State, take: Take): void {
  if (state.timeMs >= START_MS + world.horizonMs || state.candidates.every(({ phase }) => phase === 'idle')) return
  const timeMs = state.timeMs + world.stepMs
  take('time passes', { ...state, timeMs })
}

/** Requests without a waiting sender: delayed, copied, or left by a candidate that gave up or died. */
function networkSteps(model: Model, state: State, take: Take): void {
  const { network, ledger } = state
  const seen = new Set<string>()
  for (const [nth, message] of network.entries()) {
    const key = network.length === 1 ? '' : keyOf(message)
    if (seen.has(key)) continue
    seen.add(key)
    const { from } = message
    const arrived = arrivesLate(model, { ...state, network: network.toSpliced(nth, 1) }, message)
    take('its delayed request arrives', arrived, from, nameOf(message))
    if (ledger.faults === 0) continue
    const next = arrivesLate(model, withFault(state), message)
    take('its delayed request arrives, another copy stays under way', next, from, nameOf(message))
  }
}

function arrivesLate(model: Model, state: State, message: Message): State {
  const { state: after, granted } = arrives(model, state, message)
  if (message.kind === 'acquire') model.reached(granted ? LANDS.acquire : refusalOf(model, state, message))
  if (message.kind !== 'write') return after
  const { request } = message
  if (!granted) model.reached(`a delayed write is refused by ${model.rules.isHeldBy(state.row, request) ? 'H2' : 'H1'}`)
  else if (request.kind !== 'saveCheckpoint') model.reached(LANDS[request.kind])
  return after
}

const LANDS = {
  acquire: 'a delayed acquire is granted to a candidate that gave up',
  renew: 'a delayed renewal lands',
  complete: 'a delayed completion lands',
  release: 'a delayed release lands',
} as const

function refusalOf({ rules }: Model, { row }: State, { request }: Acquire): Situation {
  const { vacantOrExpired, tickNotDone, attemptIsNew } = rules.acquireConditions(row, request)
  if (!vacantOrExpired) return 'a delayed acquire is refused by A1'
  if (!tickNotDone) return 'a delayed acquire is refused by A2'
  return attemptIsNew ? 'a delayed acquire is refused by A6 alone' : 'a delayed acquire is refused by A5'
}

/** An operator forces a release, raises the token, or deletes the row, which is against the rules of operation. */
function operatorSteps(model: Model, state: State, take: Take): void {
  const { row, ledger } = state
  if (row === undefined) return
  if (ledger.interventions > 0) {
    const spent = { ...state, ledger: { ...ledger, interventions: ledger.interventions - 1 } }
    if (row.holder !== undefined) take('an operator forces a release', forceRelease(spent, row))
    take('an operator raises the token', raiseToken(spent, row))
  }
  if (ledger.deletions === 0 || !mayDelete(model, state)) return
  const deleted = { ...state, row: undefined, ledger: { ...ledger, deletions: ledger.deletions - 1 } }
  take('an operator deletes the row', deleted)
}

/** The changed attempt keeps the old leader from taking this for an end of its own. */
function forceRelease(state: State, row: LeaseRecord): State {
  const { holder: _holder, ...rest } = row
  const forced: LeaseRecord = { ...rest, attempt: 'operator', writtenAtMs: state.timeMs, endedBy: 'forced' }
  const { ledger, timeMs } = state
  return { ...state, row: forced, ledger: { ...ledger, forced: ledger.acquisitions, lastSentMs: timeMs } }
}

/** As after the restore of an older copy of the table. */
function raiseToken(state: State, row: LeaseRecord): State {
  const fencingToken = row.fencingToken + 10
  return { ...state, row: { ...row, fencingToken }, ledger: { ...state.ledger, highestToken: fencingToken } }
}

/**
 * Whether a deleted row cannot repeat a token. The next row begins with the reading of the first request that arrives,
 * + 1, so that reading must be at least the one that this row was created with plus its acquisitions since. Requests
 * sent from now on read at least the true time less B / 2; those under way are checked one by one.
 */
function mayDelete({ world }: Model, { timeMs, candidates, network, ledger }: State): boolean {
  const { forClocks, forAcquires } = world.deletionWaits
  const least = ledger.createdAtMs + ledger.acquisitionsOfRow
  if (forClocks && timeMs - SKEW_MS / 2 < least) return false
  if (forAcquires === 'none') return true
  const awaited = candidates.flatMap((candidate) => (candidate.phase === 'acquiring' ? [candidate.awaited.sent] : []))
  return [...network, ...awaited].every(
    (message) => message.kind !== 'acquire' || (forAcquires === 'older' && message.request.nowMs >= least),
  )
}
