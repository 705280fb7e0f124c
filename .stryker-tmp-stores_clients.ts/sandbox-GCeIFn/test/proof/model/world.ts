// @ts-nocheck
import type { AcquireRequest } from '../../../functions/election/rules.ts'
import type { Claim } from '../claims.ts'

/** One bounded world. Within its bounds everything that can happen does, in every order. */
export interface World {
  readonly name: string
  readonly candidates: readonly CandidateBounds[]
  /** True time passes in steps of this length, up to the horizon. */
  readonly stepMs: number
  readonly horizonMs: number
  /** Whether the lease row exists, with earlier tenures, or the first acquire creates it. */
  readonly row: 'there' | 'absent'
  /** Servers stand without ticks, again and again; each of their leaders may hand over to another. */
  readonly standing: boolean
  /** Renewals of one tenure; servers proclaim with each. */
  readonly renewals: number
  /** How leaders protect their effects, and how many each has. A completion is an effect too, in every world. */
  readonly fencing: 'fence' | 'guard'
  readonly effects: number
  /** Effects behind the fence are sent side by side. */
  readonly sideBySide: boolean
  /** The caller's own condition lets only the first effect of a tenure land. */
  readonly ownCondition: boolean
  /** A completion may be refused for its items; then its leader goes on. */
  readonly refusals: boolean
  /** Leaders close the ticks that were missed before their own, with items or without, and may give them up. */
  readonly catchesUp: 'no' | 'with items' | 'without items'
  /** Checkpoints of one tenure. */
  readonly checkpoints: number
  /** Of operators. Each may be ended before its time. */
  readonly pauses: number
  /** Crashes, lost replies, retries by the SDK, copies and delayed requests, all together. */
  readonly faults: number
  readonly deletions: number
  /** What must be over before the row is deleted, so that no token repeats: see steps.ts. */
  readonly deletionWaits: { readonly forClocks: boolean; readonly forAcquires: 'none' | 'older' | 'all' }
  readonly claims: Expectations
}

export interface CandidateBounds {
  /** How far its clock is ahead of true time. */
  readonly clockMs: number
  /** The tick of its event. */
  readonly tick: number
  /** Its attempts to acquire, in all of Lambda's tries of its event. */
  readonly attempts: number
  /**
   * It is a continuation, which begins once this attempt of another candidate has invoked it. Two that continue the
   * same are one event that is delivered twice.
   */
  readonly continues?: string
}

export interface Expectations {
  readonly hold: readonly Claim[]
  /** Must break, which shows that the search can see it. Claims in neither list are not claimed in this world. */
  readonly broken: readonly Claim[]
}

/** B, the most that two clocks may differ: each is right within B / 2. */
export const SKEW_MS = 1_000
/** Two steps of time: a leader can renew once and be late. */
export const LEASE_MS = 2_000
export const START_MS = 100_000
/** As long as a lease, so that what holds for an expired lease holds for an unused reservation. */
export const RESERVED_MS = 2_000
export const PAUSE_MS = 2_000
export const LEASE = 'nightly'

type Named = Pick<AcquireRequest, 'candidate' | 'attempt' | 'eventId' | 'continuation' | 'tick'>

export function acquireRequest(named: Named, nowMs: number): AcquireRequest {
  return { lease: LEASE, ...named, nowMs, expiresAtMs: nowMs + LEASE_MS, maxClockSkewMs: SKEW_MS }
}

/** Ticks are a second apart; the second one is when the world begins. */
export const tickMs = (tick: number): number => START_MS + (tick - 2) * 1_000
export const tickName = (tick: number): string => new Date(tickMs(tick)).toISOString()
export const tickNumber = (name: string | undefined): number =>
  name === undefined ? 0 : (Date.parse(name) - START_MS) / 1_000 + 2

export const attemptName = (index: number, attempt: number): string => `${index + 1}.${attempt}`

/** By which a candidate's requests are known: the same in all its attempts. */
export function identityOf(world: World, index: number): Identity {
  const continuation = world.candidates[index]?.continues
  if (continuation === undefined) return { candidate: `candidate ${index + 1}`, eventId: `event ${index + 1}` }
  return { candidate: `continuation of ${continuation}`, eventId: `event of ${continuation}`, continuation }
}

type Identity = Pick<AcquireRequest, 'candidate' | 'continuation'> & { readonly eventId: string }

/** The candidates that continue the work of this attempt. */
export function continuationsOf(world: World, attempt: string): readonly number[] {
  return world.candidates.flatMap(({ continues }, index) => (continues === attempt ? [index] : []))
}

/** The candidate whose attempt it was; undefined for those before the world began. */
export function attemptOwner(attempt: string): number | undefined {
  return attempt.includes('.') ? Number.parseInt(attempt, 10) - 1 : undefined
}

export function clockOf(world: World, index: number): number {
  return world.candidates[index]?.clockMs ?? 0
}

