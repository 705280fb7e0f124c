import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, describe, expect, inject, test } from 'vitest'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import {
  auditCharged,
  disagreements,
  duplicatesIn,
  type RecordedCharge,
  readGateway,
  readLedger,
  unitOf,
  unowed,
} from '../../../infra/local/billing/audit.ts'
import { monthly } from '../../billing/scene.ts'
import { createTable, localClient } from '../../support/tables.ts'

const UNIT = { customer: 'c-1', plan: 'plus', period: '2024-01-31' }
const charge = (changes: Partial<RecordedCharge> = {}): RecordedCharge => ({
  ...{ id: 'pi_1', ...UNIT, amountMinor: 1999, currency: 'EUR' },
  ...changes,
})
const JANUARY = unitOf(UNIT)
const LAST_TICK = '2024-03-01T00:00:00.000Z' // January and February are due

describe('Gateway and ledger', () => {
  test.each<[string, readonly RecordedCharge[], readonly RecordedCharge[], number]>([
    ['agree in any order', [charge(), charge({ id: 'pi_2' })], [charge({ id: 'pi_2' }), charge()], 0],
    ['disagree on a charge that only the gateway has', [charge()], [], 1],
    ['disagree on a charge that only the ledger has', [], [charge()], 1],
    ['disagree on another id', [charge()], [charge({ id: 'pi_2' })], 2],
    ['disagree on an amount', [charge()], [charge({ amountMinor: 1998 })], 2],
  ])('%s', (_, gateway, ledger, count) => {
    expect(disagreements(gateway, ledger)).toBe(count)
  })

  test.each<[string, readonly RecordedCharge[], number]>([
    ['none', [charge(), charge({ customer: 'c-2', id: 'pi_2' })], 0],
    ['two, if a period was paid three times', [charge(), charge({ id: 'pi_2' }), charge({ id: 'pi_3' })], 2],
    ['one, if one charge pays for two periods', [charge(), charge({ period: '2024-02-29' })], 1],
  ])('have duplicates: %s', (_, charges, count) => expect(duplicatesIn(charges)).toBe(count))
})

const client = localClient(inject('dynamodbEndpoint'))
afterAll(() => client.destroy())

/** A new table with these rows. */
async function tableOf(sortKey: string, rows: readonly object[]): Promise<string> {
  const TableName = await createTable(client, ['customer', sortKey])
  const documents = DynamoDBDocumentClient.from(client)
  for (const row of rows) await documents.send(new PutCommand({ TableName, Item: { ...row } }))
  return TableName
}

const subscription = (changes: Partial<Subscription> = {}) => ({ ...monthly('c-1'), ...changes })
const PAID_UP = subscription({ period: '2024-03-31', dueAt: '2024-03-31T00:00:00.000Z' })

const ledgerRow = (period: string, status: string, changes: object = {}) => ({
  ...{ ...UNIT, charge: `plus#${period}#0`, period, dunned: 0 },
  ...{ status, amountMinor: 1999, currency: 'EUR', chargeId: `pi_${period}` },
  ...changes,
})
const CHARGED_JANUARY = ledgerRow('2024-01-31', 'charged')
const CHARGED_FEBRUARY = ledgerRow('2024-02-29', 'charged')
const SECOND_TRY = { charge: 'plus#2024-01-31#1', dunned: 1, chargeId: 'pi_again' }

async function audit(now: Subscription, ledger: readonly object[], declined: readonly string[] = []) {
  const charged = await readLedger(client, await tableOf('charge', ledger))
  const subscriptionsTable = await tableOf('plan', [now])
  return auditCharged(charged, client, subscriptionsTable, LAST_TICK, [subscription()], new Set(declined))
}

