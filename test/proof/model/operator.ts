/** An operator forces a release, raises the token, or deletes the row, which is against the rules of operation. */
import type { LeaseRecord } from '../../../functions/election/rules.ts'
import type { Model, Take } from './model.ts'
import type { State } from './state.ts'
import { SKEW_MS } from './world.ts'

export function operatorSteps(model: Model, state: State, take: Take): void {
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
  const awaited = candidates.flatMap((candidate) => (candidate.phase === 'acquiring' ? [candidate.sent] : []))
  return [...network, ...awaited].every(
    (message) => message.kind !== 'acquire' || (forAcquires === 'older' && message.request.nowMs >= least),
  )
}