export function tickOf(world: World, index: number): number {
  return world.candidates[index]?.tick ?? 0
}

export function isWithinBudget(world: World, index: number): boolean {
  return Math.abs(clockOf(world, index)) <= SKEW_MS / 2
}

/** Like 'candidate 2 (clock +0.5 s)'. */
export function labelOf(world: World, index: number): string {
  const seconds = clockOf(world, index) / 1000
  return `${identityOf(world, index).candidate} (clock ${seconds > 0 ? '+' : ''}${seconds} s)`
}

const AHEAD = SKEW_MS / 2
const BEHIND = -SKEW_MS / 2

const ALL: readonly Claim[] = ['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'L1', 'L2', 'L3', 'L4', 'R1']

function world(name: string, candidates: readonly CandidateBounds[], bounds: Partial<World> = {}): World {
  return {
    name,
    candidates,
    stepMs: SKEW_MS,
    horizonMs: LEASE_MS + 2 * SKEW_MS,
    row: 'there',
    standing: false,
    renewals: 0,
    fencing: 'fence',
    effects: 0,
    sideBySide: false,
    ownCondition: false,
    refusals: false,
    catchesUp: 'no',
    checkpoints: 0,
    pauses: 0,
    faults: 1,
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

/** The event of tick 2 never comes, or the other candidate has it. */
const CATCHING_UP = [one(BEHIND, 1), one(AHEAD, 3)]
const RETRIED_LATE = [one(BEHIND, 1), one(AHEAD, 3, 2)]
const HANDS_OVER = one(AHEAD, 1, 2)
const continuation = (clockMs: number, attempts = 1): CandidateBounds => {
  return { ...one(clockMs, 1, attempts), continues: '1.1' }
}

const server = (clockMs: number, attempts: number): CandidateBounds => one(clockMs, 0, attempts)
const THREE_SERVERS = [server(BEHIND, 1), server(0, 1), server(AHEAD, 1)]
const SERVERS = {
  standing: true,
  claims: { hold: ['S1', 'S2', 'S3', 'L1', 'L2', 'L3', 'R1', 'R4'], broken: [] },
} as const

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
    world('missed ticks are closed one by one, or given up', CATCHING_UP, { catchesUp: 'without items' }),
    world('missed ticks are closed with items', CATCHING_UP, { catchesUp: 'with items' }),
    world('work is handed over, and another candidate has its tick', [
      HANDS_OVER,
      one(BEHIND, 1),
      continuation(BEHIND, 2),
    ]),
    world('work is handed over, and its continuation comes twice', [
      ...[HANDS_OVER, one(BEHIND, 2), continuation(BEHIND), continuation(AHEAD)],
    ]),
    world('a server stands again beside another', [server(BEHIND, 2), server(AHEAD, 1)], SERVERS),
    world('three servers stand', THREE_SERVERS, { ...SERVERS, faults: 0 }),
    world('leading servers proclaim', [server(BEHIND, 1), server(AHEAD, 1)], { ...SERVERS, renewals: 1 }),
    world('an operator pauses', [one(AHEAD, 1), one(BEHIND, 3)], { pauses: 1, catchesUp: 'without items', faults: 0 }),
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
    world('three candidates, and clocks beyond the budget', [one(0, 1), one(0, 1), one(3 * SKEW_MS, 2)], {
      ...{ claims: BEYOND, effects: 1 },
    }),
    world('three candidates with effects behind the fence', TRIO, { effects: 1 }),
    world('racers with effects behind the fence, any two faults', RACERS, { effects: 1, faults: 2 }),
    world('two candidates, effects side by side, any two faults', PAIR, { effects: 2, sideBySide: true, faults: 2 }),
    world('a retried event, effects behind the guard, any two faults', RETRIED, {
      ...{ fencing: 'guard', effects: 1, faults: 2 },
    }),
    world('missed ticks are closed, given up or handed over', [HANDS_OVER, one(BEHIND, 3), continuation(BEHIND)], {
      ...{ catchesUp: 'without items', checkpoints: 1 },
    }),
    world('missed ticks are closed with items, in retried events', RETRIED_LATE, { catchesUp: 'with items' }),
    world('an operator pauses, and a fault', [one(AHEAD, 1), one(BEHIND, 3)], {
      pauses: 1,
      catchesUp: 'without items',
    }),
    world('an operator pauses what is handed over', [HANDS_OVER, one(BEHIND, 2), continuation(BEHIND)], { pauses: 1 }),
    world('work is handed over, any two faults', [HANDS_OVER, one(BEHIND, 1), continuation(BEHIND)], { faults: 2 }),
    world('two servers stand twice', [server(BEHIND, 2), server(AHEAD, 2)], SERVERS),
    world('a server stands again, any two faults', [server(BEHIND, 2), server(AHEAD, 1)], {
      ...{ ...SERVERS, faults: 2, horizonMs: 3_000 },
    }),
    world('three servers stand, and a fault', THREE_SERVERS, SERVERS),
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
