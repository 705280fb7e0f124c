/** A leader that lost its lease, or is about to: it must not charge, and must not write over its successor. */
// @ts-nocheck


import { expect, inject, test } from 'vitest'
import { UnsettledChargesError } from '../../functions/billing/charge-due.ts'
import { GatewayOutcomeUnknownError } from '../../functions/billing/gateway.ts'
import { LeaseLostError, StaleTokenError } from '../../functions/election/index.ts'
import { CARD } from '../../functions/sandbox/cards.ts'
import type { GatewayResponse } from '../../functions/sandbox/message.ts'
import { changedLease, monthly, type Scene, setScene, TICK } from './scene.ts'

const endpoint = inject('dynamodbEndpoint')
const REPLACED = { name: 'LeaseLostError', cause: { name: 'StaleTokenError' } }
const alone = () => ({ concurrency: 1 })

/** Leads the tick, and lets a second leader take over during the first request to charge. */
async function leadOvertaken(
  customers: readonly string[],
  takeOver: (answer: () => Promise<GatewayResponse>, lead: () => Promise<void>) => Promise<GatewayResponse>,
  now: () => number = Date.now,
) {
  let [isFirst, second]: [boolean, unknown] = [true, undefined]
  const subscriptions = customers.map((customer) => monthly(customer))
  const scene: Scene = await setScene(endpoint, subscriptions, {
    now,
    intercept: async ({ method }, answer) => {
      if (method !== 'POST' || !isFirst) return answer()
      isFirst = false
      return takeOver(answer, async () => {
        await scene.expireLease()
        second = await scene.lead(TICK)
      })
    },
  })
  await expect(scene.lead(TICK, alone)).rejects.toMatchObject(REPLACED)
  return { scene, second }
}

test.each([
  ['its answer', false],
  ['that no answer came', true],
])('It cannot write %s over the answer of its successor', async (_, isLost) => {
  const { scene, second } = await leadOvertaken(['cus_1', 'cus_2'], async (answer, lead) => {
    const response = await answer()
    await lead()
    if (isLost) throw new GatewayOutcomeUnknownError('lost')
    return response
  })
  await using _scene = scene
  expect(second).toMatchObject({ status: 'completed', result: { due: 2, charged: 2, replayed: 1 } })
  const fields = { staleWritesRefused: 1, charged: 0, failed: 0 }
  expect(scene.log.at(-1)).toMatchObject({ message: 'billed', fields })
  expect(scene.charges()).toHaveLength(2)
  expect(await scene.recordedCharges()).toEqual(scene.charges())
  expect(await scene.subscription('cus_1')).toMatchObject({ period: '2024-02-29' })
})

test('It reports a second charge: its request was delayed until the gateway forgot the key', async () => {
  let nowMs = Date.now()
  const { scene } = await leadOvertaken(
    ['cus_1'],
    async (answer, lead) => {
      await lead()
      nowMs += 2 * 86_400_000
      return answer()
    },
    () => nowMs,
  )
  await using _scene = scene
  expect(scene.charges()).toHaveLength(2)
  expect(await scene.recordedCharges()).toHaveLength(1)
  expect(scene.log).toContainEqual({
    message: 'not settled',
    fields: { tick: TICK, error: 'DuplicateChargeError', reason: expect.stringContaining('refund one of them') },
  })
})

test('As soon as one write is refused, all charges in progress stop, and no other starts', async () => {
  const nine = Array.from({ length: 9 }, (_, i) => monthly(`cus_${i}`))
  await using scene = await setScene(endpoint, nine, {
    // Never answers; only the signal ends it.
    intercept: (_request, _answer, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  })
  let charges = 0
  const lead = scene.lead(TICK, ({ lease: { fencingToken }, gateway }) => ({
    concurrency: 4,
    gateway: {
      ...gateway,
      charge: async (...charge) => {
        if (++charges === 4) throw new StaleTokenError('replaced', { lease: 'billing', fencingToken })
        return gateway.charge(...charge)
      },
    },
  }))
  await expect(lead).rejects.toThrow(StaleTokenError)
  expect(charges).toBe(4)
})

test.each([
  ['for an earlier charge once its signal aborts', 'intend', true, ['POST cus_1']],
  ['for an earlier charge once its deadline has passed', 'intend', false, ['POST cus_1']],
  ['to charge if its deadline passes during that look-up', 'find', false, ['POST cus_1', 'GET cus_1']],
] as const)('It does not ask the gateway %s', async (_, lastStep, aborts, requests) => {
  await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod: CARD.lostOnItsWay })])
  await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
  const expired = new LeaseLostError('expired')
  const controller = new AbortController()
  let isHeld = true
  const ends = async <T>(step: string, answer: Promise<T>) => {
    const value = await answer
    if (step !== lastStep) return value
    isHeld = false
    if (aborts) controller.abort(expired)
    return value
  }
  const lead = scene.lead(TICK, ({ lease, ledger, gateway }) => ({
    lease: changedLease(lease, {
      signal: controller.signal,
      // A frozen process had no timer to abort the signal.
      assertHeld: () => {
        if (!isHeld) throw expired
      },
    }),
    ledger: { ...ledger, intend: (...intent) => ends('intend', ledger.intend(...intent)) },
    gateway: { ...gateway, find: (...find) => ends('find', gateway.find(...find)) },
  }))
  await expect(lead).rejects.toBe(expired)
  expect(scene.requests).toEqual(requests)
})

test('A task that is aborted midway fails although no charge failed: the tick is not done', async () => {
  await using scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2'), monthly('cus_3')])
  const stop = new AbortController()
  const lead = scene.lead(TICK, ({ lease, subscriptions }) => ({
    concurrency: 1,
    lease: changedLease(lease, { signal: stop.signal, assertHeld: () => stop.signal.throwIfAborted() }),
    subscriptions: {
      ...subscriptions,
      moveOn: async (...moveOn) => {
        await subscriptions.moveOn(...moveOn)
        stop.abort(new Error('shutting down'))
      },
    },
  }))
  await expect(lead).rejects.toThrow('shutting down')
  expect(scene.charges()).toHaveLength(1)
})

test('If the loss of the lease aborts the query for due subscriptions, the task fails with that loss', async () => {
  await using scene = await setScene(endpoint, [monthly('cus_1')])
  const lost = new LeaseLostError('replaced')
  const lead = scene.lead(TICK, ({ lease }) => ({
    lease: changedLease(lease, { signal: AbortSignal.abort(lost), assertHeld() {} }),
  }))
  await expect(lead).rejects.toBe(lost)
})
