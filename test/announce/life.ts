/** Random lives of leases through the shipped rules, and what history and events must say about them. */
import fc from 'fast-check'
import type { HistoryAttributes } from '../../functions/announce/history-row.ts'
import type { Tenure } from '../../functions/election/rules.ts'
import { StreamedLeases } from './lease-stream.ts'
import { HISTORY_DAYS } from './scene.ts'

const BEGIN_MS = Date.parse('2026-11-21T06:00:00.000Z')
const LEASE_MS = 15_000

const WRITES = ['renew', 'saveCheckpoint', 'complete', 'release', 'fail', 'giveBack'] as const
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

interface Leader {
  readonly tenure: Tenure
  readonly tick: string | undefined
  /** The expected history row. */
  row: HistoryAttributes
  steps: number
  expiresAtMs: number
  isNamedByRow: boolean
}

/** What happened, derived from the requests and not from the rows' images. */
export class Life {
  readonly leases = new StreamedLeases()
  /** How often each event must be sent, by name. */
  readonly events = new Map<string, number>()
  readonly #leaders: Leader[] = []
  readonly #pausedUntilMs = new Map<string, number>()
  #nowMs = BEGIN_MS

  /** The expected history, by `lease/fencing token`. */
  get tenures(): ReadonlyMap<string, HistoryAttributes> {
    return new Map(this.#leaders.map(({ tenure, row }) => [`${tenure.lease}/${tenure.fencingToken}`, row]))
  }

  async take(step: Step): Promise<void> {
    const { do: action, lease, candidate = 'ann', how = 'asDocumented', forMs = 0 } = step
    this.#nowMs += step.elapsedMs
    if (action === 'acquire') return this.#acquire(lease, candidate)
    if (action === 'pause') return this.#pause(lease, forMs)
    if (action === 'resume') return this.#resume(lease)
    const leader = this.#leaderOf(lease)
    if (leader === undefined) return
    return action === 'force' ? this.#force(leader, how) : this.#write(leader, action)
  }

  #leaderOf(lease: string): Leader | undefined {
    return this.#leaders.findLast(({ tenure }) => tenure.lease === lease)
  }

  #expect(name: string): void {
    this.events.set(name, (this.events.get(name) ?? 0) + 1)
  }

  async #acquire(lease: string, candidate: string): Promise<void> {
    const nowMs = this.#nowMs
    const before = this.#leaderOf(lease)
    const tick = lease === 'tickless' ? undefined : new Date(nowMs - (nowMs % 1_000)).toISOString()
    const attempt = `attempt-${this.leases.records.length}-${nowMs}`
    const expiresAtMs = nowMs + LEASE_MS
    const request = { lease, candidate, attempt, nowMs, expiresAtMs, maxClockSkewMs: 1_000 }
    const reply = await this.leases.acquire(tick === undefined ? request : { ...request, tick })
    if (!('granted' in reply && reply.granted)) return
    const { fencingToken } = reply.record
    const tenure = { lease, candidate, attempt, fencingToken }
    const ttl = Math.floor(nowMs / 1_000) + HISTORY_DAYS * 86_400
    const row = { candidate, ...(tick === undefined ? {} : { forTick: tick }), beganAtMs: nowMs, ttl }
    this.#leaders.push({ tenure, tick, row, steps: 0, expiresAtMs, isNamedByRow: true })
    this.#expect('LeaderElected')
    if (!before?.isNamedByRow) return
    this.#expect('LeaderTakenOver')
    before.isNamedByRow = false
    before.row = { outcome: 'takenOver', endedAtMs: before.expiresAtMs, ...before.row, successor: fencingToken }
  }

  async #write(leader: Leader, kind: (typeof WRITES)[number]): Promise<void> {
    leader.steps++
    const nowMs = this.#nowMs
    const expiresAtMs = nowMs + LEASE_MS
    const tick = leader.tick === undefined ? {} : { tick: leader.tick }
    const requests = {
      renew: { kind: 'renew', expiresAtMs },
      saveCheckpoint: { kind: 'saveCheckpoint', expiresAtMs, checkpoint: { ...tick, state: 'SECRET' } },
      complete: { kind: 'complete', ...tick },
      release: { kind: 'release', endedBy: 'released' },
      fail: { kind: 'release', endedBy: 'failed', errorName: 'TypeError' },
    } as const
    const common = { ...leader.tenure, nowMs }
    const reply =
      kind === 'giveBack'
        ? await this.leases.giveBack(common)
        : await this.leases.write({ ...common, step: leader.steps, ...requests[kind] })
    if (!('granted' in reply && reply.granted)) return
    if (kind === 'renew' || kind === 'saveCheckpoint') {
      leader.expiresAtMs = expiresAtMs
      return
    }
    leader.isNamedByRow = false
    this.#expect('LeaderReleased')
    const outcome = kind === 'complete' ? 'completed' : kind === 'fail' ? 'failed' : 'released'
    leader.row = { ...leader.row, outcome, endedAtMs: nowMs, ...(kind === 'fail' ? { failure: 'TypeError' } : {}) }
    if (leader.tick === undefined) return
    if (kind === 'complete') this.#expect('TickCompleted')
    if (kind === 'fail') this.#expect('TickFailed')
  }

  #force(leader: Leader, how: (typeof FORCED)[number]): void {
    if (!leader.isNamedByRow || leader.row.outcome !== undefined) return
    const { lease } = leader.tenure
    const nowMs = this.#nowMs
    const lastMs = this.leases.rows.get(lease)?.writtenAtMs ?? 0
    this.leases.edit(lease, nowMs, (row) => {
      const { holder: _holder, ...vacant } = row
      if (how === 'attemptAlone') return { ...row, attempt: 'forced' }
      if (how === 'holderAlone') return vacant
      return { ...vacant, attempt: 'forced', endedBy: 'forced', writtenAtMs: nowMs }
    })
    const isStamped = how === 'asDocumented' && lastMs !== nowMs
    const endedAtMs = isStamped ? nowMs : Math.max(nowMs - (nowMs % 1_000), lastMs)
    leader.row = { ...leader.row, outcome: 'forced', endedAtMs }
    leader.isNamedByRow = how === 'attemptAlone'
    this.#expect('LeaseForced')
  }

  #pause(lease: string, forMs: number): void {
    const [writtenAtMs, pausedUntilMs] = [this.#nowMs, this.#nowMs + forMs]
    if (!this.leases.rows.has(lease) || this.#pausedUntilMs.get(lease) === pausedUntilMs) return
    this.#pausedUntilMs.set(lease, pausedUntilMs)
    this.leases.edit(lease, writtenAtMs, (row) => ({ ...row, pausedUntilMs, pausedBy: 'ops', writtenAtMs }))
    this.#expect('LeasePaused')
  }

  #resume(lease: string): void {
    if (!this.leases.rows.has(lease)) return
    const writtenAtMs = this.#nowMs
    if ((this.#pausedUntilMs.get(lease) ?? 0) > writtenAtMs) this.#expect('LeaseResumed')
    this.#pausedUntilMs.delete(lease)
    this.leases.edit(lease, writtenAtMs, ({ pausedUntilMs: _, pausedBy: _by, ...row }) => ({ ...row, writtenAtMs }))
  }
}

export async function live(steps: readonly Step[]): Promise<Life> {
  const life = new Life()
  for (const step of steps) await life.take(step)
  return life
}
