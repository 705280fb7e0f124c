/** What billing is given from outside: its environment, and rows that somebody may have edited by hand. */
import fc from 'fast-check'
import { dueInstant } from '../../../../functions/billing/due-date.ts'
import { isGatewayUrl, readEnvironment } from '../../../../functions/billing/environment.ts'
import {
  type Charge,
  CorruptChargeError,
  chargesTable,
  type LedgerLease,
} from '../../../../functions/billing/ledger.ts'
import {
  afterCharge,
  afterDecline,
  CorruptSubscriptionError,
  readDueSubscription,
} from '../../../../functions/billing/subscription.ts'
import { EnvironmentError } from '../../../../functions/election/environment.ts'
import { idempotencyKey } from '../../../../functions/election/fencing.ts'
import { isCanonicalTick } from '../../../../functions/election/tick.ts'
import { generateCustomers } from '../../../../infra/local/billing/customers.ts'
import { hostileJson, hostileText } from '../hostile.ts'
import { nearlyObject, nearlyText } from '../nearly-valid.ts'
import { ORDER } from '../order.ts'
import { Broken, type Target, target } from '../target.ts'

const TICK = '2024-04-30T06:00:00.000Z'
const NOW_MS = Date.parse(TICK)

const SANDBOX = {
  LEASE_TABLE: 'leases',
  LEASE_NAME: 'billing',
  LEASE_MS: '15000',
  SUBSCRIPTIONS_TABLE: 'subscriptions',
  CHARGES_TABLE: 'charges',
  GATEWAY_FUNCTION: 'sandbox',
}
const { GATEWAY_FUNCTION: _sandbox, ...tables } = SANDBOX
const REAL = { ...tables, GATEWAY_URL: 'https://api.stripe.com', GATEWAY_SECRET: 'gateway/key' }

/** A process's environment holds texts alone. */
const environment = nearlyObject(fc.constantFrom<object>(SANDBOX, REAL), fc.oneof(hostileText, fc.webUrl())).map(
  (variables): Record<string, string> =>
    Object.fromEntries(
      Object.entries(variables).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ),
)

function readVariables(variables: Readonly<Record<string, string>>): void {
  const { leaseMs, gateway, ...named } = readEnvironment(variables)
  for (const [name, value] of Object.entries(named)) if (value.trim() === '') throw new Broken(`${name} is empty`)
  if (leaseMs !== undefined && !(Number.isSafeInteger(leaseMs) && leaseMs > 0))
    throw new Broken(`leaseMs is ${leaseMs}`)
  if (gateway.kind === 'https' && gateway.secretId === '') throw new Broken('the gateway has no key')
  if (gateway.kind === 'https') assertPrivate(gateway.url)
  else if (gateway.functionName === '') throw new Broken('the sandbox has no name')
}

/** Nothing of what is sent may be read on its way, and nothing of what a URL may hold is a secret. */
function assertPrivate(url: string): void {
  const { protocol, hostname, username, password, search, hash } = new URL(url)
  const isLocal = ['127.0.0.1', 'localhost'].includes(hostname)
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocal)) throw new Broken(`${url} is not encrypted`)
  if (username + password + search + hash !== '') throw new Broken(`${url} may hold a secret`)
}

/** What people write into rows that they mean to repair. */
const byHand = fc.oneof(
  hostileJson,
  fc.constantFrom('', '2024-01-31', '2024-05-31', '9999-12-31', '2024-4-30', 'Europe/Berlin', 'day', 'EURO', 0, 32),
)

const subscription = fc.constantFrom(...generateCustomers(7, 60).filter(({ dueAt }) => dueAt <= TICK))

function readSubscription(row: Readonly<Record<string, unknown>>): void {
  const due = readDueSubscription(row, TICK)
  if (!(Number.isSafeInteger(due.priceMinor) && due.priceMinor > 0)) throw new Broken(`the price is ${due.priceMinor}`)
  const dueMs = Date.parse(dueInstant(due.period, due.timeZone))
  if (dueMs > Date.parse(TICK) + 86_400_000) throw new Broken(`the period ${due.period} is not due for more than a day`)
  // What is accepted will be charged: that the subscription cannot be moved on must not show only then.
  const { period, dueAt } = afterCharge(due)
  if (!isCanonicalTick(dueAt) || period <= due.period) throw new Broken(`${due.period} is followed by ${period}`)
  const declined = afterDecline(due, TICK)
  if (declined.dunned !== due.dunned + 1) throw new Broken(`declined ${declined.dunned} times`)
}

/** A ledger in which somebody else wrote this row first. */
async function readLedgerRow(row: Record<string, unknown>): Promise<void> {
  const lease: LedgerLease = {
    fencingToken: 7,
    idempotencyKey: (...unit) => idempotencyKey(unit),
    send: async () => row,
  }
  const charge: Charge = await chargesTable('charges').intend(lease, ORDER, TICK, NOW_MS)
  if (!(Number.isSafeInteger(charge.amountMinor) && charge.amountMinor > 0)) throw new Broken(`${charge.amountMinor}`)
  for (const name of ['customer', 'plan', 'period', 'currency', 'paymentMethod', 'key'] as const) {
    if (typeof charge[name] !== 'string' || charge[name] === '') throw new Broken(`${name} is no text`)
  }
  if (charge.fresh && charge.status !== 'intended') throw new Broken(`fresh, though ${charge.status}`)
}

export const billingTargets: readonly Target[] = [
  target({
    name: "billing's environment",
    inputs: environment,
    read: readVariables,
    refusals: [{ type: EnvironmentError, says: /[A-Z]+_[A-Z]+/ }],
  }),
  target({
    name: 'the URL of the gateway',
    inputs: nearlyText(
      fc.oneof(fc.constantFrom('https://api.stripe.com', 'http://127.0.0.1:9', 'http://localhost/x'), fc.webUrl()),
    ),
    read: (url) => {
      if (!isGatewayUrl(url)) throw new EnvironmentError('GATEWAY_URL')
      assertPrivate(url)
    },
    refusals: [{ type: EnvironmentError, says: /GATEWAY_URL/ }],
  }),
  target({
    name: 'the row of a subscription',
    inputs: nearlyObject(subscription, byHand),
    read: readSubscription,
    refusals: [{ type: CorruptSubscriptionError, says: /attribute "\w+" is not/ }],
  }),
  target({
    name: 'a row of the ledger',
    inputs: nearlyObject(
      fc.constantFrom(
        { ...ORDER, key: 'charge:cus_0001', status: 'intended', intendedBy: 7, intendedAtMs: NOW_MS, tick: TICK },
        { ...ORDER, key: 'charge:cus_0001', status: 'charged', chargeId: 'pi_1', intendedAtMs: NOW_MS, tick: TICK },
      ),
      byHand,
    ),
    read: readLedgerRow,
    refusals: [{ type: CorruptChargeError, says: /attribute "\w+"/ }],
  }),
]
