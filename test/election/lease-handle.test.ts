import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  InvalidOptionError,
  type Lease,
  LeaseLostError,
  type LeaseOptions,
  withLease,
} from '../../functions/election/index.ts'
import type { Effects } from '../../functions/election/stores/store.ts'
import { settled } from '../support/manual-clock.ts'
import { clock, HOUR_MS, noAnswer, options, outcomeOf, row, startAnew, store, TICK } from './scripted.ts'

beforeEach(startAnew)

/** A leader whose task ends when told to; by default nothing is renewed and nobody watches the deadline but the leader. */
async function lead(changes: Partial<LeaseOptions> = {}) {
  const task = Promise.withResolvers<void>()
  const started = Promise.withResolvers<Lease>()
  const outcome = outcomeOf(
    withLease(options({ leaseMs: 15_000, heartbeat: false, ...changes }), (lease) => {
      started.resolve(lease)
      return task.promise
    }),
  )
  return { lease: await started.promise, finish: task.resolve, fail: task.reject, outcome }
}

describe('a lease knows of missed ticks', () => {
  it.each<[string, Partial<LeaseOptions>, boolean]>([
    ['not without a period', { tick: TICK }, true],
    ['not where no tick was ever completed', { tick: TICK, periodMs: HOUR_MS }, false],
  ])('%s', async (_, changes, afterOthers) => {
    if (afterOthers) await withLease(options({ tick: '2026-11-21T02:00:00Z' }), () => undefined)
    const { lease } = await lead(changes)
    expect(lease).not.toHaveProperty('missedTicks')
  })
})

it('a lease without ticks has none of what belongs to them, on its row neither', async () => {
  const { tick: _tick, ...tickless } = options({ leaseMs: 15_000 })
  await withLease(tickless, async (lease) => {
    expect(lease).not.toHaveProperty('tick')
    expect(lease).not.toHaveProperty('lastCompletedTick')
    await lease.saveCheckpoint({ upTo: 3 })
    expect(row()?.checkpoint).toStrictEqual({ state: { upTo: 3 } })
  })
})

describe('a deadline', () => {
  it.each([
    [15_000, 1_000],
    [5_000, 500],
  ])('of %i ms has a margin of %i ms, a tenth of it and a second at most', async (leaseMs, marginMs) => {
    const { lease } = await lead({ leaseMs })
    clock.freeze(leaseMs - marginMs - 1)
    expect(() => lease.assertHeld()).not.toThrow()
    clock.freeze(1)
    expect(() => lease.assertHeld()).toThrow(/reached its deadline without being renewed/)
  })

  it('aborts the signal for that reason, even where the leader does nothing', async () => {
    const { lease } = await lead()
    await clock.advance(14_000)
    expect(lease.signal.reason).toBeInstanceOf(LeaseLostError)
    expect(lease.signal.reason).toMatchObject({ lease: 'billing', message: expect.stringMatching(/its deadline/) })
  })

  it('is written down by a clock that has run for long before the lease was asked for', async () => {
    clock.freeze(7_000_000)
    const { lease } = await lead()
    clock.freeze(2_000)
    await lease.renew()
    expect(row()).toMatchObject({ writtenAtMs: clock.wallMs(), expiresAtMs: clock.wallMs() + 15_000 })
  })
})

describe('a lease that is over says how', () => {
  it('completed or released by the candidate itself, which is no loss: nothing is aborted', async () => {
    for (const [end, how] of [
      [(lease: Lease) => lease.release(), 'released'],
      [(lease: Lease) => lease.complete(), 'completed'],
    ] as const) {
      const { lease, finish, outcome } = await lead()
      await end(lease)
      expect(() => lease.assertHeld()).toThrow(new RegExp(`was ${how} by this candidate itself`))
      const other = how === 'completed' ? lease.release() : lease.complete()
      await expect(other).rejects.toThrow(new RegExp(`was ${how} before`))
      expect(lease.signal.aborted).toBe(false)
      finish()
      await outcome
    }
  })

  it('completed, where the task fails afterwards: what still runs of it is not told of a loss', async () => {
    const { lease, fail, outcome } = await lead()
    await lease.complete()
    fail(new Error('cannot log'))
    expect(await outcome).toMatchObject({ message: 'cannot log' })
    expect(lease.signal.aborted).toBe(false)
    expect(row()).toMatchObject({ endedBy: 'completed' })
  })

  it('given up, where the task fails', async () => {
    const { lease, fail, outcome } = await lead()
    fail(new Error('one branch of many'))
    await outcome
    expect(lease.signal.reason).toMatchObject({ message: expect.stringContaining('was given up') })
  })

  it('about to end, while the answer is awaited and where none came', async () => {
    const { lease } = await lead()
    const answer = Promise.withResolvers<void>()
    store.beforeNext('complete', () => answer.promise.then(noAnswer))
    const completion = lease.complete()
    await settled()
    expect(lease.remainingMs()).toBe(0)
    expect(() => lease.assertHeld()).toThrow(/was asked to end, and may have/)
    answer.resolve()
    await expect(completion).rejects.toThrow('no answer')
    expect(() => lease.assertHeld()).toThrow(/was asked to end, and may have/)
    expect(lease.signal.aborted).toBe(false)
  })

  it.each([
    ['by "bob" with token 7', { holder: 'bob', attempt: 'attempt-bob', fencingToken: 7 }],
    ['by nobody that is known', { attempt: 'forced' }],
  ])('taken over, %s', async (by, changes) => {
    const { lease } = await lead()
    store.memory.edit('billing', changes)
    if (!('holder' in changes)) {
      store.write = async () => ({ granted: false })
    }
    const told = 'holder' in changes ? `was taken over ${by}.` : 'was taken over.'
    await expect(lease.renew()).rejects.toThrow(told)
    await expect(lease.release()).rejects.toThrow('was replaced before')
  })
})

