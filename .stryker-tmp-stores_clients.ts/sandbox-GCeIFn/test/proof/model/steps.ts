/** Every step that a state allows. */
// @ts-nocheck

import { candidateSteps } from './candidate.ts'
import { type Model, type Take, withFault } from './model.ts'
import { type Candidate, keyOf, type State } from './state.ts'
import { arrives, checkMissed, nameOf } from './table.ts'
import { PAUSE_MS, SKEW_MS, START_MS } from './world.ts'

export function steps(model: Model, state: State, take: Take): void {
  timePasses(model, state, take)
  for (let index = 0; index < state.candidates.length; index++) {
    candidateSteps({ model, state, index, take: (move, next, detail) => take(move, next, index, detail) })
  }
  networkSteps(model, state, take)
  deletion(model, state, take)
  pauses(model, state, take)
}

/** The rules know only differences of times, so time begins with the first event. */
function timePasses({ world }: Model, state: State, take: Take): void {
  if (state.timeMs >= START_MS + world.horizonMs || !state.candidates.some(hasBegun)) return
  const timeMs = state.timeMs + world.stepMs
  take('time passes', { ...state, timeMs })
}

type Row = NonNullable<State['row']>

const hasBegun = ({ phase }: Candidate): boolean => phase !== 'idle' && phase !== 'absent'

/** Requests without a waiting sender: delayed, copied, or left by a candidate that gave up or died. */
function networkSteps(model: Model, state: State, take: Take): void {
  const { network, ledger } = state
  const seen = new Set<string>()
  for (const [nth, message] of network.entries()) {
    const key = network.length === 1 ? '' : keyOf(message)
    if (seen.has(key)) continue
    seen.add(key)
    const { from } = message
    const arrived = arrives(model, { ...state, network: network.toSpliced(nth, 1) }, message)
    take('its delayed request arrives', arrived.state, from, nameOf(message))
    if (ledger.faults === 0) continue
    const next = arrives(model, withFault(state), message)
    take('its delayed request arrives, another copy stays under way', next.state, from, nameOf(message))
  }
}

/** An operator deletes the row, which is against the rules of operation. */
function deletion(model: Model, state: State, take: Take): void {
  const { row, ledger } = state
  if (row === undefined || ledger.deletions === 0 || !mayDelete(model, state, row)) return
  const deleted = { ...state, row: undefined, ledger: { ...ledger, deletions: ledger.deletions - 1 } }
  take('an operator deletes the row', deleted)
}

/** An operator pauses the lease, or ends its pause. */
function pauses(model: Model, state: State, take: Take): void {
  const { row, ledger, timeMs } = state
  if (row === undefined || model.world.pauses === 0) return
  const change = (move: string, changed: Row, left: number) => {
    checkMissed(model, changed, ledger.completed)
    take(move, { ...state, row: changed, ledger: { ...ledger, pauses: left } })
  }
  if ((row.pausedUntilMs ?? 0) > timeMs) {
    change('an operator ends the pause', { ...row, pausedUntilMs: timeMs }, ledger.pauses)
  } else if (ledger.pauses > 0) {
    const pause = { pausedFromMs: timeMs, pausedUntilMs: timeMs + PAUSE_MS }
    change('an operator pauses the lease', { ...row, ...pause }, ledger.pauses - 1)
  }
}

/**
 * Whether a deleted row cannot repeat a token. The next row begins with the reading of the first request that arrives,
 * + 1, so that reading must be at least the token of this row. Requests sent from now on read at least the true time
 * less B / 2; those under way are checked one by one.
 */
function mayDelete({ world }: Model, { timeMs, candidates, network }: State, { fencingToken: least }: Row): boolean {
  const { forClocks, forAcquires } = world.deletionWaits
  if (forClocks && timeMs - SKEW_MS / 2 < least) return false
  if (forAcquires === 'none') return true
  const awaited = candidates.flatMap((candidate) => (candidate.phase === 'acquiring' ? [candidate.awaited.sent] : []))
  return [...network, ...awaited].every(
    (message) => message.kind !== 'acquire' || (forAcquires === 'older' && message.request.nowMs >= least),
  )
}