describe('The audit of the ledger', () => {
  test.each<[string, readonly object[], object]>([
    ['every due period paid once', [CHARGED_JANUARY, CHARGED_FEBRUARY], { charges: 2 }],
    [
      'a period that is only intended',
      [CHARGED_JANUARY, ledgerRow('2024-02-29', 'intended')],
      { charges: 1, dueNotCharged: 1 },
    ],
    ['a period that was skipped', [CHARGED_FEBRUARY], { charges: 1, dueNotCharged: 1 }],
    [
      'a period once that was declined, then paid',
      [ledgerRow('2024-01-31', 'declined'), ledgerRow('2024-01-31', 'charged', SECOND_TRY), CHARGED_FEBRUARY],
      { charges: 2 },
    ],
    [
      'a period twice that was paid by two tries',
      [CHARGED_JANUARY, ledgerRow('2024-01-31', 'charged', SECOND_TRY), CHARGED_FEBRUARY],
      { charges: 3, duplicateCharges: 1 },
    ],
  ])('finds %s', async (_, ledger, expected) => {
    const nothing = { charges: 0, duplicateCharges: 0, dueNotCharged: 0 }
    expect(await audit(PAID_UP, ledger)).toEqual({ ...nothing, ...expected })
  })

  test.each<[string, Partial<Subscription>]>([
    ['active', { dunned: 1, dueAt: '2024-03-02T00:00:00.000Z' }],
    ['suspended', { dunned: 1, dueAt: '2024-03-02T00:00:00.000Z', status: 'suspended' }],
    ['suspended with a past due date', { dunned: 3, status: 'suspended' }],
  ])('misses nothing that the gateway declined, whatever the subscription shows: %s', async (_, changes) => {
    expect(await audit(subscription(changes), [], [JANUARY])).toMatchObject({ charges: 0, dueNotCharged: 0 })
    expect(await audit(subscription(changes), [])).toMatchObject({ dueNotCharged: 2 })
  })

  test('misses a declined subscription whose next try is due', async () => {
    const due = subscription({ dunned: 1, dueAt: LAST_TICK })
    expect(await audit(due, [], [JANUARY])).toMatchObject({ dueNotCharged: 1 })
  })
})

test.each<[string, Partial<RecordedCharge>, readonly string[], readonly string[]]>([
  ['expected: due, with the right price', {}, [], []],
  ['not expected: not due yet', { period: '2024-03-31' }, [], ['pi_1']],
  ['not expected: after a period that is still declined', { period: '2024-02-29' }, [JANUARY], ['pi_1']],
  ['not expected: another customer', { customer: 'c-2' }, [], ['pi_1']],
  ['not expected: another amount', { amountMinor: 19_990 }, [], ['pi_1']],
  ['not expected: another currency', { currency: 'USD' }, [], ['pi_1']],
])('A charge of the gateway is %s', (_, changes, declined, expected) => {
  const account = { charges: [charge(changes)], declined: new Set(declined) }
  expect(unowed(account, LAST_TICK, [subscription()]).map(({ id }) => id)).toEqual(expected)
})

test('The charges of a period that was declined, then paid, and of the next period are expected', () => {
  const charges = [charge(), charge({ id: 'pi_2', period: '2024-02-29' })]
  expect(unowed({ charges, declined: new Set([JANUARY]) }, LAST_TICK, [subscription()])).toEqual([])
})

test('Both accounts are read in the same form: charges alone, with their unit, amount and currency', async () => {
  const rows = [CHARGED_JANUARY, ledgerRow('2024-02-29', 'unknown')]
  const ledger = await readLedger(client, await tableOf('charge', rows))
  const metadata = { charge: 'k', plan: 'plus', period: '2024-01-31', dunned: '0' }
  const intent = { id: 'pi_2024-01-31', amount: 1999, currency: 'eur', created: 1, metadata }
  const intents = ['requires_payment_method', 'succeeded'].map((status) => ({ ...intent, status }))
  const row = { ...UNIT, key: 'k', dunned: 0, request: '', sinceMs: 1, intents }
  const gateway = await readGateway(client, await tableOf('key', [row]))
  expect(ledger).toEqual([charge({ id: 'pi_2024-01-31' })])
  expect(gateway.charges).toMatchObject(ledger)
  expect(gateway.declined).toEqual(new Set([JANUARY]))
})
