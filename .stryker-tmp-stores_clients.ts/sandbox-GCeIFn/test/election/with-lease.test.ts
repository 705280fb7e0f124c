// @ts-nocheck
import { getEventListeners } from 'node:events'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  CorruptLeaseError,
  InvalidTickError,
  type Lease,
  LeaseLostError,
  LeaseStillHeldError,
  withLease,
} from '../../functions/election/index.ts'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import { acquireRequest } from '../../functions/election/testing/requests.ts'
import {
  asked,
  clock,
  HOUR_MS,
  hold,
  lambda,
  lead,
  NEXT_TICK,
  noAnswer,
  options,
  outcomeOf,
  row,
  startAnew,
  store,
  TICK,
} from './scripted.ts'

beforeEach(startAnew)

const at = (hour: number) => `2026-11-21T0${hour}:00:00.000Z`

describe('a winner', () => {
  it('runs the task, completes the tick, and asks two things of the store in all', async () => {
    const outcome = await withLease(options(), () => 'charged')
    expect(outcome).toEqual({ status: 'completed', fencingToken: clock.wallMs() + 1, result: 'charged' })
    expect(row()).toMatchObject({ completedTick: TICK, endedBy: 'completed' })
    expect(row()).not.toHaveProperty('holder')
    expect(store.asked).toEqual(['acquire', 'complete'])
    expect(clock.sleeping).toBe(0)
  })

  it.each<[string, object, string | undefined, object]>([
    ['which were missed', { schedule: 'rate(1 hour)' }, '2026-11-21T02:00:00.000Z', { missed: [at(3), at(4)] }],
    ['no missed ones if no tick was ever acquired', { schedule: 'rate(1 hour)' }, undefined, {}],
    ['no missed ones without a schedule', { periodMs: HOUR_MS }, '2026-11-21T02:00:00.000Z', {}],
  ])('sees its lease, its tick and the last one, and %s', async (_, changes, lastCompletedTick, missed) => {
    if (lastCompletedTick) await withLease(options({ tick: lastCompletedTick }), () => undefined)
    const seen = await withLease(options({ tick: TICK, ...changes }), (lease) => {
      const { name, candidate, tick, lastCompletedTick, missed } = lease
      const key = lease.idempotencyKey('charge', 'customer-7')
      return { name, candidate, tick, lastCompletedTick, missed, key }
    })
    const mine = { name: 'billing', candidate: 'ann', tick: TICK, key: 'charge:customer-7' }
    expect(seen).toMatchObject({ result: { ...mine, lastCompletedTick, missed: [], ...missed } })
  })

  it('knows its own completion although the leader of the next tick holds the row by then', async () => {
    store.afterNext('complete', async () => {
      await store.memory.acquire(acquireRequest({ candidate: 'bob', attempt: 'attempt-bob', tick: NEXT_TICK }))
      noAnswer()
    })
    const running = withLease(options({ leaseMs: 15_000 }), () => 'charged')
    await clock.advance(5_000)
    expect(await running).toMatchObject({ status: 'completed', result: 'charged' })
    expect(row()).toMatchObject({ holder: 'bob', tick: NEXT_TICK, completedTick: TICK })
  })

  it('renews every third of its lease while the task runs', async () => {
    const { finish, outcome } = await lead({ leaseMs: 15_000 })
    await clock.advance(60_000)
    expect(asked('renew')).toBe(12)
    expect(row()?.expiresAtMs).toBeGreaterThanOrEqual(clock.wallMs() + 10_000)
    finish('late')
    expect(await outcome).toMatchObject({ status: 'completed' })
    expect(clock.sleeping).toBe(0)
  })

  it('saving a checkpoint extends the lease too, so that the next renewal waits', async () => {
    const { lease } = await lead({ leaseMs: 15_000 })
    await clock.advance(4_000)
    await lease.saveCheckpoint({ upTo: 7 })
    await clock.advance(4_900)
    expect(store.asked).toEqual(['acquire', 'saveCheckpoint'])
    expect(lease.checkpoint).toEqual({ upTo: 7 })
  })

  it('asks for no renewal past the end of its invocation and the grace for killing it', async () => {
    await lead({ context: lambda(20_000), killGraceMs: 1_000 })
    const endMs = clock.wallMs() + 21_000
    await clock.advance(19_000)
    expect(row()?.expiresAtMs).toBe(endMs)
    expect(asked('renew')).toBe(2)
  })

  it('completes once the writes that its task did not await have ended, in a third of the lease', async () => {
    const beganMs = clock.wallMs()
    let afterMs = 0
    store.beforeNext(
      'saveCheckpoint',
      () => undefined,
      () => clock.sleep(9_000),
    )
    store.beforeNext('complete', () => {
      afterMs = clock.wallMs() - beganMs
    })
    const running = withLease(options({ leaseMs: 30_000 }), async (lease) => {
      await lease.saveCheckpoint({ upTo: 6 })
      void lease.saveCheckpoint({ upTo: 7 })
    })
    await clock.advance(8_999)
    await new Promise((resolve) => setTimeout(resolve, 20)) // a pause of no length takes a real millisecond
    expect(asked('complete')).toBe(0)
    await clock.advance(1)
    expect(await running).toMatchObject({ status: 'completed' })
    expect([afterMs, clock.sleeping]).toEqual([9_000, 0])
  })

  it.each([
    ['completes', 'complete', 'completed', true],
    ['releases', 'release', 'released', true],
    ['completes without waiting', 'complete', 'completed', false],
    ['releases without waiting', 'release', 'released', false],
  ] as const)('whose task %s: then the tick is done, or is not', async (_, end, status, waits) => {
    const outcome = await withLease(options(), (lease) => {
      const ended = lease[end]()
      return waits ? ended : undefined
    })
    expect(outcome).toMatchObject({ status })
    expect(row()).toMatchObject({ endedBy: status })
    expect(row()?.completedTick).toBe(end === 'complete' ? TICK : undefined)
    expect(store.asked).toEqual(['acquire', end])
  })
})

