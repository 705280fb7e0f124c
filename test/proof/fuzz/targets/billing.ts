/** What billing reads: its environment, rows edited by hand, and what gateways answer. */
import fc from 'fast-check'
import { dueInstant } from '../../../../functions/billing/due-date.ts'
import { readEnvironment } from '../../../../functions/billing/environment.ts'
import {
  GatewayMismatchError,
  GatewayOutcomeUnknownError,
  GatewayRefusedError,
} from '../../../../functions/billing/gateway.ts'
import { CorruptChargeError, chargesTable } from '../../../../functions/billing/ledger.ts'
import { stripeGateway } from '../../../../functions/billing/stripe-gateway.ts'
import {
  afterCharge,
  afterDecline,
  CorruptSubscriptionError,
  readDueSubscription,
} from '../../../../functions/billing/subscription.ts'
import { EnvironmentError } from '../../../../functions/election/environment.ts'
import { idempotencyKey } from '../../../../functions/election/fencing.ts'
import { isCanonicalTick } from '../../../../functions/election/tick.ts'
import type { GatewayResponse } from '../../../../functions/sandbox/message.ts'
import { generateCustomers } from '../../../../infra/local/billing/generate.ts'
import { hostileJson, hostileText, nearly, nearlyObject, nearlyText, nearlyTexts } from '../inputs.ts'
import { assert, type Target, target } from '../target.ts'

const TICK = '2024-04-30T06:00:00.000Z'
const NOW_MS = Date.parse(TICK)

/** An order that may be charged. */
const ORDER = {
  ...{ customer: 'cus_0001', plan: 'plus-monthly', period: '2024-04-30', dunned: 0 },
  ...{ amountMinor: 1999, currency: 'EUR', paymentMethod: 'card_4242424242424242' },
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
  if (gateway.kind !== 'https') return
  // Requests are encrypted, and the URL, which is logged, holds no secret.
  const { protocol, hostname, username, password, search, hash } = new URL(gateway.url)
  const isLocal = ['127.0.0.1', 'localhost'].includes(hostname)
  assert(protocol === 'https:' || (protocol === 'http:' && isLocal), `${gateway.url} is not encrypted`)
  assert(username + password + search + hash === '', `${gateway.url} may hold a secret`)
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
  const idempotencyKeyOf = (...unit: readonly (string | number)[]) => idempotencyKey(unit)
  const lease = { fencingToken: 7, idempotencyKey: idempotencyKeyOf, send: async () => row }
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
const ANSWERS = [
  ...[INTENT, { ...INTENT, status: 'canceled' }, { ...INTENT, status: 'processing' }],
  { error: { type: 'card_error', code: 'card_declined', decline_code: 'do_not_honor' } },
  { error: { type: 'invalid_request_error', param: 'payment_method', code: 'resource_missing' } },
  ...[[INTENT], [{ ...INTENT, metadata: {} }], []].map((data) => ({ object: 'list', data, has_more: false })),
]
const gatewayAnswer: fc.Arbitrary<GatewayResponse> = fc.record({
  statusCode: fc.oneof(fc.constant(200), fc.constantFrom(0, 204, 302, 400, 401, 402, 404, 409, 429, 500, Number.NaN)),
  headers: fc.constantFrom<Record<string, string>>({}, { 'idempotent-replayed': 'true' }, { __proto__: 'x' }),
  body: fc.oneof(
    { weight: 6, arbitrary: nearly(fc.constantFrom<object>(...ANSWERS), hostileJson).map(textOf) },
    { weight: 1, arbitrary: hostileText },
  ),
})

/** A body nested too deep to be written comes as the text that it would be. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return '{"error":'.repeat(20_000)
  }
}

/** A charge or a decline counts only if the gateway's answer states it. */
async function askGateway(method: 'charge' | 'find', response: GatewayResponse): Promise<void> {
  const outcome = await stripeGateway(async () => response)[method](ORDER, CALL)
  const states = (pattern: RegExp) => pattern.test(response.body)
  const isCharge = states(/"succeeded"/) && states(/1999/) && states(/"eur"/i)
  assert(outcome?.status !== 'charged' || isCharge, 'no charge is in the answer')
  const isDecline = states(/error|requires_payment_method|canceled/)
  assert(outcome?.status !== 'declined' || isDecline, 'no decline is in the answer')
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
  ...(['charge', 'find'] as const).map((method) =>
    target(
      `the gateway's answer to a ${method}`,
      gatewayAnswer,
      (response) => askGateway(method, response),
      [GatewayOutcomeUnknownError, /outcome at the gateway is unknown: \w/],
      [GatewayRefusedError, /refused the charge with 4\d\d/],
      [GatewayMismatchError, /charge [\w.[\]-]+ is of/],
    ),
  ),
]
