/** What billing reads: its environment, rows edited by hand, what gateways answer; and what the sandbox receives. */
import fc from 'fast-check'
import { dueInstant } from '../../../../functions/billing/due-date.ts'
import { readEnvironment } from '../../../../functions/billing/environment.ts'
import {
  type ChargeOutcome,
  GatewayMismatchError,
  GatewayOutcomeUnknownError,
  GatewayRefusedError,
} from '../../../../functions/billing/gateway.ts'
import { CorruptChargeError, chargesTable, type LedgerLease } from '../../../../functions/billing/ledger.ts'
import { stripeGateway } from '../../../../functions/billing/stripe-gateway.ts'
import {
  afterCharge,
  afterDecline,
  CorruptSubscriptionError,
  readDueSubscription,
} from '../../../../functions/billing/subscription.ts'
import { EnvironmentError } from '../../../../functions/election/environment.ts'
import { idempotencyKey } from '../../../../functions/election/fencing.ts'
import { parseJson, property } from '../../../../functions/election/json.ts'
import { isCanonicalTick } from '../../../../functions/election/tick.ts'
import type { GatewayResponse } from '../../../../functions/sandbox/message.ts'
import { sandbox } from '../../../../functions/sandbox/sandbox.ts'
import { generateCustomers } from '../../../../infra/local/billing/generate.ts'
import { memoryStore } from '../../../support/sandbox-memory.ts'
import { hostileJson, hostileText, nearly, nearlyObject, nearlyText, nearlyTexts } from '../inputs.ts'
import { assert, type Target, target } from '../target.ts'

const TICK = '2024-04-30T06:00:00.000Z'
const NOW_MS = Date.parse(TICK)

/** An order that may be charged. */
const ORDER = {
  customer: 'cus_0001',
  plan: 'plus-monthly',
  period: '2024-04-30',
  dunned: 0,
  amountMinor: 1999,
  currency: 'EUR',
  paymentMethod: 'card_4242424242424242',
}

const TABLES = { LEASE_TABLE: 'leases', SUBSCRIPTIONS_TABLE: 'subscriptions', CHARGES_TABLE: 'charges' }
const SANDBOX = { ...TABLES, GATEWAY_FUNCTION: 'sandbox' }
const STRIPE = { ...TABLES, GATEWAY_URL: 'https://api.stripe.com', GATEWAY_SECRET: 'gateway/key' }
const url = nearlyText(fc.oneof(fc.constantFrom('https://api.stripe.com', 'http://localhost/x'), fc.webUrl()))

function readVariables(variables: Readonly<Record<string, string>>): void {
  const { gateway, ...named } = readEnvironment(variables)
  for (const [name, value] of Object.entries(named)) assert(value.trim() !== '', `${name} is empty`)
  const name = gateway.kind === 'https' ? gateway.secretId : gateway.functionName
  assert(name !== '', 'the gateway has no name or no key')
  if (gateway.kind === 'https') assertPrivate(gateway.url)
}

/** Requests are encrypted, and the URL, which is logged, holds no secret. */
function assertPrivate(url: string): void {
  const { protocol, hostname, username, password, search, hash } = new URL(url)
  const isLocal = ['127.0.0.1', 'localhost'].includes(hostname)
  assert(protocol === 'https:' || (protocol === 'http:' && isLocal), `${url} is not encrypted`)
  assert(username + password + search + hash === '', `${url} may hold a secret`)
}

const byHand = fc.oneof(
  hostileJson,
  fc.constantFrom('', '2024-01-31', '2024-05-31', '9999-12-31', '2024-4-30', 'Europe/Berlin', 'day', 'EURO', 0, 32),
)
const subscription = fc.constantFrom(...generateCustomers(7, 60).filter(({ dueAt }) => dueAt <= TICK))

function readSubscription(row: Readonly<Record<string, unknown>>): void {
  const due = readDueSubscription(row, TICK)
  assert(Number.isSafeInteger(due.priceMinor) && due.priceMinor > 0, `the price is ${due.priceMinor}`)
  const dueMs = Date.parse(dueInstant(due.period, due.timeZone))
  assert(dueMs <= NOW_MS + 86_400_000, `the period ${due.period} is not due for more than a day`)
  // What is accepted will be charged: it must be possible to move the subscription on.
  const { period, dueAt } = afterCharge(due)
  assert(isCanonicalTick(dueAt) && period > due.period, `${due.period} is followed by ${period}`)
  assert(afterDecline(due, TICK).dunned === due.dunned + 1, 'a decline was not counted')
}

const INTENDED = { ...ORDER, key: 'charge:cus_0001', status: 'intended', intendedAtMs: NOW_MS, tick: TICK }
const LEDGER_ROWS = [
  { ...INTENDED, intendedBy: 7 },
  { ...INTENDED, status: 'charged', chargeId: 'pi_1' },
]

/** A ledger that has this row already. */
async function readLedgerRow(row: Record<string, unknown>): Promise<void> {
  const lease: LedgerLease = {
    fencingToken: 7,
    idempotencyKey: (...unit) => idempotencyKey(unit),
    send: async () => row,
  }
  const charge = await chargesTable('charges').intend(lease, ORDER, TICK, NOW_MS)
  assert(Number.isSafeInteger(charge.amountMinor) && charge.amountMinor > 0, `the amount is ${charge.amountMinor}`)
  for (const name of ['customer', 'plan', 'period', 'currency', 'paymentMethod', 'key'] as const) {
    assert(typeof charge[name] === 'string' && charge[name] !== '', `${name} is no text`)
  }
  assert(!charge.fresh || charge.status === 'intended', `fresh, though ${charge.status}`)
}

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

const charged = answer([200], INTENT, CANCELED, { ...INTENT, status: 'processing' })
const ofCharge = fc.oneof(charged, answer([402], DECLINED), answer([400, 401], WRONG))
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
    const isOfOrder = typeof currency === 'string' && currency.toUpperCase() === ORDER.currency
    return isOfOrder && property(intent, 'status') === 'succeeded' && property(intent, 'amount') === ORDER.amountMinor
  }
  const intents: readonly unknown[] = [parsed, ...(Array.isArray(data) ? data : [])]
  const charges = intents.filter(isCharge).map((intent) => property(intent, 'id'))
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
const formPieces = fc.constantFrom('&', '=', '%00', '%ud800', 'metadata[__proto__]=1')
const form = nearlyText(fc.constant(FORM), fc.oneof(hostileText, formPieces))
const QUERY = { customer: 'cus_0001', limit: '100', 'created[gte]': '1714435200', starting_after: 'pi_1' }
const get = { method: 'GET', path, headers: {}, query: QUERY }
const request: fc.Arbitrary<object> = fc.oneof(
  form.map((body) => ({ ...post, body })),
  nearlyTexts(fc.constant(QUERY), hostileText).map((query) => ({ ...get, query })),
  nearlyObject(fc.constantFrom<object>(post, get), hostileJson),
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

export const billingTargets: readonly Target[] = [
  target(
    "billing's environment",
    nearlyTexts(fc.constantFrom<object>(SANDBOX, STRIPE), fc.oneof(hostileText, url)),
    readVariables,
    [EnvironmentError, /[A-Z]+_[A-Z]+/],
  ),
  target('the row of a subscription', nearlyObject(subscription, byHand), readSubscription, [
    CorruptSubscriptionError,
    /attribute "\w+" is not/,
  ]),
  target('a row of the ledger', nearlyObject(fc.constantFrom<object>(...LEDGER_ROWS), byHand), readLedgerRow, [
    CorruptChargeError,
    /attribute "\w+"/,
  ]),
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
