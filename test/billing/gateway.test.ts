import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  GatewayMismatchError,
  GatewayOutcomeUnknownError,
  GatewayRefusedError,
} from '../../functions/billing/gateway.ts'
import { CurrencyUnitError, stripeGateway } from '../../functions/billing/stripe-gateway.ts'
import type { GatewayRequest, GatewayResponse } from '../../functions/billing/transports.ts'

const ORDER = {
  customer: 'cus_1',
  plan: 'plus',
  period: '2024-01-31',
  dunned: 1,
  amountMinor: 1200,
  currency: 'JPY',
  paymentMethod: 'pm_1',
}
const INTENT = { id: 'pi_1', status: 'succeeded', amount: 1200, currency: 'jpy', metadata: { charge: 'k1' } }
const never = new AbortController().signal

type Answer = readonly [statusCode: number, body: unknown, headers?: Record<string, string>]

/** A gateway that answers as told, the last answer again and again, and what it was asked. */
function answering(...answers: readonly Answer[]) {
  const asked: GatewayRequest[] = []
  const gateway = stripeGateway(async (request): Promise<GatewayResponse> => {
    const [statusCode, body, headers = {}] = answers[asked.length] ?? answers.at(-1) ?? [500, '']
    asked.push(request)
    return { statusCode, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }
  })
  return {
    asked,
    charge: () => gateway.charge(ORDER, { key: 'k1', signal: never }),
    find: (sinceMs = Date.UTC(2024, 0, 31)) => gateway.find(ORDER, { key: 'k1', signal: never, sinceMs }),
  }
}

const declinedAnswer = (error: object): Answer => [402, { error: { type: 'card_error', ...error } }]

