import { describe, expect, inject, test } from 'vitest'
import { type ChargeDueOptions, UnsettledChargesError } from '../../functions/billing/charge-due.ts'
import { LeaseLostError, StaleTokenError } from '../../functions/election/index.ts'
import { monthly, setScene, TICK } from './scene.ts'

const endpoint = inject('dynamodbEndpoint')
const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const NOTHING = { due: 0, charged: 0, replayed: 0, declined: 0, failed: 0, staleWritesRefused: 0 }
const AUDITED = { duplicateCharges: 0, dueNotCharged: 0 }

const laterBy = (ms: number) => new Date(Date.parse(TICK) + ms).toISOString()

describe('A leader', () => {
  test('charges what is due, records it, and moves each subscription to its next period', async () => {
    const jpy = monthly('cus_2', { priceMinor: 1200, currency: 'JPY', interval: 'year', plan: 'pro' })
    await using scene = await setScene(endpoint, [monthly('cus_1'), jpy, monthly('cus_3', { dueDate: '2024-02-01' })])
    const outcome = await scene.lead(TICK)
    expect(outcome).toMatchObject({ status: 'completed', result: { ...NOTHING, due: 2, charged: 2 } })
    const fencingToken = outcome.status === 'completed' ? outcome.fencingToken : undefined

    expect(scene.gateway.charges()).toHaveLength(2)
    const [charge] = scene.gateway.charges().filter(({ customer }) => customer === 'cus_2')
    expect(charge).toMatchObject({
      key: 'charge:cus_2:pro:2024-01-31:0',
      period: '2024-01-31',
      amountMinor: 1200,
      currency: 'JPY',
    })
    expect(await scene.ledgerEntry('cus_2', 'pro#2024-01-31')).toEqual({
      customer: 'cus_2',
      plan: 'pro',
      period: '2024-01-31',
      charge: 'pro#2024-01-31',
      chargeId: charge?.id,
      amountMinor: 1200,
      currency: 'JPY',
      tick: TICK,
      fencingToken,
      'fencingToken:billing': fencingToken,
      chargedAtMs: expect.any(Number),
    })
    // Nothing but the due date has changed, and no intent is left behind.
    const after = { ...jpy, period: '2025-01-31', dueAt: '2025-01-31T00:00:00.000Z' }
    expect(await scene.subscription('cus_2', 'pro')).toEqual({ ...after, 'fencingToken:billing': fencingToken })
    expect(await scene.audit(TICK)).toEqual({ charges: 2, ...AUDITED })
  })

  test('charges what falls due at the very instant of the tick, and nothing later', async () => {
    await using scene = await setScene(endpoint, [
      monthly('cus_1', { dueDate: '2024-01-31', timeZone: 'Pacific/Fiji' }),
      monthly('cus_2', { dueDate: '2024-02-01', timeZone: 'Pacific/Fiji' }),
    ])
    await scene.lead('2024-01-30T12:00:00.000Z')
    expect(scene.gateway.charges().map(({ customer }) => customer)).toEqual(['cus_1'])
  })

  test('catches up with every period that was missed', async () => {
    const missed = monthly('cus_1', { dueDate: '2023-10-31' })
    await using scene = await setScene(endpoint, [missed])
    expect(await scene.lead(TICK)).toMatchObject({ result: { due: 4, charged: 4 } })
    const periods = scene.gateway.charges().map(({ period }) => period)
    expect(periods).toEqual(['2023-10-31', '2023-11-30', '2023-12-31', '2024-01-31'])
    expect(await scene.audit(TICK)).toEqual({ charges: 4, ...AUDITED })
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
    await using scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2')], { delayMs: 50 })
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

describe('A declined charge', () => {
  test('is tried again a day later under another key, and after three declines no more', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')], { decide: () => 'declined' })
    expect(await scene.lead(TICK)).toMatchObject({ result: { ...NOTHING, due: 1, declined: 1 } })
    const waiting = { period: '2024-01-31', dunned: 1, status: 'active', dueAt: laterBy(DAY_MS) }
    expect(await scene.subscription('cus_1')).toMatchObject(waiting)
    expect(await scene.subscription('cus_1')).not.toHaveProperty('intentStartedAtMs')

    expect(await scene.lead(laterBy(DAY_MS - HOUR_MS))).toMatchObject({ result: NOTHING })
    await scene.lead(laterBy(DAY_MS))
    expect(await scene.lead(laterBy(2 * DAY_MS))).toMatchObject({ result: { due: 1, declined: 1, replayed: 0 } })
    const unpaid = await scene.subscription('cus_1')
    expect(unpaid).toMatchObject({ period: '2024-01-31', dunned: 3, status: 'unpaid' })
    expect(unpaid).not.toHaveProperty('dueAt')
    expect(unpaid).not.toHaveProperty('dueShard')
    expect(await scene.lead(laterBy(9 * DAY_MS))).toMatchObject({ result: NOTHING })
    expect(await scene.audit(TICK)).toEqual({ charges: 0, ...AUDITED })
  })

  test('that succeeds on the next day ends the dunning and keeps the anchor', async () => {
    let declines = 1
    const decide = () => (declines-- > 0 ? 'declined' : 'charged')
    await using scene = await setScene(endpoint, [monthly('cus_1')], { decide })
    await scene.lead(TICK)
    await scene.lead(laterBy(DAY_MS))
    expect(scene.gateway.charges()).toMatchObject([{ key: 'charge:cus_1:plus:2024-01-31:1' }])
    expect(await scene.subscription('cus_1')).toMatchObject({ period: '2024-02-29', dunned: 0, anchorDay: 31 })
  })
})

describe('An unknown outcome', () => {
  test('stops no other charge, and fails the tick with the number of unsettled ones', async () => {
    const all = Array.from({ length: 12 }, (_, i) => monthly(`cus_${i}`))
    let down = true
    await using scene = await setScene(endpoint, all, {
      decide: ({ customer }) => (down && ['cus_3', 'cus_7'].includes(customer) ? 'unavailable' : 'charged'),
    })
    const failed = await scene.lead(TICK).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(UnsettledChargesError)
    expect(failed).toMatchObject({ unsettled: 2, result: { due: 12, charged: 10, failed: 2 } })
    expect(String(failed)).toContain('2 of 12 due charges are not settled (2 × GatewayOutcomeUnknownError)')
    expect(scene.log.at(-1)).toMatchObject({
      message: 'unsettled',
      fields: { causes: '2 × GatewayOutcomeUnknownError' },
    })

    down = false
    expect(await scene.lead(TICK)).toMatchObject({ status: 'completed', result: { due: 2, charged: 2, replayed: 0 } })
    expect(await scene.audit(TICK)).toEqual({ charges: 12, ...AUDITED })
    expect(scene.gateway.duplicateCharges()).toBe(0)
  })

  test('after which the gateway turns out to have charged is settled by the same key', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')], { loseReply: (_charge, nth) => nth <= 2 })
    await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
    expect(scene.gateway.charges()).toHaveLength(1)
    expect(await scene.audit(TICK)).toMatchObject({ charges: 0, dueNotCharged: 1 })
    expect(await scene.lead(TICK)).toMatchObject({ result: { due: 1, charged: 1, replayed: 1 } })
    expect(scene.gateway.charges()).toHaveLength(1)
    expect(await scene.audit(TICK)).toEqual({ charges: 1, ...AUDITED })
  })

  test('keeps the amount it was asked for, though the price changes before the retry', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')], {
      loseReply: ({ period }, nth) => period === '2024-01-31' && nth <= 2,
    })
    await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
    await scene.put({ ...(await scene.subscription('cus_1')), priceMinor: 2999, currency: 'USD' })
    expect(await scene.lead(TICK)).toMatchObject({ result: { charged: 1, replayed: 1 } })
    expect(await scene.ledgerEntry('cus_1', 'plus#2024-01-31')).toMatchObject({ amountMinor: 1999, currency: 'EUR' })
    // The next period costs the new price.
    await scene.lead('2024-02-29T00:00:00.000Z')
    expect(scene.gateway.charges().at(-1)).toMatchObject({ amountMinor: 2999, currency: 'USD' })
  })

  test.each([
    ['had charged', true, 0],
    ['had not charged', false, 1],
  ])('is asked about once the key may be forgotten: the gateway %s', async (_name, charges, chargesLater) => {
    let nowMs = Date.now()
    const now = () => nowMs
    let down = !charges
    await using scene = await setScene(endpoint, [monthly('cus_1')], {
      now,
      decide: () => (down ? 'unavailable' : 'charged'),
      loseReply: (_charge, nth) => nowMs < Date.now() + HOUR_MS && nth <= 2,
    })
    const lead = () => scene.lead(TICK, ({ gateway }) => ({ now, gateway }))
    await expect(lead()).rejects.toThrow(UnsettledChargesError)
    const before = scene.gateway.charges().length
    down = false
    nowMs += DAY_MS + 1
    expect(await lead()).toMatchObject({ result: { due: 1, charged: 1, replayed: 1 - chargesLater } })
    expect(scene.gateway.charges().length - before).toBe(chargesLater)
    expect(scene.gateway.duplicateCharges()).toBe(0)
    expect(await scene.audit(TICK)).toEqual({ charges: 1, ...AUDITED })
  })

  test('is not asked about within the window: that would cost a request for nothing', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')], { loseReply: (_charge, nth) => nth <= 2 })
    await expect(scene.lead(TICK)).rejects.toThrow(UnsettledChargesError)
    await scene.lead(TICK, ({ gateway }) => ({
      gateway: { ...gateway, find: () => Promise.reject(new Error('asked')) },
      now: () => Date.now() + 22 * HOUR_MS,
    }))
    expect(await scene.audit(TICK)).toEqual({ charges: 1, ...AUDITED })
  })
})

