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

describe('a winner', () => {
  it('runs the task, completes the tick, and asks two things of the store in all', async () => {
    const outcome = await withLease(options(), () => 'charged')
    expect(outcome).toEqual({ status: 'completed', fencingToken: clock.wallMs() + 1, result: 'charged' })
    expect(row()).toMatchObject({ completedTick: TICK, endedBy: 'completed' })
    expect(row()).not.toHaveProperty('holder')
    expect(store.asked).toEqual(['acquire', 'complete'])
    expect(clock.sleeping).toBe(0)
  })

  it('sees its token, tick, predecessor and the ticks that were missed', async () => {
    await withLease(options({ tick: '2026-11-21T02:00:00Z', periodMs: HOUR_MS }), () => undefined)
    const hourly = options({ tick: TICK, schedule: 'rate(1 hour)' })
    const seen = await withLease(hourly, ({ ...lease }) => lease)
    expect(seen).toMatchObject({
      result: {
        name: 'billing',
        candidate: 'ann',
        tick: TICK,
        lastCompletedTick: '2026-11-21T02:00:00.000Z',
        missed: ['2026-11-21T03:00:00.000Z', '2026-11-21T04:00:00.000Z'],
      },
    })
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

  it('may complete or release within the task; then the tick is done, or is not', async () => {
    expect(await withLease(options(), (lease) => lease.release())).toMatchObject({ status: 'released' })
    expect(row()).toMatchObject({ endedBy: 'released' })
    expect(row()).not.toHaveProperty('completedTick')
    expect(await withLease(options(), (lease) => lease.complete())).toMatchObject({ status: 'completed' })
    expect(row()).toMatchObject({ completedTick: TICK })
    expect(store.asked).toEqual(['acquire', 'release', 'acquire', 'complete'])
  })

  it.each([
    ['complete', 'completed'],
    ['release', 'released'],
  ] as const)('need not wait for its own call of %s', async (end, status) => {
    const outcome = await withLease(options(), (lease) => {
      void lease[end]()
    })
    expect(outcome).toMatchObject({ status })
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
  it('stands by as held, with the leader and when to ask again', async () => {
    await lead()
    await clock.advance(1_000)
    expect(await withLease(options({ candidate: 'bob' }), () => 'never')).toEqual({
      status: 'standby',
      reason: 'held',
      holder: 'ann',
      retryAfterMs: 30_000,
    })
  })

  it.each([
    ['tickDone', TICK],
    ['superseded', '2026-11-21T04:00:00Z'],
  ])('stands by as %s', async (reason, tick) => {
    await withLease(options(), () => undefined)
    expect(await withLease(options({ candidate: 'bob', tick }), () => 'never')).toEqual({ status: 'standby', reason })
  })

  it('stands by as paused, with the rest of the pause', async () => {
    await withLease(options(), () => undefined)
    store.memory.edit('billing', { pausedUntilMs: clock.wallMs() + 60_000 })
    expect(await withLease(options({ tick: NEXT_TICK }), () => 'never')).toEqual({
      status: 'standby',
      reason: 'paused',
      retryAfterMs: 60_000,
    })
  })

  it('stands by as contended if transactions kept the row busy', async () => {
    store.acquire = async () => ({ granted: false, contended: true, unanswered: false })
    expect(await withLease(options(), () => 'never')).toMatchObject({ status: 'standby', reason: 'contended' })
  })

  it('stops waiting when its caller says so', async () => {
    await lead()
    const stop = new AbortController()
    const second = outcomeOf(
      withLease(options({ candidate: 'bob', waitMs: 60_000, signal: stop.signal }), () => 'never'),
    )
    await settled()
    stop.abort(new Error('shutting down'))
    expect(await second).toMatchObject({ message: 'shutting down' })
  })
})

describe('the retry of an event whose first try died', () => {
  it('fails while the lease is still held, so that the event is retried, and leads after it expired', async () => {
    await hold({ context: lambda(60_000) }) // dies: its task never ends, and time stops for it
    const retry = () => outcomeOf(withLease(options({ candidate: 'bob', context: lambda(60_000) }), () => 'taken over'))
    expect(await retry()).toBeInstanceOf(LeaseStillHeldError)
    expect(await retry()).toMatchObject({
      retryAfterMs: 16_000,
      message: expect.stringMatching(/still at work, or it died: the row cannot say which/),
    })
    clock.freeze(16_000)
    expect(await retry()).toMatchObject({ status: 'completed', result: 'taken over' })
  })
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
    expect(lease.signal.reason).toBeInstanceOf(LeaseLostError)
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

  it('does not send what waited in the queue past the deadline', async () => {
    const { lease } = await lead({ leaseMs: 15_000, heartbeat: false })
    store.afterNext('renew', () => clock.freeze(16_000))
    const both = await Promise.allSettled([lease.renew(), lease.saveCheckpoint({ late: true })])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(store.asked).toEqual(['acquire', 'renew'])
  })
})

describe('an acquire that goes wrong', () => {
  it.each([
    ['acquiredAtMs', { acquiredAtMs: 1e15 }],
    ['expiresAtMs', { expiresAtMs: 1e15 }],
  ])('refuses a row from the future and names %s', async (attribute, changes) => {
    await hold()
    store.memory.edit('billing', changes)
    const error = await outcomeOf(withLease(options({ candidate: 'bob' }), () => 'never'))
    expect(error).toBeInstanceOf(CorruptLeaseError)
    expect(error).toMatchObject({ attribute, lease: 'billing', message: expect.stringContaining(attribute) })
  })

  it('refuses a tick in the future', async () => {
    const error = outcomeOf(withLease(options({ tick: '2026-11-21T07:00:00Z' }), () => 'never'))
    expect(await error).toBeInstanceOf(InvalidTickError)
  })
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
  const stopping = () => {
    const stop = new AbortController()
    return { stop, listeners: () => getEventListeners(stop.signal, 'abort').length }
  }

  it.each<[string, (lease: Lease) => Promise<void>]>([
    ['completes the lease', (lease) => lease.complete()],
    ['releases the lease', (lease) => lease.release()],
    ['fails', () => Promise.reject(new Error('dies'))],
    ['returns', () => Promise.resolve()],
  ])('is released when a task %s, even if it left listeners', async (_, end) => {
    const { stop, listeners } = stopping()
    const started = Promise.withResolvers<AbortSignal>()
    await outcomeOf(
      withLease(options({ signal: stop.signal }), async (lease) => {
        lease.signal.addEventListener('abort', () => undefined)
        started.resolve(lease.signal)
        await end(lease)
      }),
    )
    const left = await started.promise
    expect(listeners()).toBe(0)
    const before: unknown = left.reason
    stop.abort(new Error('shutting down'))
    expect(left.reason).toBe(before)
  })

  it('is released when the lease is lost', async () => {
    const { stop, listeners } = stopping()
    const { lease } = await lead({ signal: stop.signal, leaseMs: 15_000, heartbeat: false })
    await clock.advance(14_000)
    expect(listeners()).toBe(0)
    stop.abort(new Error('shutting down'))
    expect(lease.signal.reason).toBeInstanceOf(LeaseLostError)
    expect(() => lease.assertHeld()).toThrow(LeaseLostError)
  })

  it('is the one that was given, even if another is put into the options meanwhile', async () => {
    const { stop } = stopping()
    const given = { ...options(), signal: stop.signal }
    store.afterNext('acquire', () => {
      given.signal = AbortSignal.abort(new Error('of another call'))
    })
    expect(await withLease(given, () => 'led')).toMatchObject({ result: 'led' })
  })
})

it('does not start a task whose answer came within the margin before the deadline', async () => {
  store.afterNext('acquire', () => clock.freeze(14_500))
  const outcome = withLease(options({ leaseMs: 15_000 }), () => 'never')
  expect(await outcomeOf(outcome)).toBeInstanceOf(LeaseLostError)
  expect(row()).toMatchObject({ endedBy: 'failed', errorName: 'LeaseLostError' })
  expect(clock.sleeping).toBe(0)
})

it('does not start a task whose caller gave up while the lease was asked for', async () => {
  const stop = new AbortController()
  store.afterNext('acquire', () => stop.abort(new Error('shutting down')))
  expect(await outcomeOf(withLease(options({ signal: stop.signal }), () => 'never'))).toMatchObject({
    message: 'shutting down',
  })
  expect(row()).toMatchObject({ endedBy: 'failed' })
})
