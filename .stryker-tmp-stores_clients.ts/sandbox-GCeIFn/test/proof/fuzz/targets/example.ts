/**
 * Foreign input of the billing example: a file of customers, and the gateway's answers. That the right thing is made of
 * it is tested in test/billing and test/local; here it only must not confuse its readers.
 */
// @ts-nocheck

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
import { stripeGateway } from '../../../../functions/billing/stripe-gateway.ts'
import { readDueSubscription } from '../../../../functions/billing/subscription.ts'
import { CustomersFileError, readCustomers } from '../../../../infra/local/billing/csv.ts'
import { generateCustomers } from '../../../../infra/local/billing/generate.ts'
import { toCsv } from '../../../support/customers-csv.ts'
import { hostileText, nearlyText } from '../inputs.ts'
import { type Target, target } from '../target.ts'

const ORDER = {
  ...{ customer: 'cus_0001', plan: 'plus-monthly', period: '2024-04-30', dunned: 0 },
  ...{ amountMinor: 1999, currency: 'EUR', paymentMethod: 'card_4242424242424242' },
}
const KEY = 'charge:cus_0001'
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

export const exampleTargets: readonly Target[] = [
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
]
