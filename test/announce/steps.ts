/** Random lives of leases through the shipped rules, with what the history must say of them in the end. */
import fc from 'fast-check'
import type { LeaseImage } from '../../functions/announce/facts.ts'
import type { AcquireRequest, HolderWrite, Tenure } from '../../functions/election/rules.ts'
import { StreamedLeases } from './lease-stream.ts'
import { HISTORY_DAYS } from './scene.ts'

const BEGIN_MS = Date.parse('2026-11-21T06:00:00.000Z')
const LEASE_MS = 15_000

export type Step = { readonly lease: string; readonly elapsedMs: number } & (
  | { readonly do: 'acquire'; readonly who: string }
  | { readonly do: 'renew' | 'saveCheckpoint' | 'complete' | 'release' | 'fail' | 'giveBack' | 'resume' }
  | { readonly do: 'force'; readonly how: 'properly' | 'attemptAlone' | 'holderAlone' }
  | { readonly do: 'pause'; readonly forMs: number }
)

const lease = fc.constantFrom('billing', 'billing', 'eu/reports', 'tickless')
const who = fc.constantFrom('ann', 'bob')
// Past the second, past the lease, and not at all.
const elapsedMs = fc.constantFrom(0, 1, 700, 2_500, 16_001)

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('acquire' as const), lease, who, elapsedMs }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('renew' as const, 'saveCheckpoint', 'complete', 'release', 'fail', 'giveBack'),
      lease,
      elapsedMs,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('force' as const),
      lease,
      elapsedMs,
      how: fc.constantFrom('properly' as const, 'attemptAlone', 'holderAlone'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pause' as const),
      lease,
      elapsedMs,
      forMs: fc.constantFrom(1_500, 60_000, 90_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('resume' as const), lease, elapsedMs }) },
)

export interface ExpectedTenure {
  candidate: string
  forTick?: string
  beganAtMs: number
  ttl: number
  outcome?: string
  endedAtMs?: number
  failure?: string
  successor?: number
}

/** What happened, told from the requests and not from the rows' images. */
export interface Life {
  readonly leases: StreamedLeases
  readonly tenures: Map<string, ExpectedTenure>
  /** How often each event must have been sent, by its name. */
  readonly events: Map<string, number>
}

interface Leading {
  readonly tenure: Tenure
  readonly tick: string | undefined
  steps: number
  expiresAtMs: number
  /** Still named by the row. */
  named: boolean
  /** Ended by its own hand or another's. */
  ended: boolean
}

