import { describe, expect, inject, test } from 'vitest'
import { type ChargeDueOptions, chargeDue, UnsettledChargesError } from '../../functions/billing/charge-due.ts'
import { GatewayOutcomeUnknownError } from '../../functions/billing/gateway.ts'
import type { GatewayResponse } from '../../functions/billing/transports.ts'
import { LeaseLostError, StaleTokenError } from '../../functions/election/index.ts'
import { CARD, monthly, type SceneOptions, setScene, TICK } from './scene.ts'

const endpoint = inject('dynamodbEndpoint')
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const NOTHING = { due: 0, charged: 0, replayed: 0, declined: 0, suspended: 0, failed: 0, staleWritesRefused: 0 }

const laterBy = (ms: number) => new Date(Date.parse(TICK) + ms).toISOString()

describe('A leader', () => {
  test('charges what is due, writes it into the ledger, and moves each subscription to its next period', async () => {
    const jpy = monthly('cus_2', { priceMinor: 1200, currency: 'JPY', interval: 'year', plan: 'pro' })
    await using scene = await setScene(endpoint, [monthly('cus_1'), jpy, monthly('cus_3', { dueDate: '2024-02-01' })])
    const outcome = await scene.lead(TICK)
    expect(outcome).toMatchObject({ status: 'completed', result: { ...NOTHING, due: 2, charged: 2 } })
    const fencingToken = outcome.status === 'completed' ? outcome.fencingToken : undefined

    expect(scene.charges()).toHaveLength(2)
    const charge = scene.charges().find(({ customer }) => customer === 'cus_2')
    expect(charge).toMatchObject({
      key: 'charge:cus_2:pro:2024-01-31:0:1200:JPY',
      period: '2024-01-31',
      amountMinor: 1200,
      currency: 'JPY',
    })
    expect(await scene.ledgerRow('cus_2', 'pro#2024-01-31#0')).toEqual({
      customer: 'cus_2',
      charge: 'pro#2024-01-31#0',
      plan: 'pro',
      period: '2024-01-31',
      dunned: 0,
      amountMinor: 1200,
      currency: 'JPY',
      paymentMethod: CARD.charged,
      key: charge?.key,
      status: 'charged',
      intendedBy: fencingToken,
      intendedAtMs: expect.any(Number),
      tick: TICK,
      chargeId: charge?.id,
      answeredAtMs: expect.any(Number),
      'fencingToken:billing': fencingToken,
      'fencingStep:billing': expect.any(Object),
    })
    // Nothing but the due date has changed.
    const after = { ...jpy, period: '2025-01-31', dueAt: '2025-01-31T00:00:00.000Z' }
    expect(await scene.subscription('cus_2', 'pro')).toEqual({
      ...after,
      'fencingToken:billing': fencingToken,
      'fencingStep:billing': expect.any(Object),
    })
    expect(await scene.booked()).toEqual(scene.charges())
  })

  test('asks the gateway once per charge: nothing has to be looked up where the intent is its own', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2')])
    await scene.lead(TICK)
    expect(scene.asked.toSorted()).toEqual(['POST cus_1', 'POST cus_2'])
  })

  test('charges what falls due at the very instant of the tick, and nothing later', async () => {
    await using scene = await setScene(endpoint, [
      monthly('cus_1', { dueDate: '2024-01-31', timeZone: 'Pacific/Fiji' }),
      monthly('cus_2', { dueDate: '2024-02-01', timeZone: 'Pacific/Fiji' }),
    ])
    await scene.lead('2024-01-30T12:00:00.000Z')
    expect(scene.charges().map(({ customer }) => customer)).toEqual(['cus_1'])
  })

  test('catches up with every period that was missed', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1', { dueDate: '2023-10-31' })])
    expect(await scene.lead(TICK)).toMatchObject({ result: { due: 4, charged: 4 } })
    const periods = scene.charges().map(({ period }) => period)
    expect(periods.toSorted()).toEqual(['2023-10-31', '2023-11-30', '2023-12-31', '2024-01-31'])
    expect(await scene.booked()).toEqual(scene.charges())
  })

  test('finds more than one page of each shard of the index', async () => {
    const many = Array.from({ length: 60 }, (_, i) => monthly(`cus_${i}`))
    await using scene = await setScene(endpoint, many)
    // A page ends at 1 MB; DynamoDB Local reads the limit of a page from the request just as well.
    let pages = 0
    scene.client.middlewareStack.add(
      (next) => (args) => {
        if (!('KeyConditionExpression' in args.input)) return next(args)
        pages++
        return next({ ...args, input: { ...args.input, Limit: 4 } })
      },
      { step: 'initialize', priority: 'high' },
    )
    expect(await scene.lead(TICK)).toMatchObject({ result: { due: 60, charged: 60 } })
    expect(pages).toBeGreaterThan(14)
  })

  test('charges once what the index names twice, because it moved while it was read', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2')])
    const outcome = await scene.lead(TICK, ({ subscriptions }) => ({
      subscriptions: {
        ...subscriptions,
        findDue: async (...find) => {
          scene.client.middlewareStack.add(
            (next) => async (args) => {
              const { output, response } = await next(args)
              if (!('Items' in output) || !output.Items) return { output, response }
              return { output: { ...output, Items: [...output.Items, ...output.Items] }, response }
            },
            { step: 'initialize', priority: 'high', name: 'twice' },
          )
          const found = await subscriptions.findDue(...find)
          scene.client.middlewareStack.remove('twice')
          return found
        },
      },
    }))
    expect(outcome).toMatchObject({ result: { due: 2, charged: 2, replayed: 0 } })
  })

  test('begins with what fell due last, so that what no tick could settle does not stand in the way', async () => {
    const days = ['2024-01-29', '2024-01-31', '2024-01-30']
    await using scene = await setScene(
      endpoint,
      days.map((dueDate) => monthly(`cus_${dueDate}`, { dueDate })),
    )
    await scene.lead(TICK, () => ({ concurrency: 1 }))
    const charged = scene.asked.filter((request) => request.startsWith('POST'))
    expect(charged).toEqual(['POST cus_2024-01-31', 'POST cus_2024-01-30', 'POST cus_2024-01-29'])
  })

  test('has no more charges under way than it is told to', async () => {
    let underWay = 0
    let most = 0
    const all = Array.from({ length: 20 }, (_, i) => monthly(`cus_${i}`))
    await using scene = await setScene(endpoint, all, {
      intercept: async (_request, answer) => {
        underWay++
        most = Math.max(most, underWay)
        await new Promise((resolve) => setTimeout(resolve, 20))
        underWay--
        return answer()
      },
    })
    await scene.lead(TICK, () => ({ concurrency: 3 }))
    expect(most).toBe(3)
    expect(scene.charges()).toHaveLength(20)
  })

  test('tells the log of its token and its result, and of no person', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')])
    const outcome = await scene.lead(TICK)
    const fencingToken = outcome.status === 'completed' ? outcome.fencingToken : undefined
    expect(scene.log).toEqual([
      { message: 'leading', fields: { tick: TICK, fencingToken } },
      { message: 'billed', fields: { tick: TICK, fencingToken, ...NOTHING, due: 1, charged: 1 } },
    ])
    expect(JSON.stringify(scene.log)).not.toMatch(/cus_|Ada/)
  })
})

