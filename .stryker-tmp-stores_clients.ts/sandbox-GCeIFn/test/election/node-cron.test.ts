// @ts-nocheck
import { createTask, type RunCoordinator, type TaskContext } from 'node-cron'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  InvalidOptionError,
  LeaseLostError,
  LeaseStoreError,
  MemoryLeaseStore,
  withLease,
} from '../../functions/election/index.ts'
import { type LeaseCoordinatorOptions, leaseCoordinator } from '../../functions/election/node-cron.ts'
import { asked, clock, noAnswer, outcomeOf, row, startAnew, store } from './scripted.ts'

const LEASE_MS = 20_000 // node-cron's option distributedLease
const SLOT = 'billing:2026-11-21T05:00:00.000Z'
const NEXT_SLOT = 'billing:2026-11-21T05:01:00.000Z'

beforeEach(startAnew)

const instance = (candidate: string, options: LeaseCoordinatorOptions = {}) =>
  leaseCoordinator({ store, clock, candidate, ...options })

describe('a slot', () => {
  it('is run by the first instance that asks, and not again after that has finished: two requests', async () => {
    const [fast, slow] = [instance('fast'), instance('slow')]
    expect(await fast.shouldRun(SLOT, LEASE_MS)).toBe(true)
    expect(row()?.expiresAtMs).toBe(clock.wallMs() + LEASE_MS)
    await fast.onComplete(SLOT)
    expect(store.asked).toEqual(['acquire', 'complete'])
    expect(await slow.shouldRun(SLOT, LEASE_MS)).toBe(false)
    await slow.onComplete(SLOT) // without effect
    expect(row()).toMatchObject({ completedTick: '2026-11-21T05:00:00.000Z', endedBy: 'completed' })
    expect(clock.sleeping).toBe(0)
  })

  it('is skipped by all instances during an earlier run, whose lease is renewed', async () => {
    const [busy, other] = [instance('busy'), instance('other')]
    await busy.shouldRun(SLOT, LEASE_MS)
    await clock.advance(10 * LEASE_MS)
    for (const one of [busy, other]) expect(await one.shouldRun(NEXT_SLOT, LEASE_MS)).toBe(false)
    await busy.onComplete(SLOT)
    expect(await other.shouldRun(NEXT_SLOT, LEASE_MS)).toBe(true)
  })

  it('is not run again if its run failed to report: the lease expires, and a later slot is run', async () => {
    const [silent, other] = [instance('silent', { maxRunMs: 60_000 }), instance('other')]
    await silent.shouldRun(SLOT, LEASE_MS)
    await clock.advance(59_000)
    expect(asked('renew')).toBeGreaterThan(4)
    expect(await other.shouldRun(NEXT_SLOT, LEASE_MS)).toBe(false)
    await clock.advance(LEASE_MS + 2_000)
    expect(await other.shouldRun(NEXT_SLOT, LEASE_MS)).toBe(true)
    await expect(silent.onComplete(SLOT)).rejects.toThrow(LeaseLostError)
  })

  it('is completed by a run that took longer than maxRunMs, if the lease is still its own', async () => {
    const slow = instance('slow', { maxRunMs: 1_000 })
    await slow.shouldRun(SLOT, LEASE_MS)
    await clock.advance(10 * LEASE_MS)
    expect(slow.lease(runOf(SLOT))?.signal.aborted).toBe(true)
    await slow.onComplete(SLOT)
    expect(row()).toMatchObject({ endedBy: 'completed' })
    await slow.shouldRun(NEXT_SLOT, LEASE_MS)
    await clock.advance(10 * LEASE_MS)
    await slow.shouldRun('billing:2026-11-21T05:02:00.000Z', LEASE_MS)
    expect(slow.lease(runOf(NEXT_SLOT))).toBeUndefined() // forgotten: a killed run is never reported
  })

  it('is kept from others if its completion gets no answer', async () => {
    const cutOff = instance('cut off')
    await cutOff.shouldRun(SLOT, LEASE_MS)
    store.beforeNext('complete', ...Array<() => never>(1_000).fill(noAnswer))
    const completed = outcomeOf(cutOff.onComplete(SLOT))
    await clock.advance(LEASE_MS + 100)
    expect(await completed).toBeInstanceOf(LeaseStoreError)
    expect(await instance('slow').shouldRun(SLOT, LEASE_MS)).toBe(false)
    expect(asked('release')).toBe(0)
    expect(clock.sleeping).toBe(0)
  })

  it('is run by another instance if DynamoDB answers this one with an error, or too late', async () => {
    const unlucky = instance('unlucky')
    store.beforeNext('acquire', noAnswer, () => clock.freeze(4_001))
    await expect(unlucky.shouldRun(SLOT, LEASE_MS)).rejects.toThrow(LeaseStoreError)
    await expect(unlucky.shouldRun(SLOT, LEASE_MS)).rejects.toThrow('won after more than 4000 ms')
    expect(row()).toMatchObject({ endedBy: 'failed' })
    expect(clock.sleeping).toBe(0)
    expect(await instance('other').shouldRun(SLOT, LEASE_MS)).toBe(true)
  })
})

