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
  /** Renewals of one tenure. */
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
  /** Crashes, lost replies, retries by the SDK, copies and delayed requests, all together. */
  readonly faults: number
  /** Forced releases and raised tokens, by an operator. */
  readonly interventions: number
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
export const LEASE = 'nightly'

/** Ticks are texts that sort by time. */
export const tickName = (tick: number): string => `2026-11-21T0${tick}:00:00.000Z`
export const tickNumber = (name: string | undefined): number => (name === undefined ? 0 : Number(name.slice(12, 13)))

export const candidateName = (index: number): string => `candidate ${index + 1}`
export const eventName = (index: number): string => `event ${index + 1}`
export const attemptName = (index: number, attempt: number): string => `${index + 1}.${attempt}`

/** The candidate whose attempt it was; undefined for an operator's and for those before the world began. */
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
  return `${candidateName(index)} (clock ${seconds > 0 ? '+' : ''}${seconds} s)`
}