describe('A declined card', () => {
  test('is tried again after one day and after three more, each time under another key, then the subscription is suspended', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod: CARD.declined })])
    expect(await scene.lead(TICK)).toMatchObject({ result: { ...NOTHING, due: 1, declined: 1 } })
    const waiting = { period: '2024-01-31', dunned: 1, status: 'active', dueAt: laterBy(DAY_MS) }
    expect(await scene.subscription('cus_1')).toMatchObject(waiting)
    expect(await scene.ledgerRow('cus_1', 'plus#2024-01-31#0')).toMatchObject({
      status: 'declined',
      declineCode: 'generic_decline',
    })

    expect(await scene.lead(laterBy(DAY_MS - HOUR_MS))).toMatchObject({ result: NOTHING })
    await scene.lead(laterBy(DAY_MS))
    expect(await scene.subscription('cus_1')).toMatchObject({ dunned: 2, dueAt: laterBy(4 * DAY_MS) })
    expect(await scene.lead(laterBy(4 * DAY_MS))).toMatchObject({ result: { due: 1, declined: 1, suspended: 1 } })
    const suspended = await scene.subscription('cus_1')
    expect(suspended).toMatchObject({ period: '2024-01-31', dunned: 3, status: 'suspended' })
    expect(suspended).not.toHaveProperty('dueAt')
    expect(suspended).not.toHaveProperty('dueShard')
    expect(await scene.lead(laterBy(9 * DAY_MS))).toMatchObject({ result: NOTHING })
    expect(scene.charges()).toEqual([])
    const keys = (await scene.ledger()).map(({ key }) => key)
    expect(keys.toSorted()).toEqual([0, 1, 2].map((dunned) => `charge:cus_1:plus:2024-01-31:${dunned}:1999:EUR`))
  })

  test('that is replaced by the next day ends the dunning and keeps the anchor', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod: CARD.declined })])
    await scene.lead(TICK)
    await scene.put({ ...(await scene.subscription('cus_1')), paymentMethod: CARD.charged })
    await scene.lead(laterBy(DAY_MS))
    expect(scene.charges()).toMatchObject([{ key: 'charge:cus_1:plus:2024-01-31:1:1999:EUR' }])
    expect(await scene.subscription('cus_1')).toMatchObject({ period: '2024-02-29', dunned: 0, anchorDay: 31 })
    expect(await scene.booked()).toEqual(scene.charges())
  })

  test('of a suspended subscription that was resumed has one more try, under a key of its own', async () => {
    const due = monthly('cus_1', { paymentMethod: CARD.declined })
    await using scene = await setScene(endpoint, [{ ...due, dunned: 3 }])
    expect(await scene.lead(TICK)).toMatchObject({ result: { declined: 1, suspended: 1 } })
    expect(await scene.ledgerRow('cus_1', 'plus#2024-01-31#3')).toMatchObject({ status: 'declined' })
    expect(await scene.subscription('cus_1')).toMatchObject({ status: 'suspended', dunned: 4 })
  })
})