it('a checkpoint that is none names the lease, too', async () => {
  const { lease } = await lead()
  const error = await outcomeOf(lease.saveCheckpoint(undefined))
  expect(error).toBeInstanceOf(InvalidOptionError)
  expect(error).toMatchObject({ lease: 'billing' })
})

it('a key of idempotency is that of the business unit, whoever leads', async () => {
  const { lease } = await lead()
  expect(lease.idempotencyKey('charge', 'customer-7')).toBe('charge:customer-7')
})

it('a task that throws what is no error is recorded as one', async () => {
  const { fail, outcome } = await lead()
  fail('out of paper')
  expect(await outcome).toBe('out of paper')
  expect(row()).toMatchObject({ endedBy: 'failed', errorName: 'Error' })
})

it('an error’s name is recorded as far as anybody reads it', async () => {
  const { fail, outcome } = await lead()
  fail(Object.assign(new Error('of a library'), { name: 'X'.repeat(5_000) }))
  await outcome
  expect(row()).toMatchObject({ errorName: 'X'.repeat(100) })
})

describe('effects', () => {
  const input = { TableName: 'invoices', Item: { id: 1 } }

  /** A leader over a store that has tables, of which only what is asked for is real. */
  async function leadWith(effects: Partial<Effects>) {
    const unasked = async () => {
      throw new Error('this was not to be asked')
    }
    Object.assign(store, { effects: { send: unasked, completeWith: unasked, transact: unasked, ...effects } })
    return (await lead()).lease
  }

  it('need a store with tables, and one that has none never will', async () => {
    const { lease } = await lead()
    expect(await outcomeOf(lease.send(input))).toMatchObject({ lease: 'billing', retryable: false })
  })

  it('are not sent once the lease is over', async () => {
    const lease = await leadWith({})
    clock.freeze(15_000)
    await expect(lease.send(input)).rejects.toThrow(LeaseLostError)
    await expect(lease.transact([{ Put: input }])).rejects.toThrow(LeaseLostError)
  })

  it('of a transaction that waits for a renewal are not sent where that came too late', async () => {
    const transact = vi.fn(async () => ({ granted: true }) as const)
    const lease = await leadWith({ transact })
    store.afterNext('renew', () => clock.freeze(15_000))
    const both = await Promise.allSettled([lease.renew(), lease.transact([{ Put: input }])])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(transact).not.toHaveBeenCalled()
  })

  const refusal = (fields: object) => Object.assign(new Error('the condition failed'), fields)
  const newer = { 'fencingToken:billing': 9e15 }

  it('under an older token than the row has are refused as stale', async () => {
    const cause = refusal({ name: 'ConditionalCheckFailedException', Item: newer })
    const lease = await leadWith({ send: () => Promise.reject(cause) })
    expect(await outcomeOf(lease.send(input))).toMatchObject({
      name: 'StaleTokenError',
      lease: 'billing',
      fencingToken: lease.fencingToken,
      seenToken: 9e15,
      cause,
    })
  })

  it.each([
    ['a condition that failed on a row that is not there', refusal({ name: 'ConditionalCheckFailedException' })],
    ['another error that shows a row', refusal({ name: 'ThrottlingException', Item: newer })],
    ['what is no error', { name: 'ConditionalCheckFailedException', Item: newer }],
  ])('hand on %s as it is', async (_, thrown) => {
    const lease = await leadWith({ send: () => Promise.reject(thrown) })
    expect(await outcomeOf(lease.send(input))).toBe(thrown)
  })
})