export async function live(steps: readonly Step[]): Promise<Life> {
  const leases = new StreamedLeases()
  const tenures = new Map<string, ExpectedTenure>()
  const events = new Map<string, number>()
  const leading = new Map<string, Leading>()
  const pausedUntil = new Map<string, number>()
  let nowMs = BEGIN_MS
  let attempts = 0

  const tell = (name: string) => events.set(name, (events.get(name) ?? 0) + 1)
  const expected = ({ tenure }: Leading) => tenures.get(`${tenure.lease}/${tenure.fencingToken}`)
  const isPaused = (lease: string) => (pausedUntil.get(lease) ?? 0) > nowMs

  async function acquire(lease: string, candidate: string): Promise<void> {
    const before = leading.get(lease)
    const tick = lease === 'tickless' ? undefined : new Date(nowMs - (nowMs % 1_000)).toISOString()
    const request: AcquireRequest = {
      lease,
      candidate,
      attempt: `attempt-${attempts++}`,
      ...(tick === undefined ? {} : { tick }),
      nowMs,
      expiresAtMs: nowMs + LEASE_MS,
      maxClockSkewMs: 1_000,
    }
    const reply = await leases.acquire(request)
    if (!('granted' in reply && reply.granted)) return
    const { fencingToken } = reply.record
    tenures.set(`${lease}/${fencingToken}`, {
      candidate,
      ...(tick === undefined ? {} : { forTick: tick }),
      beganAtMs: nowMs,
      ttl: Math.floor(nowMs / 1_000) + HISTORY_DAYS * 86_400,
    })
    tell('LeaderElected')
    if (before?.named) {
      tell('LeaderTakenOver')
      const previous = expected(before)
      if (previous !== undefined) previous.successor = fencingToken
      if (previous !== undefined && !before.ended) end(before, 'takenOver', before.expiresAtMs)
    }
    const tenure = { lease, candidate, attempt: request.attempt, fencingToken }
    leading.set(lease, { tenure, tick, steps: 0, expiresAtMs: request.expiresAtMs, named: true, ended: false })
  }

  function end(leader: Leading, outcome: string, atMs: number, failure?: string): void {
    leader.ended = true
    const row = expected(leader)
    if (row === undefined) return
    row.outcome = outcome
    row.endedAtMs = atMs
    if (failure !== undefined) row.failure = failure
  }

  async function write(leader: Leading, kind: string): Promise<void> {
    leader.steps++
    const expiresAtMs = nowMs + LEASE_MS
    const common = { ...leader.tenure, step: leader.steps, nowMs }
    const tick = leader.tick === undefined ? {} : { tick: leader.tick }
    const secret = { ...tick, state: { customer: 'cus_SECRET' } }
    const requests: Readonly<Record<string, HolderWrite>> = {
      renew: { ...common, kind: 'renew', expiresAtMs },
      saveCheckpoint: { ...common, kind: 'saveCheckpoint', expiresAtMs, checkpoint: secret },
      complete: { ...common, kind: 'complete', ...tick },
      release: { ...common, kind: 'release', endedBy: 'released' },
      fail: { ...common, kind: 'release', endedBy: 'failed', errorName: 'TypeError' },
    }
    const request = requests[kind]
    const reply =
      request === undefined ? await leases.giveBack({ ...leader.tenure, nowMs }) : await leases.write(request)
    if (!('granted' in reply && reply.granted)) return
    if (kind === 'renew' || kind === 'saveCheckpoint') {
      leader.expiresAtMs = expiresAtMs
      return
    }
    leader.named = false
    tell('LeaderReleased')
    if (kind === 'complete') end(leader, 'completed', nowMs)
    else if (kind === 'fail') end(leader, 'failed', nowMs, 'TypeError')
    else end(leader, 'released', nowMs)
    if (leader.tick !== undefined && kind === 'complete') tell('TickCompleted')
    if (leader.tick !== undefined && kind === 'fail') tell('TickFailed')
  }

  function force(leader: Leading, how: string): void {
    if (!leader.named || leader.ended) return
    const { lease } = leader.tenure
    const seconds = nowMs - (nowMs % 1_000)
    const lastMs = leases.rows.get(lease)?.writtenAtMs ?? 0
    leases.edit(lease, nowMs, (row) => {
      const { holder: _holder, ...vacant } = row
      if (how === 'attemptAlone') return { ...row, attempt: 'forced' }
      if (how === 'holderAlone') return vacant
      return { ...vacant, attempt: 'forced', endedBy: 'forced', writtenAtMs: nowMs }
    })
    const isStamped = how === 'properly' && lastMs !== nowMs
    end(leader, 'forced', isStamped ? nowMs : Math.max(seconds, lastMs))
    leader.named = how === 'attemptAlone'
    tell('LeaseForced')
  }

  function pause(lease: string, forMs: number): void {
    if (!leases.rows.has(lease) || pausedUntil.get(lease) === nowMs + forMs) return
    pausedUntil.set(lease, nowMs + forMs)
    leases.edit(lease, nowMs, (row) => ({ ...row, pausedUntilMs: nowMs + forMs, pausedBy: 'ops', writtenAtMs: nowMs }))
    tell('LeasePaused')
  }

  function resume(lease: string): void {
    if (!leases.rows.has(lease)) return
    if (isPaused(lease)) tell('LeaseResumed')
    pausedUntil.delete(lease)
    leases.edit(
      lease,
      nowMs,
      ({ pausedUntilMs: _until, pausedBy: _by, ...row }): LeaseImage => ({ ...row, writtenAtMs: nowMs }),
    )
  }

  for (const next of steps) {
    nowMs += next.elapsedMs
    const leader = leading.get(next.lease)
    if (next.do === 'acquire') await acquire(next.lease, next.who)
    else if (next.do === 'pause') pause(next.lease, next.forMs)
    else if (next.do === 'resume') resume(next.lease)
    else if (leader !== undefined && next.do === 'force') force(leader, next.how)
    else if (leader !== undefined) await write(leader, next.do)
  }
  return { leases, tenures, events }
}