/** The gateway does its work, and the answers to the first so many requests to charge are lost. */
function losingAnswers(times: number): SceneOptions {
  let left = times
  return {
    intercept: async ({ method }, answer) => {
      const response = await answer()
      if (method === 'POST' && left-- > 0) throw new GatewayOutcomeUnknownError('lost')
      return response
    },
  }
}

describe('An unknown outcome', () => {
  test('stops no other charge, is written down, and fails the tick with the number of unsettled ones', async () => {
    const all = Array.from({ length: 12 }, (_, i) => monthly(`cus_${i}`))
    let down = true
    await using scene = await setScene(endpoint, all, {
      intercept: (request, answer) => {
        const isHit = /customer=cus_[37]&/.test(request.body ?? '')
        if (down && isHit) throw new GatewayOutcomeUnknownError('down')
        return answer()
      },
    })
    const failed = await scene.lead(TICK).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(UnsettledChargesError)
    expect(failed).toMatchObject({ unsettled: 2, result: { due: 12, charged: 10, failed: 2 } })
    expect(String(failed)).toContain('2 of 12 due charges are not settled (2 × GatewayOutcomeUnknownError)')
    expect(scene.log.at(-1)).toMatchObject({
      message: 'unsettled',
      fields: { causes: '2 × GatewayOutcomeUnknownError' },
    })
    expect(await scene.ledgerRow('cus_3', 'plus#2024-01-31#0')).toMatchObject({ status: 'unknown' })
    expect(await scene.subscription('cus_3')).toMatchObject({ period: '2024-01-31' })

    down = false
    expect(await scene.lead(TICK)).toMatchObject({ status: 'completed', result: { due: 2, charged: 2, replayed: 0 } })
    expect(scene.charges()).toHaveLength(12)
    expect(await scene.booked()).toEqual(scene.charges())
  })

  test('that was a charge is found by its key, and not charged again', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')], losingAnswers(1))
    await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
    expect(scene.charges()).toHaveLength(1)
    expect(await scene.booked()).toEqual([])
    expect(await scene.lead(TICK)).toMatchObject({ result: { due: 1, charged: 1, replayed: 1 } })
    expect(scene.asked).toEqual(['POST cus_1', 'GET cus_1'])
    expect(await scene.booked()).toEqual(scene.charges())
  })

  test.each([
    ['an intent of a leader that died before it asked', CARD.charged, 0],
    ['a request that was lost on its way there', CARD.lostOnItsWay, 0],
    ['a charge that was told 500', CARD.chargedButTold500, 1],
  ])('%s: the gateway is asked by the key before it is asked to charge', async (_name, paymentMethod, replayed) => {
    await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod })])
    const dies = () => {
      throw new Error('died')
    }
    const first = scene.lead(TICK, ({ gateway }) => ({
      gateway: paymentMethod === CARD.charged ? { ...gateway, charge: dies } : gateway,
    }))
    await expect(first).rejects.toThrow(UnsettledChargesError)
    const asked = scene.asked.length
    expect(await scene.lead(TICK)).toMatchObject({ result: { charged: 1, replayed } })
    expect(scene.asked.slice(asked)).toEqual(['GET cus_1', ...(replayed === 1 ? [] : ['POST cus_1'])])
    expect(scene.charges()).toHaveLength(1)
    expect(await scene.booked()).toEqual(scene.charges())
  })

  test('is asked about by the same leader too, where it goes over its work again', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')], losingAnswers(1))
    const outcome = await scene.lead(TICK, (parts) => ({
      subscriptions: {
        ...parts.subscriptions,
        findDue: async (...find) => {
          await expect(chargeDue(parts)).rejects.toThrow(UnsettledChargesError)
          return parts.subscriptions.findDue(...find)
        },
      },
    }))
    expect(outcome).toMatchObject({ status: 'completed', result: { charged: 1, replayed: 1 } })
    expect(scene.asked).toEqual(['POST cus_1', 'GET cus_1'])
  })

  test.each([
    ['charged', CARD.charged, '2024-02-29', 0],
    ['declined', CARD.declined, '2024-01-31', 1],
  ])(
    'that is none, because the ledger shows it as %s, is not asked about',
    async (status, paymentMethod, period, dunned) => {
      await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod })])
      const dies = () => Promise.reject(new Error('died'))
      const first = scene.lead(TICK, ({ subscriptions }) => ({ subscriptions: { ...subscriptions, moveOn: dies } }))
      await expect(first).rejects.toThrow(UnsettledChargesError)
      expect(await scene.ledgerRow('cus_1', 'plus#2024-01-31#0')).toMatchObject({ status })
      expect(await scene.lead(TICK)).toMatchObject({ status: 'completed', result: { due: 1, failed: 0 } })
      expect(scene.asked).toEqual(['POST cus_1'])
      expect(await scene.subscription('cus_1')).toMatchObject({ period, dunned })
    },
  )

  test('keeps the order that was asked for first, though price and card change before the retry', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')], losingAnswers(1))
    await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
    const row = await scene.subscription('cus_1')
    await scene.put({ ...row, priceMinor: 2999, currency: 'USD', paymentMethod: CARD.declined })
    expect(await scene.lead(TICK)).toMatchObject({ result: { charged: 1, replayed: 1 } })
    expect(await scene.ledgerRow('cus_1', 'plus#2024-01-31#0')).toMatchObject({ amountMinor: 1999, currency: 'EUR' })
    // The next period has the new price.
    await scene.put({ ...(await scene.subscription('cus_1')), paymentMethod: CARD.charged })
    await scene.lead('2024-02-29T00:00:00.000Z')
    expect(scene.charges()).toContainEqual(expect.objectContaining({ amountMinor: 2999, currency: 'USD' }))
    expect(await scene.booked()).toEqual(scene.charges())
  })

  test('is asked about with the key that was stored, though a newer release makes keys in another way', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')], losingAnswers(1))
    await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
    await scene.lead(TICK, ({ lease }) => ({ lease: { ...bound(lease), idempotencyKey: () => 'another' } }))
    expect(scene.charges()).toHaveLength(1)
    expect(await scene.booked()).toEqual(scene.charges())
  })

  test.each([
    ['had charged', 0],
    ['had not charged', 1],
  ])('is never charged blindly once the gateway has forgotten the key: it %s', async (_name, chargesLater) => {
    let nowMs = Date.now()
    const isLost = chargesLater === 1 ? CARD.lostOnItsWay : CARD.chargedButTold500
    await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod: isLost })], { now: () => nowMs })
    await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
    const before = scene.charges().length
    nowMs += 40 * DAY_MS
    expect(await scene.lead(TICK)).toMatchObject({ result: { due: 1, charged: 1, replayed: 1 - chargesLater } })
    expect(scene.asked[1]).toBe('GET cus_1')
    expect(scene.charges().length - before).toBe(chargesLater)
    expect(scene.charges()).toHaveLength(1)
    expect(await scene.booked()).toEqual(scene.charges())
  })

  test('of a ledger that was restored from an older copy is asked about, since the period has been due for long', async () => {
    let nowMs = Date.now()
    await using scene = await setScene(endpoint, [monthly('cus_1')], { now: () => nowMs })
    const before = await scene.subscription('cus_1')
    await scene.lead(TICK)
    nowMs += 2 * DAY_MS // the gateway has forgotten the key
    await scene.put({ ...before })
    await scene.dropCharge('cus_1', 'plus#2024-01-31#0')
    expect(await scene.lead(laterBy(2 * DAY_MS))).toMatchObject({ result: { charged: 1, replayed: 1 } })
    expect(scene.charges()).toHaveLength(1)
    expect(await scene.booked()).toEqual(scene.charges())
  })

  test('is not charged where the gateway cannot say whether it charged', async () => {
    let isSilent = false
    await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod: CARD.lostOnItsWay })], {
      intercept: ({ method }, answer) => {
        if (isSilent && method === 'GET') throw new GatewayOutcomeUnknownError('no answer')
        return answer()
      },
    })
    await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
    isSilent = true
    await expect(scene.lead(TICK)).rejects.toThrow('1 × GatewayOutcomeUnknownError')
    expect(scene.asked).toEqual(['POST cus_1', 'GET cus_1'])
    expect(await scene.ledgerRow('cus_1', 'plus#2024-01-31#0')).toMatchObject({ status: 'unknown' })
  })

  test('that the gateway stored as a failure is tried until the gateway forgets it, and then charged once', async () => {
    let nowMs = Date.now()
    const due = monthly('cus_1', { paymentMethod: CARD.failedFor24Hours })
    await using scene = await setScene(endpoint, [due], { now: () => nowMs })
    for (let hour = 0; hour < 24; hour += 8) {
      await expect(scene.lead(TICK)).rejects.toThrow('1 × GatewayOutcomeUnknownError')
      nowMs += 8 * HOUR_MS
    }
    expect(await scene.lead(TICK)).toMatchObject({ result: { charged: 1, replayed: 0 } })
    expect(await scene.booked()).toEqual(scene.charges())
  })

  test('again and again means that the gateway is down: the rest is left to the retry', async () => {
    const all = Array.from({ length: 60 }, (_, i) => monthly(`cus_${i}`))
    await using scene = await setScene(endpoint, all, {
      intercept: () => {
        throw new GatewayOutcomeUnknownError('down')
      },
    })
    const failed = await scene.lead(TICK, () => ({ concurrency: 4 })).catch((error: unknown) => error)
    expect(failed).toMatchObject({ unsettled: 60 })
    expect(String(failed)).toMatch(/The gateway seems to be down: \d+ more were not tried/)
    expect(scene.asked.length).toBeGreaterThanOrEqual(20)
    expect(scene.asked.length).toBeLessThan(24)
  })

  test('of an outage stops nobody once it is over, though the gateway repeats the failures that it stored', async () => {
    const all = Array.from({ length: 80 }, (_, i) => monthly(`cus_${i}`))
    const stored = new Map<string, GatewayResponse>()
    let isDown = true
    await using scene = await setScene(endpoint, all, {
      intercept: async ({ method, headers }, answer) => {
        const key = headers['idempotency-key'] ?? ''
        if (method === 'POST' && isDown) stored.set(key, { statusCode: 500, headers: {}, body: '' })
        return stored.get(key) ?? answer()
      },
    })
    const alone = () => ({ concurrency: 1 })
    await expect(scene.lead(TICK, alone)).rejects.toThrow('The gateway seems to be down: 60 more were not tried')
    isDown = false
    await expect(scene.lead(TICK, alone)).rejects.toMatchObject({ result: { charged: 60, failed: 20 } })
    expect(scene.charges()).toHaveLength(60)
  })

  test('now and then does not mean that the gateway is down', async () => {
    const all = Array.from({ length: 60 }, (_, i) => monthly(`cus_${i}`))
    let nth = 0
    await using scene = await setScene(endpoint, all, {
      intercept: (_request, answer) => {
        if (nth++ % 10 !== 0) throw new GatewayOutcomeUnknownError('flaky')
        return answer()
      },
    })
    await expect(scene.lead(TICK, () => ({ concurrency: 1 }))).rejects.toMatchObject({
      result: { due: 60, charged: 6 },
    })
  })
})

