// @ts-nocheck
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type Lease, LeaseLostError, LeaseStoreError, withLease } from '../../functions/election/index.ts'
import type { Effects, SendReply } from '../../functions/election/stores/store.ts'
import { settled } from '../../functions/election/testing/manual-clock.ts'
import {
  clock,
  lead as leadWithHeartbeat,
  never,
  noAnswer,
  options,
  outcomeOf,
  row,
  startAnew,
  store,
} from './scripted.ts'

beforeEach(startAnew)

/** Without a heartbeat, so that the leader alone watches its deadline. */
const lead = () => leadWithHeartbeat({ leaseMs: 15_000, heartbeat: false })

describe('effects', () => {
  const input = { TableName: 'invoices', Item: { id: 1 } }
  const cancelled = Object.assign(new Error('no'), { name: 'TransactionCanceledException' })
  const gone = new LeaseStoreError('gone', { lease: 'billing', retryable: false })

  /** A leader with a store that has these effects only. */
  async function leadWith(effects: Partial<Effects>) {
    const unasked = async () => {
      throw new Error('an unexpected effect')
    }
    Object.assign(store, { effects: { send: unasked, completeWith: unasked, transact: unasked, ...effects } })
    return (await lead()).lease
  }

  it('need a store with tables', async () => {
    const { lease } = await lead()
    const error = { lease: 'billing', retryable: false, message: expect.stringContaining('DynamoDBLeaseStore') }
    expect(await outcomeOf(lease.send(input))).toMatchObject(error)
    expect(await outcomeOf(Reflect.apply(lease.send, lease, [{}]))).toMatchObject({ lease: 'billing' })
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

  it('that wait for their turn let a renewal go ahead of them', async () => {
    const order: string[] = []
    const transact = async () => {
      order.push('transact')
      await settled()
      return { granted: true } as const
    }
    const lease = await leadWith({ transact })
    const renewsInTurn = async () => {
      store.beforeNext('saveCheckpoint', () => clock.sleep(4_000))
      const both = Promise.all([lease.saveCheckpoint({ upTo: 7 }), lease.renew()])
      await clock.advance(3_900)
      expect(store.asked.at(-1)).toBe('saveCheckpoint')
      await clock.advance(100)
      await both
      expect(store.asked.at(-1)).toBe('renew')
    }
    await renewsInTurn()
    store.beforeNext('renew', () => void order.push('renew'))
    const { sleeping } = clock
    await Promise.all([1, 2, 3].map(() => lease.transact([{ Put: input }])).concat(lease.renew()))
    expect(order).toEqual(['transact', 'renew', 'transact', 'transact'])
    expect(clock.sleeping).toBe(sleeping)
    await renewsInTurn()
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
    ['completion', 'finish', { status: 'completed' }],
    ['release after a failure', 'fail', { message: 'mine' }],
  ] as const)('that hang do not hold up the %s', async (_, end, expected) => {
    Object.assign(store, { effects: { transact: never } })
    const { lease, outcome, ...task } = await leadWithHeartbeat({ leaseMs: 15_000 })
    void lease.transact([{ Put: input }])
    await clock.advance(60_000)
    expect(store.asked.filter((kind) => kind === 'renew').length).toBeGreaterThanOrEqual(9)
    task[end](new Error('mine'))
    await clock.advance(6_000)
    expect(await outcome).toMatchObject(expected)
    expect(row()?.holder).toBeUndefined()
  })

  it.each([undefined, {}, 'items'])('of a transaction are a list, and not %j', async (items) => {
    const lease = await leadWith({})
    const calls = items === undefined ? [lease.transact] : [lease.transact, lease.complete]
    for (const call of calls) {
      const error = { name: 'InvalidOptionError', message: expect.stringContaining(`lease.${call.name} takes a list`) }
      await expect(Reflect.apply(call, lease, [items])).rejects.toMatchObject(error)
    }
  })

  it('of a transaction that waits for its turn are not sent once the lease is over', async () => {
    const answer = Promise.withResolvers<{ readonly granted: true }>()
    const transact = vi.fn(() => answer.promise)
    const lease = await leadWith({ transact })
    const both = Promise.allSettled([lease.transact([{ Put: input }]), lease.transact([{ Put: input }])])
    await settled()
    clock.freeze(15_000)
    answer.resolve({ granted: true })
    expect(await both).toMatchObject([{ status: 'fulfilled' }, { reason: { name: 'LeaseLostError' } }])
    expect(transact).toHaveBeenCalledTimes(1)
  })

  it('of a transaction that its guard refuses are a loss', async () => {
    const lease = await leadWith({ transact: async () => ({ granted: false }) })
    await expect(lease.transact([{ Put: input }])).rejects.toThrow('was taken over.')
    expect(lease.signal.reason).toBeInstanceOf(LeaseLostError)
  })

  it('are not sent once the lease is over', async () => {
    const lease = await leadWith({})
    clock.freeze(15_000)
    await expect(lease.send(input)).rejects.toThrow(LeaseLostError)
    await expect(lease.transact([{ Put: input }])).rejects.toThrow(LeaseLostError)
  })

  it.each([
    [true, cancelled, /was asked to end, and may have/],
    [false, cancelled, undefined],
    [false, gone, undefined],
  ])(
    'refused with a completion leave the lease, unless an earlier try of it may arrive (%s): %s',
    async (mayArrive, error, lost) => {
      const completeWith = vi.fn(async () => Promise.reject(error))
      if (mayArrive) completeWith.mockImplementationOnce(async () => noAnswer())
      const lease = await leadWith({ completeWith })
      const completion = outcomeOf(lease.complete([{ Put: input }]))
      await settled()
      await clock.advance(1_000)
      expect(await completion).toBe(error)
      if (lost === undefined) lease.assertHeld()
      else expect(() => lease.assertHeld()).toThrow(lost)
      expect(completeWith).toHaveBeenCalledTimes(mayArrive ? 2 : 1)
    },
  )

  it.each([
    ['refused', cancelled, { name: 'LeaseStoreError', retryable: false, cause: cancelled }],
    ['answered with another error', gone, { message: 'gone' }],
  ])(
    'of a completion without an answer, if %s when it is sent again after the task, are an error',
    async (_, error, expected) => {
      const completeWith = vi.fn(async (): Promise<never> => noAnswer())
      Object.assign(store, { effects: { completeWith } })
      const outcome = outcomeOf(
        withLease(options({ leaseMs: 15_000 }), async (lease) => {
          await lease.complete([{ Put: input }]).catch(() => undefined)
          completeWith.mockRejectedValue(error)
        }),
      )
      await clock.advance(20_000)
      expect(await outcome).toMatchObject(expected)
      expect(row()).not.toHaveProperty('completedTick')
    },
  )

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

  const denied = refusal({ name: 'AccessDeniedException' })
  const granted = (unanswered: boolean) => ({ granted: true, attributes: undefined, unanswered }) as const
  const failure = (applied: string, more = {}) =>
    expect.objectContaining({ name: 'LeaseStoreError', retryable: false, applied, ...more })
  const deletion = { Item: undefined, Key: { id: 1 } }
  const update = { ...deletion, UpdateExpression: 'REMOVE a' }
  const ofOlder = { 'fencingToken:billing': { N: '1' } }
  const [oldValues, oldDeleted] = [{ ReturnValues: 'ALL_OLD' }, { ...deletion, ReturnValues: 'ALL_OLD' }]
  /** The second try of a write whose first one was applied. */
  const again = (lease: Lease) => refused(mine(lease, 1), true)
  const otherwise = (unanswered: boolean) => ({ granted: false, cause: denied, unanswered }) as const

  it.each<[string, object, (lease: Lease) => SendReply, unknown]>([
    ['returns the row that it wrote', { ReturnValues: 'ALL_NEW' }, again, { id: 1 }],
    ['likewise', { ReturnValues: 'UPDATED_NEW' }, again, { id: 1 }],
    ['returns nothing', { ReturnValues: 'NONE' }, again, undefined],
    ['likewise', {}, again, undefined],
    ['cannot return the old values, which were in the lost reply', oldValues, again, failure('yes', { cause })],
    ['likewise', { ReturnValues: 'UPDATED_OLD' }, again, failure('yes', { cause })],
    ['throws the error of the caller’s own condition, without a row', {}, () => refused(undefined), cause],
    ['likewise, after a lost reply', {}, () => refused(undefined, true), cause],
    ['likewise, on a row of an older leader', {}, () => refused(ofOlder, true), cause],
    ['likewise, on a row that the leader itself wrote before', {}, (lease) => refused(mine(lease, 0)), cause],
    ['likewise, of an update without a row', update, () => refused(undefined, true), cause],
    ['likewise, of a deletion whose row is there', deletion, () => refused(ofOlder, true), cause],
    ['may have deleted a row that is not there', deletion, () => refused(undefined, true), failure('unknown')],
    ['throws another refusal', {}, () => otherwise(false), denied],
    ['may have been applied before another refusal', {}, () => otherwise(true), failure('unknown')],
    ['finds no old row to delete', oldDeleted, () => granted(false), undefined],
    [
      'returns the row that its second try deleted',
      oldDeleted,
      () => ({ ...granted(true), attributes: { id: 1 } }),
      { id: 1 },
    ],
    ['may have deleted a row, which was in a lost reply', oldDeleted, () => granted(true), failure('yes')],
  ])('%s: %j', async (_, changes, reply, expected) => {
    const lease: Lease = await leadWith({ toRow: () => ({ id: 1 }), send: async () => reply(lease) })
    const { Item, ...others } = { ...input, ...changes }
    const outcome = await outcomeOf(lease.send(Item === undefined ? { Key: {}, ...others } : { Item, ...others }))
    if (expected === cause || expected === denied) expect(outcome).toBe(expected)
    else expect(outcome).toEqual(expected)
    lease.assertHeld() // it is no loss
  })

  it.each([
    ['no', false, /Nothing was written\./],
    ['unknown', true, /^(?!.*Nothing).*may have been applied/],
  ])(
    'under an older token than the row has are stale (applied: %s): another leads',
    async (applied, unanswered, text) => {
      const lease = await leadWith({ send: async () => refused(newer, unanswered) })
      const { fencingToken } = lease
      const seen = { lease: 'billing', fencingToken, seenToken: 9e15 }
      const message = expect.stringMatching(text)
      const error = await outcomeOf(lease.send(input))
      expect(error).toMatchObject({ name: 'StaleTokenError', ...seen, applied, message, cause })
      const lost = { name: 'LeaseLostError', message: expect.stringMatching(/9000000000000000/) }
      expect(lease.signal.reason).toMatchObject(lost)
      await expect(lease.send(input)).rejects.toThrow(LeaseLostError)
    },
  )

  it('may have been applied if the leader’s own writes have covered the trace', async () => {
    const later = Promise.withResolvers<void>()
    let sent = 0
    const send = async () => {
      if (++sent === 1) await later.promise
      return refused(mine(lease, 2), true)
    }
    const lease: Lease = await leadWith({ send, toRow: () => ({}) })
    const [first, second] = [outcomeOf(lease.send(input)), outcomeOf(lease.send(input))]
    expect(await second).toBeUndefined()
    later.resolve()
    expect(await first).toMatchObject({ name: 'LeaseStoreError', applied: 'unknown', cause })
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
      if (nth > 0) continue
      sent.push(update({ id: 1, of: 'ann' }))
      expect(stamps).toHaveLength(4) // it waits behind those that waited before
    }
    await Promise.all(sent)
    expect(stamps).toMatchObject([1, 2, 3, 4, 5, 6].map((step) => ({ step, settled: step - 1 })))
  })

  it('by Put are sent at once, and all others know that these may still be applied', async () => {
    const { lease, stamps, answers, update, put } = await leadWithSlowEffects()
    const sent = [
      update({ id: 1 }),
      put({ id: 1 }),
      put({ id: 2 }),
      update({ id: 3 }),
      update({ of: 'ann', id: new Uint8Array([1, 2]) }),
    ]
    await settled()
    expect(stamps).toMatchObject([0, 0, 0, 1, 0].map((settled, nth) => ({ step: nth + 1, settled })))
    const byHand = lease.fence({ TableName: 'invoices', Item: { id: 1 } })
    expect(byHand.Item).toMatchObject({ 'fencingStep:billing': { step: 0, settled: 0 } })
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

  it.each([
    ['an error without an answer', refusal({ name: 'TimeoutError' })],
    ['what is no error', { name: 'ConditionalCheckFailedException' }],
  ])('hand on %s as it is', async (_, thrown) => {
    const lease = await leadWith({ send: () => Promise.reject(thrown) })
    expect(await outcomeOf(lease.send(input))).toBe(thrown)
  })
})
