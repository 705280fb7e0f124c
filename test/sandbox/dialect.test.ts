/** Billing and the sandbox were written to the same description of Stripe; here they meet, over a real socket. */
import { afterEach, describe, expect, test } from 'vitest'
import { GatewayOutcomeUnknownError } from '../../functions/billing/gateway.ts'
import { stripeGateway } from '../../functions/billing/stripe-gateway.ts'
import { httpTransport } from '../../functions/billing/transports.ts'
import { type HttpGateway, type HttpGatewayOptions, startHttpGateway } from '../support/http-gateway.ts'
import { CARD } from './orders.ts'

const never = new AbortController().signal

let server: HttpGateway | undefined
afterEach(async () => {
  await server?.stop()
  server = undefined
})

async function stage(card: string, options: HttpGatewayOptions = {}, timeoutMs = 2000) {
  const started = await startHttpGateway({ sleep: async () => undefined, ...options })
  server = started
  const gateway = stripeGateway(httpTransport({ url: started.url, apiKey: async () => 'sk_test_1', timeoutMs }))
  const order = {
    customer: 'cus_1',
    plan: 'plus',
    period: '2024-01-31',
    dunned: 2,
    amountMinor: 1999,
    currency: 'EUR',
    paymentMethod: `card_${card}`,
  }
  return {
    server: started,
    charge: (key = 'k1', changes: Partial<typeof order> = {}) =>
      gateway.charge({ ...order, ...changes }, { key, signal: never }),
    find: (key = 'k1', sinceMs = Date.now()) => gateway.find(order, { key, sinceMs, signal: never }),
  }
}

describe('Billing and the sandbox agree', () => {
  test('on a charge, on its repetition, and on how to find it', async () => {
    const { charge, find, server } = await stage(CARD.charged)
    const first = await charge()
    expect(first).toMatchObject({ status: 'charged', replayed: false })
    expect(await charge()).toEqual({ ...first, replayed: true })
    const [charged] = server.charges()
    expect(server.charges()).toEqual([
      {
        id: charged?.id,
        key: 'k1',
        customer: 'cus_1',
        plan: 'plus',
        period: '2024-01-31',
        dunned: 2,
        amountMinor: 1999,
        currency: 'EUR',
      },
    ])
    expect(first).toMatchObject({ chargeId: charged?.id })
    expect(await find()).toEqual({ status: 'charged', chargeId: charged?.id, replayed: true })
    expect(await find('k2')).toBeUndefined()
    expect(server.replayedRequests()).toBe(1)
  })

  test.each([
    [CARD.declined, 'generic_decline'],
    [CARD.withoutFunds, 'insufficient_funds'],
  ])('on a decline of %s', async (card, declineCode) => {
    const { charge, find } = await stage(card)
    expect(await charge()).toEqual({ status: 'declined', declineCode, replayed: false })
    expect(await charge()).toEqual({ status: 'declined', declineCode, replayed: true })
    expect(await find()).toMatchObject({ status: 'declined' })
  })

  test('on a payment method that does not exist', async () => {
    const { charge } = await stage('1')
    expect(await charge()).toEqual({ status: 'declined', declineCode: 'resource_missing', replayed: false })
  })

  test('on a key that comes again with another amount: the first may have charged', async () => {
    const { charge } = await stage(CARD.charged)
    await charge()
    await expect(charge('k1', { amountMinor: 1 })).rejects.toThrow(GatewayOutcomeUnknownError)
  })

  test.each([
    [CARD.lostOnItsWay, 0, false],
    [CARD.answeredLate, 1, true],
  ])('on card %s, which nobody waits for', async (card, chargesAtFirst, replayed) => {
    const { promise: never, resolve: stopWaiting } = Promise.withResolvers<void>()
    const { charge, find, server } = await stage(card, { sleep: () => never }, 500)
    await expect(charge()).rejects.toThrow('no answer within 500 ms')
    expect(server.charges()).toHaveLength(chargesAtFirst)
    expect((await find()) === undefined).toBe(chargesAtFirst === 0)
    expect(await charge()).toMatchObject({ status: 'charged', replayed })
    expect(server.charges()).toHaveLength(1)
    stopWaiting()
  })

  test('on a charge whose answer was a failure', async () => {
    const { charge, find, server } = await stage(CARD.toldAFailure)
    await expect(charge()).rejects.toThrow(GatewayOutcomeUnknownError)
    expect(await find()).toMatchObject({ chargeId: server.charges()[0]?.id })
    expect(await charge()).toMatchObject({ status: 'charged', replayed: true })
    expect(server.charges()).toHaveLength(1)
  })

  test('on a failure that is repeated until the key is forgotten', async () => {
    let nowMs = Date.UTC(2024, 0, 31)
    const { charge, find, server } = await stage(CARD.failing, { now: () => nowMs, keyWindowMs: 1000 })
    await expect(charge()).rejects.toThrow(GatewayOutcomeUnknownError)
    nowMs += 999
    await expect(charge()).rejects.toThrow('it answered 500 (api_error)')
    expect(await find('k1', nowMs)).toBeUndefined()
    nowMs += 1
    expect(await charge()).toMatchObject({ status: 'charged', replayed: false })
    expect(await find('k1', nowMs)).toMatchObject({ status: 'charged' })
    expect(server.charges()).toHaveLength(1)
  })

  test('on a customer with more payment intents than one page holds', async () => {
    const { charge, find, server } = await stage(CARD.charged)
    for (let i = 0; i < 101; i++) await charge(`k${i}`, { period: `2024-01-${i}` })
    // One of them is on the second page.
    for (const { id, key } of server.charges()) expect(await find(key)).toMatchObject({ chargeId: id })
    expect(await find('k101')).toBeUndefined()
    expect(server.duplicateCharges()).toBe(0)
  })
})

describe('The gateway for tests', () => {
  test('counts a second charge of a business unit as a duplicate, whatever its key', async () => {
    const { charge, server } = await stage(CARD.charged)
    await charge('k1')
    await charge('k2')
    await charge('k3', { period: '2024-02-29' })
    expect(server.duplicateCharges()).toBe(1)
  })

  test('lets a test hang up after the charge, and answer in its place', async () => {
    let nth = 0
    const { charge, server } = await stage(CARD.charged, {
      intercept: async (_request, answer) => {
        const response = await answer()
        return ++nth <= 2 ? 'hangUp' : response
      },
    })
    await expect(charge()).rejects.toThrow('the connection failed twice')
    expect(await charge()).toMatchObject({ status: 'charged', replayed: true })
    expect(server.charges()).toHaveLength(1)
    expect(nth).toBe(3)
  })

  test('stops at once, with requests under way', async () => {
    const { charge, server } = await stage(CARD.answeredLate, { sleep: () => new Promise(() => {}) })
    const lost = expect(charge()).rejects.toThrow(GatewayOutcomeUnknownError)
    await server.stop()
    await lost
  })
})
