import { randomUUID } from 'node:crypto'
import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, describe, expect, inject, test } from 'vitest'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import {
  auditLedger,
  type Booked,
  disagreements,
  duplicatesIn,
  readGateway,
  readLedger,
  unitOf,
  unowed,
} from '../../../infra/local/billing/customers.ts'
import { localClient } from '../../support/tables.ts'

const booked = (changes: Partial<Booked> = {}): Booked => ({
  id: 'pi_1',
  customer: 'c-1',
  plan: 'basic',
  period: '2024-01-31',
  amountMinor: 999,
  currency: 'EUR',
  ...changes,
})

describe('the gateway and the ledger', () => {
  test('agree where both have the same charges, in whatever order', () => {
    const other = booked({ id: 'pi_2', customer: 'c-2' })
    expect(disagreements([booked(), other], [other, booked()])).toBe(0)
  })

  test.each([
    ['a charge that the ledger does not have', [booked()], [], 1],
    ['a charge that the gateway does not have', [], [booked()], 1],
    ['a charge by another id', [booked()], [booked({ id: 'pi_2' })], 2],
    ['an amount that differs by one minor unit', [booked()], [booked({ amountMinor: 998 })], 2],
    ['another currency', [booked()], [booked({ currency: 'USD' })], 2],
  ])('disagree on %s', (_, gateway, ledger, number) => {
    expect(disagreements(gateway, ledger)).toBe(number)
  })

  test('show a duplicate where a period was paid twice, or one charge pays for two', () => {
    expect(duplicatesIn([booked(), booked({ customer: 'c-2', id: 'pi_2' })])).toBe(0)
    expect(duplicatesIn([booked(), booked({ id: 'pi_2' }), booked({ id: 'pi_3' })])).toBe(2)
    expect(duplicatesIn([booked(), booked({ period: '2024-02-29' })])).toBe(1)
  })
})

const client = localClient(inject('dynamodbEndpoint'))
const documents = DynamoDBDocumentClient.from(client)
afterAll(() => client.destroy())

/** A fresh table with these rows. */
async function tableOf(sortKey: string, rows: readonly object[]): Promise<string> {
  const TableName = `audit-${randomUUID()}`
  const keys = ['customer', sortKey] as const
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: keys.map((AttributeName, index) => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
    }),
  )
  for (const row of rows) await documents.send(new PutCommand({ TableName, Item: { ...row } }))
  return TableName
}

const subscription = (changes: Partial<Subscription> = {}): Subscription => ({
  customer: 'c-1',
  name: 'Ada',
  plan: 'basic',
  interval: 'month',
  anchorDay: 31,
  priceMinor: 999,
  currency: 'EUR',
  timeZone: 'Etc/UTC',
  paymentMethod: 'card_4242424242424242',
  period: '2024-01-31',
  dueAt: '2024-01-31T00:00:00.000Z',
  dueShard: '0',
  dunned: 0,
  status: 'active',
  ...changes,
})
const PAID_UP = { period: '2024-03-31', dueAt: '2024-03-31T00:00:00.000Z' }
const LAST_TICK = '2024-03-01T00:00:00.000Z' // January and February are due

const tryOf = (period: string, status: string, changes: object = {}) => ({
  ...{ customer: 'c-1', charge: `basic#${period}#0`, plan: 'basic', period, dunned: 0 },
  ...{ status, amountMinor: 999, currency: 'EUR', chargeId: `pi_${period}` },
  ...changes,
})

async function audit(now: readonly Subscription[], tries: readonly object[], declined: readonly string[] = []) {
  const tables = { subscriptionsTable: await tableOf('plan', now), chargesTable: await tableOf('charge', tries) }
  return auditLedger(client, tables, LAST_TICK, [subscription()], new Set(declined))
}
const JANUARY = unitOf(booked({ customer: 'c-1' }))

