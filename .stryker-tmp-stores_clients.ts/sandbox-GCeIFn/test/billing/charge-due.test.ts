// @ts-nocheck
import { describe, expect, inject, test } from 'vitest'
import { CARD } from '../../functions/sandbox/cards.ts'
import { losingAnswers, monthly, setScene, TICK } from './scene.ts'

const endpoint = inject('dynamodbEndpoint')
const DAY_MS = 86_400_000
const NOTHING = { due: 0, charged: 0, replayed: 0, declined: 0, suspended: 0, failed: 0, staleWritesRefused: 0 }

const daysLater = (days: number) => new Date(Date.parse(TICK) + days * DAY_MS).toISOString()

describe('A leader', () => {
  test('charges what is due, writes it into the ledger, and moves the subscription to its next period', async () => {
    const jpy = monthly('cus_2', { priceMinor: 1200, currency: 'JPY', interval: 'year', plan: 'pro' })
    await using scene = await setScene(endpoint, [monthly('cus_1'), jpy, monthly('cus_3', { dueDate: '2024-02-01' })])
    const outcome = await scene.lead(TICK)
    expect(outcome).toMatchObject({ status: 'completed', result: { ...NOTHING, due: 2, charged: 2 } })
    const fencingToken = outcome.status === 'completed' ? outcome.fencingToken : undefined
    const fence = { 'fencingToken:billing': fencingToken, 'fencingStep:billing': expect.any(Object) }

    const [charge] = scene.charges().filter(({ customer }) => customer === 'cus_2')
    const unit = { customer: 'cus_2', plan: 'pro', period: '2024-01-31' }
    const order = { ...unit, dunned: 0, amountMinor: 1200, currency: 'JPY' }
    expect(charge).toEqual({ ...order, key: 'charge:cus_2:pro:2024-01-31:0:1200:JPY', id: charge?.id })
    expect(await scene.ledgerRow('cus_2', 'pro#2024-01-31#0')).toEqual({
      ...order,
      ...fence,
      charge: 'pro#2024-01-31#0',
      paymentMethod: CARD.charged,
      key: charge?.key,
      status: 'charged',
      intendedBy: fencingToken,
      intendedAtMs: expect.any(Number),
      tick: TICK,
      chargeId: charge?.id,
      answeredAtMs: expect.any(Number),
    })
    expect(await scene.subscription('cus_2', 'pro')).toEqual({
      ...jpy,
      ...fence,
      period: '2025-01-31',
      dueAt: '2025-01-31T00:00:00.000Z',
    })
    expect(await scene.recordedCharges()).toEqual(scene.charges())
    expect(scene.requests.toSorted()).toEqual(['POST cus_1', 'POST cus_2']) // its own new intents need no look-up
    expect(scene.log).toEqual([
      { message: 'leading', fields: { tick: TICK, fencingToken, missedTicks: 0, pagesBefore: 0 } },
      { message: 'billed', fields: { tick: TICK, fencingToken, ...NOTHING, due: 2, charged: 2, pages: 1 } },
    ])
  })

  test('reads all pages of the index, and charges a row once that moved between two pages', async () => {
    const subscriptions = Array.from({ length: 60 }, (_, i) => monthly(`cus_${i}`))
    await using scene = await setScene(endpoint, subscriptions)
    let pages = 0
    scene.client.middlewareStack.add(
      (next) => async (args) => {
        if (!('KeyConditionExpression' in args.input)) return next(args)
        pages++
        const { output, response } = await next({ ...args, input: { ...args.input, Limit: 4 } })
        const items = 'Items' in output && output.Items ? output.Items : []
        return { output: { ...output, Items: [...items, ...items] }, response }
      },
      { step: 'initialize', priority: 'high' },
    )
    expect(await scene.lead(TICK)).toMatchObject({ result: { due: 60, charged: 60, replayed: 0 } })
    expect(pages).toBeGreaterThan(14)
  })

  test('charges nothing that a stale index lists: paid, deleted or suspended', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_paid', { dueDate: '2024-02-29' })])
    await scene.putSubscription({ ...monthly('cus_suspended'), status: 'suspended' })
    const before = [await scene.subscription('cus_paid'), await scene.subscription('cus_suspended')]
    const listed = ['cus_paid', 'cus_gone', 'cus_suspended'].map((customer) => ({
      customer,
      plan: 'plus',
      dueAt: TICK,
    }))
    const outcome = await scene.lead(TICK, ({ subscriptions }) => ({
      subscriptions: { ...subscriptions, findDue: async () => listed },
    }))
    expect(outcome).toMatchObject({ result: NOTHING })
    expect(scene.requests).toEqual([])
    expect([await scene.subscription('cus_paid'), await scene.subscription('cus_suspended')]).toEqual(before)
    expect(await scene.subscription('cus_gone')).toBeUndefined()
  })

  test('starts with the latest due date, so that old ones that cannot be settled do not delay the others', async () => {
    const days = ['2024-01-29', '2024-01-31', '2024-01-30']
    const subscriptions = days.map((dueDate) => monthly(dueDate, { dueDate }))
    await using scene = await setScene(endpoint, subscriptions)
    await scene.lead(TICK, () => ({ concurrency: 1 }))
    const charged = scene.requests.filter((request) => request.startsWith('POST'))
    expect(charged).toEqual(['POST 2024-01-31', 'POST 2024-01-30', 'POST 2024-01-29'])
  })

  test('never has more charges in progress than `concurrency`', async () => {
    let [inProgress, most] = [0, 0]
    const subscriptions = Array.from({ length: 20 }, (_, i) => monthly(`cus_${i}`))
    await using scene = await setScene(endpoint, subscriptions, {
      intercept: async (_request, answer) => {
        most = Math.max(most, ++inProgress)
        await new Promise((resolve) => setTimeout(resolve, 20))
        inProgress--
        return answer()
      },
    })
    await scene.lead(TICK, () => ({ concurrency: 3 }))
    expect(most).toBe(3)
    expect(scene.charges()).toHaveLength(20)
  })
})

