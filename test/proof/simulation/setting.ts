import { Random } from './random.ts'

/** What a history is about, before anything goes wrong: drawn from its seed alone. */
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
  /** How the library is called: as middleware, within Lambda, or by a process that knows of no Lambda. */
  readonly entry: 'leaderOnly' | 'withLease' | 'standalone'
  readonly heartbeat: boolean
  /** How many tasks take longer than it takes to renew a lease. */
  readonly longTasksPerMille: number
  readonly work: 'fence' | 'guard' | 'completion' | 'billing'
  /** Whether a process may serve several invocations at once. */
  readonly sharedProcesses: boolean
  /** How hard the history is on its candidates: 1 is usual. */
  readonly intensity: number
  /** Whether a frozen process's monotonic clock stops. Only where nobody sets wall clocks: with both wrong nothing is left to go by. */
  readonly freezeStopsMonotonic: boolean
}

export interface CandidateSetting {
  readonly name: string
  /** How much later than the tick its schedule fires. */
  readonly phaseMs: number
  /** How wrong its machines' clocks are, within the budget. */
  readonly offsetMs: number
}

/** B of the protocol: the default. Each clock is within half of it of DynamoDB's. */
export const SKEW_MS = 1_000
/** A Saturday morning. */
export const START_MS = Date.parse('2026-11-21T06:00:00.000Z')
const NAMES = ['ann', 'ben', 'cyd', 'dan']

/** The longest lease that an acquire may ask for here. Without a heartbeat, in Lambda, it covers the whole invocation and a second to kill it. */
export function longestLeaseMs({ entry, heartbeat, leaseMs, timeoutMs }: Setting): number {
  return heartbeat || entry === 'standalone' ? leaseMs : timeoutMs + 1_000
}

export function settingOf(seed: number, ticks?: number): Setting {
  const random = new Random(seed, 'setting')
  const periodMs = random.pick(60_000, 300_000, 300_000, 900_000)
  const count = random.pick(2, 2, 2, 3, 3, 4)
  const apart = random.pick(0, 200, 200, 3_000, 40_000)
  const extreme = random.chance(500)
  const candidates = NAMES.slice(0, count).map((name, nth) => ({
    name,
    phaseMs: random.between(0, apart),
    offsetMs: extreme ? (nth % 2 === 0 ? -SKEW_MS / 2 : SKEW_MS / 2) : random.between(-SKEW_MS / 2, SKEW_MS / 2),
  }))
  // Drawn even where another number is given, so that a shorter history is the beginning of the longer one.
  const longTicks = random.between(16, 32)
  const entry = random.pick('leaderOnly', 'leaderOnly', 'leaderOnly', 'withLease', 'standalone')
  const timeoutMs = random.pick(20_000, 45_000, 120_000, 300_000)
  // A short lease in a long invocation would be nothing but renewals.
  const leaseMs = random.pick(15_000, 15_000, 15_000, timeoutMs > 60_000 ? 15_000 : 5_000, 30_000)
  const heartbeat = !((entry === 'standalone' || timeoutMs === 20_000) && random.chance(600))
  // Where leases run out under living leaders, somebody should be waiting for it.
  const runsOut = entry === 'standalone' && !heartbeat
  const work = random.weighted({ fence: 4, guard: 3, completion: 2, billing: 1 }) ?? 'fence'
  // A tick of billing takes as long as three others.
  const usualTicks = work === 'billing' ? Math.ceil(longTicks / 4) : longTicks
  return {
    seed,
    ticks: ticks ?? usualTicks,
    candidates,
    periodMs,
    leaseMs,
    waitMs: random.chance(runsOut ? 900 : 180) ? random.between(leaseMs, 40_000) : 0,
    timeoutMs,
    timeoutEarlyInMillis: random.pick(5, 5, 500, 0),
    entry,
    heartbeat,
    longTasksPerMille: runsOut ? 600 : random.pick(50, 120, 500),
    work,
    sharedProcesses: random.chance(250),
    intensity: random.pick(0.7, 1, 1, 2, 4),
    freezeStopsMonotonic: random.chance(500),
  }
}
