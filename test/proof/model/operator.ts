/** What people do to the row by hand: force a release, raise the token, delete it. The last is not allowed to anybody. */
import type { LeaseRecord } from '../../../functions/election/rules.ts'
import type { Model, Take } from './model.ts'
import type { State } from './state.ts'

export function operatorSteps(model: Model, state: State, take: Take): void {
  const { row, ledger } = state
  if (row === undefined) return
  if (ledger.interventions > 0) {
    const spent = { ...state, ledger: { ...ledger, interventions: ledger.interventions - 1 } }
    if (row.holder !== undefined) {
      take('an operator forces a release', forceRelease(spent, row), () => 'an operator forces the release')
    }
    take('an operator raises the token', raiseToken(spent, row), () => 'an operator raises the token by hand')
  }
  if (ledger.deletions === 0 || !mayDelete(model, state)) return
  const deleted = { ...state, row: undefined, ledger: { ...ledger, deletions: ledger.deletions - 1 } }
  take('somebody deletes the row', deleted, () => 'somebody deletes the row')
}

/** Nobody leads from here; the changed attempt keeps the old leader from taking this for an end of its own. */
function forceRelease(state: State, row: LeaseRecord): State {
  const { holder: _holder, ...rest } = row
  const forced: LeaseRecord = { ...rest, attempt: 'operator', writtenAtMs: state.timeMs, endedBy: 'forced' }
  return {
    ...state,
    row: forced,
    ledger: { ...state.ledger, forced: state.ledger.acquisitions, lastSentMs: state.timeMs },
  }
}

/** As after restoring an older copy of the table. */
function raiseToken(state: State, row: LeaseRecord): State {
  const fencingToken = row.fencingToken + 10
  return { ...state, row: { ...row, fencingToken }, ledger: { ...state.ledger, highestToken: fencingToken } }
}

/**
 * Where a deleted row cannot repeat a token. Its next life begins with the reading of the first request that arrives, + 1.
 * So that reading must be at least the one that the row was created with plus the acquisitions since. Requests sent from
 * now on read at least the true time less B / 2; those under way are looked at one by one.
 */
function mayDelete({ world }: Model, { timeMs, candidates, network, ledger }: State): boolean {
  const { forClocks, forAcquires } = world.deletionWaits
  const least = ledger.createdAtMs + ledger.acquisitionsOfRow
  if (forClocks && timeMs - world.maxClockSkewMs / 2 < least) return false
  if (forAcquires === 'none') return true
  const awaited = candidates.flatMap((candidate) => (candidate.phase === 'asking' ? [candidate.sent] : []))
  return [...network, ...awaited].every(
    (message) => message.kind !== 'acquire' || (forAcquires === 'older' && message.request.nowMs >= least),
  )
}