describe('A declined card', () => {
  const declined = monthly('cus_1', { paymentMethod: CARD.declined })

  test('is tried again after one day and after three more, each time with another key, then suspended', async () => {
    await using scene = await setScene(endpoint, [declined])
    expect(await scene.lead(TICK)).toMatchObject({ result: { ...NOTHING, due: 1, declined: 1 } })
    const waiting = { period: '2024-01-31', dunned: 1, status: 'active', dueAt: daysLater(1) }
    expect(await scene.subscription('cus_1')).toMatchObject(waiting)
    expect(await scene.ledgerRow('cus_1')).toMatchObject({ status: 'declined', declineCode: 'generic_decline' })

    expect(await scene.lead(daysLater(0.9))).toMatchObject({ result: NOTHING })
    await scene.lead(daysLater(1))
    expect(await scene.subscription('cus_1')).toMatchObject({ dunned: 2, dueAt: daysLater(4) })
    expect(await scene.lead(daysLater(4))).toMatchObject({ result: { due: 1, declined: 1, suspended: 1 } })
    const suspended = await scene.subscription('cus_1')
    expect(suspended).toMatchObject({ period: '2024-01-31', dunned: 3, status: 'suspended' })
    expect(suspended).not.toHaveProperty('dueAt')
    expect(suspended).not.toHaveProperty('dueShard')
    expect(await scene.lead(daysLater(9))).toMatchObject({ result: NOTHING })
    expect(scene.charges()).toEqual([])
    const keys = (await scene.ledger()).map(({ key }) => key)
    expect(keys.toSorted()).toEqual([0, 1, 2].map((dunned) => `charge:cus_1:plus:2024-01-31:${dunned}:1999:EUR`))
  })

  test('that does not exist and is replaced within a day is charged then, and keeps its anchor day', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1', { paymentMethod: 'card_1' })])
    expect(await scene.lead(TICK)).toMatchObject({ status: 'completed', result: { declined: 1 } })
    expect(await scene.ledgerRow('cus_1')).toMatchObject({ declineCode: 'resource_missing' })
    await scene.putSubscription({ ...(await scene.subscription('cus_1')), paymentMethod: CARD.charged })
    await scene.lead(daysLater(1))
    expect(scene.charges()).toMatchObject([{ key: 'charge:cus_1:plus:2024-01-31:1:1999:EUR' }])
    expect(await scene.subscription('cus_1')).toMatchObject({ period: '2024-02-29', dunned: 0, anchorDay: 31 })
    expect(await scene.recordedCharges()).toEqual(scene.charges())
  })

  test('of a suspended subscription that was resumed is tried once more, with its own key', async () => {
    await using scene = await setScene(endpoint, [{ ...declined, dunned: 3 }])
    expect(await scene.lead(TICK)).toMatchObject({ result: { declined: 1, suspended: 1 } })
    expect(await scene.ledgerRow('cus_1', 'plus#2024-01-31#3')).toMatchObject({ status: 'declined' })
    expect(await scene.subscription('cus_1')).toMatchObject({ status: 'suspended', dunned: 4 })
  })
})