describe('A subscription that cannot be charged', () => {
  test('because the gateway refuses it is told of, and stops no other', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2', { currency: 'EUR' })])
    const lead = scene.lead(TICK, ({ gateway }) => ({
      gateway: {
        ...gateway,
        charge: (unit, money, options) =>
          gateway.charge(unit, { ...money, currency: unit.customer === 'cus_1' ? '€' : 'EUR' }, options),
      },
    }))
    await expect(lead).rejects.toMatchObject({
      unsettled: 1,
      message: expect.stringContaining('1 × GatewayRefusedError'),
      cause: expect.objectContaining({ message: expect.stringContaining('400 (parameter_invalid, currency)') }),
    })
    expect(await scene.audit(TICK)).toMatchObject({ charges: 1, dueNotCharged: 1 })
  })

  test.each([
    ['period', '2024-02-30'],
    ['timeZone', 'Mars/Olympus'],
    ['interval', 'fortnight'],
    ['anchorDay', 32],
    ['dunned', '0'],
    ['priceMinor', 19.99],
    ['currency', 'EURO'],
  ])('because its %s was damaged is charged nothing and named by attribute', async (attribute, value) => {
    await using scene = await setScene(endpoint, [])
    await scene.put({ ...monthly('cus_1'), [attribute]: value })
    await expect(scene.lead(TICK)).rejects.toMatchObject({
      message: expect.stringContaining('1 × CorruptSubscriptionError'),
      cause: expect.objectContaining({ attribute }),
    })
    expect(scene.gateway.charges()).toEqual([])
  })

  test('because the ledger has another charge for the period stops moving and says so', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_1')])
    await scene.lead(TICK)
    await scene.put({ ...monthly('cus_1'), dunned: 1 })
    await expect(scene.lead(laterBy(HOUR_MS))).rejects.toMatchObject({
      cause: expect.objectContaining({ name: 'DuplicateChargeError', chargeId: 'ch_000002' }),
    })
    expect(await scene.ledgerEntry('cus_1', 'plus#2024-01-31')).toMatchObject({ chargeId: 'ch_000001' })
    expect(await scene.subscription('cus_1')).toMatchObject({ period: '2024-01-31' })
  })
})

