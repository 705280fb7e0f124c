/** What gateways answer, and what the sandbox is asked. */
import fc from 'fast-check'
import {
  type ChargeOutcome,
  GatewayMismatchError,
  GatewayOutcomeUnknownError,
  GatewayRefusedError,
} from '../../../../functions/billing/gateway.ts'
import { stripeGateway } from '../../../../functions/billing/stripe-gateway.ts'
import { EnvironmentError } from '../../../../functions/election/environment.ts'
import { parseJson, property } from '../../../../functions/election/json.ts'
import { readEnvironment } from '../../../../functions/sandbox/environment.ts'
import type { GatewayResponse } from '../../../../functions/sandbox/message.ts'
import { InvalidRequest, readOrder, readSearch } from '../../../../functions/sandbox/requests.ts'
import { sandbox } from '../../../../functions/sandbox/sandbox.ts'
import { chargesOf } from '../../../../functions/sandbox/store.ts'
import { memoryStore } from '../../../support/sandbox-memory.ts'
import { hostileJson, hostileText } from '../hostile.ts'
import { nearly, nearlyObject, nearlyText } from '../nearly-valid.ts'
import { ORDER } from '../order.ts'
import { Broken, type Target, target } from '../target.ts'

const KEY = 'charge:cus_0001:plus-monthly:2024-04-30:0:1999:EUR'
const CALL = { key: KEY, signal: new AbortController().signal, sinceMs: Date.parse('2024-04-30T00:00:00Z') }

const INTENT = { id: 'pi_1', status: 'succeeded', amount: 1999, currency: 'eur', metadata: { charge: KEY } }
const DECLINED = { error: { type: 'card_error', code: 'card_declined', decline_code: 'do_not_honor' } }
const WRONG = { error: { type: 'invalid_request_error', param: 'payment_method', code: 'resource_missing' } }

const body = (value: fc.Arbitrary<unknown>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 6, arbitrary: nearly(value, hostileJson).map(textOf) }, { weight: 1, arbitrary: hostileText })

/** What is nested too deep to be written comes as the text that it would be. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return '{"error":'.repeat(20_000)
  }
}

const headers = fc.constantFrom<Record<string, string>>({}, { 'idempotent-replayed': 'true' }, { __proto__: 'x' })

function answer(statuses: readonly number[], value: fc.Arbitrary<unknown>): fc.Arbitrary<GatewayResponse> {
  const statusCode = fc.oneof(
    fc.constantFrom(...statuses),
    fc.constantFrom(0, 200, 204, 302, 404, 409, 429, 500, Number.NaN),
  )
  return fc.record({ statusCode, headers, body: body(value) })
}

const ofCharge = fc.oneof(
  answer([200], fc.constantFrom(INTENT, { ...INTENT, status: 'canceled' }, { ...INTENT, status: 'processing' })),
  answer([402], fc.constant(DECLINED)),
  answer([400, 401], fc.constant(WRONG)),
)

const ofList = answer(
  [200],
  fc.constantFrom(
    { object: 'list', data: [INTENT], has_more: false },
    {
      object: 'list',
      data: [
        { ...INTENT, metadata: {} },
        { ...INTENT, status: 'canceled' },
      ],
      has_more: false,
    },
    { object: 'list', data: [], has_more: false },
  ),
)

const GATEWAY_ERRORS = [
  { type: GatewayOutcomeUnknownError, says: /outcome at the gateway is unknown: \w/ },
  { type: GatewayRefusedError, says: /refused the charge with 4\d\d/ },
  { type: GatewayMismatchError, says: /charge pi_1 is of|charge [\w.[\]-]+ is of/ },
]

/** Money counts as moved on clear words alone. */
function assertSaid(outcome: ChargeOutcome | undefined, { body: text }: GatewayResponse): void {
  const said = parseJson(text)
  const intents = [said, ...listed(property(said, 'data'))]
  const matches = (id: string) => (intent: unknown) =>
    property(intent, 'id') === id &&
    property(intent, 'status') === 'succeeded' &&
    property(intent, 'amount') === ORDER.amountMinor &&
    String(property(intent, 'currency')).toUpperCase() === ORDER.currency
  if (outcome?.status === 'charged' && !intents.some(matches(outcome.chargeId))) throw new Broken('nobody said charged')
  const isDecline = /error|requires_payment_method|canceled/.test(text)
  if (outcome?.status === 'declined' && !isDecline) throw new Broken('nobody said declined')
}

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const FORM = new URLSearchParams({
  amount: '1999',
  currency: 'eur',
  customer: 'cus_0001',
  payment_method: 'card_4242424242424242',
  confirm: 'true',
  off_session: 'true',
  'metadata[plan]': 'plus-monthly',
  'metadata[period]': '2024-04-30',
  'metadata[dunned]': '0',
}).toString()