describe('A subscription that cannot be charged', () => {
  test('because the gateway refuses it, or does not answer, is logged, and stops no other', async () => {
    const subscriptions = [monthly('cus_1', { currency: 'ISK' }), monthly('cus_2'), monthly('cus_3')]
    await using scene = await setScene(endpoint, subscriptions, losingAnswers(1))
    const causes = expect.stringMatching(/^1 × \w+, 1 × \w+$/)
    await expect(scene.lead(TICK)).rejects.toMatchObject({
      unsettled: 2,
      result: { due: 3, charged: 1, failed: 2 },
      message: expect.stringMatching(/^2 of 3 due charges are not settled \(.*1 × CurrencyUnitError/),
    })
    expect(scene.log).toContainEqual({
      message: 'not settled',
      fields: { tick: TICK, error: 'CurrencyUnitError', reason: expect.stringContaining('unit of ISK') },
    })
    expect(scene.log.at(-1)).toMatchObject({ message: 'unsettled', fields: { causes } })
    expect((await scene.ledger()).map(({ status }) => status).toSorted()).toEqual(['charged', 'intended', 'unknown'])
  })

  test('because it has been due for so long that it is probably wrong is not charged', async () => {
    const typo = monthly('cus_1', { dueDate: '2014-01-31', interval: 'week' })
    await using scene = await setScene(endpoint, [typo, monthly('cus_2', { dueDate: '2023-10-31' })])
    await expect(scene.lead(TICK)).rejects.toMatchObject({
      result: { charged: 4, failed: 1 },
      cause: expect.objectContaining({ message: expect.stringContaining('within 100 days before the tick') }),
    })
    expect(scene.charges().map(({ customer }) => customer)).toEqual(Array(4).fill('cus_2'))
  })

  test.each([{ dunned: 1 }, { period: '2024-03-31' }, { period: '2024-02-29', dunned: 1 }])(
    'because an operator changed it meanwhile is reported: %j',
    async (change) => {
      await using scene = await setScene(endpoint, [monthly('cus_1')], {
        intercept: async (_request, answer) => {
          await scene.putSubscription({ ...(await scene.subscription('cus_1')), ...change })
          return answer()
        },
      })
      const cause = expect.objectContaining({ name: 'SubscriptionChangedError' })
      await expect(scene.lead(TICK)).rejects.toMatchObject({ cause })
      expect(await scene.recordedCharges()).toEqual(scene.charges())
    },
  )

  test.each([
    ['period', '2024-02-30'],
    ['timeZone', 'Mars/Olympus'],
    ['interval', 'fortnight'],
    ['anchorDay', 32],
    ['priceMinor', 19.99],
    ['currency', 'EURO'],
    ['paymentMethod', ''],
  ])('because its %s is %j is not charged, and the error names the attribute', async (attribute, value) => {
    await using scene = await setScene(endpoint, [])
    await scene.putSubscription({ ...monthly('cus_1'), [attribute]: value })
    await expect(scene.lead(TICK)).rejects.toMatchObject({
      message: expect.stringContaining('1 × CorruptSubscriptionError'),
      cause: expect.objectContaining({ attribute }),
    })
    expect(scene.requests).toEqual([])
    expect(await scene.ledger()).toEqual([])
  })

  test.each([
    ['status', 'paid'],
    ['paymentMethod', false],
    ['key', 1],
  ])('because the %s of its row in the ledger is %j is not charged', async (attribute, value) => {
    await using scene = await setScene(endpoint, [monthly('cus_1')], losingAnswers(1))
    await expect(scene.lead(TICK)).rejects.toThrow('1 × GatewayOutcomeUnknownError')
    await scene.putLedgerRow({ ...(await scene.ledgerRow('cus_1')), [attribute]: value })
    const cause = expect.objectContaining({ name: 'CorruptChargeError', attribute })
    await expect(scene.lead(TICK)).rejects.toMatchObject({ cause })
    expect(scene.requests).toEqual(['POST cus_1'])
  })

  test('because the gateway charged twice stays where it is, and is reported', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')])
    await scene.lead(TICK)
    await scene.putSubscription({ ...monthly('cus_1') })
    await scene.putLedgerRow({ ...(await scene.ledgerRow('cus_1')), status: 'unknown', chargeId: 'pi_another' })
    const message = expect.stringContaining(`charge ${scene.charges()[0]?.id} pays for the period`)
    const cause = expect.objectContaining({ name: 'DuplicateChargeError', message })
    await expect(scene.lead(daysLater(0.1))).rejects.toMatchObject({ cause })
    expect(await scene.ledgerRow('cus_1')).toMatchObject({ chargeId: 'pi_another' })
    expect(await scene.subscription('cus_1')).toMatchObject({ period: '2024-01-31' })
  })
})