describe('A subscription that cannot be charged', () => {
  test('because the gateway refuses it is told of, and stops no other', async () => {
    const inHundredths = monthly('cus_1', { currency: 'ISK' })
    await using scene = await setScene(endpoint, [inHundredths, monthly('cus_2')])
    await expect(scene.lead(TICK)).rejects.toMatchObject({
      unsettled: 1,
      message: expect.stringContaining('1 × CurrencyUnitError'),
    })
    expect(scene.log).toContainEqual({
      message: 'not settled',
      fields: { tick: TICK, error: 'CurrencyUnitError', reason: expect.stringContaining('Stripe counts ISK') },
    })
    expect(scene.charges().map(({ customer }) => customer)).toEqual(['cus_2'])
  })

  test('because its card is gone at the gateway is dunned like one that is declined', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod: 'card_0000000000000000' })])
    expect(await scene.lead(TICK)).toMatchObject({ status: 'completed', result: { declined: 1 } })
    expect(await scene.ledgerRow('cus_1', 'plus#2024-01-31#0')).toMatchObject({ declineCode: 'resource_missing' })
    await scene.put({ ...(await scene.subscription('cus_1')), paymentMethod: CARD.charged })
    expect(await scene.lead(laterBy(DAY_MS))).toMatchObject({ result: { charged: 1 } })
  })

  test('because it has been due for so long that it is more probably wrong than late', async () => {
    const typo = monthly('cus_1', { dueDate: '2014-01-31', interval: 'week' })
    await using scene = await setScene(endpoint, [typo, monthly('cus_2', { dueDate: '2023-10-31' })])
    await expect(scene.lead(TICK)).rejects.toMatchObject({
      result: { charged: 4, failed: 1 },
      cause: expect.objectContaining({ message: expect.stringContaining('within 100 days before the tick') }),
    })
    expect(scene.charges().map(({ customer }) => customer)).toEqual(Array(4).fill('cus_2'))
  })

  test.each([{ dunned: 1 }, { period: '2024-03-31' }, { period: '2024-02-29', dunned: 1 }])(
    'because somebody changed it meanwhile is told of: %j',
    async (change) => {
      await using scene = await setScene(endpoint, [monthly('cus_1')])
      const lead = scene.lead(TICK, ({ gateway }) => ({
        gateway: {
          ...gateway,
          charge: async (...charge) => {
            await scene.put({ ...(await scene.subscription('cus_1')), ...change })
            return gateway.charge(...charge)
          },
        },
      }))
      await expect(lead).rejects.toMatchObject({ cause: expect.objectContaining({ name: 'SubscriptionChangedError' }) })
      expect(await scene.booked()).toEqual(scene.charges())
    },
  )

  test.each([
    ['period', '2024-02-30'],
    ['timeZone', 'Mars/Olympus'],
    ['interval', 'fortnight'],
    ['anchorDay', 32],
    ['dunned', '0'],
    ['priceMinor', 19.99],
    ['currency', 'EURO'],
    ['paymentMethod', ''],
  ])('because its %s was damaged is charged nothing and named by attribute', async (attribute, value) => {
    await using scene = await setScene(endpoint, [])
    await scene.put({ ...monthly('cus_1'), [attribute]: value })
    await expect(scene.lead(TICK)).rejects.toMatchObject({
      message: expect.stringContaining('1 × CorruptSubscriptionError'),
      cause: expect.objectContaining({ attribute }),
    })
    expect(scene.asked).toEqual([])
    expect(await scene.ledger()).toEqual([])
  })

  test.each([
    ['status', 'paid'],
    ['amountMinor', '1999'],
    ['currency', 7],
    ['paymentMethod', false],
    ['key', 1],
    ['intendedAtMs', 'yesterday'],
  ])('because the %s of its row in the ledger was damaged is charged nothing', async (attribute, value) => {
    await using scene = await setScene(endpoint, [monthly('cus_1')], losingAnswers(1))
    await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
    await scene.putCharge({ ...(await scene.ledgerRow('cus_1', 'plus#2024-01-31#0')), [attribute]: value })
    await expect(scene.lead(TICK)).rejects.toMatchObject({
      cause: expect.objectContaining({ name: 'CorruptChargeError', attribute }),
    })
    expect(scene.asked).toEqual(['POST cus_1'])
  })

  test('because the gateway charged twice stops moving and says so', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')])
    await scene.lead(TICK)
    await scene.put({ ...monthly('cus_1') })
    const row = await scene.ledgerRow('cus_1', 'plus#2024-01-31#0')
    await scene.putCharge({ ...row, status: 'unknown', chargeId: 'pi_another' })
    await expect(scene.lead(laterBy(HOUR_MS))).rejects.toMatchObject({
      cause: expect.objectContaining({ name: 'DuplicateChargeError', chargeId: scene.charges()[0]?.id }),
    })
    expect(await scene.ledgerRow('cus_1', 'plus#2024-01-31#0')).toMatchObject({ chargeId: 'pi_another' })
    expect(await scene.subscription('cus_1')).toMatchObject({ period: '2024-01-31' })
  })

  test('because the gateway took another amount under its key stops moving and says so', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')], losingAnswers(1))
    await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
    const lead = scene.lead(TICK, ({ gateway }) => ({
      gateway: {
        ...gateway,
        find: async (...search) => {
          const [order, call] = search
          return gateway.find({ ...order, amountMinor: 199_900 }, call)
        },
      },
    }))
    await expect(lead).rejects.toMatchObject({ cause: expect.objectContaining({ name: 'GatewayMismatchError' }) })
    expect(await scene.subscription('cus_1')).toMatchObject({ period: '2024-01-31' })
  })
})