/** What node-cron gives the job. */
const runOf = (key: string): Pick<TaskContext, 'task' | 'date'> => ({
  task: createTask('0 0 1 1 *', () => undefined, { name: key.slice(0, -25) }),
  date: new Date(key.slice(-24)),
})

describe('the lease of a job', () => {
  it.each([
    ['nightly-backup', {}, 'nightly-backup'],
    ['a:b', {}, 'a:b'],
    ['nightly backup', { leaseOf: (job: string) => `app/${job.replaceAll(' ', '-')}` }, 'app/nightly-backup'],
    ['nightly backup', {}, undefined],
    ['x'.repeat(129), {}, undefined],
    ['', {}, undefined],
  ])('%j with the options %o is %s', async (job, options, lease) => {
    const key = `${job}:2026-11-21T05:00:00.000Z`
    const coordinator = instance('ann', options)
    const answer = await outcomeOf(coordinator.shouldRun(key, LEASE_MS))
    if (lease === undefined) expect(answer).toBeInstanceOf(InvalidOptionError)
    expect(coordinator.lease(runOf(key))?.name).toBe(lease)
    expect(instance('ann').lease(runOf(key))).toBeUndefined()
  })

  it.each([[{ waitMs: 5 }], [{ leaseOf: 'billing' }], [{ maxRunMs: 0 }], [{ store: undefined }], [{ candidate: '' }]])(
    'is refused with the options %o when the coordinator is made',
    (options) => {
      expect(() => Reflect.apply(leaseCoordinator, undefined, [{ store, ...options }])).toThrow(InvalidOptionError)
    },
  )
})

/** Control: a lock for each job, released at completion, as many coordinators have it. */
function lockCoordinator(memory: MemoryLeaseStore): RunCoordinator {
  const ends = new Map<string, () => void>()
  return {
    shouldRun: (key) =>
      new Promise((resolve, reject) => {
        const run = () => new Promise<void>((end) => [ends.set(key, end), resolve(true)])
        const locked = withLease({ store: memory, lease: 'lock', candidate: crypto.randomUUID() }, run)
        locked.then(({ status }) => status === 'standby' && resolve(false), reject)
      }),
    onComplete: (key) => ends.get(key)?.(),
  }
}

describe('node-cron itself', () => {
  const late = ({ shouldRun, onComplete }: RunCoordinator, ms: number): RunCoordinator => ({
    shouldRun: (key, ttlMs) => new Promise((resolve) => setTimeout(() => resolve(shouldRun(key, ttlMs)), ms)),
    onComplete: (key) => onComplete?.(key),
  })

  it.each([
    { of: 'a lock that is released at completion', make: lockCoordinator, isRepeated: true },
    { of: 'leaseCoordinator', make: (store: MemoryLeaseStore) => leaseCoordinator({ store }), isRepeated: false },
  ])('with $of runs a slot again on a late instance: $isRepeated', async ({ make, isRepeated }) => {
    const memory = new MemoryLeaseStore()
    const runs = new Map<string, number>()
    const run = ({ dateLocalIso }: TaskContext) => void runs.set(dateLocalIso, (runs.get(dateLocalIso) ?? 0) + 1)
    const tasks = [0, 0, 300].map((ms) => {
      const runCoordinator = late(make(memory), ms)
      return createTask('* * * * * *', run, { name: 'billing', distributed: true, runCoordinator })
    })
    for (const task of tasks) void task.start()
    await expect.poll(() => runs.size).toBeGreaterThan(2)
    for (const task of tasks) void task.destroy()
    expect(Math.max(...runs.values()) > 1).toBe(isRepeated)
  })

  it('gives the job its lease, and completes the slot of a job that throws', async () => {
    const memory = new MemoryLeaseStore()
    const runCoordinator = leaseCoordinator({ store: memory })
    const seen: unknown[] = []
    const run = (context: TaskContext) => {
      seen.push([runCoordinator.lease(context)?.tick, context.date.toISOString()])
      throw new Error('the job failed')
    }
    const logger = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} }
    const task = createTask('* * * * * *', run, { name: 'billing', distributed: true, runCoordinator, logger })
    void task.start()
    await expect.poll(() => seen.length).toBeGreaterThan(1)
    void task.destroy()
    for (const [tick, slot] of seen.map(Object)) expect(tick).toBe(slot)
  })
})
