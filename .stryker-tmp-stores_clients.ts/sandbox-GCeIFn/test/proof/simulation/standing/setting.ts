// @ts-nocheck
import { Random } from '../random.ts'

/** A Saturday morning. */
export const START_MS = Date.parse('2026-11-21T06:00:00.000Z')
export const LEASE = 'jobs'
export const LEASE_KEY = { lease: { S: LEASE }, record: { S: 'LEASE' } }
/** What an election keeps the lease for a successor, and asks for a transfer: see standing/tenure.ts. */
export const RESERVED_MS = 10_000
const NAMES = ['ann', 'ben', 'cyd', 'dan', 'eve']

export type Setting = Readonly<ReturnType<typeof settingOf>>

/** One group of servers and what happens to it, drawn from a seed alone. */
export function settingOf(seed: number) {
  const random = new Random(seed, 'setting')
  const maxClockSkewMs = random.pick(200, 1_000, 1_000, 2_000)
  const pollMs = random.pick(500, 2_000, 2_000)
  const leaseMs = random.pick(6_000, 15_000, 15_000)
  return {
    seed,
    names: NAMES.slice(0, random.between(2, 5)),
    maxClockSkewMs,
    leaseMs,
    pollMs,
    refreshMs: random.pick(5_000, 30_000),
    headStartMs: random.pick(0, 500, 500),
    drainMs: random.pick(1_000, 5_000),
    preempt: random.pick(undefined, { margin: 2, minTenureMs: 10_000 }),
    /** Until then there are faults. */
    faultyMs: random.between(60_000, 240_000),
    quietMs: 60_000,
    /** Faults of requests, of a thousand. */
    lossPerMille: random.pick(0, 20, 100),
    /** Mean time between two faults of a server. */
    faultEveryMs: random.pick(5_000, 15_000, 40_000),
    longestFaultMs: leaseMs * random.pick(1, 3),
    /** After a turn, of a thousand. */
    staysPerMille: random.pick(300, 800),
    /** As after a deployment. */
    startsAtOnce: random.chance(300),
    /** Reads that show the row of up to a second ago, of a thousand. */
    stalePerMille: random.pick(0, 100),
  }
}

/** How far a clock is off: within half of the budget, also if it drifts by 50 ppm meanwhile. */
export function offsetOf({ seed, maxClockSkewMs }: Setting, server: string): number {
  const random = new Random(seed, `clock of ${server}`)
  const mostMs = maxClockSkewMs / 2 - DRIFTED_MS
  return random.pick(-mostMs, mostMs, random.between(-mostMs, mostMs))
}
/** By 50 ppm in eight minutes. */
const DRIFTED_MS = 24
export const DRIFT_PER_MILLE = 0.05
