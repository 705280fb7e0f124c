import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type Continuation,
  type Lease,
  LeaseLostError,
  type LeaseOptions,
  LeaseStoreError,
  withLease,
} from '../../functions/election/index.ts'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import {
  clock,
  lead as leadWithHeartbeat,
  NEXT_TICK,
  never,
  noAnswer,
  options,
  outcomeOf,
  row,
  startAnew,
  store,
  TICK,
} from './scripted.ts'

beforeEach(startAnew)

/** Without a heartbeat, so that the leader alone watches its deadline. */
const lead = (changes: Partial<LeaseOptions> = {}) =>
  leadWithHeartbeat({ leaseMs: 15_000, heartbeat: false, ...changes })

/** The steps of the leader's writes. */
const steps = () => store.writes.map(({ kind, step }) => `${kind} ${step}`)

it('a lease without ticks has none of what belongs to them, on its row neither', async () => {
  const continueBy = vi.fn(async (_next: Continuation) => undefined)
  const { tick: _tick, ...tickless } = options({ leaseMs: 15_000, continueBy, schedule: 'cron(0 * * * ? *)' })
  await withLease(tickless, async (lease) => {
    expect(lease).not.toHaveProperty('tick')
    expect(lease).not.toHaveProperty('lastCompletedTick')
    expect(lease.missed).toEqual([])
    await lease.saveCheckpoint({ upTo: 3 })
    expect(row()?.checkpoint).toStrictEqual({ state: { upTo: 3 } })
    await lease.handOver('half')
    expect(continueBy.mock.lastCall?.[0]).not.toHaveProperty('tick')
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

  it.each<[string, (lease: Lease) => Promise<void>]>([
    ['a renewal', (lease) => lease.renew()],
    ['a checkpoint', (lease) => lease.saveCheckpoint(2)],
    ['an advance', (lease) => lease.advance()],
    ['a transaction', (lease) => lease.transact([])],
  ])('that has passed refuses %s at once, although an earlier write hangs', async (_, write) => {
    await outcomeOf(withLease(options(), () => Promise.reject(new Error('died'))))
    const { lease } = await lead({ tick: NEXT_TICK, schedule: 'rate(1 hour)' })
    await lease.ticks()[Symbol.asyncIterator]().next()
    store.beforeNext('saveCheckpoint', never)
    void lease.saveCheckpoint(1)
    await settled()
    clock.freeze(15_000)
    const refused = vi.fn()
    write(lease).catch(refused)
    await settled()
    expect(refused).toHaveBeenCalledWith(expect.any(LeaseLostError))
  })

  it('is written down by a clock that has run for long before the lease was asked for', async () => {
    clock.freeze(7_000_000)
    const { lease } = await lead()
    clock.freeze(2_000)
    await lease.renew()
    expect(row()).toMatchObject({ writtenAtMs: clock.wallMs(), expiresAtMs: clock.wallMs() + 15_000 })
  })
})

describe('what was asked is not yet what was granted', () => {
  it('the margin before the deadline is that of the granted lease, which the invocation’s end shortened', async () => {
    const context = { awsRequestId: 'event-1', getRemainingTimeInMillis: () => 2_000 }
    const { lease } = await lead({ context, killGraceMs: 1_000, leaseMs: 15_000, heartbeat: true })
    expect(lease.remainingMs()).toBe(3_000)
    await clock.advance(2_699)
    expect(lease.signal.aborted).toBe(false)
    await clock.advance(1)
    const message = expect.stringContaining('reached its deadline without being renewed')
    expect(lease.signal.reason).toMatchObject({ name: 'LeaseLostError', lease: 'billing', message })
  })

  it('the deadline is extended by a renewal that was granted, and only from then on', async () => {
    const { lease } = await lead()
    const reply = Promise.withResolvers<void>()
    await clock.advance(5_000)
    store.afterNext('renew', () => reply.promise)
    const renewal = lease.renew()
    await settled()
    expect(lease.remainingMs()).toBe(10_000)
    reply.resolve()
    await renewal
    expect(lease.remainingMs()).toBe(15_000)
    store.beforeNext('renew', noAnswer)
    await clock.advance(5_000)
    await expect(lease.renew()).rejects.toThrow('no answer')
    expect(lease.remainingMs()).toBe(10_000)
  })

  it('a checkpoint is shown once it is stored, and never if it is not', async () => {
    const { lease } = await lead()
    const stored = Promise.withResolvers<void>()
    store.afterNext('saveCheckpoint', () => stored.promise)
    const saving = lease.saveCheckpoint({ upTo: 1 })
    await settled()
    expect(lease.checkpoint).toBeUndefined()
    stored.resolve()
    await saving
    expect(lease.checkpoint).toEqual({ upTo: 1 })
    store.beforeNext('saveCheckpoint', noAnswer)
    await expect(lease.saveCheckpoint({ upTo: 2 })).rejects.toThrow('no answer')
    expect(lease.checkpoint).toEqual({ upTo: 1 })
  })

  it('every write has a step of its own, also behind one that got no answer; the same end keeps its step', async () => {
    const { lease, finish, outcome } = await lead()
    store.afterNext('renew', noAnswer)
    store.beforeNext('saveCheckpoint', noAnswer)
    store.afterNext('complete', noAnswer)
    await expect(lease.renew()).rejects.toThrow('no answer')
    await lease.renew()
    await expect(lease.saveCheckpoint(1)).rejects.toThrow('no answer')
    await lease.saveCheckpoint(1)
    finish()
    await clock.advance(2_000)
    expect(await outcome).toMatchObject({ status: 'completed' })
    const written = ['renew 1', 'renew 2', 'saveCheckpoint 3', 'saveCheckpoint 4', 'complete 5', 'complete 5']
    expect(steps()).toEqual(written)
  })

  it('a write that a newer one of the same leader was ahead of is no loss: a checkpoint is saved again', async () => {
    const { lease } = await lead()
    store.beforeNext('renew', () => store.memory.edit('billing', { step: 2 }))
    await lease.renew()
    store.beforeNext('saveCheckpoint', () => store.memory.edit('billing', { step: 2.5 }))
    await lease.saveCheckpoint({ upTo: 7 })
    expect(row()).toMatchObject({ checkpoint: { state: { upTo: 7 } } })
    expect(steps()).toEqual(['renew 1', 'saveCheckpoint 2', 'saveCheckpoint 3'])
    lease.assertHeld()
  })

  it.each<[string, () => void, object, object]>([
    [
      'refused by the row',
      () => store.memory.edit('billing', { attempt: 'forced' }),
      { name: 'LeaseLostError' },
      { attempt: 'forced' },
    ],
    [
      'refused by a step that no write of the leader has',
      () => store.memory.edit('billing', { step: 99 }),
      { name: 'LeaseLostError', message: expect.stringContaining('was taken over') },
      { step: 99 },
    ],
    [
      'refused for its form',
      () => {
        throw new LeaseStoreError('this form never', { lease: 'billing', retryable: false })
      },
      { message: 'this form never' },
      { endedBy: 'failed', errorName: 'LeaseStoreError' },
    ],
  ])('a completion that is %s is an error, aborts the signal and leaves no timer', async (_, act, error, left) => {
    const { lease, finish, outcome } = await lead({ heartbeat: true })
    store.beforeNext('complete', act)
    finish()
    expect(await outcome).toMatchObject(error)
    expect(lease.signal.aborted).toBe(true)
    expect(row()).toMatchObject(left)
    expect(clock.sleeping).toBe(0)
  })
})

describe('a lease that is over says how', () => {
  it.each([
    ['release', 'released', 'complete'],
    ['complete', 'completed', 'release'],
  ] as const)(
    'after its %s, which is no loss: nothing is aborted, even if the task fails then',
    async (end, how, other) => {
      const { lease, fail, outcome } = await lead()
      await lease[end]()
      expect(() => lease.assertHeld()).toThrow(new RegExp(`was ${how} by this candidate itself`))
      await expect(lease.renew()).rejects.toThrow(LeaseLostError)
      expect(lease.remainingMs()).toBe(0)
      await expect(lease[other]()).rejects.toThrow(new RegExp(`was ${how} before`))
      expect(lease.signal.aborted).toBe(false)
      fail(new Error('cannot log'))
      expect(await outcome).toMatchObject({ message: 'cannot log' })
      expect(lease.signal.aborted).toBe(end === 'release') // a released lease is given up, too
      expect(row()).toMatchObject({ endedBy: how })
    },
  )

  it('given up, if the task fails', async () => {
    const { lease, fail, outcome } = await lead()
    fail(new Error('one branch of many'))
    await outcome
    expect(lease.signal.reason).toMatchObject({ message: expect.stringContaining('was given up') })
    expect(() => lease.assertHeld()).toThrow('was released by this candidate itself')
  })

  it('about to end, while it waits for the answer and if none comes', async () => {
    const { lease } = await lead()
    const answer = Promise.withResolvers<void>()
    store.beforeNext('complete', () => answer.promise.then(noAnswer))
    const completion = lease.complete()
    await settled()
    expect(lease.remainingMs()).toBe(0)
    expect(() => lease.assertHeld()).toThrow(/was asked to end, and may have/)
    await expect(lease.renew()).rejects.toThrow(/token \d+ was asked to end\. /)
    answer.resolve()
    await settled()
    expect(() => lease.assertHeld()).toThrow(/was asked to end, and may have/)
    await clock.advance(2_000)
    await completion
    expect(() => lease.assertHeld()).toThrow(/was completed by this candidate itself/)
    expect(lease.signal.aborted).toBe(false)
  })

  it.each<[string, () => void]>([
    [
      'was taken over by "bob" with token 7.',
      () => store.memory.edit('billing', { holder: 'bob', attempt: 'attempt-bob', fencingToken: 7 }),
    ],
    ['was taken over.', () => Object.assign(store, { write: async () => ({ granted: false }) })],
    [
      'was taken over.', // an operator vacated the row
      () => {
        const { holder: _holder, ...vacant } = { ...row() }
        Object.assign(store, { write: async () => ({ granted: false, record: { ...vacant, attempt: 'forced' } }) })
      },
    ],
    [
      'was taken over.', // an operator changed the token
      () => {
        const { holder: _holder, fencingToken = 0, ...vacant } = { ...row() }
        const record = { ...vacant, fencingToken: fencingToken + 1 }
        Object.assign(store, { write: async () => ({ granted: false, record }) })
      },
    ],
  ])('by another candidate: %s', async (message, act) => {
    const { lease, finish, outcome } = await lead()
    act()
    await expect(lease.renew()).rejects.toThrow(message)
    expect(() => lease.assertHeld()).toThrow(message)
    await expect(lease.release()).rejects.toThrow('was replaced before')
    finish('as if it led')
    expect(await outcome).toBeInstanceOf(LeaseLostError)
  })

  it('is handed over once by a leader, to a next invocation, and not more often than allowed', async () => {
    const { lease } = await lead()
    await expect(lease.handOver(1)).rejects.toMatchObject({ name: 'InvalidOptionError', lease: 'billing' })
    await lease.release()
    const ids: string[] = []
    const changes = { maxContinuations: 1, continueBy: async ({ id }: Continuation) => void ids.push(id) }
    const first = await lead(changes)
    await first.lease.handOver(1)
    await expect(first.lease.handOver(2)).rejects.toThrow(LeaseLostError)
    const [continuation = ''] = ids
    const next = await lead({ ...changes, continuation })
    await expect(next.lease.handOver(2)).rejects.toMatchObject({ name: 'HandOverError', lease: 'billing' })
  })

  type Led = Awaited<ReturnType<typeof lead>>
  const failing = ({ fail, outcome }: Led) => {
    fail(new LeaseStoreError('of the task', { lease: 'billing', retryable: false }))
    return outcome
  }
  it.each<[string, (led: Led) => Promise<unknown>, (lease: Lease) => Promise<void>, string]>([
    ['completion', ({ lease }) => lease.complete(), (lease) => lease.release(), 'completed'],
    ['release', ({ lease }) => lease.release(), (lease) => lease.complete(), 'released'],
    ['release for a failure', failing, (lease) => lease.complete(), 'released'],
    ['hand-over', ({ lease }) => lease.handOver(1), (lease) => lease.release(), 'handed over'],
  ])('after its %s that was applied without an answer, as its next end finds', async (_, end, next, how) => {
    const led = await lead({ continueBy: async () => undefined })
    const { lease } = led
    let isOver = false
    const lost = Array.from({ length: 100 }, () => () => void (isOver || noAnswer()))
    for (const kind of ['complete', 'release'] as const) store.afterNext(kind, ...lost)
    const unanswered = outcomeOf(end(led))
    await clock.advance(20_000)
    expect(await unanswered).toMatchObject({ name: 'LeaseStoreError' })
    isOver = true
    await expect(next(lease)).rejects.toThrow(/ before, by a request whose answer was lost/)
    expect(() => lease.assertHeld()).toThrow(`was ${how} by this candidate itself`)
  })
})

it('a checkpoint is what it was when saveCheckpoint was called, however long it waits to be sent', async () => {
  const { lease } = await lead()
  const answer = Promise.withResolvers<void>()
  store.beforeNext('renew', () => answer.promise)
  const renewal = lease.renew()
  const progress = { charged: ['ann'] }
  const saved = lease.saveCheckpoint(progress)
  progress.charged.push('bob') // about to be charged
  await settled()
  answer.resolve()
  await Promise.all([renewal, saved])
  expect(row()?.checkpoint).toEqual({ tick: TICK, state: { charged: ['ann'] } })
  expect(lease.checkpoint).toEqual({ charged: ['ann'] })
})

const unnamed = Object.defineProperty(new Error('x'), 'name', {
  get() {
    throw new Error('no name')
  },
})
const named = (name: unknown) => Object.assign(new Error('x'), { name })
const { proxy: revoked, revoke } = Proxy.revocable(new Error('x'), {})
revoke()

it.each([
  ['an error whose name throws', unnamed, 'Error'],
  ['an error whose name has no text', named(Object.create(null)), 'Error'],
  ['an error whose name is a number', named(404), '404'],
  ['an error with a long name', named('X'.repeat(5_000)), 'X'.repeat(100)],
  ['half a character', named(`${'X'.repeat(99)}😀`), `${'X'.repeat(99)}\ufffd`],
  ['a revoked proxy', revoked, 'Error'],
  ['an error', new TypeError('with a message that may be secret'), 'TypeError'],
  ['a text', 'out of paper', 'Error'],
  ['nothing', undefined, 'Error'],
])('a task that throws %s releases the lease, and its error is rethrown', async (_, thrown, errorName) => {
  const caught = await withLease(options(), () => {
    throw thrown
  }).catch((error: unknown) => [error])
  expect(Object.is(Object(caught)[0], thrown)).toBe(true)
  expect(row()).toMatchObject({ endedBy: 'failed', errorName })
  expect(clock.sleeping).toBe(0)
})

it('a completion that was applied without an answer is no loss to the release that follows it', async () => {
  const events: string[] = []
  const { lease, finish, outcome } = await lead({ onEvent: ({ kind }) => void events.push(kind) })
  store.afterNext('complete', ...Array.from({ length: 100 }, () => noAnswer))
  finish()
  await clock.advance(20_000)
  expect(await outcome).toMatchObject({ name: 'LeaseStoreError' })
  expect(store.asked.at(-1)).toBe('release')
  expect(row()).toMatchObject({ endedBy: 'completed', completedTick: TICK })
  expect(events).toEqual(['elected'])
  expect(() => lease.assertHeld()).toThrow(/was completed by this candidate itself/)
  expect(lease.signal.aborted).toBe(false)
  expect(clock.sleeping).toBe(0)
})

describe('an end in an invocation that is about to end', () => {
  /** Eight seconds, of which one is kept for the answer. */
  const invocation = () => {
    const endsAtMs = clock.monotonicMs() + 8_000
    return { awsRequestId: 'event-1', getRemainingTimeInMillis: () => endsAtMs - clock.monotonicMs() }
  }

  it.each(['complete', 'release'] as const)(
    'a %s that is refused again and again fails in time to be reported',
    async (end) => {
      const { lease } = await lead({ context: invocation() })
      store.beforeNext(end, ...Array.from({ length: 100 }, () => noAnswer))
      const error = outcomeOf(lease[end]())
      await clock.advance(7_500)
      expect(await error).toMatchObject({ name: 'LeaseStoreError' })
      expect(store.writes.length).toBeGreaterThan(3)
    },
  )

  it('a completion that gets no answer is given up in time, and so is the release after it', async () => {
    const { finish, outcome } = await lead({ context: invocation() })
    store.beforeNext('complete', never)
    store.beforeNext('release', never)
    finish()
    await clock.advance(7_999)
    const message = expect.stringMatching(/has not answered the end of lease "billing".* Give the function more time/)
    expect(await outcome).toMatchObject({ name: 'LeaseStoreError', applied: 'unknown', message })
    expect(clock.sleeping).toBe(0)
  })

  it('a completion is sent and waited for, even if the invocation should be over', async () => {
    const { finish, outcome } = await lead({ context: invocation() })
    clock.freeze(8_000)
    store.beforeNext('complete', settled)
    finish('late')
    expect(await outcome).toMatchObject({ status: 'completed', result: 'late' })
  })

  it('a hand-over waits for the next invocation to start until half of the time for the answer is left', async () => {
    const { lease } = await lead({ context: invocation(), continueBy: never })
    const over = vi.fn()
    const error = outcomeOf(lease.handOver(1)).finally(over)
    await clock.advance(7_499)
    expect(over).not.toHaveBeenCalled()
    await clock.advance(2)
    const cause = { message: expect.stringContaining('continueBy was not done') }
    expect(await error).toMatchObject({ name: 'HandOverError', lease: 'billing', cause })
  })

  it('a completion within the last margin is no loss: the signal does not abort, and no event says so', async () => {
    const events: string[] = []
    const { lease, finish, outcome } = await lead({ onEvent: ({ kind }) => void events.push(kind) })
    await clock.advance(13_900)
    const answer = Promise.withResolvers<void>()
    store.afterNext('complete', () => answer.promise)
    finish()
    await clock.advance(500)
    answer.resolve()
    expect(await outcome).toMatchObject({ status: 'completed' })
    expect(lease.signal.aborted).toBe(false)
    expect(events).toEqual(['elected'])
  })
})
