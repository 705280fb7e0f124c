/** Charges whose answer never came, and what the retry of the tick does about them. */

import { expect, inject, test } from 'vitest'
import { UnsettledChargesError } from '../../functions/billing/charge-due.ts'
import { GatewayOutcomeUnknownError } from '../../functions/billing/gateway.ts'
import { CARD } from '../../functions/sandbox/cards.ts'
import type { GatewayResponse } from '../../functions/sandbox/message.ts'
import { changedLease, losingAnswers, monthly, type Scene, setScene, TICK } from './scene.ts'

const endpoint = inject('dynamodbEndpoint')
const DAY_MS = 86_400_000
const alone = () => ({ concurrency: 1 })

async function leadUnsettled(scene: Scene, change?: Parameters<Scene['lead']>[1]): Promise<void> {
  await expect(scene.lead(TICK, change)).rejects.toThrow(UnsettledChargesError)
}

async function expectOneCharge(scene: Scene): Promise<void> {
  expect(scene.charges()).toHaveLength(1)
  expect(await scene.recordedCharges()).toEqual(scene.charges())
}

test.each([
  ['the leader died before it asked', CARD.charged, 0, 0],
  ['the request was lost, and the gateway has forgotten the key', CARD.lostOnItsWay, 40, 0],
  ['it charged and answered 500, and has forgotten the key', CARD.toldAFailure, 40, 1],
])(
  'The gateway is asked for the key before it is asked to charge: %s',
  async (_, paymentMethod, daysLater, replayed) => {
    let nowMs = Date.now()
    await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod })], { now: () => nowMs })
    const dies = () => Promise.reject(new Error('died'))
    await leadUnsettled(scene, ({ gateway }) => ({
      gateway: paymentMethod === CARD.charged ? { ...gateway, charge: dies } : gateway,
    }))
    expect(scene.charges()).toHaveLength(replayed)
    nowMs += daysLater * DAY_MS
    const before = scene.requests.length
    expect(await scene.lead(TICK)).toMatchObject({ result: { due: 1, charged: 1, replayed } })
    expect(scene.requests.slice(before)).toEqual(['GET cus_1', ...(replayed === 1 ? [] : ['POST cus_1'])])
    await expectOneCharge(scene)
  },
)

test.each([
  ['charged', CARD.charged, '2024-02-29', 0],
  ['declined', CARD.declined, '2024-01-31', 1],
])('The gateway is not asked if the ledger shows the outcome: %s', async (status, paymentMethod, period, dunned) => {
  await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod })])
  const dies = () => Promise.reject(new Error('died'))
  await leadUnsettled(scene, ({ subscriptions }) => ({ subscriptions: { ...subscriptions, moveOn: dies } }))
  expect(await scene.ledgerRow('cus_1')).toMatchObject({ status })
  expect(await scene.lead(TICK)).toMatchObject({ status: 'completed', result: { due: 1, failed: 0 } })
  expect(scene.requests).toEqual(['POST cus_1'])
  expect(await scene.subscription('cus_1')).toMatchObject({ period, dunned })
})

test('The first order is repeated, even if price and card change before the retry', async () => {
  await using scene = await setScene(endpoint, [monthly('cus_1')], losingAnswers(1))
  await leadUnsettled(scene)
  const changed = { priceMinor: 2999, currency: 'USD', paymentMethod: CARD.declined }
  await scene.putSubscription({ ...(await scene.subscription('cus_1')), ...changed })
  expect(await scene.lead(TICK)).toMatchObject({ result: { charged: 1, replayed: 1 } })
  expect(await scene.ledgerRow('cus_1')).toMatchObject({ amountMinor: 1999, currency: 'EUR' })
  await scene.putSubscription({ ...(await scene.subscription('cus_1')), paymentMethod: CARD.charged })
  await scene.lead('2024-02-29T00:00:00.000Z')
  expect(scene.charges()).toContainEqual(expect.objectContaining({ amountMinor: 2999, currency: 'USD' }))
  expect(await scene.recordedCharges()).toEqual(scene.charges())
})

