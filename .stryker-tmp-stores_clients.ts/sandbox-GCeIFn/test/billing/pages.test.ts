/** Work that is longer than an invocation, in pages. In crash.test.ts its leaders die at every request. */
// @ts-nocheck

import { expect, inject, test } from 'vitest'
import type { ChargeDueOptions } from '../../functions/billing/charge-due.ts'
import { HandOverRequestedError } from '../../functions/election/index.ts'
import { changedLease, monthly, type Scene, setScene, TICK } from './scene.ts'

const endpoint = inject('dynamodbEndpoint')
const pageOfOne = () => ({ concurrency: 1, pageSize: 1 })

/** As `pageOfOne`; the signal aborts once this subscription was moved on. */
const abortedAfter =
  (customer: string, reason: () => Error) =>
  ({ lease, subscriptions }: ChargeDueOptions) => {
    const controller = new AbortController()
    const moveOn: typeof subscriptions.moveOn = async (...args) => {
      await subscriptions.moveOn(...args)
      if (args[1].customer === customer) controller.abort(reason())
    }
    const signal = AbortSignal.any([lease.signal, controller.signal])
    const assertHeld = () => {
      if (!(signal.reason instanceof HandOverRequestedError)) signal.throwIfAborted()
    }
    const changed = changedLease(lease, { signal, assertHeld })
    return { ...pageOfOne(), lease: changed, subscriptions: { ...subscriptions, moveOn } }
  }

const died = () => new Error('died')
const requested = () => new HandOverRequestedError('about to end', { lease: 'billing', reason: 'deadline' })

const chargedOf = (scene: Scene) => scene.charges().map(({ customer, period }) => `${customer} ${period}`)

test('A leader that dies while a subscription catches up leaves its other periods to the next leader', async () => {
  await using scene = await setScene(endpoint, [monthly('cus_2'), monthly('cus_1', { dueDate: '2023-12-31' })])
  await expect(scene.lead(TICK, abortedAfter('cus_1', died))).rejects.toThrow('died')
  expect(chargedOf(scene)).toHaveLength(2)
  // The leader died before it could save what it had charged of cus_1.
  expect(await scene.lead(TICK, pageOfOne)).toMatchObject({ status: 'completed', result: { charged: 2, pages: 2 } })
  expect(chargedOf(scene).toSorted()).toEqual(['cus_1 2023-12-31', 'cus_1 2024-01-31', 'cus_2 2024-01-31'])
})

test('A leader that must hand over finishes the subscription, and completes if it was the last', async () => {
  await using scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2', { dueDate: '2023-12-31' })])
  const outcome = await scene.lead(TICK, abortedAfter('cus_2', requested))
  expect(outcome).toMatchObject({ status: 'completed', result: { charged: 3, pages: 2 } })
})

test('A leader that cannot read the checkpoint starts with the first subscription', async () => {
  await using scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2')])
  await expect(scene.lead(TICK, abortedAfter('cus_2', died))).rejects.toThrow('died')
  const outcome = await scene.lead(TICK, ({ lease }) => ({
    lease: changedLease(lease, { checkpoint: { pages: 1, charged: 'one', after: 'cus_1' } }),
  }))
  expect(outcome).toMatchObject({ status: 'completed', result: { charged: 0, pages: 0 } })
  expect(chargedOf(scene)).toHaveLength(2)
})
