/**
 * What the billing example and a local run read. That they make the right thing of it is tested in test/billing and
 * test/local; here they only must not be confused.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll } from 'vitest'
import {
  GatewayMismatchError,
  GatewayOutcomeUnknownError,
  GatewayRefusedError,
} from '../../../../functions/billing/gateway.ts'
import { CorruptChargeError, chargesTable } from '../../../../functions/billing/ledger.ts'
import { stripeGateway } from '../../../../functions/billing/stripe-gateway.ts'
import {
  afterCharge,
  CorruptSubscriptionError,
  readDueSubscription,
} from '../../../../functions/billing/subscription.ts'
import { CustomersFileError, readCustomers } from '../../../../infra/local/billing/csv.ts'
import { generateCustomers } from '../../../../infra/local/billing/generate.ts'
import { parseOptions } from '../../../../infra/local/cli/options.ts'
import { FaultError, MANUAL_FAULTS, readScenario } from '../../../../infra/local/faults/fault.ts'
import { OptionError } from '../../../../infra/programs/flags.ts'
import { toCsv } from '../../../support/customers-csv.ts'
import { hostileJson, hostileText, nearly, nearlyObject, nearlyText } from '../inputs.ts'
import { assert, type Target, target } from '../target.ts'

const TICK = '2024-04-30T06:00:00.000Z'
const subscription = fc.constantFrom(...generateCustomers(7, 60).filter(({ dueAt }) => dueAt <= TICK))
const byHand = fc.oneof(
  hostileJson,
  fc.constantFrom('', '2024-01-31', '2024-05-31', '9999-12-31', '2024-4-30', 'Europe/Berlin', 'day', 'EURO', 0, 32),
)

const ORDER = {
  ...{ customer: 'cus_0001', plan: 'plus-monthly', period: '2024-04-30', dunned: 0 },
  ...{ amountMinor: 1999, currency: 'EUR', paymentMethod: 'card_4242424242424242' },
}
const KEY = 'charge:cus_0001'
const INTENDED = { ...ORDER, key: KEY, status: 'intended', intendedAtMs: 0, tick: TICK, intendedBy: 7 }

const CALL = { key: KEY, signal: new AbortController().signal, sinceMs: 0 }
const INTENT = { id: 'pi_1', status: 'succeeded', amount: 1999, currency: 'eur', metadata: { charge: KEY } }
const ANSWERS = [
  ...[INTENT, { ...INTENT, status: 'canceled' }, { object: 'list', data: [INTENT], has_more: false }],
  { error: { type: 'card_error', code: 'card_declined', decline_code: 'do_not_honor' } },
]
const answer = fc.record({
  statusCode: fc.oneof(fc.constant(200), fc.constantFrom(0, 204, 302, 400, 402, 404, 409, 500, Number.NaN)),
  headers: fc.constantFrom<Record<string, string>>({}, { 'idempotent-replayed': 'true' }),
  body: nearlyText(fc.constantFrom(...ANSWERS.map((body) => JSON.stringify(body)))),
})

const FLAGS = [
  ...['--every', '--ticks', '--candidates', '--customers', '--kill-leader', '--freeze-leader', '--chaos', '--without'],
  ...['--time-scale', '--cold', '--json', '--help', '--ticks=3', '--', '-t', '--tick', '--no-cold', '--thaw-leader'],
  ...['--skew-clock', '--drop-reply', '--cut-off', '--add-candidate', '--scenario', '--port', '--no-page'],
  ...['2:1', '3:11', '2:1:-61m', '500ms', '1m', '61m', '.5s', 'lease', 'fence', '0.1', '1', '3', '12', 'customers.csv'],
]

const SCRATCH = mkdtempSync(join(tmpdir(), 'tenure-fuzz-'))
afterAll(() => rmSync(SCRATCH, { recursive: true, force: true }))
const FILE = join(SCRATCH, 'customers.csv')
const csv = fc.nat(99).map((seed) => toCsv(generateCustomers(seed, seed % 5)))
const pieces = fc.oneof(
  hostileText,
  fc.constantFrom(',', '"', ';', '\t', '\r', '\n\n', '\ufeff', 'customer', 'Pacific'),
)

async function readFile(text: string): Promise<void> {
  writeFileSync(FILE, text)
  // What is loaded must be what the task can charge.
  for (const one of await readCustomers(FILE)) readDueSubscription({ ...one }, one.dueAt)
}

const fault = fc.record({ tick: fc.integer({ min: 1, max: 9 }), do: fc.constantFrom(...MANUAL_FAULTS) })

export const exampleTargets: readonly Target[] = [
  target(
    'the row of a subscription',
    nearlyObject(subscription, byHand),
    (row) => {
      const due = readDueSubscription(row, TICK)
      assert(afterCharge(due).period > due.period, 'it cannot be moved on')
    },
    [CorruptSubscriptionError, /attribute "\w+" is not/],
  ),
  target(
    'a row of the ledger',
    nearlyObject(fc.constantFrom<object>(INTENDED, { ...INTENDED, status: 'charged', chargeId: 'pi_1' }), byHand),
    (row) => {
      const lease = { fencingToken: 7, idempotencyKey: () => KEY, send: async () => row }
      return chargesTable('charges').intend(lease, ORDER, TICK, 0)
    },
    [CorruptChargeError, /attribute "\w+"/],
  ),
  ...(['charge', 'find'] as const).map((method) =>
    target(
      `the gateway's answer to a ${method}`,
      answer,
      (response) => stripeGateway(async () => response)[method](ORDER, CALL),
      [GatewayOutcomeUnknownError, /outcome at the gateway is unknown: \w/],
      [GatewayRefusedError, /refused the charge with 4\d\d/],
      [GatewayMismatchError, /charge [\w.[\]-]+ is of/],
    ),
  ),
  target('a file of customers', nearlyText(csv, pieces), readFile, [
    CustomersFileError,
    /^Nothing was loaded from .*customers\.csv:\n {2}\S/,
  ]),
  target(
    'the flags of npm start',
    fc.array(
      fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...FLAGS) },
        hostileText.map((text) => text.slice(0, 60)),
      ),
    ),
    parseOptions,
    [OptionError, /--?\w|argument|lease/],
  ),
  target('a scenario of manual faults', nearly(fc.array(fault, { maxLength: 3 }), hostileJson), readScenario, [
    FaultError,
    /^A scenario is a list|^Fault \d+ of the scenario: ("(do|tick|candidate|ms)"|\w+ has no field)/,
  ]),
]
