/** Random lives of leases through the shipped rules. */
// @ts-nocheck

import fc from 'fast-check'
import { type Changes, StreamedLeases } from './lease-stream.ts'

export const BEGIN_MS = Date.parse('2026-11-21T06:00:00.000Z')
export const LEASE_MS = 15_000

const OF_SERVERS = ['proclaim', 'requestTransfer', 'resign'] as const
const WRITES = [
  'renew',
  'saveCheckpoint',
  'complete',
  'release',
  'fail',
  'handOver',
  'giveBack',
  ...OF_SERVERS,
] as const
const EDITS = ['force', 'force', 'pause', 'pause', 'pause', 'pause', 'resume', 'resume', 'resume'] as const
const FORCED = ['asDocumented', 'attemptAlone', 'holderAlone'] as const

type FullStep = typeof step extends fc.Arbitrary<infer Full> ? Full : never
/** What only some steps need has a default. */
export type Step = Pick<FullStep, 'do' | 'lease' | 'elapsedMs'> & Partial<FullStep>

export const step = fc.record({
  do: fc.oneof(
    { weight: 8, arbitrary: fc.constant('acquire' as const) },
    { weight: 8, arbitrary: fc.constantFrom(...WRITES) },
    { weight: 9, arbitrary: fc.constantFrom(...EDITS) },
  ),
  lease: fc.constantFrom('billing', 'billing', 'eu/reports', 'tickless'),
  // No time, less than a second, more than a second, longer than the lease.
  elapsedMs: fc.constantFrom(0, 1, 700, 2_500, 16_001),
  candidate: fc.constantFrom('ann', 'bob'),
  how: fc.constantFrom(...FORCED),
  forMs: fc.constantFrom(1_500, 60_000, 90_000),
})

export async function live(steps: readonly Step[]): Promise<StreamedLeases> {
  const leases = new StreamedLeases()
  let nowMs = BEGIN_MS
  for (const step of steps) {
    nowMs += step.elapsedMs
    await take(step, leases, nowMs)
  }
  return leases
}

async function take(step: Step, leases: StreamedLeases, nowMs: number): Promise<unknown> {
  const { do: action, lease, candidate = 'ann', how = 'asDocumented', forMs = 0 } = step
  const row = leases.read(lease)
  const expiresAtMs = nowMs + LEASE_MS
  const second = new Date(nowMs - (nowMs % 1_000)).toISOString()
  if (action === 'acquire') {
    const attempt = `attempt-${leases.records.length}-${nowMs}`
    const request = { lease, candidate, attempt, nowMs, expiresAtMs, maxClockSkewMs: 1_000 }
    return leases.acquire(lease === 'tickless' ? request : { ...request, tick: second })
  }
  if (row === undefined) return
  const editTo = (changes: Changes) => leases.editAt(nowMs, lease, changes)
  if (action === 'pause') return editTo({ pausedUntilMs: nowMs + forMs, pausedBy: 'ops', writtenAtMs: nowMs })
  if (action === 'resume') return editTo({ pausedUntilMs: undefined, pausedBy: undefined, writtenAtMs: nowMs })
  const { holder, attempt, fencingToken } = row
  // Forced out already: neither the leader's next write nor a second force changes the tenure.
  if (holder === undefined || attempt === 'forced') return
  if (action === 'force') {
    if (how === 'attemptAlone') return editTo({ attempt: 'forced' })
    if (how === 'holderAlone') return editTo({ holder: undefined })
    return editTo({ holder: undefined, attempt: 'forced', endedBy: 'forced', writtenAtMs: nowMs })
  }
  const tenure = { lease, candidate: holder, attempt, fencingToken, nowMs }
  if (action === 'giveBack') return leases.giveBack(tenure)
  const untilMs = nowMs + 2_500
  if (action === 'requestTransfer') return leases.requestTransfer({ lease, fencingToken, to: 'bob', nowMs, untilMs })
  const tick = row.tick === undefined ? {} : { tick: row.tick }
  const writes = {
    renew: { kind: 'renew', expiresAtMs },
    saveCheckpoint: { kind: 'saveCheckpoint', expiresAtMs, checkpoint: { ...tick, state: 'SECRET' } },
    complete: { kind: 'complete', ...tick },
    proclaim: { kind: 'proclaim', expiresAtMs, announcement: { url: 'SECRET', ports: [80] } },
    resign: { kind: 'release', endedBy: 'released', reservedFor: 'bob', reservedUntilMs: untilMs },
    release: { kind: 'release', endedBy: 'released' },
    fail: { kind: 'release', endedBy: 'failed', errorName: 'TypeError' },
    handOver: {
      kind: 'release',
      endedBy: 'continued',
      checkpoint: { ...tick, state: 'SECRET', continuations: 1, sinceMs: row.acquiredAtMs },
      reservedFor: 'bob',
      reservedUntilMs: untilMs,
    },
  } as const
  return leases.write({ ...tenure, step: row.step + 1, ...writes[action] })
}
