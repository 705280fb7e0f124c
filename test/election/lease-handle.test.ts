import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  InvalidOptionError,
  type Lease,
  LeaseLostError,
  type LeaseOptions,
  LeaseStoreError,
  withLease,
} from '../../functions/election/index.ts'
import type { Effects } from '../../functions/election/stores/store.ts'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import {
  clock,
  HOUR_MS,
  lead as leadWithHeartbeat,
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

describe('a lease knows of missed ticks', () => {
  it.each<[string, Partial<LeaseOptions>, boolean]>([
    ['not without a period', { tick: TICK, exactPeriod: true }, true],
    ['not where no tick was ever completed', { tick: TICK, periodMs: HOUR_MS, exactPeriod: true }, false],
    [
      'not if its ticks may be further apart than a period, as those of a cron',
      { tick: TICK, periodMs: HOUR_MS },
      true,
    ],
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

  it('is written down by a clock that has run for long before the lease was asked for', async () => {
    clock.freeze(7_000_000)
    const { lease } = await lead()
    clock.freeze(2_000)
    await lease.renew()
    expect(row()).toMatchObject({ writtenAtMs: clock.wallMs(), expiresAtMs: clock.wallMs() + 15_000 })
  })
})

describe('what was asked is not yet what was granted', () => {
  it('the margin before the deadline is that of the lease as granted, which the invocation’s end made shorter', async () => {
    const context = { awsRequestId: 'event-1', getRemainingTimeInMillis: () => 2_000 }
    const { lease } = await lead({ context, killGraceMs: 1_000, leaseMs: 15_000, heartbeat: true })
    expect(lease.remainingMs()).toBe(3_000)
    await clock.advance(2_699)
    expect(lease.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(lease.signal.reason).toBeInstanceOf(LeaseLostError)
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
    expect(store.writes.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
      'renew 1',
      'renew 2',
      'saveCheckpoint 3',
      'saveCheckpoint 4',
      'complete 5',
      'complete 5',
    ])
  })

  it('a write that a newer one of the same leader was ahead of is no loss: a checkpoint is saved again', async () => {
    const { lease } = await lead()
    store.beforeNext('renew', () => store.memory.edit('billing', { step: 2 }))
    await lease.renew()
    store.beforeNext('saveCheckpoint', () => store.memory.edit('billing', { step: 2.5 }))
    await lease.saveCheckpoint({ upTo: 7 })
    expect(row()).toMatchObject({ checkpoint: { state: { upTo: 7 } } })
    expect(store.writes.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
      'renew 1',
      'saveCheckpoint 2',
      'saveCheckpoint 3',
    ])
    lease.assertHeld()
  })

  it('a tick whose completion is refused leaves no timer, and its task’s signal says so', async () => {
    const { lease, finish, outcome } = await lead({ heartbeat: true })
    store.beforeNext('complete', () => store.memory.edit('billing', { attempt: 'forced' }))
    finish()
    expect(await outcome).toBeInstanceOf(LeaseLostError)
    expect(lease.signal.aborted).toBe(true)
    expect(clock.sleeping).toBe(0)
  })

  it('a completion that fails is released and reported, and not left to itself', async () => {
    const { finish, outcome } = await lead({ heartbeat: true })
    store.beforeNext('complete', () => {
      throw new LeaseStoreError('this form never', { lease: 'billing', retryable: false })
    })
    finish()
    expect(await outcome).toMatchObject({ message: 'this form never' })
    expect(row()).toMatchObject({ endedBy: 'failed', errorName: 'LeaseStoreError' })
    expect(clock.sleeping).toBe(0)
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
      await expect(lease.renew()).rejects.toThrow(LeaseLostError)
      expect(lease.remainingMs()).toBe(0)
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
    await expect(lease.renew()).rejects.toThrow(LeaseLostError)
    answer.resolve()
    await settled()
    expect(() => lease.assertHeld()).toThrow(/was asked to end, and may have/)
    await clock.advance(2_000)
    await completion
    expect(() => lease.assertHeld()).toThrow(/was completed by this candidate itself/)
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

describe('a checkpoint', () => {
  it('is what it was when saveCheckpoint was called, however long it waits to be sent', async () => {
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

  it('that was read belongs to the task: only saving it again changes the row', async () => {
    await lead().then(async ({ lease, finish }) => {
      await lease.saveCheckpoint({ charged: ['ann'] })
      await lease.release()
      finish()
    })
    const { lease } = await lead({ candidate: 'bob' })
    const progress: unknown = lease.checkpoint
    expect(progress).toEqual({ charged: ['ann'] })
    Object.assign(Object(progress), { charged: [] })
    expect(row()?.checkpoint?.state).toEqual({ charged: ['ann'] })
    await lease.saveCheckpoint(progress)
    expect(row()?.checkpoint?.state).toEqual({ charged: [] })
  })
})

it('a key of idempotency is that of the business unit, whoever leads', async () => {
  const { lease } = await lead()
  expect(lease.idempotencyKey('charge', 'customer-7')).toBe('charge:customer-7')
})

class Unnamed extends Error {
  override get name(): string {
    throw new Error('no name')
  }
}
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable(new Error('x'), {})
  revoke()
  return proxy
}

it.each([
  ['an error whose name throws', new Unnamed('x'), 'Error'],
  ['an error whose name has no text', Object.assign(new Error('x'), { name: Object.create(null) }), 'Error'],
  ['an error whose name is a number', Object.assign(new Error('x'), { name: 404 }), '404'],
  ['an error with a long name', Object.assign(new Error('x'), { name: 'X'.repeat(5_000) }), 'X'.repeat(100)],
  ['half a character', Object.assign(new Error('x'), { name: `${'X'.repeat(99)}😀` }), `${'X'.repeat(99)}\ufffd`],
  ['a revoked proxy', revoked(), 'Error'],
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
  const told: string[] = []
  const { lease, finish, outcome } = await lead({ onEvent: ({ kind }) => void told.push(kind) })
  store.afterNext('complete', ...Array.from({ length: 100 }, () => noAnswer))
  finish()
  await clock.advance(20_000)
  expect(await outcome).toMatchObject({ name: 'LeaseStoreError' })
  expect(store.asked.at(-1)).toBe('release')
  expect(row()).toMatchObject({ endedBy: 'completed', completedTick: TICK })
  expect(told).toEqual(['elected'])
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

  it.each([
    ['a completion', (lease: Lease) => lease.complete()],
    ['a release', (lease: Lease) => lease.release()],
  ])('%s that is refused again and again fails in time to be reported', async (_, end) => {
    const { lease } = await lead({ context: invocation() })
    const refused = Array.from({ length: 100 }, () => noAnswer)
    store.beforeNext('complete', ...refused)
    store.beforeNext('release', ...refused)
    const error = outcomeOf(end(lease))
    await clock.advance(7_500)
    expect(await error).toMatchObject({ name: 'LeaseStoreError' })
    expect(store.writes.length).toBeGreaterThan(3)
  })

  it('a completion that gets no answer is given up in time, and so is the release after it', async () => {
    const { finish, outcome } = await lead({ context: invocation() })
    store.beforeNext('complete', never)
    store.beforeNext('release', never)
    finish()
    await clock.advance(7_999)
    expect(await outcome).toMatchObject({ name: 'LeaseStoreError', applied: 'unknown' })
    expect(clock.sleeping).toBe(0)
  })

  it('a task that failed is reported in time, though its release gets no answer', async () => {
    const { fail, outcome } = await lead({ context: invocation() })
    store.beforeNext('release', never)
    fail(new Error('mine'))
    await clock.advance(7_999)
    expect(await outcome).toMatchObject({ message: 'mine' })
  })

  it('a completion within the last margin is no loss: the signal does not abort, and no event says so', async () => {
    const told: string[] = []
    const { lease, finish, outcome } = await lead({ onEvent: ({ kind }) => void told.push(kind) })
    await clock.advance(13_900)
    const answer = Promise.withResolvers<void>()
    store.afterNext('complete', () => answer.promise)
    finish()
    await clock.advance(500)
    answer.resolve()
    expect(await outcome).toMatchObject({ status: 'completed' })
    expect(lease.signal.aborted).toBe(false)
    expect(told).toEqual(['elected'])
  })
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
    const error = { lease: 'billing', retryable: false, message: expect.stringContaining('DynamoDBLeaseStore') }
    expect(await outcomeOf(lease.send(input))).toMatchObject(error)
  })

  it.each<[string, (lease: Lease, item: { Item: { ids: number[] } }) => Promise<unknown>]>([
    ['send', (lease, { Item }) => lease.send({ TableName: 't', Item })],
    ['claim', (lease, { Item }) => lease.claim({ TableName: 't', Key: Item })],
    ['transact', (lease, { Item }) => lease.transact([{ Put: { TableName: 't', Item } }])],
    ['complete', (lease, { Item }) => lease.complete([{ Put: { TableName: 't', Item } }])],
  ])('are what they were when %s was called, at every try', async (_, call) => {
    const tries: string[] = []
    const asked = async (request: unknown) => {
      for (let n = 0; n < 2; n++) {
        await settled()
        tries.push(JSON.stringify(request))
      }
      return { granted: true, attributes: undefined, unanswered: false } as const
    }
    const lease = await leadWith({
      send: (input) => asked(input),
      transact: (_tenure, items) => asked(items),
      completeWith: (_request, items) => asked(items),
    })
    const item = { Item: { ids: [7] } }
    const done = call(lease, item)
    item.Item.ids.push(8)
    await done
    expect(tries).toHaveLength(2)
    for (const sent of tries) expect(sent).toContain('"ids":[7]')
  })

  it('that wait in a long row are all sent before the end, and the lease is renewed meanwhile', async () => {
    let sent = 0
    const transact = async () => {
      await clock.sleep(40)
      sent++
      return { granted: true } as const
    }
    Object.assign(store, { effects: { transact } })
    const outcome = withLease(options({ leaseMs: 2_000 }), (lease) => {
      for (let nth = 0; nth < 100; nth++) void lease.transact([{ Put: input }])
    })
    await clock.advance(10_000)
    expect(await outcome).toMatchObject({ status: 'completed' })
    expect(sent).toBe(100)
    expect(store.asked).toContain('renew')
    expect(store.asked.at(-1)).toBe('complete')
  })

  it.each([
    ['completion', (end: PromiseWithResolvers<void>) => end.resolve(), { status: 'completed' }],
    [
      'release after a failure',
      (end: PromiseWithResolvers<void>) => end.reject(new Error('mine')),
      { message: 'mine' },
    ],
  ])('that hang do not hold up the %s', async (_, act, expected) => {
    Object.assign(store, { effects: { transact: () => new Promise(() => undefined) } })
    const end = Promise.withResolvers<void>()
    const outcome = outcomeOf(
      withLease(options({ leaseMs: 15_000 }), async (lease) => {
        void lease.transact([{ Put: input }])
        await end.promise
      }),
    )
    await clock.advance(60_000)
    expect(store.asked.filter((kind) => kind === 'renew').length).toBeGreaterThanOrEqual(9)
    act(end)
    await clock.advance(6_000)
    expect(await outcome).toMatchObject(expected)
    expect(row()?.holder).toBeUndefined()
  })

  it.each([undefined, {}, 'items'])('of a transaction are a list, and not %j', async (items) => {
    const lease = await leadWith({})
    if (items !== undefined)
      await expect(Reflect.apply(lease.complete, lease, [items])).rejects.toThrow(InvalidOptionError)
    await expect(Reflect.apply(lease.transact, lease, [items])).rejects.toThrow(InvalidOptionError)
  })

  it('are not sent once the lease is over', async () => {
    const lease = await leadWith({})
    clock.freeze(15_000)
    await expect(lease.send(input)).rejects.toThrow(LeaseLostError)
    await expect(lease.transact([{ Put: input }])).rejects.toThrow(LeaseLostError)
  })

  it.each([
    [true, /was asked to end, and may have/],
    [false, undefined],
  ])(
    'refused with a completion leave the lease, unless an earlier try of it may arrive (%s)',
    async (mayArrive, lost) => {
      const refusal = Object.assign(new Error('no'), { name: 'TransactionCanceledException' })
      const completeWith = vi.fn(async () => Promise.reject(refusal))
      if (mayArrive) completeWith.mockImplementationOnce(async () => noAnswer())
      const lease = await leadWith({ completeWith })
      const completion = outcomeOf(lease.complete([{ Put: input }]))
      await settled()
      await clock.advance(1_000)
      expect(await completion).toBe(refusal)
      if (lost === undefined) lease.assertHeld()
      else expect(() => lease.assertHeld()).toThrow(lost)
      expect(completeWith).toHaveBeenCalledTimes(mayArrive ? 2 : 1)
    },
  )

  it('of a transaction that waits for a renewal are not sent where that came too late', async () => {
    const transact = vi.fn(async () => ({ granted: true }) as const)
    const lease = await leadWith({ transact })
    store.afterNext('renew', () => clock.freeze(15_000))
    const both = await Promise.allSettled([lease.renew(), lease.transact([{ Put: input }])])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(transact).not.toHaveBeenCalled()
  })

  const refusal = (fields: object) => Object.assign(new Error('the condition failed'), fields)
  const cause = refusal({ name: 'ConditionalCheckFailedException' })
  const newer = { 'fencingToken:billing': { N: '9000000000000000' } }
  /** As the row is after the leader's own write with this step. */
  const mine = (lease: Lease, step: number, settled = 0) => {
    const fencingToken = { N: String(lease.fencingToken) }
    return {
      'fencingToken:billing': fencingToken,
      'fencingStep:billing': { M: { fencingToken, step: { N: String(step) }, settled: { N: String(settled) } } },
    }
  }
  const refused = (item: Readonly<Record<string, AttributeValue>> | undefined, unanswered = false) =>
    ({ granted: false, cause, unanswered, conditionFailed: { item } }) as const

  it.each([
    ['no', false, /Nothing was written\./],
    ['unknown', true, /^(?!.*Nothing).*may have been applied/],
  ] as const)(
    'under an older token than the row has are stale (applied: %s): another leads',
    async (applied, unanswered, text) => {
      const lease = await leadWith({ send: async () => refused(newer, unanswered) })
      const error = await outcomeOf(lease.send(input))
      const { fencingToken } = lease
      const message = expect.stringMatching(text)
      expect(error).toMatchObject({
        name: 'StaleTokenError',
        lease: 'billing',
        fencingToken,
        seenToken: 9e15,
        applied,
        message,
        cause,
      })
      const lost = { name: 'LeaseLostError', message: expect.stringMatching(/9000000000000000/) }
      expect(lease.signal.reason).toMatchObject(lost)
      await expect(lease.send(input)).rejects.toThrow(LeaseLostError)
    },
  )

  it.each([
    ['ALL_NEW', { id: 1 }],
    ['UPDATED_NEW', { id: 1 }],
    ['NONE', undefined],
    [undefined, undefined],
  ] as const)('that the row has already return, asked for %s, %j', async (ReturnValues, expected) => {
    const lease: Lease = await leadWith({ toRow: () => ({ id: 1 }), send: async () => refused(mine(lease, 1), true) })
    expect(await lease.send({ ...input, ...(ReturnValues && { ReturnValues }) })).toEqual(expected)
  })

  it('that the row has already cannot return its old values, which were in the lost reply', async () => {
    const lease: Lease = await leadWith({ send: async () => refused(mine(lease, 1), true) })
    const error = await outcomeOf(lease.send({ ...input, ReturnValues: 'ALL_OLD' }))
    expect(error).toMatchObject({ name: 'LeaseStoreError', retryable: false, applied: 'yes', cause })
  })

  it.each([
    ['by the caller’s own condition, on a row that is not there', () => undefined, false],
    [
      'by the caller’s own condition, on a row of an older leader',
      () => ({ 'fencingToken:billing': { N: '1' } }),
      true,
    ],
    [
      'by the caller’s own condition, on a row that the leader itself wrote before',
      (lease: Lease) => mine(lease, 0),
      false,
    ],
  ])('refused %s, hand on the error as it is', async (_, row, unanswered) => {
    const lease: Lease = await leadWith({ send: async () => refused(row(lease), unanswered) })
    expect(await outcomeOf(lease.send(input))).toBe(cause)
  })

  it('refused after a try without an answer may have been applied, if the leader’s own writes have covered the trace', async () => {
    const later = Promise.withResolvers<void>()
    const send = async () => {
      if (!sentBoth()) await later.promise
      return refused(mine(lease, 2), true)
    }
    const spy = vi.fn(send)
    const sentBoth = () => spy.mock.calls.length > 1
    const lease: Lease = await leadWith({ send: spy, toRow: () => ({}) })
    const [first, second] = [outcomeOf(lease.send(input)), outcomeOf(lease.send(input))]
    expect(await second).toBeUndefined()
    later.resolve()
    expect(await first).toMatchObject({ name: 'LeaseStoreError', applied: 'unknown', cause })
  })

  it('that delete may have been applied if the next try finds no row', async () => {
    const lease = await leadWith({ send: async () => refused(undefined, true) })
    const error = await outcomeOf(lease.send({ TableName: 'invoices', Key: { id: 1 } }))
    expect(error).toMatchObject({ name: 'LeaseStoreError', applied: 'unknown' })
  })

  it('refused for another reason after a try without an answer may have been applied', async () => {
    const denied = refusal({ name: 'AccessDeniedException' })
    const answer = (unanswered: boolean) => async () => ({ granted: false, cause: denied, unanswered }) as const
    const lease = await leadWith({ send: vi.fn(answer(true)).mockImplementationOnce(answer(false)) })
    expect(await outcomeOf(lease.send(input))).toBe(denied)
    expect(await outcomeOf(lease.send(input))).toMatchObject({ applied: 'unknown' })
  })

  /** A leader whose effects are answered when the test says so, in the order in which they were sent. */
  async function leadWithSlowEffects() {
    const stamps: unknown[] = []
    const answers: (() => void)[] = []
    const lease = await leadWith({
      send: ({ ExpressionAttributeValues: values, ...input }) => {
        stamps.push('Item' in input ? input.Item?.['fencingStep:billing'] : values?.[':tenureStamp'])
        return new Promise((resolve) =>
          answers.push(() => resolve({ granted: true, attributes: undefined, unanswered: false })),
        )
      },
    })
    const update = (Key: Record<string, unknown>, TableName = 'invoices') =>
      lease.send({ TableName, Key, UpdateExpression: 'ADD a :a', ExpressionAttributeValues: { ':a': 1 } })
    const put = (Item: Record<string, unknown>) => lease.send({ TableName: 'invoices', Item })
    return { lease, stamps, answers, update, put }
  }

  it('to one row are sent one after the other, and each says that those before it have ended', async () => {
    const { stamps, answers, update } = await leadWithSlowEffects()
    const sent = [
      update({ id: 1, of: 'ann' }),
      update({ of: 'ann', id: 1n }), // the same row
      update({ of: 'ann', id: 1 }, 'arn:aws:dynamodb:eu-central-1:123456789012:table/invoices'),
      update({ id: 2, of: 'ann' }),
      update({ id: 1, of: 'ann' }, 'receipts'),
    ]
    await settled()
    expect(stamps).toMatchObject([{ step: 1 }, { step: 2 }, { step: 3 }]) // three rows
    for (let nth = 0; nth < sent.length; nth++) {
      answers[nth]?.()
      await settled()
    }
    await Promise.all(sent)
    expect(stamps).toMatchObject([1, 2, 3, 4, 5].map((step) => ({ step, settled: step - 1 })))
  })

  it('by Put go at once, since their row cannot be told, and all others say that they may still land', async () => {
    const { stamps, answers, update, put } = await leadWithSlowEffects()
    const sent = [
      update({ id: 1 }),
      put({ id: 1 }),
      put({ id: 2 }),
      update({ id: 3 }),
      update({ id: new Uint8Array([1, 2]) }),
    ]
    await settled()
    expect(stamps).toMatchObject([0, 0, 0, 1, 0].map((settled, nth) => ({ step: nth + 1, settled })))
    for (const answer of answers) answer()
    await Promise.all(sent)
    const last = put({ id: 1 })
    answers.at(-1)?.()
    await last
    expect(stamps.at(-1)).toMatchObject({ step: 6, settled: 5 })
  })

  it('that wait for their row are not sent once the lease is lost', async () => {
    const { lease, stamps, answers, update } = await leadWithSlowEffects()
    const both = Promise.allSettled([update({ id: 1 }), update({ id: 1 })])
    await settled()
    clock.freeze(15_000)
    answers[0]?.()
    expect(await both).toMatchObject([{ status: 'fulfilled' }, { reason: { name: 'LeaseLostError' } }])
    expect(stamps).toHaveLength(1)
    expect(lease.remainingMs()).toBe(0)
  })

  it('that delete, asked for the old row, do not say that there was none if it may have been in a lost reply', async () => {
    const deletion = { TableName: 'invoices', Key: { id: 1 }, ReturnValues: 'ALL_OLD' as const }
    const granted = (unanswered: boolean) => async () => ({ granted: true, attributes: undefined, unanswered }) as const
    const lease = await leadWith({ send: vi.fn(granted(true)).mockImplementationOnce(granted(false)) })
    expect(await lease.send(deletion)).toBeUndefined()
    expect(await outcomeOf(lease.send(deletion))).toMatchObject({ name: 'LeaseStoreError', applied: 'yes' })
  })

  it.each([
    ['an error without an answer', refusal({ name: 'TimeoutError' })],
    ['what is no error', { name: 'ConditionalCheckFailedException' }],
  ])('hand on %s as it is', async (_, thrown) => {
    const lease = await leadWith({ send: () => Promise.reject(thrown) })
    expect(await outcomeOf(lease.send(input))).toBe(thrown)
  })
})