describe('A stale entry of the index', () => {
  test('charges nothing: not what is paid, not what is gone, not what is suspended', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_paid', { dueDate: '2024-02-29' })])
    await scene.put({ ...monthly('cus_suspended'), status: 'suspended' })
    const before = [await scene.subscription('cus_paid'), await scene.subscription('cus_suspended')]
    const hints = ['cus_paid', 'cus_gone', 'cus_suspended'].map((customer) => ({ customer, plan: 'plus' }))
    const outcome = await scene.lead(TICK, ({ subscriptions }) => ({
      subscriptions: { ...subscriptions, findDue: () => Promise.resolve(hints) },
    }))
    expect(outcome).toMatchObject({ result: NOTHING })
    expect(scene.asked).toEqual([])
    expect([await scene.subscription('cus_paid'), await scene.subscription('cus_suspended')]).toEqual(before)
    expect(await scene.subscription('cus_gone')).toBeUndefined()
  })
})

describe('A leader that was replaced', () => {
  /** Takes the lease and charges everything while the first leader waits for the answer to its first charge. */
  async function overtaken(intercepted: (charged: boolean) => 'answer' | 'lose') {
    let overtake: (() => Promise<unknown>) | undefined
    const scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2')], {
      intercept: async (request, answer) => {
        const response = await answer()
        const first = request.method === 'POST' ? overtake : undefined
        if (first === undefined) return response
        overtake = undefined
        await first()
        if (intercepted(true) === 'lose') throw new GatewayOutcomeUnknownError('lost')
        return response
      },
    })
    let second: unknown
    overtake = async () => {
      await scene.expireLease()
      second = await scene.lead(TICK)
    }
    const first = await scene.lead(TICK, () => ({ concurrency: 1 })).catch((error: unknown) => error)
    return { scene, first, second }
  }

  test.each(['answer', 'lose'] as const)('cannot write its answer over that of its successor (%s)', async (what) => {
    const { scene, first, second } = await overtaken(() => what)
    await using _ = scene
    expect(first).toMatchObject({ name: 'LeaseLostError', cause: { name: 'StaleTokenError' } })
    expect(second).toMatchObject({ status: 'completed', result: { due: 2, charged: 2, replayed: 1 } })
    expect(scene.log.at(-1)).toMatchObject({
      message: 'billed',
      fields: { staleWritesRefused: 1, charged: 0, failed: 0 },
    })
    expect(scene.charges()).toHaveLength(2)
    expect(await scene.booked()).toEqual(scene.charges())
    const token = second && typeof second === 'object' && 'fencingToken' in second ? second.fencingToken : undefined
    expect(await scene.subscription('cus_1')).toMatchObject({ period: '2024-02-29', 'fencingToken:billing': token })
  })

  test('that brings a second charge, because its request was held back until the key was forgotten, says so', async () => {
    let nowMs = Date.now()
    let hold: (() => Promise<unknown>) | undefined
    await using scene = await setScene(endpoint, [monthly('cus_1')], {
      now: () => nowMs,
      intercept: async ({ method }, answer) => {
        const held = method === 'POST' ? hold : undefined
        if (held !== undefined) {
          hold = undefined
          await held()
        }
        return answer()
      },
    })
    hold = async () => {
      await scene.expireLease()
      await scene.lead(TICK)
      nowMs += 2 * DAY_MS
    }
    const replaced = { name: 'LeaseLostError', cause: { name: 'StaleTokenError' } }
    await expect(scene.lead(TICK, () => ({ concurrency: 1 }))).rejects.toMatchObject(replaced)
    expect(scene.charges()).toHaveLength(2)
    expect(await scene.booked()).toHaveLength(1)
    expect(scene.log).toContainEqual({
      message: 'not settled',
      fields: { tick: TICK, error: 'DuplicateChargeError', reason: expect.stringContaining('refund one of them') },
    })
  })

  test('stops every charge under way at once, and begins no other', async () => {
    const all = Array.from({ length: 9 }, (_, i) => monthly(`cus_${i}`))
    let asked = 0
    await using scene = await setScene(endpoint, all, {
      // Never answers; whoever asked is told by the signal.
      intercept: (_request, _answer, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    })
    const lead = scene.lead(TICK, ({ lease, gateway }) => ({
      concurrency: 4,
      gateway: {
        ...gateway,
        charge: (...charge) => {
          asked++
          // As when the fourth worker's write meets a newer token.
          if (asked === 4) throw new StaleTokenError('replaced', { lease: 'billing', fencingToken: lease.fencingToken })
          return gateway.charge(...charge)
        },
      },
    }))
    await expect(lead).rejects.toThrow(StaleTokenError)
    expect(asked).toBe(4)
    expect(scene.charges()).toEqual([])
  })

  test('begins no other charge with the worker whose charge could not be stopped', async () => {
    const all = Array.from({ length: 9 }, (_, i) => monthly(`cus_${i}`))
    const replaced = Promise.withResolvers<void>()
    await using scene = await setScene(endpoint, all)
    let asked = 0
    const lead = scene.lead(TICK, ({ lease, gateway }) => ({
      concurrency: 2,
      gateway: {
        ...gateway,
        charge: async (...charge) => {
          if (++asked === 2) {
            replaced.resolve()
            throw new StaleTokenError('replaced', { lease: 'billing', fencingToken: lease.fencingToken })
          }
          await replaced.promise
          return gateway.charge(...charge)
        },
      },
    }))
    await expect(lead).rejects.toThrow(StaleTokenError)
    expect(asked).toBe(2)
    expect(await scene.booked()).toEqual(scene.charges()) // what was charged all the same is written down
  })

  test.each([
    ['its signal aborts', true],
    ['its deadline has passed, though a frozen process had no timer to abort the signal', false],
  ])('charges nothing once %s', async (_name, aborts) => {
    await using scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2')])
    const expired = new LeaseLostError('expired while the process was frozen')
    const signal = new AbortController()
    let held = true
    const lead = scene.lead(TICK, ({ lease, ledger }) => ({
      lease: {
        ...bound(lease),
        signal: signal.signal,
        assertHeld: () => {
          if (!held) throw expired
        },
      },
      ledger: {
        ...ledger,
        intend: async (...intent) => {
          const charge = await ledger.intend(...intent)
          held = false
          if (aborts) signal.abort(expired)
          return charge
        },
      },
    }))
    await expect(lead).rejects.toBe(expired)
    expect(scene.asked).toEqual([])
  })

  test.each([
    ['not even whether an older intent was a charge, once its time is over', 'intend', ['POST cus_1']],
    [
      'for no charge once its time is over, though it has asked about an older intent',
      'find',
      ['POST cus_1', 'GET cus_1'],
    ],
  ] as const)('asks the gateway %s', async (_name, endsBehind, asked) => {
    let held = true
    await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod: CARD.lostOnItsWay })])
    await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
    const expired = new LeaseLostError('expired')
    const ends = async <T>(step: string, answer: Promise<T>) => {
      const value = await answer
      if (step === endsBehind) held = false
      return value
    }
    const lead = scene.lead(TICK, ({ lease, ledger, gateway }) => ({
      lease: {
        ...bound(lease),
        assertHeld: () => {
          if (!held) throw expired
        },
      },
      ledger: { ...ledger, intend: (...intent) => ends('intend', ledger.intend(...intent)) },
      gateway: { ...gateway, find: (...find) => ends('find', gateway.find(...find)) },
    }))
    await expect(lead).rejects.toBe(expired)
    expect(scene.asked).toEqual(asked)
  })
})

test('A task that its caller stops midway ends as an error, though no charge failed: the tick is not done', async () => {
  await using scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2'), monthly('cus_3')])
  const stop = new AbortController()
  const lead = scene.lead(TICK, ({ lease, subscriptions }) => ({
    concurrency: 1,
    lease: { ...bound(lease), signal: stop.signal, assertHeld: () => stop.signal.throwIfAborted() },
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

test('A search for what is due that the loss of the lease cuts short ends with that loss', async () => {
  await using scene = await setScene(endpoint, [monthly('cus_1')])
  const lost = new LeaseLostError('replaced')
  const lead = scene.lead(TICK, ({ lease }) => ({
    lease: { ...bound(lease), signal: AbortSignal.abort(lost), assertHeld() {} },
  }))
  await expect(lead).rejects.toBe(lost)
})

/** The methods of a lease as a plain object, to be changed. */
function bound(lease: ChargeDueOptions['lease']) {
  return {
    fencingToken: lease.fencingToken,
    signal: lease.signal,
    assertHeld: lease.assertHeld.bind(lease),
    claim: lease.claim.bind(lease),
    send: lease.send.bind(lease),
    idempotencyKey: lease.idempotencyKey.bind(lease),
  }
}
