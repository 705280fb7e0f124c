/** The worlds that are explored: their bounds, and what must hold there. */
import type { Claim } from '../claims.ts'
import { type CandidateBounds, type Expectations, LEASE_MS, SKEW_MS, type World } from './world.ts'

const AHEAD = SKEW_MS / 2
const BEHIND = -SKEW_MS / 2

const ALL: readonly Claim[] = ['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'L1', 'L2', 'L3']

function world(name: string, candidates: readonly CandidateBounds[], bounds: Partial<World> = {}): World {
  return {
    name,
    candidates,
    stepMs: SKEW_MS,
    horizonMs: LEASE_MS + 2 * SKEW_MS,
    row: 'there',
    renewals: 0,
    fencing: 'fence',
    effects: 0,
    sideBySide: false,
    ownCondition: false,
    refusals: false,
    faults: 1,
    interventions: 0,
    deletions: 0,
    deletionWaits: { forClocks: true, forAcquires: 'older' },
    claims: { hold: ALL, broken: [] },
    ...bounds,
  }
}

const one = (clockMs: number, tick: number, attempts = 1): CandidateBounds => ({ clockMs, tick, attempts })

/** Two candidates whose clocks differ by the whole budget. */
const PAIR = [one(BEHIND, 1), one(AHEAD, 2)]
const REVERSED = [one(BEHIND, 2), one(AHEAD, 1)]
const RACERS = [one(BEHIND, 1, 2), one(AHEAD, 1)]
const RETRIED = [one(BEHIND, 1, 2), one(AHEAD, 2)]
const TRIO = [one(BEHIND, 1), one(0, 1), one(AHEAD, 2)]
const SAME_TICK = [one(BEHIND, 1), one(0, 1), one(AHEAD, 1)]
const ALONE = [one(0, 1)]

/** Clocks that differ by three times the budget. */
const WILD = [one(-1.5 * SKEW_MS, 1, 2), one(1.5 * SKEW_MS, 2)]
const BEYOND: Expectations = { hold: ['S2', 'S3', 'S4', 'S5'], broken: ['S1'] }

/** A deleted row has forgotten who leads and which ticks are done: S1, S4 and S5 are not claimed. */
const deleted = { row: 'absent', deletions: 1, effects: 1 } as const
const WITH_CARE: Expectations = { hold: ['S2', 'S3', 'L1', 'L2', 'L3'], broken: [] }
const TOO_SOON: Expectations = { hold: ['L1', 'L2', 'L3'], broken: ['S2', 'S3'] }
const waitsForAcquires = { forClocks: false, forAcquires: 'older' } as const
const waitsForClocks = { forClocks: true, forAcquires: 'none' } as const

/** Each is the only one of its kind; together they take about ten seconds. */
export function quickWorlds(): readonly World[] {
  return [
    world('three candidates race for two ticks', TRIO),
    world('a renewal and a retried event', RETRIED, { renewals: 1 }),
    world('an operator forces a release or raises the token', PAIR, { interventions: 1 }),
    world('time in half steps', PAIR, { stepMs: SKEW_MS / 2 }),
    world('an effect behind the fence', PAIR, { effects: 1 }),
    world('two effects on one row', PAIR, { effects: 2 }),
    world('two effects side by side', ALONE, { effects: 2, sideBySide: true, faults: 3 }),
    world('two effects, the second refused by its own condition', ALONE, {
      ...{ effects: 2, sideBySide: true, ownCondition: true, faults: 2 },
    }),
    world('a completion is refused for its items', ALONE, { refusals: true, renewals: 2, faults: 2 }),
    world('an effect behind the guard', PAIR, { fencing: 'guard', effects: 1 }),
    world('clocks beyond the budget', WILD, { claims: BEYOND, effects: 1 }),
    world('a retried event, any two faults', RETRIED, { faults: 2 }),
    world('the row is deleted with care', PAIR, { ...deleted, claims: WITH_CARE }),
    world('the row is deleted within B of its creation', REVERSED, {
      ...{ ...deleted, deletionWaits: waitsForAcquires, claims: TOO_SOON },
    }),
    world('the row is deleted while an older acquire is under way', RETRIED, {
      ...{ ...deleted, deletionWaits: waitsForClocks, claims: TOO_SOON },
    }),
    // The guard compares attempts as well, which repeat only if an acquire that was under way arrives again.
    world('the row is deleted within B of its creation, effects behind the guard', RETRIED, {
      ...{ ...deleted, fencing: 'guard', deletionWaits: { forClocks: false, forAcquires: 'all' } },
      claims: { hold: ['S3', 'L1', 'L2', 'L3'], broken: ['S2'] },
    }),
    world('the row is deleted while an older acquire is under way, effects behind the guard', PAIR, {
      ...{ ...deleted, fencing: 'guard', deletionWaits: waitsForClocks, claims: TOO_SOON },
    }),
  ]
}

/** The quick ones, and larger ones of up to a few million states. */
export function fullWorlds(): readonly World[] {
  return [
    ...quickWorlds(),
    world('three candidates, one lease after another expires', SAME_TICK, { faults: 2, horizonMs: 6_000 }),
    world('three candidates, any two faults', TRIO, { faults: 2 }),
    world('both events are retried, any two faults', [one(BEHIND, 1, 2), one(AHEAD, 2, 2)], { faults: 2 }),
    world('two candidates, any three faults', PAIR, { faults: 3 }),
    world('two renewals and a retried event', RETRIED, { renewals: 2 }),
    world('three candidates and an operator', TRIO, { interventions: 1 }),
    world('three candidates, and clocks beyond the budget', [one(0, 1), one(0, 1), one(3 * SKEW_MS, 2)], {
      ...{ claims: BEYOND, effects: 1 },
    }),
    world('three candidates with effects behind the fence', TRIO, { effects: 1 }),
    world('racers with effects behind the fence, any two faults', RACERS, { effects: 1, faults: 2 }),
    world('two candidates, effects side by side, any two faults', PAIR, { effects: 2, sideBySide: true, faults: 2 }),
    world('a retried event, effects behind the guard, any two faults', RETRIED, {
      ...{ fencing: 'guard', effects: 1, faults: 2 },
    }),
    world('no row yet', RACERS, { row: 'absent', renewals: 1 }),
    world('the row is deleted twice, with care', RETRIED, {
      ...{ ...deleted, fencing: 'guard', deletions: 2, claims: WITH_CARE },
    }),
  ]
}

/** Thousands of states. */
export function smallWorld(): World {
  return world('two candidates', PAIR)
}