describe('A stale entry of the index', () => {
  test('charges nothing: not what is paid, not what is gone, not what is unpaid', async () => {
    await using scene = await setScene(endpoint, [monthly('cus_paid', { dueDate: '2024-02-29' })])
    await scene.put({ ...monthly('cus_unpaid'), status: 'unpaid' })
    const before = [await scene.subscription('cus_paid'), await scene.subscription('cus_unpaid')]
    const hints = ['cus_paid', 'cus_gone', 'cus_unpaid'].map((customer) => ({ customer, plan: 'plus' }))
    const outcome = await scene.lead(TICK, ({ subscriptions }) => ({
      subscriptions: { ...subscriptions, findDue: () => Promise.resolve(hints) },
    }))
    expect(outcome).toMatchObject({ result: NOTHING })
    expect(scene.gateway.charges()).toEqual([])
    expect([await scene.subscription('cus_paid'), await scene.subscription('cus_unpaid')]).toEqual(before)
    expect(await scene.subscription('cus_gone')).toBeUndefined()
  })
})

describe('A leader that was replaced', () => {
  test('has its late writes refused, and the charge is made once', async () => {
    let overtake = async () => {}
    await using scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2')])
    const first = scene.lead(TICK, ({ gateway }) => ({
      concurrency: 1,
      gateway: {
        ...gateway,
        charge: async (...charge) => {
          const outcome = await gateway.charge(...charge)
          await overtake()
          return outcome
        },
      },
    }))
    let second: unknown
    overtake = async () => {
      overtake = async () => {}
      await scene.forceRelease()
      second = await scene.lead(TICK)
    }
    await expect(first).rejects.toThrow(StaleTokenError)
    expect(second).toMatchObject({ status: 'completed', result: { due: 2, charged: 2, replayed: 1 } })
    expect(scene.log.at(-1)).toMatchObject({
      message: 'billed',
      fields: { staleWritesRefused: 1, charged: 0, failed: 0 },
    })
    expect(scene.gateway.charges()).toHaveLength(2)
    expect(await scene.audit(TICK)).toEqual({ charges: 2, ...AUDITED })
    const token = (await scene.ledgerEntry('cus_1', 'plus#2024-01-31'))?.['fencingToken']
    expect(await scene.subscription('cus_1')).toMatchObject({ period: '2024-02-29', 'fencingToken:billing': token })
  })

  test('stops every charge under way at once, and begins no other', async () => {
    const all = Array.from({ length: 9 }, (_, i) => monthly(`cus_${i}`))
    await using scene = await setScene(endpoint, all, { delayMs: 20_000 })
    const started = performance.now()
    let asked = 0
    const lead = scene.lead(TICK, ({ lease, gateway }) => ({
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
    expect(performance.now() - started).toBeLessThan(15_000)
    expect(asked).toBe(4)
  })

  test.each([
    ['its signal aborts', true],
    ['its deadline has passed, though a frozen process had no timer to abort the signal', false],
  ])('charges nothing once %s', async (_name, aborts) => {
    await using scene = await setScene(endpoint, [monthly('cus_1'), monthly('cus_2')])
    const expired = new LeaseLostError('expired while the process was frozen')
    const signal = new AbortController()
    let held = true
    const lead = scene.lead(TICK, ({ lease, subscriptions }) => ({
      lease: {
        ...bound(lease),
        signal: signal.signal,
        assertHeld: () => {
          if (!held) throw expired
        },
      },
      subscriptions: {
        ...subscriptions,
        begin: async (...begin) => {
          const due = await subscriptions.begin(...begin)
          held = false
          if (aborts) signal.abort(expired)
          return due
        },
      },
    }))
    await expect(lead).rejects.toBe(expired)
    expect(scene.gateway.charges()).toEqual([])
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
      advance: async (...advance) => {
        await subscriptions.advance(...advance)
        stop.abort(new Error('shutting down'))
      },
    },
  }))
  await expect(lead).rejects.toThrow('shutting down')
  expect(scene.gateway.charges()).toHaveLength(1)
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
    send: lease.send.bind(lease),
    idempotencyKey: lease.idempotencyKey.bind(lease),
  }
}