class Refused extends Error {}

function assertValid<Value>(value: Value | InvalidRequest): Value {
  if (value instanceof InvalidRequest) throw new Refused(`invalid: ${value.param}`)
  return value
}

const REFUSED = { type: Refused, says: /^invalid: [\w[\]-]+$/ }

const request = nearlyObject(
  fc.constantFrom(
    { method: 'POST', path: '/v1/payment_intents', headers: { 'idempotency-key': KEY }, body: FORM },
    { method: 'GET', path: '/v1/payment_intents', headers: {}, query: { customer: 'cus_0001', limit: '100' } },
  ),
  hostileJson,
)

/** One event of the function that is no gateway; it answers 4xx where it does not understand. */
async function askSandbox(event: object): Promise<void> {
  const ask = sandbox({ store: memoryStore(), now: () => CALL.sinceMs, sleep: async () => {} })
  const response: unknown = await Reflect.apply(ask, undefined, [event])
  const statusCode = property(response, 'statusCode')
  if (typeof parseJson(String(property(response, 'body'))) !== 'object') throw new Broken('the answer has no body')
  if (statusCode === 400 || statusCode === 404) throw new Refused('invalid: request')
  if (statusCode !== 200) throw new Broken(`it answered ${statusCode}`)
}

const SANDBOX_ROW = {
  customer: 'cus_0001',
  key: KEY,
  plan: 'plus-monthly',
  period: '2024-04-30',
  dunned: 0,
  request: FORM,
  sinceMs: CALL.sinceMs,
  statusCode: 200,
  body: '{}',
  intents: [
    { ...INTENT, created: 1_714_435_200, metadata: { plan: 'plus-monthly', period: '2024-04-30', dunned: '0' } },
  ],
}

const variables = nearlyObject(
  fc.constant({ SANDBOX_TABLE: 'sandbox', KEY_WINDOW_MS: '60000', LATE_MS: '8000' }),
  hostileText,
)

export const gatewayTargets: readonly Target[] = [
  target({
    name: "the gateway's answer to a charge",
    inputs: ofCharge,
    read: async (response) => assertSaid(await stripeGateway(async () => response).charge(ORDER, CALL), response),
    refusals: GATEWAY_ERRORS,
  }),
  target({
    name: "the gateway's list of earlier charges",
    inputs: ofList,
    read: async (response) => assertSaid(await stripeGateway(async () => response).find(ORDER, CALL), response),
    refusals: GATEWAY_ERRORS,
  }),
  target({
    name: 'an order, as a form',
    inputs: nearlyText(
      fc.constant(FORM),
      fc.oneof(hostileText, fc.constantFrom('&', '=', '%00', '%ud800', 'metadata[__proto__]=1')),
    ),
    read: (form) => {
      const { amount, dunned } = assertValid(readOrder(form))
      if (!(Number.isSafeInteger(amount) && amount > 0)) throw new Broken(`the amount is ${amount}`)
      if (!(Number.isSafeInteger(dunned) && dunned >= 0)) throw new Broken(`dunned is ${dunned}`)
    },
    refusals: [REFUSED],
  }),
  target({
    name: 'a search for charges',
    inputs: nearlyObject(
      fc.constant({ customer: 'cus_0001', limit: '100', 'created[gte]': '1714435200', starting_after: 'pi_1' }),
      hostileText,
    ),
    read: (query) => {
      const { limit, createdGte } = assertValid(readSearch(textsOf(query)))
      if (!(limit >= 1 && limit <= 100 && Number.isSafeInteger(createdGte))) throw new Broken(`limit ${limit}`)
    },
    refusals: [REFUSED],
  }),
  target({
    name: "the sandbox's event",
    inputs: request,
    read: askSandbox,
    refusals: [REFUSED],
  }),
  target({
    name: 'a row of the sandbox',
    inputs: nearlyObject(fc.constant(SANDBOX_ROW), hostileJson),
    read: chargesOf,
    refusals: [{ type: TypeError, says: /The attribute "\w+" of a sandbox row/ }],
  }),
  target({
    name: "the sandbox's environment",
    inputs: variables.map(textsOf),
    read: readEnvironment,
    refusals: [{ type: EnvironmentError, says: /environment of the sandbox is wrong: [A-Z_]+ is/ }],
  }),
]

function textsOf(object: object): Record<string, string> {
  const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string'
  return Object.fromEntries(Object.entries(object).filter(isText))
}