describe('A charge', () => {
  test('sends the key, the business unit and the money, and nothing about the person', async () => {
    const asked: GatewayRequest[] = []
    const gateway = stripeGateway(async (request) => {
      asked.push(request)
      return { statusCode: 200, headers: {}, body: JSON.stringify(INTENT) }
    })
    const order = { ...ORDER, name: 'Ada Sato' }
    await gateway.charge(order, { key: 'charge:cus_1:plus', signal: never })
    expect(asked).toMatchObject([
      {
        method: 'POST',
        path: '/v1/payment_intents',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'idempotency-key': 'charge:cus_1:plus',
          'stripe-version': '2024-06-20',
        },
      },
    ])
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
      amount: '1200',
      currency: 'jpy',
      customer: 'cus_1',
      payment_method: 'pm_1',
      confirm: 'true',
      off_session: 'true',
      error_on_requires_action: 'true',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
      'metadata[charge]': 'charge:cus_1:plus',
      'metadata[plan]': 'plus',
      'metadata[period]': '2024-01-31',
      'metadata[dunned]': '1',
    })
  })

  test.each(['ISK', 'UGX', 'MGA'])(
    'is not sent in %s, of which Stripe would take the wrong amount',
    async (currency) => {
      let requests = 0
      const gateway = stripeGateway(async () => {
        requests++
        return { statusCode: 200, headers: {}, body: JSON.stringify({ ...INTENT, currency: currency.toLowerCase() }) }
      })
      const charge = gateway.charge({ ...ORDER, currency }, { key: 'k1', signal: never })
      await expect(charge).rejects.toThrow(CurrencyUnitError)
      await expect(charge).rejects.toThrow(`Stripe counts ${currency} in another unit`)
      expect(requests).toBe(0)
    },
  )

  test.each([
    [1999, CurrencyUnitError],
    [1990, undefined],
  ])('of %i in a currency of three digits is sent only where Stripe can take it', async (amountMinor, error) => {
    const body = JSON.stringify({ ...INTENT, amount: amountMinor, currency: 'kwd' })
    const gateway = stripeGateway(async () => ({ statusCode: 200, headers: {}, body }))
    const charge = gateway.charge({ ...ORDER, amountMinor, currency: 'KWD' }, { key: 'k1', signal: never })
    if (error === undefined) expect(await charge).toMatchObject({ status: 'charged' })
    else await expect(charge).rejects.toThrow('Stripe takes KWD only in tens of its minor unit, which 1999 is not')
  })

  test('passes its signal on, and who must be asked before anything is sent', async () => {
    const leaders: unknown[] = []
    const gateway = stripeGateway(async (_request, { signal, beforeSend }) => {
      leaders.push({ signal, beforeSend })
      return { statusCode: 200, headers: {}, body: JSON.stringify({ ...INTENT, data: [], has_more: false }) }
    })
    const leader = { signal: new AbortController().signal, beforeSend() {} }
    await gateway.charge(ORDER, { key: 'k1', ...leader })
    await gateway.find(ORDER, { key: 'k1', sinceMs: 0, ...leader })
    expect(leaders).toEqual([leader, leader])
  })

  test.each<[Answer, object]>([
    [[200, INTENT], { status: 'charged', chargeId: 'pi_1', replayed: false }],
    [[200, INTENT, { 'idempotent-replayed': 'true' }], { status: 'charged', chargeId: 'pi_1', replayed: true }],
    [[200, INTENT, { 'idempotent-replayed': 'false' }], { status: 'charged', chargeId: 'pi_1', replayed: false }],
    [
      declinedAnswer({ code: 'card_declined', decline_code: 'insufficient_funds' }),
      { status: 'declined', declineCode: 'insufficient_funds', replayed: false },
    ],
    [declinedAnswer({ code: 'expired_card' }), { status: 'declined', declineCode: 'expired_card', replayed: false }],
    [declinedAnswer({}), { status: 'declined', declineCode: 'card_error', replayed: false }],
    [
      declinedAnswer({ code: 'card_declined', decline_code: 'Ada Sato has no money' }),
      { status: 'declined', declineCode: 'card_declined', replayed: false },
    ],
    [
      [402, { error: { type: 'card_error', code: 'card_declined' } }, { 'idempotent-replayed': 'true' }],
      { status: 'declined', declineCode: 'card_declined', replayed: true },
    ],
    [
      [200, { ...INTENT, status: 'requires_payment_method', last_payment_error: { code: 'expired_card' } }],
      { status: 'declined', declineCode: 'expired_card', replayed: false },
    ],
    [
      [200, { ...INTENT, status: 'requires_payment_method' }],
      { status: 'declined', declineCode: 'requires_payment_method', replayed: false },
    ],
    [[200, { ...INTENT, status: 'canceled' }], { status: 'declined', declineCode: 'canceled', replayed: false }],
    [
      [400, { error: { type: 'invalid_request_error', code: 'resource_missing', param: 'payment_method' } }],
      { status: 'declined', declineCode: 'resource_missing', replayed: false },
    ],
    [
      [400, { error: { type: 'invalid_request_error', param: 'payment_method' } }],
      { status: 'declined', declineCode: 'payment_method', replayed: false },
    ],
  ])('answered %j is a result', async (answer, outcome) => {
    expect(await answering(answer).charge()).toEqual(outcome)
  })

  test.each<[Answer, string]>([
    [[200, { ...INTENT, status: 'processing' }], 'its payment intent pi_1 is processing'],
    [[200, { ...INTENT, status: 'requires_capture' }], 'its payment intent pi_1 is requires_capture'],
    [[200, { ...INTENT, status: 'requires_action' }], 'its payment intent pi_1 is requires_action'],
    [[424, ''], 'it answered 424'],
    [[422, ''], 'it answered 422'],
    [[500, { error: { type: 'api_error' } }], 'it answered 500 (api_error)'],
    [[503, 'down'], 'it answered 503'],
    [[409, { error: { type: 'idempotency_error', code: 'idempotency_key_in_use' } }], 'it answered 409'],
    [[408, ''], 'it answered 408'],
    [[425, ''], 'it answered 425'],
    [[429, { error: { code: 'rate_limit' } }], 'it answered 429 (rate_limit)'],
    [[307, ''], 'it answered 307'],
    [[201, INTENT], 'it answered 201'],
    // Another request of this key, with another body, may have charged.
    [[400, { error: { type: 'idempotency_error' } }], 'it answered 400 (idempotency_error)'],
    [[402, 'Payment required'], 'it answered 402 without a readable reason'],
    [[402, { error: {} }], 'it answered 402 without a readable reason'],
    [[502, '<html>Bad gateway'], 'it answered 502 (a web page instead of JSON: is the URL that of its API?)'],
    [[200, '\n<!doctype html>'], 'it answered 200 (a web page instead of JSON: is the URL that of its API?)'],
    [[200, 'charged!'], 'its answer has no "id"'],
    [[200, 'null'], 'its answer has no "id"'],
    [[200, { ...INTENT, id: 7 }], 'its answer has no "id"'],
    [[200, { ...INTENT, status: undefined }], 'its payment intent pi_1 has no "status" or no "metadata"'],
    [[200, { ...INTENT, metadata: undefined }], 'its payment intent pi_1 has no "status" or no "metadata"'],
    [[200, { ...INTENT, amount: '1200' }], 'its payment intent pi_1 has no "amount" or no "currency"'],
    [[200, { ...INTENT, currency: null }], 'its payment intent pi_1 has no "amount" or no "currency"'],
  ])('answered %j is of unknown outcome', async (answer, message) => {
    const charge = answering(answer).charge()
    await expect(charge).rejects.toThrow(GatewayOutcomeUnknownError)
    await expect(charge).rejects.toThrow(`The outcome at the gateway is unknown: ${message}`)
  })

  test.each<[Answer, string]>([
    [
      [400, { error: { type: 'invalid_request_error', code: 'parameter_missing', param: 'metadata[plan]' } }],
      'with 400 (parameter_missing, metadata[plan]);',
    ],
    [[400, { error: { type: 'invalid_request_error', param: 'currency' } }], '(invalid_request_error, currency);'],
    [[401, 'no'], 'with 401;'],
    [[402, { error: { type: 'invalid_request_error' } }], 'with 402 (invalid_request_error);'],
    [[403, { error: { code: 'Ada Sato', message: 'Ada Sato paid' } }], 'with 403;'],
    [[404, { error: { code: 'resource_missing' } }], 'with 404 (resource_missing);'],
    [[404, '<html>Not here, Ada'], 'with 404 (a web page instead of JSON: is the URL that of its API?);'],
  ])('answered %j is refused for good, and the error names what, but nobody', async (answer, message) => {
    const charge = answering(answer).charge()
    await expect(charge).rejects.toThrow(GatewayRefusedError)
    await expect(charge).rejects.toThrow(message)
    await expect(charge).rejects.toMatchObject({ statusCode: answer[0] })
    await expect(charge).rejects.not.toThrow('Ada')
  })

  test.each([{ amount: 1201 }, { currency: 'eur' }, { amount: 12 }])(
    'that was made with %j instead is an error which says what to do, and is not tried again',
    async (other) => {
      const { charge, asked } = answering([200, { ...INTENT, ...other }])
      const error = await charge().catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(GatewayMismatchError)
      expect(error).toMatchObject({ chargeId: 'pi_1' })
      const { amount, currency } = { ...INTENT, ...other }
      expect(String(error)).toContain(
        `pi_1 is of ${amount} ${currency.toUpperCase()}, but 1200 JPY were asked for, in minor units; compare both`,
      )
      expect(asked).toHaveLength(1)
    },
  )
})