describe('the audit of the ledger', () => {
  test('finds every period that fell due paid once', async () => {
    const tries = [tryOf('2024-01-31', 'charged'), tryOf('2024-02-29', 'charged')]
    const result = { charges: 2, duplicateCharges: 0, dueNotCharged: 0 }
    expect(await audit([subscription(PAID_UP)], tries)).toEqual(result)
  })

  test.each(['intended', 'unknown', 'declined'])('takes a period that is only %s for not charged', async (status) => {
    const tries = [tryOf('2024-01-31', 'charged'), tryOf('2024-02-29', status)]
    expect(await audit([subscription(PAID_UP)], tries)).toMatchObject({ charges: 1, dueNotCharged: 1 })
  })

  test('finds a period that was skipped, though the subscription has moved on', async () => {
    const tries = [tryOf('2024-02-29', 'charged')]
    expect(await audit([subscription(PAID_UP)], tries)).toMatchObject({ charges: 1, dueNotCharged: 1 })
  })

  test('counts a period once that was declined and then paid', async () => {
    const { chargeId: _none, ...first } = tryOf('2024-01-31', 'declined')
    const second = tryOf('2024-01-31', 'charged', { charge: 'basic#2024-01-31#1', dunned: 1 })
    const tries = [first, second, tryOf('2024-02-29', 'charged')]
    const result = { charges: 2, duplicateCharges: 0, dueNotCharged: 0 }
    expect(await audit([subscription(PAID_UP)], tries)).toEqual(result)
  })

  test('counts a period twice that was paid at two tries', async () => {
    const again = { charge: 'basic#2024-01-31#1', dunned: 1, chargeId: 'pi_again' }
    const tries = [tryOf('2024-01-31', 'charged'), tryOf('2024-01-31', 'charged', again)]
    expect(await audit([subscription(PAID_UP)], tries)).toMatchObject({ duplicateCharges: 1 })
  })

  test.each<Subscription['status']>(['active', 'suspended'])(
    'misses nothing of a subscription that is being dunned and %s',
    async (status) => {
      const later = { dunned: 1, dueAt: '2024-03-02T00:00:00.000Z', status }
      expect(await audit([subscription(later)], [], [JANUARY])).toMatchObject({ charges: 0, dueNotCharged: 0 })
      // Billing's own word for it excuses nothing.
      expect(await audit([subscription(later)], [])).toMatchObject({ dueNotCharged: 2 })
    },
  )

  test('misses nothing of one that is suspended, whatever date it was left with', async () => {
    const left = subscription({ dunned: 3, status: 'suspended' })
    expect(await audit([left], [], [JANUARY])).toMatchObject({ charges: 0, dueNotCharged: 0 })
  })

  test('misses one whose next try is due', async () => {
    const due = subscription({ dunned: 1, dueAt: LAST_TICK })
    expect(await audit([due], [], [JANUARY])).toMatchObject({ dueNotCharged: 1 })
  })
})

describe('the charges of the gateway', () => {
  const february = { id: 'pi_2', period: '2024-02-29' }
  const owedBy = (charges: readonly Booked[], declined: readonly string[] = []) =>
    unowed({ charges, declined: new Set(declined) }, LAST_TICK, [subscription()]).map(({ id }) => id)

  test('are owed where the period had fallen due and the price is right', () => {
    expect(owedBy([booked(), booked(february)])).toEqual([])
  })

  test.each([
    ['of a period that is not due yet', { period: '2024-03-31' }],
    ['of a period that there is not', { period: '2024-02-28' }],
    ['of somebody else', { customer: 'c-2' }],
    ['of another amount', { amountMinor: 9990 }],
    ['in another currency', { currency: 'USD' }],
  ])('are not owed where they are %s', (_, changes) => {
    expect(owedBy([booked(changes)])).toEqual(['pi_1'])
  })

  test('are owed for a period that was declined and then paid, and for none behind one that is still dunned', () => {
    expect(owedBy([booked(), booked(february)], [JANUARY])).toEqual([])
    expect(owedBy([booked(february)], [JANUARY])).toEqual(['pi_2'])
  })
})

test('both accounts are read in the same words: charges alone, with their unit, amount and currency', async () => {
  const chargesTable = await tableOf('charge', [tryOf('2024-01-31', 'charged'), tryOf('2024-02-29', 'unknown')])
  const intent = { id: 'pi_2024-01-31', status: 'succeeded', amount: 999, currency: 'eur', created: 1 }
  const metadata = { charge: 'k', plan: 'basic', period: '2024-01-31', dunned: '0' }
  const declined = { ...intent, id: 'pi_no', status: 'requires_payment_method' }
  const sandboxTable = await tableOf('key', [
    {
      ...{ customer: 'c-1', key: 'k', plan: 'basic', period: '2024-01-31', dunned: 0, request: '', sinceMs: 1 },
      intents: [declined, intent].map((one) => ({ ...one, metadata })),
    },
  ])
  const ledger = await readLedger(client, chargesTable)
  const gateway = await readGateway(client, sandboxTable)
  expect(ledger).toEqual([booked({ id: 'pi_2024-01-31' })])
  expect(gateway.charges).toMatchObject(ledger)
  expect(gateway.declined).toEqual(new Set([JANUARY]))
  expect(disagreements(gateway.charges, ledger)).toBe(0)
})
