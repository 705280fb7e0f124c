import { describe, expect, test } from 'vitest'
import {
  GatewayMismatchError,
  GatewayOutcomeUnknownError,
  GatewayRefusedError,
} from '../../functions/billing/gateway.ts'
import { CurrencyUnitError, stripeGateway } from '../../functions/billing/stripe-gateway.ts'
import type { GatewayRequest } from '../../functions/sandbox/message.ts'

const UNIT = { customer: 'cus_1', plan: 'plus', period: '2024-01-31', dunned: 1 }
const ORDER = { ...UNIT, amountMinor: 1200, currency: 'JPY', paymentMethod: 'pm_1' }
const INTENT = { id: 'pi_1', status: 'succeeded', amount: 1200, currency: 'jpy', metadata: { charge: 'k1' } }
const VERSION = { 'stripe-version': '2024-06-20' }
const never = new AbortController().signal

type Answer = readonly [statusCode: number, body: unknown, headers?: Record<string, string>]

/** A gateway with scripted answers, the last of which is repeated. */
function answering(...answers: readonly Answer[]) {
  const requests: GatewayRequest[] = []
  const gateway = stripeGateway(async (request) => {
    const [statusCode, body, headers = {}] = answers[requests.length] ?? answers.at(-1) ?? [500, '']
    requests.push(request)
    return { statusCode, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }
  })
  return {
    requests,
    charge: (changes: object = {}) => gateway.charge({ ...ORDER, ...changes }, { key: 'k1', signal: never }),
    find: (sinceMs = Date.UTC(2024, 0, 31)) => gateway.find(ORDER, { key: 'k1', signal: never, sinceMs }),
  }
}

async function expectUnknown(outcome: Promise<unknown>, message = ''): Promise<void> {
  await expect(outcome).rejects.toThrow(GatewayOutcomeUnknownError)
  await expect(outcome).rejects.toThrow(`The outcome at the gateway is unknown: ${message}`)
}

describe('A charge', () => {
  test('sends the key, the business unit and the money, and no name', async () => {
    const { charge, requests } = answering([200, INTENT])
    await charge({ name: 'Ada Sato' })
    const headers = { ...VERSION, 'content-type': 'application/x-www-form-urlencoded', 'idempotency-key': 'k1' }
    expect(requests).toMatchObject([{ method: 'POST', path: '/v1/payment_intents', headers }])
    expect(Object.fromEntries(new URLSearchParams(requests[0]?.body))).toEqual({
      amount: '1200',
      currency: 'jpy',
      customer: 'cus_1',
      payment_method: 'pm_1',
      confirm: 'true',
      off_session: 'true',
      error_on_requires_action: 'true',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
      'metadata[charge]': 'k1',
      'metadata[plan]': 'plus',
      'metadata[period]': '2024-01-31',
      'metadata[dunned]': '1',
    })
  })

  test.each([
    ['ISK', 1200, "Stripe's unit of ISK is not its minor unit"],
    ['KWD', 1999, 'Stripe takes KWD only in multiples of 10 minor units, unlike 1999'],
  ])('in %s of %i is not sent: Stripe would charge another amount', async (currency, amountMinor, message) => {
    const { charge, requests } = answering([200, { ...INTENT, currency: currency.toLowerCase(), amount: amountMinor }])
    const refused = charge({ currency, amountMinor })
    await expect(refused).rejects.toThrow(CurrencyUnitError)
    await expect(refused).rejects.toThrow(message)
    expect(requests).toEqual([])
  })

  test.each([
    [{ currency: 'KWD', amountMinor: 1990 }, { currency: 'kwd', amount: 1990 }, undefined, false],
    [{}, {}, 'true', true],
    [{}, {}, 'false', false],
  ])('of %j that is answered by %j, replayed: %s, is charged', async (order, intent, header, replayed) => {
    const { charge } = answering([200, { ...INTENT, ...intent }, header ? { 'idempotent-replayed': header } : {}])
    expect(await charge(order)).toEqual({ status: 'charged', chargeId: 'pi_1', replayed })
  })

  const cardError = (error: object): Answer => [402, { error: { type: 'card_error', ...error } }]
  const wrongMethod = { type: 'invalid_request_error', param: 'payment_method' }

  test.each<[Answer, string]>([
    [cardError({ code: 'card_declined', decline_code: 'insufficient_funds' }), 'insufficient_funds'],
    [cardError({ code: 'expired_card' }), 'expired_card'],
    [cardError({ code: 'card_declined', decline_code: 'Ada Sato has no money' }), 'card_declined'],
    [[402, { error: { type: 'card_error' } }, { 'idempotent-replayed': 'true' }], 'card_error'],
    [[400, { error: { ...wrongMethod, code: 'resource_missing' } }], 'resource_missing'],
    [[200, { ...INTENT, status: 'requires_payment_method' }], 'requires_payment_method'],
    [[200, { ...INTENT, status: 'canceled', last_payment_error: { code: 'expired_card' } }], 'expired_card'],
  ])('answered %j is declined: %s', async (answer, declineCode) => {
    const replayed = answer[2] !== undefined
    expect(await answering(answer).charge()).toEqual({ status: 'declined', declineCode, replayed })
  })

  test.each<[Answer, string]>([
    ...['processing', 'something_new'].map((status): [Answer, string] => [
      [200, { ...INTENT, status }],
      `its payment intent pi_1 is ${status} and may still move money`,
    ]),
    ...[201, 408, 425].map((code): [Answer, string] => [[code, INTENT], `it answered ${code}`]),
    [[500, { error: { type: 'api_error' } }], 'it answered 500 (api_error)'],
    // A request with the same key and another body may have charged.
    [[400, { error: { type: 'idempotency_error' } }], 'it answered 400 (idempotency_error)'],
    [[402, 'Payment required'], 'it answered 402 without a readable reason'],
    [[502, '<html>Bad gateway'], 'it answered 502'],
    [[200, 'charged!'], 'its answer is not a payment intent'],
    [[200, { ...INTENT, metadata: undefined }], 'its answer is not a payment intent'],
    [[200, { ...INTENT, amount: '1200' }], 'its payment intent pi_1 has no "amount" or no "currency"'],
  ])('answered %j has an unknown outcome', async (answer, message) => {
    await expectUnknown(answering(answer).charge(), message)
  })

  const missing = { type: 'invalid_request_error', code: 'parameter_missing', param: 'metadata[plan]' }

  test.each<[Answer, string]>([
    [[400, { error: missing }], 'with 400 (parameter_missing, metadata[plan]);'],
    [[400, { error: { type: 'invalid_request_error', param: 'currency' } }], '(invalid_request_error, currency);'],
    [[401, 'no'], 'with 401;'],
    [[403, { error: { code: 'Ada Sato', message: 'Ada Sato paid' } }], 'with 403;'],
    [[404, { error: { code: 'resource_missing' } }], 'with 404 (resource_missing);'],
    [[404, '<html>Not here, Ada'], 'with 404;'],
  ])('answered %j is refused, and the error names the reason, but no customer', async (answer, message) => {
    const charge = answering(answer).charge()
    await expect(charge).rejects.toThrow(GatewayRefusedError)
    await expect(charge).rejects.toThrow(message)
    await expect(charge).rejects.not.toThrow('Ada')
  })

  test.each([
    [{ amount: 1201 }, '1201 JPY'],
    [{ currency: 'eur' }, '1200 EUR'],
  ])('that was made with %j instead is an error that says what to do, and is not repeated', async (other, money) => {
    const { charge, requests } = answering([200, { ...INTENT, ...other }])
    const mismatch = charge()
    await expect(mismatch).rejects.toThrow(GatewayMismatchError)
    await expect(mismatch).rejects.toThrow(`pi_1 is of ${money}, but 1200 JPY were ordered, in minor units; compare`)
    expect(requests).toHaveLength(1)
  })
})