describe('a task that throws', () => {
  it('leaves its checkpoint to the next leader of its tick, and as unfinished to that of a later one', async () => {
    const half = (lease: Lease) => lease.saveCheckpoint({ upTo: 3 }).then(() => Promise.reject(new Error('half way')))
    await outcomeOf(withLease(options(), half))
    const seen = (lease: Lease) =>
      Promise.reject(Object.assign(new Error('seen'), { is: [lease.checkpoint, lease.unfinished] }))
    const earlier = await outcomeOf(withLease(options({ tick: '2026-11-21T04:00:00Z' }), seen))
    expect(earlier).toMatchObject({ is: [undefined, undefined] })
    const same = await outcomeOf(withLease(options({ candidate: 'bob' }), seen))
    expect(same).toMatchObject({ is: [{ upTo: 3 }, undefined] })
    const later = await outcomeOf(withLease(options({ tick: NEXT_TICK }), seen))
    expect(later).toMatchObject({ is: [undefined, { tick: TICK, state: { upTo: 3 } }] })
    store.memory.edit('billing', { completedTick: TICK }) // an operator closed it by hand
    expect(await outcomeOf(withLease(options({ tick: NEXT_TICK }), seen))).toMatchObject({ is: [undefined, undefined] })
  })

  it('throws its own error even if the release gets no answer', async () => {
    store.beforeNext('release', noAnswer, noAnswer, noAnswer)
    const outcome = outcomeOf(withLease(options(), () => Promise.reject(new TypeError('mine'))))
    await clock.advance(10_000)
    expect(await outcome).toBeInstanceOf(TypeError)
    expect(store.asked).toEqual(['acquire', 'release', 'release', 'release'])
    expect(clock.sleeping).toBe(0)
  })
})