describe('Asking for the charge of a key', () => {
  const list = (data: readonly unknown[], hasMore = false): Answer => [200, { object: 'list', data, has_more: hasMore }]
  const intent = (id: string, changes: object = {}) => ({ ...INTENT, id, ...changes })
  const other = (id: string) => intent(id, { metadata: { charge: 'k2' } })

  test('asks for the payment intents of the customer, from a day before on', async () => {
    const { find, asked } = answering(list([]))
    await find(Date.UTC(2024, 0, 31, 12) + 999)
    const since = String(Date.UTC(2024, 0, 30, 12) / 1000)
    expect(asked).toEqual([
      {
        method: 'GET',
        path: '/v1/payment_intents',
        query: { customer: 'cus_1', limit: '100', 'created[gte]': since },
        headers: { 'stripe-version': '2024-06-20' },
      },
    ])
  })

  test('never asks for times before 1970', async () => {
    const { find, asked } = answering(list([]))
    await find(0)
    expect(asked[0]?.query).toMatchObject({ 'created[gte]': '0' })
  })

  test('gives the one of this key that succeeded', async () => {
    const { find } = answering(list([other('pi_9'), intent('pi_1', { metadata: {} }), intent('pi_2')]))
    expect(await find()).toEqual({ status: 'charged', chargeId: 'pi_2', replayed: true })
  })

  test.each([[[]], [[other('pi_9')]], [[intent('pi_1', { status: 'processing', metadata: {} })]]])(
    'gives undefined where surely none was made: %j',
    async (data) => {
      expect(await answering(list(data)).find()).toBeUndefined()
    },
  )

  test.each([
    [
      { status: 'requires_payment_method', last_payment_error: { code: 'card_declined', decline_code: 'stolen' } },
      'stolen',
    ],
    [{ status: 'requires_payment_method' }, 'requires_payment_method'],
    [{ status: 'canceled' }, 'canceled'],
  ])('gives a decline where it came to one: %j', async (changes, declineCode) => {
    const declined = { status: 'declined', declineCode, replayed: true }
    expect(await answering(list([other('pi_9'), intent('pi_1', changes)])).find()).toEqual(declined)
  })

  test('believes one that may still move money more than a decline, whichever comes first', async () => {
    const data = [{ status: 'canceled' }, { status: 'processing' }, { status: 'canceled' }].map((changes, i) =>
      intent(`pi_${i}`, changes),
    )
    await expect(answering(list(data)).find()).rejects.toThrow('pi_1 is processing')
  })

  test('is an error where another amount was charged under it', async () => {
    const find = answering(list([intent('pi_1', { amount: 12 })])).find()
    await expect(find).rejects.toThrow(GatewayMismatchError)
  })

  test('reads on until there is no more', async () => {
    const pages = [list([other('pi_9'), other('pi_8')], true), list([other('pi_7')], true), list([intent('pi_6')])]
    const { find, asked } = answering(...pages)
    expect(await find()).toMatchObject({ chargeId: 'pi_6' })
    expect(asked.map(({ query }) => query?.['starting_after'])).toEqual([undefined, 'pi_8', 'pi_7'])
    expect(new Set(asked.map(({ query }) => query?.['created[gte]'])).size).toBe(1)
  })

  test.each(['processing', 'requires_capture', 'requires_confirmation', 'requires_action', 'something_new'])(
    'is of unknown outcome while one of this key is %s: money may still move',
    async (status) => {
      const find = answering(list([intent('pi_1', { status })])).find()
      await expect(find).rejects.toThrow(GatewayOutcomeUnknownError)
      await expect(find).rejects.toThrow(`its payment intent pi_1 is ${status} and may still move money`)
    },
  )

  test('believes a success more than an open one, whichever comes first', async () => {
    const data = [intent('pi_3', { status: 'processing' }), intent('pi_2'), intent('pi_1', { status: 'processing' })]
    expect(await answering(list(data)).find()).toMatchObject({ chargeId: 'pi_2' })
  })

  test.each<[Answer]>([
    [[200, '']],
    [[200, 'x']],
    [[200, '{}']],
    [[200, 'null']],
    [[200, '[]']],
    [[200, { data: [] }]],
    [[200, { has_more: false }]],
    [[200, { data: [], has_more: 'false' }]],
    [[200, { data: {}, has_more: false }]],
    [list([{}])],
    [list([{ ...INTENT, metadata: null }])],
    [list([{ ...INTENT, status: '' }])],
    [list([{ ...INTENT, amount: undefined }])],
    [list([], true)],
    [[500, { data: [], has_more: false }]],
    [[429, { data: [], has_more: false }]],
  ])('never takes the answer %j for "not charged"', async (answer) => {
    await expect(answering(answer).find()).rejects.toThrow(GatewayOutcomeUnknownError)
  })

  test('never takes an answer for "not charged" that is no list to its end', async () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.record({ data: fc.jsonValue(), has_more: fc.jsonValue() }),
      fc.record({ data: fc.array(fc.record({ id: fc.jsonValue(), status: fc.jsonValue() })), has_more: fc.boolean() }),
    )
    await fc.assert(
      fc.asyncProperty(anything, async (body) => {
        const found = await answering([200, body])
          .find()
          .catch((error: unknown) => error)
        if (found !== undefined) expect(found).toBeInstanceOf(GatewayOutcomeUnknownError)
        else expect(body).toMatchObject({ data: [], has_more: false })
      }),
    )
  })

  test('ends where a gateway gives the same page for ever', async () => {
    const { find, asked } = answering(list([other('pi_9')], true))
    await expect(find()).rejects.toThrow('longer than 10000')
    expect(asked).toHaveLength(100)
  })

  test('that is refused says nothing about earlier charges', async () => {
    const find = answering([403, { error: { code: 'forbidden' } }]).find()
    await expect(find).rejects.toThrow(GatewayOutcomeUnknownError)
    await expect(find).rejects.toThrow('asked for earlier charges, it answered 403 (forbidden)')
  })
})
