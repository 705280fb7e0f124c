/** The worlds that are explored: what is bounded how, and what must hold there. */
import type { Claim } from '../claims.ts'
import type { CandidateBounds, Expectations, World } from './world.ts'

const B = 1_000
/** Whole tenures in few steps: a lease of two units of time, in which a leader can renew once and be late. */
const LEASE_MS = 2_000
const AHEAD = B / 2
const BEHIND = -B / 2

const EVERYTHING: readonly Claim[] = ['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'L1', 'L2', 'L3']
const ALL_HOLD: Expectations = { hold: EVERYTHING, broken: [] }

const PLAIN: Omit<World, 'family' | 'candidates'> = {
  maxClockSkewMs: B,
  leaseMs: LEASE_MS,
  stepMs: 1_000,
  horizonMs: LEASE_MS + 2 * B,
  row: 'there',
  extensions: 1,
  checkpoints: false,
  overtaking: false,
  fencing: 'fence',
  effects: 0,
  sideBySide: false,
  ownCondition: false,
  ends: ['completed', 'failed'],
  faults: 1,
  freeDelays: false,
  refusals: false,
  interventions: 0,
  deletions: 0,
  deletionWaits: { forClocks: true, forAcquires: 'older' },
  claims: ALL_HOLD,
}

function worlds(
  family: string,
  candidates: readonly (readonly CandidateBounds[])[],
  bounds: Partial<World> = {},
): readonly World[] {
  return candidates.map((each) => ({ ...PLAIN, ...bounds, family, candidates: each }))
}

const one = (clockMs: number, tick: number, attempts = 1): CandidateBounds => ({ clockMs, tick, attempts })

/** The clocks and ticks of three candidates, up to their order: those whose differences differ. */
function threeCandidates(): readonly (readonly CandidateBounds[])[] {
  const clocks = [
    [0, 0, 0],
    [BEHIND, BEHIND, AHEAD],
    [BEHIND, AHEAD, AHEAD],
    [BEHIND, 0, AHEAD],
  ]
  const ticks = [1, 2].flatMap((a) => [1, 2].flatMap((b) => [1, 2].map((c) => [a, b, c])))
  const found = new Map<string, readonly CandidateBounds[]>()
  for (const clock of clocks) {
    for (const tick of ticks) {
      if (new Set(tick).size === 1) continue
      const candidates = clock.map((clockMs, i) => one(clockMs, tick[i] ?? 1))
      const sorted = candidates.toSorted((x, y) => x.clockMs - y.clockMs || x.tick - y.tick)
      found.set(JSON.stringify(sorted), sorted)
    }
  }
  return [...found.values()]
}

/** Two candidates whose clocks differ by the whole budget, in both orders of ticks and racing for the same one. */
function pairs(attempts = 1, other = 1): readonly (readonly CandidateBounds[])[] {
  return [
    [one(BEHIND, 1, attempts), one(AHEAD, 2, other)],
    [one(BEHIND, 2, attempts), one(AHEAD, 1, other)],
    [one(BEHIND, 1, attempts), one(AHEAD, 1, other)],
  ]
}

const TRIO = [one(BEHIND, 1), one(0, 1), one(AHEAD, 2)]
const SAME_TICK = [one(BEHIND, 1), one(0, 1), one(AHEAD, 1)]
const ALONE = [[one(0, 1)]]
const RETRIED = [one(BEHIND, 1, 2), one(AHEAD, 2)]

const short = { extensions: 0 }
const guarded = { fencing: 'guard', effects: 1, extensions: 0 } as const
const fenced = { effects: 1, extensions: 0 }
const twice = { effects: 2, extensions: 0 }
const sideBySide = { ...twice, sideBySide: true } as const
const deleted = { row: 'absent', deletions: 1, extensions: 0, effects: 1 } as const

/** Clocks that differ by three times the budget. */
const beyond = { claims: { hold: ['S2', 'S3', 'S4', 'S5'], broken: ['S1'] } } satisfies Partial<World>
const WILD = [one(-1.5 * B, 1, 2), one(1.5 * B, 2)]
const WILD_TRIO = [one(0, 1), one(0, 1), one(3 * B, 2)]

/** A row that is gone forgets who leads and which ticks are done: of S1, S4 and S5 nothing is claimed. */
const withCare = { ...deleted, claims: { hold: ['S2', 'S3', 'L1', 'L2', 'L3'], broken: [] } } satisfies Partial<World>
const tooSoon = {
  ...deleted,
  deletionWaits: { forClocks: false, forAcquires: 'older' },
  claims: { hold: ['L1', 'L2', 'L3'], broken: ['S2', 'S3'] },
} satisfies Partial<World>
const underWay = { ...tooSoon, deletionWaits: { forClocks: true, forAcquires: 'none' } } satisfies Partial<World>
/** The guard compares attempts as well. They repeat only where an acquire that was under way arrives again. */
const tooSoonGuarded = {
  ...tooSoon,
  ...guarded,
  deletionWaits: { forClocks: false, forAcquires: 'all' },
  claims: { hold: ['S3', 'L1', 'L2', 'L3'], broken: ['S2'] },
} satisfies Partial<World>
const underWayGuarded = { ...underWay, ...guarded } satisfies Partial<World>

/** The largest first, so that both cores are busy to the end; a broken rule is found in small ones, so some go before. */
export function fullWorlds(): readonly World[] {
  return [
    ...quickWorlds(),
    ...worlds('three candidates, one lease after another expires', [SAME_TICK], {
      faults: 2,
      horizonMs: 6_000,
      ...short,
    }),
    ...worlds('three candidates, any two faults', [TRIO, SAME_TICK], { faults: 2, ...short }),
    ...worlds('events are retried, any two faults', [[one(BEHIND, 1, 2), one(AHEAD, 2, 2)]], { faults: 2, ...short }),
    ...worlds('renewals and checkpoints', [RETRIED], { extensions: 2, checkpoints: true }),
    ...worlds('an operator forces a release or raises the token', [TRIO], { interventions: 1, ...short }),
    ...worlds('clocks beyond the budget', [WILD, WILD_TRIO], { ...beyond, effects: 1 }),
    ...worlds('three candidates race for two ticks, any one fault', threeCandidates()),
    ...worlds('effects behind the fence', [TRIO, [one(BEHIND, 1, 2), one(AHEAD, 1)]], fenced),
    ...worlds('effects behind the fence', pairs(), { ...fenced, faults: 2 }),
    ...worlds('two effects of a tenure on one row, side by side', pairs().slice(0, 1), { ...sideBySide, faults: 2 }),
    ...worlds('effects behind the guard', [TRIO], guarded),
    ...worlds('effects behind the guard', [RETRIED], { ...guarded, faults: 2 }),
    ...worlds('two candidates, any three faults', pairs().slice(0, 1), { faults: 3, ...short }),
    ...worlds('an end overtakes a renewal', pairs(2), { overtaking: true }),
    ...worlds('time in half steps', pairs(2), { stepMs: B / 2, ...short }),
    ...worlds('every request may take its time', pairs(), { freeDelays: true }),
    ...worlds('every request may take its time', pairs(), { freeDelays: true, ...guarded }),
    ...worlds('a task may release the lease itself', pairs(2), { ends: ['completed', 'released', 'failed'] }),
    ...worlds('no row yet', pairs(2), { row: 'absent' }),
    ...worlds('the row is deleted with care', pairs(2), withCare),
    ...worlds('the row is deleted with care', [RETRIED], { ...withCare, ...guarded, deletions: 2 }),
  ]
}

/** Two candidates, whose clocks differ by the whole budget, and one fault: thousands of states. */
export function smallWorld(): World {
  return { ...PLAIN, ...short, family: 'two candidates', candidates: [one(BEHIND, 1), one(AHEAD, 2)] }
}

/** About 20 seconds of work: small worlds, of which each has a reason that no other has. */
export function quickWorlds(): readonly World[] {
  return [
    ...worlds('three candidates race for two ticks', [TRIO], { faults: 1, ...short }),
    ...worlds('an operator forces a release or raises the token', pairs().slice(0, 1), {
      interventions: 1,
      checkpoints: true,
    }),
    ...worlds('renewals', [RETRIED], { extensions: 2 }),
    ...worlds('an end overtakes a renewal', pairs().slice(0, 1), { overtaking: true }),
    ...worlds('events are retried, any two faults', [RETRIED], { faults: 2, ...short }),
    ...worlds('effects behind the fence', pairs().slice(0, 1), fenced),
    ...worlds('two effects of a tenure on one row', pairs().slice(0, 1), twice),
    ...worlds('two effects of a tenure on one row, side by side', ALONE, { ...sideBySide, faults: 3 }),
    ...worlds('two effects of a tenure on one row, the second refused by its own condition', ALONE, {
      ...sideBySide,
      ownCondition: true,
      faults: 2,
    }),
    ...worlds('a completion is refused for its items', ALONE, {
      refusals: true,
      extensions: 2,
      overtaking: true,
      faults: 2,
    }),
    ...worlds('effects behind the guard', pairs().slice(0, 1), guarded),
    ...worlds('time in half steps', pairs().slice(0, 1), { stepMs: B / 2, ...short }),
    ...worlds('clocks beyond the budget', [WILD], { ...beyond, effects: 1, extensions: 0 }),
    ...worlds('the row is deleted with care', [RETRIED.slice(0, 2)], { ...withCare }),
    ...worlds('the row is deleted within B of its creation', pairs().slice(1, 2), tooSoon),
    ...worlds('the row is deleted while an older acquire is under way', [RETRIED], underWay),
    ...worlds('the row is deleted within B of its creation, effects behind the guard', [RETRIED], tooSoonGuarded),
    ...worlds(
      'the row is deleted while an older acquire is under way, effects behind the guard',
      pairs().slice(0, 1),
      underWayGuarded,
    ),
  ]
}
