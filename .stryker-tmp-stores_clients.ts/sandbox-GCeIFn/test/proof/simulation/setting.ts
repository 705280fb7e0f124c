// @ts-nocheck
import { Random } from './random.ts'

/** B of the protocol, by default. Each clock is within half of it of DynamoDB's. */
export const SKEW_MS = 1_000
/** A Saturday morning. */
export const START_MS = Date.parse('2026-11-21T06:00:00.000Z')
const NAMES = ['ann', 'ben', 'cyd', 'dan']

export type Setting = Readonly<ReturnType<typeof settingOf>>
export type CandidateSetting = Setting['candidates'][number]

/** In Lambda, without a heartbeat, the lease covers the whole invocation and a second to kill it. */
export function longestLeaseMs({ entry, heartbeat, leaseMs, timeoutMs }: Setting): number {
  return heartbeat || entry === 'standalone' ? leaseMs : timeoutMs + 1_000
}

/** A history before any fault happens, drawn from its seed alone. */
export function settingOf(seed: number, ticks?: number) {
  const random = new Random(seed, 'setting')
  const periodMs = random.pick(60_000, 300_000, 300_000, 900_000)
  const count = random.pick(2, 2, 2, 3, 3, 4)
  const apartMs = random.pick(0, 200, 200, 3_000, 40_000)
  const isExtreme = random.chance(500)
  const candidates = NAMES.slice(0, count).map((name, nth) => ({
    name,
    /** How much later than the tick its schedule fires. */
    phaseMs: random.between(0, apartMs),
    /** How wrong its clocks are, within the budget. */
    offsetMs: isExtreme ? (nth % 2 === 0 ? -SKEW_MS / 2 : SKEW_MS / 2) : random.between(-SKEW_MS / 2, SKEW_MS / 2),
  }))
  // Drawn even if a number is given, so that a shorter history is the beginning of the longer one.
  const usualTicks = random.between(16, 32)
  // As middleware, directly in Lambda, or in a process without Lambda.
  const entry = random.pick('leaderOnly', 'leaderOnly', 'leaderOnly', 'withLease', 'standalone')
  // How long Lambda lets an invocation run.
  const timeoutMs = random.pick(20_000, 45_000, 120_000, 300_000)
  // A short lease in a long invocation would be nothing but renewals.
  const leaseMs = random.pick(15_000, 15_000, 15_000, timeoutMs > 60_000 ? 15_000 : 5_000, 30_000)
  const heartbeat = !((entry === 'standalone' || timeoutMs === 20_000) && random.chance(600))
  // If leases expire while their leaders live, another candidate should be waiting.
  const leasesExpire = entry === 'standalone' && !heartbeat
  const work = random.pick(
    ...(['fence', 'fence', 'fence', 'fence'] as const),
    ...(['guard', 'guard', 'guard', 'completion', 'completion', 'billing'] as const),
  )
  return {
    seed,
    // A tick of billing takes as long as three others.
    ticks: ticks ?? (work === 'billing' ? Math.ceil(usualTicks / 4) : usualTicks),
    candidates,
    periodMs,
    leaseMs,
    waitMs: random.chance(leasesExpire ? 900 : 180) ? random.between(leaseMs, 40_000) : 0,
    timeoutMs,
    timeoutEarlyInMillis: random.pick(5, 5, 500, 0),
    entry,
    heartbeat,
    /** How many tasks take longer than the time between renewals. */
    longTasksPerMille: leasesExpire ? 600 : random.pick(50, 120, 500),
    work,
    /** A process may serve several invocations at once. */
    sharedProcesses: random.chance(250),
    /** How frequent faults are: 1 is usual. */
    intensity: random.pick(0.7, 1, 1, 2, 4),
    /** While a process is frozen its monotonic clock stops. Then wall clocks are right: one clock must be. */
    freezeStopsMonotonic: random.chance(500),
    /** Leaders work the ticks that were missed. */
    catchesUp: random.chance(500),
    /** How many invocations the work of a tick takes, one after another. */
    parts: work === 'billing' ? 1 : random.pick(1, 1, 2, 3),
    /** Lease requests go without the SDK. */
    isLean: random.chance(750),
  }
}
