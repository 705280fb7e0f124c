// @ts-nocheck
import { describe, expect, test } from 'vitest'
import { stripeGateway } from '../../functions/billing/stripe-gateway.ts'
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

/** An outcome, or an error as `Name: message`; neither may name the customer. */
async function shown(outcome: Promise<unknown>): Promise<unknown> {
  const value = await outcome.catch(String)
  expect(JSON.stringify([value])).not.toContain('Ada')
  return value
}

const charged = (chargeId: string, replayed: boolean) => ({ status: 'charged', chargeId, replayed })
const declined = (declineCode: string, replayed = false) => ({ status: 'declined', declineCode, replayed })
const unknown = (why = ''): string =>
  expect.stringContaining(`GatewayOutcomeUnknownError: The outcome at the gateway is unknown: ${why}`)
const refused = (how: string): string =>
  expect.stringContaining(`GatewayRefusedError: The gateway refused the charge with ${how}`)

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
    expect(await shown(charge({ currency, amountMinor }))).toContain(`CurrencyUnitError: ${message}`)
    expect(requests).toEqual([])
  })

  test('in KWD of a multiple of 10 is sent', async () => {
    const { charge } = answering([200, { ...INTENT, currency: 'kwd', amount: 1990 }])
    expect(await charge({ currency: 'KWD', amountMinor: 1990 })).toEqual(charged('pi_1', false))
  })

  const replayed = { 'idempotent-replayed': 'true' }
  const cardError = (error: object): Answer => [402, { error: { type: 'card_error', ...error } }]
  const wrongMethod = { type: 'invalid_request_error', param: 'payment_method' }
  const missing = { type: 'invalid_request_error', code: 'parameter_missing', param: 'metadata[plan]' }
  const mismatch = (money: string): string =>
    expect.stringContaining(`pi_1 is of ${money}, but 1200 JPY were ordered, in minor units; compare`)

  test.each<[Answer, object | string]>([
    [[200, INTENT, replayed], charged('pi_1', true)],
    [[200, INTENT, { 'idempotent-replayed': 'false' }], charged('pi_1', false)],

    [cardError({ code: 'card_declined', decline_code: 'insufficient_funds' }), declined('insufficient_funds')],
    [cardError({ code: 'expired_card' }), declined('expired_card')],
    [cardError({ code: 'card_declined', decline_code: 'Ada Sato has no money' }), declined('card_declined')],
    [[402, { error: { type: 'card_error' } }, replayed], declined('card_error', true)],
    [[400, { error: { ...wrongMethod, code: 'resource_missing' } }], declined('resource_missing')],
    [[200, { ...INTENT, status: 'requires_payment_method' }], declined('requires_payment_method')],
    [[200, { ...INTENT, status: 'canceled', last_payment_error: { code: 'expired_card' } }], declined('expired_card')],

    [[200, { ...INTENT, status: 'processing' }], unknown('its payment intent pi_1 is processing and may still move')],
    [[200, { ...INTENT, status: 'something_new' }], unknown('its payment intent pi_1 is something_new and may')],
    [[201, INTENT], unknown('it answered 201')],
    [[408, INTENT], unknown('it answered 408')],
    [[425, INTENT], unknown('it answered 425')],
    [[500, { error: { type: 'api_error' } }], unknown('it answered 500 (api_error)')],
    // A request with the same key and another body may have charged.
    [[400, { error: { type: 'idempotency_error' } }], unknown('it answered 400 (idempotency_error)')],
    [[402, 'Payment required'], unknown('it answered 402 without a readable reason')],
    [[502, '<html>Bad gateway'], unknown('it answered 502')],
    [[200, 'charged!'], unknown('its answer is not a payment intent')],
    [[200, { ...INTENT, metadata: undefined }], unknown('its answer is not a payment intent')],
    [[200, { ...INTENT, amount: '1200' }], unknown('its payment intent pi_1 has no "amount" or no "currency"')],

    [[400, { error: missing }], refused('400 (parameter_missing, metadata[plan]);')],
    [[400, { error: { ...missing, code: undefined } }], refused('400 (invalid_request_error, metadata[plan]);')],
    [[401, 'no'], refused('401;')],
    [[403, { error: { code: 'Ada Sato', message: 'Ada Sato paid' } }], refused('403;')],
    [[404, { error: { code: 'resource_missing' } }], refused('404 (resource_missing);')],
    [[404, '<html>Not here, Ada'], refused('404;')],

    [[200, { ...INTENT, amount: 1201 }], mismatch('1201 JPY')],
    [[200, { ...INTENT, currency: 'eur' }], mismatch('1200 EUR')],
  ])('that is answered %j is not repeated, and is read for what it surely means', async (answer, outcome) => {
    const { charge, requests } = answering(answer)
    expect(await shown(charge())).toEqual(outcome)
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

  const processing = { status: 'processing' }
  const canceled = { status: 'canceled' }
  const stolen = { ...canceled, last_payment_error: { code: 'card_declined', decline_code: 'stolen' } }
  const mayMove = unknown('its payment intent pi_1 is processing and may still move money')

  test.each<[string, readonly object[], object | string | undefined]>([
    ['nothing', [], undefined],
    ['nothing without a key', [intent('pi_1', { ...processing, metadata: {} })], undefined],
    ['a success', [other('pi_9'), intent('pi_1', { metadata: {} }), intent('pi_2')], charged('pi_2', true)],
    ['a success among open ones', [intent('pi_3', processing), intent('pi_2')], charged('pi_2', true)],
    ['a decline', [other('pi_9'), intent('pi_1', canceled)], declined('canceled', true)],
    ['a decline with its reason', [intent('pi_1', stolen)], declined('stolen', true)],
    ['an open one too', [intent('pi_0', canceled), intent('pi_1', processing), intent('pi_2', canceled)], mayMove],
  ])('finds %s', async (_, data, outcome) => {
    expect(await shown(answering(list(data)).find())).toEqual(outcome)
  })

  test('reads all pages, but not endlessly', async () => {
    const pages = [list([other('pi_9'), other('pi_8')], true), list([other('pi_7')], true), list([intent('pi_6')])]
    const { find, requests } = answering(...pages)
    expect(await find()).toMatchObject({ chargeId: 'pi_6' })
    expect(requests.map(({ query }) => query?.['starting_after'])).toEqual([undefined, 'pi_8', 'pi_7'])
    expect(new Set(requests.map(({ query }) => query?.['created[gte]'])).size).toBe(1)

    const endless = answering(list([other('pi_9')], true))
    expect(await shown(endless.find())).toEqual(unknown("its list of one customer's payment intents is longer"))
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
    expect(await shown(answering(answer).find())).toEqual(unknown())
  })
})