describe('a loser', () => {
  it.each<[string, string, () => unknown, object]>([
    ['held', TICK, () => lead(), { holder: 'ann', retryAfterMs: 31_000 }],
    ['tickDone', TICK, () => withLease(options(), () => undefined), {}],
    ['superseded', '2026-11-21T04:00:00Z', () => withLease(options(), () => undefined), {}],
    [
      'paused',
      NEXT_TICK,
      async () => {
        await withLease(options(), () => undefined)
        store.memory.edit('billing', { pausedUntilMs: clock.wallMs() + 60_000 })
      },
      { retryAfterMs: 60_000 },
    ],
    [
      'contended',
      TICK,
      () => {
        store.acquire = async () => ({ granted: false, contended: true, unanswered: false })
      },
      { retryAfterMs: 100 },
    ],
  ])('stands by as %s', async (reason, tick, before, more) => {
    await before()
    const outcome = await withLease(options({ candidate: 'bob', tick }), () => 'never')
    expect(outcome).toEqual({ status: 'standby', reason, ...more })
  })

  it('stops waiting when its caller says so', async () => {
    await lead()
    const stop = new AbortController()
    const waiting = options({ candidate: 'bob', waitMs: 60_000, signal: stop.signal })
    const second = outcomeOf(withLease(waiting, () => 'never'))
    await settled()
    stop.abort(new Error('shutting down'))
    expect(await second).toMatchObject({ message: 'shutting down' })
  })
})

it('the retry of an event whose first try died fails while the lease is held, and leads after it expired', async () => {
  await hold({ context: lambda(60_000) }) // dies: its task never ends, and time stops for it
  const retry = () => outcomeOf(withLease(options({ candidate: 'bob', context: lambda(60_000) }), () => 'taken over'))
  expect(await retry()).toBeInstanceOf(LeaseStillHeldError)
  expect(await retry()).not.toHaveProperty('cause')
  expect(await retry()).toMatchObject({
    retryAfterMs: 16_000,
    message: expect.stringMatching(/still at work, or it died: the row cannot say which/),
  })
  clock.freeze(16_000)
  expect(await retry()).toMatchObject({ status: 'completed', result: 'taken over' })
})

