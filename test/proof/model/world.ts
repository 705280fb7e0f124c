import type { Claim } from '../claims.ts'
import type { End } from './state.ts'

/**
 * One bounded world, explored to its end. Times are milliseconds. The bounds make it finite; within them everything that
 * can happen does, in every order.
 */
export interface World {
  /** What it is about: worlds that differ only in clocks and ticks share it. */
  readonly family: string
  readonly candidates: readonly CandidateBounds[]
  /** B, the most that two clocks may differ: each is right within B / 2. */
  readonly maxClockSkewMs: number
  readonly leaseMs: number
  /** True time passes in steps of this length, and only so far. */
  readonly stepMs: number
  readonly horizonMs: number
  /** Whether the lease's row is there already, with earlier tenures behind it, or the first acquire creates it. */
  readonly row: 'there' | 'absent'
  /** Renewals and checkpoints of one tenure, and whether there are checkpoints. */
  readonly extensions: number
  readonly checkpoints: boolean
  /** Whether an end may be sent while a renewal is under way, which costs no fault. */
  readonly overtaking: boolean
  /** How leaders protect their effects, and how many each has. A completion is an effect too (C3), in every world. */
  readonly fencing: 'fence' | 'guard'
  readonly effects: number
  /** Whether effects behind the fence are sent side by side, and whether only the first one of a tenure may land. */
  readonly sideBySide: boolean
  readonly ownCondition: boolean
  readonly ends: readonly End[]
  /** Crashes, lost replies, the SDK's own retries, copies, and requests that take their time: all together. */
  readonly faults: number
  /** Whether a request that somebody waits for may take its time at no charge. A candidate's own pauses always may. */
  readonly freeDelays: boolean
  /** Whether a completion may be refused for its items, after which its leader goes on. */
  readonly refusals: boolean
  /** What an operator does by hand: force a release, raise the token. */
  readonly interventions: number
  readonly deletions: number
  /** What whoever deletes the row waits for, so that no token repeats: see operator.ts. */
  readonly deletionWaits: { readonly forClocks: boolean; readonly forAcquires: 'none' | 'older' | 'all' }
  readonly claims: Expectations
}

export interface CandidateBounds {
  /** How far its clock is ahead of true time. */
  readonly clockMs: number
  /** The tick of its event. */
  readonly tick: number
  /** Its acquire calls, those of Lambda's retries of its event included. */
  readonly attempts: number
}

export interface Expectations {
  readonly hold: readonly Claim[]
  /** Expected to be broken, which shows that the explorer can see it. Claims in neither list are not claimed here. */
  readonly broken: readonly Claim[]
}

export const START_MS = 100_000
export const LEASE = 'nightly'

/** Ticks are texts that sort by time; people read them as numbers. */
export const tickName = (tick: number): string => `2026-11-21T0${tick}:00:00.000Z`
export const tickNumber = (name: string | undefined): number => (name === undefined ? 0 : Number(name.slice(12, 13)))

export const candidateName = (index: number): string => `candidate ${index + 1}`
export const eventName = (index: number): string => `event ${index + 1}`
export const attemptName = (index: number, attempt: number): string => `${index + 1}.${attempt}`

/** Whose acquire call an attempt was; undefined for an operator's and for what was before the world began. */
export function attemptOwner(attempt: string): number | undefined {
  return attempt.includes('.') ? Number.parseInt(attempt, 10) - 1 : undefined
}

export function isWithinBudget(world: World, index: number): boolean {
  return Math.abs(clockOf(world, index)) <= world.maxClockSkewMs / 2
}

export function clockOf(world: World, index: number): number {
  return world.candidates[index]?.clockMs ?? 0
}

export function tickOf(world: World, index: number): number {
  return world.candidates[index]?.tick ?? 0
}

/** As a sentence names a candidate: "candidate 2 (clock +0.5 s)". */
export function who(world: World, index: number): string {
  const offsetMs = clockOf(world, index)
  const clock = offsetMs === 0 ? 'right' : `${offsetMs > 0 ? '+' : ''}${offsetMs / 1000} s`
  return `${candidateName(index)} (clock ${clock})`
}
