/** Billing's gateway client and the sandbox both implement Stripe's API; here they talk to each other over a socket. */
import { describe, expect, test } from 'vitest'
import { stripeGateway } from '../../functions/billing/stripe-gateway.ts'
import { httpTransport } from '../../functions/billing/transports.ts'
import { type HttpGatewayOptions, startHttpGateway } from '../support/http-gateway.ts'
import { CARD } from './orders.ts'

const never = new AbortController().signal
const UNIT = { customer: 'cus_1', plan: 'plus', period: '2024-01-31', dunned: 2 }
const ORDER = { ...UNIT, amountMinor: 1999, currency: 'EUR' }

async function stage(card: string, options: HttpGatewayOptions = {}, timeoutMs = 2000) {
  const server = await startHttpGateway({ sleep: async () => undefined, ...options })
  const gateway = stripeGateway(httpTransport({ url: server.url, apiKey: async () => 'sk_test_1', timeoutMs }))
  const order = { ...ORDER, paymentMethod: `card_${card}` }
  return {
    server,
    charge: () => gateway.charge(order, { key: 'k1', signal: never }),
    find: (key = 'k1') => gateway.find(order, { key, sinceMs: Date.now(), signal: never }),
  }
}

describe('Billing and the sandbox agree on', () => {
  test('a charge, its repetition, and its look-up', async () => {
    const { charge, find, server } = await stage(CARD.charged)
    const first = await charge()
    const [charged] = server.charges()
    expect(server.charges()).toEqual([{ ...ORDER, id: charged?.id, key: 'k1' }])
    expect(first).toEqual({ status: 'charged', chargeId: charged?.id, replayed: false })
    expect(await charge()).toEqual({ ...first, replayed: true })
    expect(await find()).toEqual({ ...first, replayed: true })
    expect(await find('k2')).toBeUndefined()
    expect(server.charges()).toHaveLength(1)
  })

  test.each([
    [CARD.declined, 'generic_decline'],
    [CARD.withoutFunds, 'insufficient_funds'],
  ])('a decline of %s', async (card, declineCode) => {
    const { charge, find } = await stage(card)
    expect(await charge()).toEqual({ status: 'declined', declineCode, replayed: false })
    expect(await charge()).toEqual({ status: 'declined', declineCode, replayed: true })
    expect(await find()).toMatchObject({ status: 'declined' })
  })

  test.each([
    [CARD.lostOnItsWay, 0, false],
    [CARD.answeredLate, 1, true],
  ])('card %s, whose answer comes after the time-out', async (card, chargesAtFirst, replayed) => {
    const { charge, find, server } = await stage(card, { sleep: () => new Promise(() => {}) }, 500)
    await expect(charge()).rejects.toThrow('no answer within 500 ms')
    expect(server.charges()).toHaveLength(chargesAtFirst)
    expect((await find()) === undefined).toBe(chargesAtFirst === 0)
    expect(await charge()).toMatchObject({ status: 'charged', replayed })
    expect(server.charges()).toHaveLength(1)
  })
})