describe('a leader that cannot renew', () => {
  it('is stopped by its signal a margin before the deadline, and keeps trying until then', async () => {
    const { lease } = await lead({ leaseMs: 15_000 })
    store.beforeNext('renew', ...Array.from({ length: 50 }, () => noAnswer))
    await clock.advance(13_999)
    expect(lease.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(lease.signal.reason).toBeInstanceOf(LeaseLostError)
    expect(lease.remainingMs()).toBe(0)
    expect(() => lease.assertHeld()).toThrow(LeaseLostError)
    expect(asked('renew')).toBeGreaterThan(3)
  })

  it('continues if a later try succeeds', async () => {
    const { lease, finish, outcome } = await lead({ leaseMs: 15_000 })
    store.beforeNext('renew', noAnswer, noAnswer, noAnswer)
    await clock.advance(30_000)
    expect(lease.signal.aborted).toBe(false)
    finish('')
    expect(await outcome).toMatchObject({ status: 'completed' })
  })

  it('still completes after the deadline if no candidate took over: the row decides', async () => {
    const { lease, finish, outcome } = await lead({ leaseMs: 15_000, heartbeat: false })
    await clock.advance(20_000)
    expect(lease.signal.aborted).toBe(true)
    finish('done')
    expect(await outcome).toMatchObject({ status: 'completed', result: 'done' })
  })

  it('learns of the loss from a write, and aborts at once', async () => {
    const { lease, fail, outcome } = await lead({ leaseMs: 15_000 })
    store.memory.edit('billing', { attempt: 'forced-by-an-operator' })
    await clock.advance(5_000)
    expect(lease.remainingMs()).toBe(0)
    fail(lease.signal.reason)
    expect(await outcome).toBeInstanceOf(LeaseLostError)
    expect(store.asked).toEqual(['acquire', 'renew'])
    expect(clock.sleeping).toBe(0)
  })
})

describe('a frozen process', () => {
  it.each([
    ['both clocks went on', true],
    ['the monotonic clock stood still', false],
  ])('knows after the thaw that its lease is over, if %s', async (_, monotonic) => {
    const { lease } = await lead({ leaseMs: 15_000 })
    clock.freeze(20_000, { monotonic })
    expect(() => lease.assertHeld()).toThrow(LeaseLostError)
    await expect(lease.renew()).rejects.toThrow(LeaseLostError)
    await expect(lease.saveCheckpoint({})).rejects.toThrow(LeaseLostError)
    expect(store.asked).toEqual(['acquire'])
  })

  it('is not fooled by a wall clock that is set back: the monotonic clock keeps the deadline', async () => {
    const { lease } = await lead({ leaseMs: 15_000, heartbeat: false })
    clock.setWall(-600_000)
    await lease.renew()
    expect(lease.remainingMs()).toBe(15_000)
    await clock.advance(15_000)
    expect(lease.remainingMs()).toBe(0)
  })

  it.each([
    ['its wall clock was set back', () => clock.setWall(-600_000)],
    ['its monotonic clock stood still', () => clock.freeze(6_000, { monotonic: false })],
  ])('does not renew in a loop after %s, and keeps its lease', async (_, change) => {
    const { lease } = await lead({ leaseMs: 15_000 })
    change()
    await clock.advance(0)
    await new Promise((resolve) => setTimeout(resolve, 5)) // a sleep in which no monotonic time passed takes real time
    await clock.advance(30_000)
    expect(asked('renew')).toBeLessThanOrEqual(25) // once every twelfth of the lease at most
    lease.assertHeld()
  })

  it('does not write the future into the row if its wall clock jumps: the next tick finds its leader', async () => {
    const { finish, outcome } = await lead({ leaseMs: 15_000 })
    clock.setWall(3_600_000)
    finish('done')
    expect(await outcome).toMatchObject({ status: 'completed' })
    clock.setWall(-3_600_000)
    expect(await withLease(options({ tick: NEXT_TICK }), () => 'mine')).toMatchObject({ status: 'completed' })
  })

  it('does not write a time before its acquire into the row if its wall clock is set back', async () => {
    const { finish, outcome } = await lead({ leaseMs: 15_000 })
    clock.setWall(-3_600_000)
    finish('done')
    expect(await outcome).toMatchObject({ status: 'completed' })
    expect(row()?.writtenAtMs).toBe(row()?.acquiredAtMs)
  })

  it('does not send what waited in the queue past the deadline', async () => {
    const { lease } = await lead({ leaseMs: 15_000, heartbeat: false })
    store.afterNext('renew', () => clock.freeze(16_000))
    const both = await Promise.allSettled([lease.renew(), lease.saveCheckpoint({ late: true })])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(store.asked).toEqual(['acquire', 'renew'])
  })
})

it.each([
  ['acquiredAtMs', { acquiredAtMs: 1e15 }, TICK],
  ['expiresAtMs', { expiresAtMs: 1e15 }, TICK],
  ['expiresAtMs, by a candidate of an earlier tick, too', { expiresAtMs: 1e15 }, at(4)],
])('a row from the future is refused by its %s', async (name, changes, tick) => {
  const attribute = name.replace(/,.*/, '')
  await hold()
  store.memory.edit('billing', changes)
  const error = await outcomeOf(withLease(options({ candidate: 'bob', tick }), () => 'never'))
  expect(error).toBeInstanceOf(CorruptLeaseError)
  expect(error).toMatchObject({ attribute, lease: 'billing', message: expect.stringContaining(attribute) })
})

it('a tick in the future is refused', async () => {
  const early = options({ tick: '2026-11-21T07:00:00Z' })
  const error = await outcomeOf(withLease(early, () => 'never'))
  expect(error).toBeInstanceOf(InvalidTickError)
  expect(error).toMatchObject({ name: 'InvalidTickError' })
})

describe('a completion without an answer', () => {
  it('is not spoiled by the heartbeat, which would take its own vacant row for a loss', async () => {
    store.afterNext('complete', ...Array.from({ length: 6 }, () => noAnswer))
    const running = outcomeOf(withLease(options({ leaseMs: 15_000 }), () => 'done'))
    await clock.advance(14_000)
    expect(await running).toMatchObject({ status: 'completed', result: 'done' })
    expect(store.asked).not.toContain('renew')
  })

  it('never stands in for a release that the task asked for', async () => {
    store.afterNext('release', noAnswer)
    const running = outcomeOf(withLease(options(), (lease) => lease.release().catch(() => undefined)))
    await clock.advance(30_000)
    expect(await running).toMatchObject({ status: 'released' })
    expect(row()).not.toHaveProperty('completedTick')
    expect(store.asked).toEqual(['acquire', 'release', 'release'])
  })
})

it('passes the caller’s signal on to the task, and goes on renewing until the task has stopped', async () => {
  const stop = new AbortController()
  const { lease, fail, outcome } = await lead({ signal: stop.signal, leaseMs: 15_000 })
  stop.abort(new Error('shutting down'))
  expect(lease.signal.reason).toMatchObject({ message: 'shutting down' })
  expect(() => lease.assertHeld()).toThrow('shutting down')
  await clock.advance(30_000)
  expect(store.asked).toContain('renew')
  fail(lease.signal.reason)
  expect(await outcome).toMatchObject({ message: 'shutting down' })
  expect(row()).toMatchObject({ endedBy: 'failed' })
})

describe('the caller’s signal', () => {
  it.each<[string, (lease: Lease) => Promise<void>]>([
    ['ends the lease', (lease) => lease.release()],
    ['fails', () => Promise.reject(new Error('dies'))],
  ])('is released when a task %s, even if it left listeners', async (_, end) => {
    const stop = new AbortController()
    const started = Promise.withResolvers<AbortSignal>()
    const running = withLease(options({ signal: stop.signal }), async (lease) => {
      lease.signal.addEventListener('abort', () => undefined)
      started.resolve(lease.signal)
      await end(lease)
    })
    await outcomeOf(running)
    const left = await started.promise
    expect(getEventListeners(stop.signal, 'abort')).toEqual([])
    const before: unknown = left.reason
    stop.abort(new Error('shutting down'))
    expect(left.reason).toBe(before)
  })

  it('is released when the lease is lost', async () => {
    const stop = new AbortController()
    const { lease } = await lead({ signal: stop.signal, leaseMs: 15_000, heartbeat: false })
    await clock.advance(14_000)
    expect(getEventListeners(stop.signal, 'abort')).toEqual([])
    stop.abort(new Error('shutting down'))
    expect(lease.signal.reason).toBeInstanceOf(LeaseLostError)
    expect(() => lease.assertHeld()).toThrow(LeaseLostError)
  })

  it('is the one that was given, even if another is put into the options meanwhile', async () => {
    const given = { ...options(), signal: new AbortController().signal }
    store.afterNext('acquire', () => {
      given.signal = AbortSignal.abort(new Error('of another call'))
    })
    expect(await withLease(given, () => 'led')).toMatchObject({ result: 'led' })
  })
})

it('does not start a task whose answer came within the margin before the deadline', async () => {
  store.afterNext('acquire', () => clock.freeze(14_500))
  expect(await outcomeOf(withLease(options({ leaseMs: 15_000 }), () => 'never'))).toBeInstanceOf(LeaseLostError)
  expect(row()).toMatchObject({ endedBy: 'failed', errorName: 'LeaseLostError' })
  expect(clock.sleeping).toBe(0)
})

it('does not start a task whose caller gave up while the lease was asked for', async () => {
  const stop = new AbortController()
  store.afterNext('acquire', () => stop.abort(new Error('shutting down')))
  const error = await outcomeOf(withLease(options({ signal: stop.signal }), () => 'never'))
  expect(error).toMatchObject({ message: 'shutting down' })
  expect(row()).toMatchObject({ endedBy: 'failed' })
})
