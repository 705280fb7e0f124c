/** Charges whose answer never came, and what the retry of the tick does about them. */
// @ts-nocheck


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
  ['the leader died before it asked', 'charge', CARD.charged, 0, ['GET', 'POST'], { charged: 1, replayed: 0 }],
  ['the request was lost, and the key forgotten', '', CARD.lostOnItsWay, 40, ['GET', 'POST'], { charged: 1 }],
  ['it charged and answered 500, and forgot the key', '', CARD.toldAFailure, 40, ['GET'], { charged: 1, replayed: 1 }],
  ['the leader died after it recorded the charge', 'moveOn', CARD.charged, 0, [], { charged: 1, replayed: 1 }],
  ['the leader died after it recorded the decline', 'moveOn', CARD.declined, 0, [], { declined: 1 }],
])('The retry asks for the key, then to charge, each only if needed: %s', async (...row) => {
  const [, diesAt, paymentMethod, daysLater, asked, result] = row
  let nowMs = Date.now()
  await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod })], { now: () => nowMs })
  const dies = () => Promise.reject(new Error('died'))
  await leadUnsettled(scene, ({ gateway, subscriptions }) => ({
    gateway: diesAt === 'charge' ? { ...gateway, charge: dies } : gateway,
    subscriptions: diesAt === 'moveOn' ? { ...subscriptions, moveOn: dies } : subscriptions,
  }))
  nowMs += daysLater * DAY_MS
  const before = scene.requests.length
  expect(await scene.lead(TICK)).toMatchObject({ status: 'completed', result: { due: 1, failed: 0, ...result } })
  expect(scene.requests.slice(before)).toEqual(asked.map((method) => `${method} cus_1`))
  expect(scene.charges()).toHaveLength('charged' in result ? 1 : 0)
  expect(await scene.recordedCharges()).toEqual(scene.charges())
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

test('Twenty in a row, without a success between, mean that the gateway is down: the rest is left', async () => {
  const subscriptions = Array.from({ length: 60 }, (_, i) => monthly(`cus_${i}`))
  await using scene: Scene = await setScene(endpoint, subscriptions, {
    intercept: async (_request, answer) => {
      if (scene.requests.length === 11) return answer()
      throw new GatewayOutcomeUnknownError('down')
    },
  })
  await expect(scene.lead(TICK, alone)).rejects.toMatchObject({
    unsettled: 59,
    message: expect.stringMatching('The gateway seems to be down: 29 more were not tried'),
  })
  expect(scene.requests).toHaveLength(10 + 1 + 20)
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
