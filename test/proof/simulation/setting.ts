import { Random } from './random.ts'

/** A history before any fault happens, drawn from its seed alone. */
export interface Setting {
  readonly seed: number
  readonly ticks: number
  readonly candidates: readonly CandidateSetting[]
  readonly periodMs: number
  readonly leaseMs: number
  readonly waitMs: number
  /** How long Lambda lets an invocation run. */
  readonly timeoutMs: number
  readonly timeoutEarlyInMillis: number
  /** How the library is called: as middleware, directly in Lambda, or in a process without Lambda. */
  readonly entry: 'leaderOnly' | 'withLease' | 'standalone'
  readonly heartbeat: boolean
  /** How many tasks take longer than the time between renewals. */
  readonly longTasksPerMille: number
  readonly work: 'fence' | 'guard' | 'completion' | 'billing'
  /** A process may serve several invocations at once. */
  readonly sharedProcesses: boolean
  /** How frequent faults are: 1 is usual. */
  readonly intensity: number
  /** While a process is frozen its monotonic clock stops. Then wall clocks are right: one clock must be. */
  readonly freezeStopsMonotonic: boolean
}

export interface CandidateSetting {
  readonly name: string
  /** How much later than the tick its schedule fires. */
  readonly phaseMs: number
  /** How wrong its clocks are, within the budget. */
  readonly offsetMs: number
}

/** B of the protocol, by default. Each clock is within half of it of DynamoDB's. */
export const SKEW_MS = 1_000
/** A Saturday morning. */
export const START_MS = Date.parse('2026-11-21T06:00:00.000Z')
const NAMES = ['ann', 'ben', 'cyd', 'dan']

/** In Lambda, without a heartbeat, the lease covers the whole invocation and a second to kill it. */
export function longestLeaseMs({ entry, heartbeat, leaseMs, timeoutMs }: Setting): number {
  return heartbeat || entry === 'standalone' ? leaseMs : timeoutMs + 1_000
}

export function settingOf(seed: number, ticks?: number): Setting {
  const random = new Random(seed, 'setting')
  const periodMs = random.pick(60_000, 300_000, 300_000, 900_000)
  const count = random.pick(2, 2, 2, 3, 3, 4)
  const apartMs = random.pick(0, 200, 200, 3_000, 40_000)
  const isExtreme = random.chance(500)
  const candidates = NAMES.slice(0, count).map((name, nth) => ({
    name,
    phaseMs: random.between(0, apartMs),
    offsetMs: isExtreme ? (nth % 2 === 0 ? -SKEW_MS / 2 : SKEW_MS / 2) : random.between(-SKEW_MS / 2, SKEW_MS / 2),
  }))
  // Drawn even if a number is given, so that a shorter history is the beginning of the longer one.
  const usualTicks = random.between(16, 32)
  const entry = random.pick('leaderOnly', 'leaderOnly', 'leaderOnly', 'withLease', 'standalone')
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
    longTasksPerMille: leasesExpire ? 600 : random.pick(50, 120, 500),
    work,
    sharedProcesses: random.chance(250),
    intensity: random.pick(0.7, 1, 1, 2, 4),
    freezeStopsMonotonic: random.chance(500),
  }
}