describe('Looking up the charge of a key', () => {
  const list = (data: readonly unknown[], hasMore = false): Answer => [200, { object: 'list', data, has_more: hasMore }]
  const intent = (id: string, changes: object = {}) => ({ ...INTENT, id, ...changes })
  const other = (id: string) => intent(id, { metadata: { charge: 'k2' } })

  test.each([
    [Date.UTC(2024, 0, 31, 12) + 999, String(Date.UTC(2024, 0, 30, 12) / 1000)],
    [0, '0'],
  ])('asks for the payment intents of the customer from a day before %i on', async (sinceMs, since) => {
    const { find, requests } = answering(list([]))
    await find(sinceMs)
    const query = { customer: 'cus_1', limit: '100', 'created[gte]': since }
    expect(requests).toEqual([{ method: 'GET', path: '/v1/payment_intents', query, headers: VERSION }])
  })

  const success = { status: 'charged', chargeId: 'pi_2', replayed: true }
  const declined = (declineCode: string) => ({ status: 'declined', declineCode, replayed: true })
  const processing = { status: 'processing' }
  const stolen = { code: 'card_declined', decline_code: 'stolen' }

  test.each<[string, readonly object[], object | undefined]>([
    ['nothing', [], undefined],
    ['nothing without a key', [intent('pi_1', { ...processing, metadata: {} })], undefined],
    ['a success', [other('pi_9'), intent('pi_1', { metadata: {} }), intent('pi_2')], success],
    ['a success among open ones', [intent('pi_3', processing), intent('pi_2'), intent('pi_1', processing)], success],
    ['a decline', [other('pi_9'), intent('pi_1', { status: 'canceled' })], declined('canceled')],
    [
      'a decline with its reason',
      [intent('pi_1', { status: 'canceled', last_payment_error: stolen })],
      declined('stolen'),
    ],
  ])('finds %s', async (_, data, outcome) => {
    expect(await answering(list(data)).find()).toEqual(outcome)
  })

  test('finds an unknown outcome if one may still move money, even among declines', async () => {
    const statuses = ['canceled', 'processing', 'canceled']
    const data = statuses.map((status, i) => intent(`pi_${i}`, { status }))
    await expectUnknown(answering(list(data)).find(), 'its payment intent pi_1 is processing and may still move money')
  })

  test('reads all pages, but not endlessly', async () => {
    const pages = [list([other('pi_9'), other('pi_8')], true), list([other('pi_7')], true), list([intent('pi_6')])]
    const { find, requests } = answering(...pages)
    expect(await find()).toMatchObject({ chargeId: 'pi_6' })
    expect(requests.map(({ query }) => query?.['starting_after'])).toEqual([undefined, 'pi_8', 'pi_7'])
    expect(new Set(requests.map(({ query }) => query?.['created[gte]'])).size).toBe(1)

    const endless = answering(list([other('pi_9')], true))
    await expectUnknown(endless.find(), "its list of one customer's payment intents is longer than 10000")
    expect(endless.requests).toHaveLength(100)
  })

  test.each<[Answer]>([
    ...['', 'x', { data: [] }, { has_more: false }].map((body): [Answer] => [[200, body]]),
    [[200, { data: {}, has_more: false }]],
    [list([{}])],
    [list([{ ...INTENT, amount: undefined }])],
    [list([], true)],
    [[500, { data: [], has_more: false }]],
    [[403, { error: { code: 'forbidden' } }]],
  ])('never takes the answer %j for "not charged"', async (answer) => {
    await expectUnknown(answering(answer).find())
  })
})
