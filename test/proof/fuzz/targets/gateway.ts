/** What gateways answer, and what the sandbox receives. */
import fc from 'fast-check'
import {
  type ChargeOutcome,
  GatewayMismatchError,
  GatewayOutcomeUnknownError,
  GatewayRefusedError,
} from '../../../../functions/billing/gateway.ts'
import { stripeGateway } from '../../../../functions/billing/stripe-gateway.ts'
import { parseJson, property } from '../../../../functions/election/json.ts'
import type { GatewayResponse } from '../../../../functions/sandbox/message.ts'
import { sandbox } from '../../../../functions/sandbox/sandbox.ts'
import { memoryStore } from '../../../support/sandbox-memory.ts'
import { hostileJson, hostileText } from '../hostile.ts'
import { nearly, nearlyObject, nearlyText, nearlyTexts } from '../nearly-valid.ts'
import { assert, type Target, target } from '../target.ts'
import { ORDER } from './billing.ts'

const KEY = 'charge:cus_0001:plus-monthly:2024-04-30:0:1999:EUR'
const CALL = { key: KEY, signal: new AbortController().signal, sinceMs: Date.parse('2024-04-30T00:00:00Z') }
const INTENT = { id: 'pi_1', status: 'succeeded', amount: 1999, currency: 'eur', metadata: { charge: KEY } }
const CANCELED = { ...INTENT, status: 'canceled' }
const DECLINED = { error: { type: 'card_error', code: 'card_declined', decline_code: 'do_not_honor' } }
const WRONG = { error: { type: 'invalid_request_error', param: 'payment_method', code: 'resource_missing' } }

/** A body nested too deep to be written comes as the text that it would be. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return '{"error":'.repeat(20_000)
  }
}

function answer(statuses: readonly number[], ...values: readonly object[]): fc.Arbitrary<GatewayResponse> {
  return fc.record({
    statusCode: fc.oneof(
      fc.constantFrom(...statuses),
      fc.constantFrom(0, 200, 204, 302, 404, 409, 429, 500, Number.NaN),
    ),
    headers: fc.constantFrom<Record<string, string>>({}, { 'idempotent-replayed': 'true' }, { __proto__: 'x' }),
    body: fc.oneof(
      { weight: 6, arbitrary: nearly(fc.constantFrom(...values), hostileJson).map(textOf) },
      { weight: 1, arbitrary: hostileText },
    ),
  })
}

const ofCharge = fc.oneof(
  answer([200], INTENT, CANCELED, { ...INTENT, status: 'processing' }),
  answer([402], DECLINED),
  answer([400, 401], WRONG),
)
const lists = [[INTENT], [{ ...INTENT, metadata: {} }, CANCELED], []]
const ofList = answer([200], ...lists.map((data) => ({ object: 'list', data, has_more: false })))

const GATEWAY_ERRORS = [
  [GatewayOutcomeUnknownError, /outcome at the gateway is unknown: \w/],
  [GatewayRefusedError, /refused the charge with 4\d\d/],
  [GatewayMismatchError, /charge [\w.[\]-]+ is of/],
] as const

/** A charge or a decline counts only if the gateway's answer states it. */
function assertStated(outcome: ChargeOutcome | undefined, { body }: GatewayResponse): void {
  const parsed = parseJson(body)
  const data = property(parsed, 'data')
  const isCharge = (intent: unknown) => {
    const currency = property(intent, 'currency')
    const isOfCurrency = typeof currency === 'string' && currency.toUpperCase() === ORDER.currency
    return (
      property(intent, 'status') === 'succeeded' && property(intent, 'amount') === ORDER.amountMinor && isOfCurrency
    )
  }
  const charges = [parsed, ...(Array.isArray(data) ? data : [])]
    .filter(isCharge)
    .map((intent) => property(intent, 'id'))
  if (outcome?.status === 'charged') assert(charges.includes(outcome.chargeId), 'no charge is in the answer')
  const isDecline = /error|requires_payment_method|canceled/.test(body)
  assert(outcome?.status !== 'declined' || isDecline, 'no decline is in the answer')
}

const FORM = new URLSearchParams({
  ...{ amount: '1999', currency: 'eur', customer: 'cus_0001', payment_method: 'card_4242424242424242' },
  ...{ confirm: 'true', off_session: 'true' },
  ...{ 'metadata[plan]': 'plus-monthly', 'metadata[period]': '2024-04-30', 'metadata[dunned]': '0' },
}).toString()

class Refused extends Error {}

const path = '/v1/payment_intents'
const post = { method: 'POST', path, headers: { 'idempotency-key': KEY }, body: FORM }
const form = nearlyText(
  fc.constant(FORM),
  fc.oneof(hostileText, fc.constantFrom('&', '=', '%00', '%ud800', 'metadata[__proto__]=1')),
)
const search = nearlyTexts(
  fc.constant({ customer: 'cus_0001', limit: '100', 'created[gte]': '1714435200', starting_after: 'pi_1' }),
  hostileText,
)
const request: fc.Arbitrary<object> = fc.oneof(
  form.map((body) => ({ ...post, body })),
  search.map((query) => ({ method: 'GET', path, headers: {}, query })),
  nearlyObject(
    fc.constantFrom<object>(post, { method: 'GET', path, headers: {}, query: { customer: 'cus_0001', limit: '100' } }),
    hostileJson,
  ),
)

async function invokeSandbox(event: object): Promise<void> {
  const invoke = sandbox({ store: memoryStore(), now: () => CALL.sinceMs, sleep: async () => {} })
  const response: unknown = await Reflect.apply(invoke, undefined, [event])
  const statusCode = property(response, 'statusCode')
  const body = parseJson(String(property(response, 'body')))
  assert(typeof body === 'object', 'the answer has no body')
  if (statusCode === 400 || statusCode === 404) throw new Refused('invalid: request')
  assert(statusCode === 200, `it answered ${statusCode}`)
  const amount = property(body, 'amount') ?? 1 // none in a list
  assert(Number.isSafeInteger(amount) && Number(amount) > 0, `the amount is ${amount}`)
}

export const gatewayTargets: readonly Target[] = [
  target(
    "the gateway's answer to a charge",
    ofCharge,
    async (response) => assertStated(await stripeGateway(async () => response).charge(ORDER, CALL), response),
    ...GATEWAY_ERRORS,
  ),
  target(
    "the gateway's list of earlier charges",
    ofList,
    async (response) => assertStated(await stripeGateway(async () => response).find(ORDER, CALL), response),
    ...GATEWAY_ERRORS,
  ),
  target("the sandbox's event", request, invokeSandbox, [Refused, /^invalid: request$/]),
]
