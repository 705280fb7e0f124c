/** What must hold in a state, whatever led to it. What must hold of a step is judged where it happens, in table.ts. */
import type { AcquireRequest, LeaseRecord } from '../../../functions/election/rules.ts'
import { believes } from './leading.ts'
import type { Model } from './model.ts'
import type { State } from './state.ts'
import { attemptOwner, candidateName, eventName, LEASE, tickName, who } from './world.ts'

/**
 * S1. A tenure that an operator ended by force is not counted: its leader goes on until its next request tells, and a
 * forced release is the operator's word that this does no harm.
 */
export function judgeBelief(model: Model, state: State): void {
  const leaders: number[] = []
  for (let index = 0; index < state.candidates.length; index++) {
    const candidate = state.candidates[index]
    if (candidate?.phase !== 'leading' || candidate.order === state.ledger.forced) continue
    if (believes(model.world, state, index)) leaders.push(index)
  }
  if (leaders.length > 1)
    model.broke('S1', `two believe that they lead: ${leaders.map((i) => who(model.world, i)).join(' and ')}`)
}

/** L1 to L3, as questions put to the row: none depends on what else is under way. */
export function judgeRow(model: Model, row: LeaseRecord | undefined, timeMs: number): void {
  freshCandidateIsGranted(model, row, timeMs)
  if (row?.holder !== undefined) retryIsOffered(model, row, timeMs)
}

/** As far behind true time as the budget allows: the worst that a candidate's clock can be for getting a lease. */
const slowest = ({ world }: Model): number => -world.maxClockSkewMs / 2

function freshCandidateIsGranted(model: Model, row: LeaseRecord | undefined, timeMs: number): void {
  const { leaseMs, maxClockSkewMs } = model.world
  const ask = (nowMs: number) => model.rules.acquire(row, freshRequest(model, nowMs)).granted
  const waitMs = leaseMs + 2 * maxClockSkewMs
  if (!ask(timeMs + waitMs + slowest(model))) {
    model.broke('L1', `a fresh candidate that asks ${waitMs} ms later is refused`)
  }
  if (row === undefined) return
  if (row.holder === undefined) {
    if (!ask(timeMs + slowest(model))) model.broke('L2', 'the lease is vacant, but a fresh candidate is refused')
    return
  }
  // By the clock of whoever wrote the expiry it is expiry + 2 B; the clock of whoever asks may be B behind that.
  if (!ask(Math.max(row.expiresAtMs + maxClockSkewMs, timeMs + slowest(model)))) {
    model.broke('L2', 'a fresh candidate that asks at the expiry + 2 B is refused')
  }
}

/** Later than all of any world. */
const LATER_TICK = 9

function freshRequest({ world }: Model, nowMs: number): AcquireRequest {
  return {
    lease: LEASE,
    candidate: 'a fresh candidate',
    attempt: 'fresh',
    eventId: 'a fresh event',
    tick: tickName(LATER_TICK),
    nowMs,
    expiresAtMs: nowMs + world.leaseMs,
    maxClockSkewMs: world.maxClockSkewMs,
  }
}

/** L3: were the holder dead, its event's retry would be offered again until it leads, and would complete the tick. */
function retryIsOffered(model: Model, row: LeaseRecord, timeMs: number): void {
  const owner = attemptOwner(row.attempt)
  if (owner === undefined || row.tick === undefined) return
  const { leaseMs, maxClockSkewMs } = model.world
  const request = (nowMs: number): AcquireRequest => ({
    ...freshRequest(model, nowMs),
    candidate: candidateName(owner),
    eventId: eventName(owner),
    ...(row.tick === undefined ? {} : { tick: row.tick }),
  })
  for (const offsetMs of [slowest(model), 0, -slowest(model)]) {
    const now = request(timeMs + offsetMs)
    if (model.rules.acquire(row, now).granted) continue
    const { kind } = model.rules.explainRefusal(row, now)
    if (kind !== 'stillHeld') model.broke('L3', `the retry of the event that holds the lease is told "${kind}"`)
  }
  const later = request(timeMs + leaseMs + 2 * maxClockSkewMs + slowest(model))
  const won = model.rules.acquire(row, later)
  if (!won.granted) {
    model.broke('L3', 'the retry is refused after the lease + 2 B')
    return
  }
  const { fencingToken } = won.record
  const tenure = { lease: LEASE, candidate: later.candidate, attempt: later.attempt, fencingToken }
  const done = model.rules.write(won.record, {
    ...tenure,
    kind: 'complete',
    step: 1,
    nowMs: later.nowMs,
    tick: row.tick,
  })
  if (!done.granted || done.record.completedTick !== row.tick) {
    model.broke('L3', 'the retry leads, but cannot complete its tick')
  }
}