test('The stored key is looked up, even if a newer release makes keys differently', async () => {
  await using scene = await setScene(endpoint, [monthly('cus_1')], losingAnswers(1))
  await leadUnsettled(scene)
  await scene.lead(TICK, ({ lease }) => ({ lease: changedLease(lease, { idempotencyKey: () => 'another' }) }))
  await expectOneCharge(scene)
})

test('A period long due is looked up although the ledger, restored from a backup, does not show it', async () => {
  let nowMs = Date.now()
  await using scene = await setScene(endpoint, [monthly('cus_1')], { now: () => nowMs })
  await scene.lead(TICK)
  nowMs += 2 * DAY_MS // the gateway has forgotten the key
  await scene.putSubscription({ ...monthly('cus_1') })
  await scene.deleteLedgerRow('cus_1')
  const later = new Date(Date.parse(TICK) + 2 * DAY_MS).toISOString()
  expect(await scene.lead(later)).toMatchObject({ result: { charged: 1, replayed: 1 } })
  await expectOneCharge(scene)
})

test('Nothing is charged while the gateway cannot say whether it charged', async () => {
  await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod: CARD.lostOnItsWay })], {
    intercept: ({ method }, answer) => {
      if (method === 'GET') throw new GatewayOutcomeUnknownError('no answer')
      return answer()
    },
  })
  await leadUnsettled(scene)
  await leadUnsettled(scene)
  expect(scene.requests).toEqual(['POST cus_1', 'GET cus_1'])
  expect(await scene.ledgerRow('cus_1')).toMatchObject({ status: 'unknown' })
})

test('Twenty in a row mean that the gateway is down: the rest is left to the retry', async () => {
  const subscriptions = Array.from({ length: 60 }, (_, i) => monthly(`cus_${i}`))
  await using scene = await setScene(endpoint, subscriptions, {
    intercept: () => Promise.reject(new GatewayOutcomeUnknownError('down')),
  })
  await expect(scene.lead(TICK, () => ({ concurrency: 4 }))).rejects.toMatchObject({
    unsettled: 60,
    message: expect.stringMatching(/The gateway seems to be down: \d+ more were not tried/),
  })
  expect(scene.requests.length).toBeGreaterThanOrEqual(20)
  expect(scene.requests.length).toBeLessThan(24)
})

test('Failures that the gateway stored during an outage do not stop the charges after it', async () => {
  const subscriptions = Array.from({ length: 80 }, (_, i) => monthly(`cus_${i}`))
  const stored = new Map<string, GatewayResponse>()
  let isDown = true
  await using scene = await setScene(endpoint, subscriptions, {
    intercept: async ({ method, headers }, answer) => {
      const key = headers['idempotency-key'] ?? ''
      if (method === 'POST' && isDown) stored.set(key, { statusCode: 500, headers: {}, body: '' })
      return stored.get(key) ?? answer()
    },
  })
  await expect(scene.lead(TICK, alone)).rejects.toThrow('The gateway seems to be down: 60 more were not tried')
  isDown = false
  await expect(scene.lead(TICK, alone)).rejects.toMatchObject({ result: { charged: 60, failed: 20 } })
  expect(scene.charges()).toHaveLength(60)
})

test('Many, but with successes in between, do not mean that the gateway is down', async () => {
  const subscriptions = Array.from({ length: 60 }, (_, i) => monthly(`cus_${i}`))
  let requests = 0
  await using scene = await setScene(endpoint, subscriptions, {
    intercept: (_request, answer) => {
      if (requests++ % 10 !== 0) throw new GatewayOutcomeUnknownError('flaky')
      return answer()
    },
  })
  await expect(scene.lead(TICK, alone)).rejects.toMatchObject({ result: { due: 60, charged: 6 } })
})
