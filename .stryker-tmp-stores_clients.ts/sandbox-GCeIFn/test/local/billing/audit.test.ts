// @ts-nocheck
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import { expect, inject, onTestFinished, test } from 'vitest'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import {
  audit,
  auditRun,
  type RecordedCharge,
  type RunAudit,
  readGateway,
  readLedger,
  unitOf,
} from '../../../infra/local/billing/audit.ts'
import { monthly } from '../../billing/scene.ts'
import { createTable, localClient } from '../../support/tables.ts'

const UNIT = { customer: 'c-1', plan: 'plus', period: '2024-01-31' }
const charge = (changes: Partial<RecordedCharge> = {}): RecordedCharge => ({
  ...{ id: 'pi_1', ...UNIT, amountMinor: 1999, currency: 'EUR' },
  ...changes,
})
const JANUARY = charge()
const FEBRUARY = charge({ id: 'pi_2', period: '2024-02-29' })
const LAST_TICK = '2024-03-01T00:00:00.000Z' // January and February are due
const TICKS = { lastTick: LAST_TICK, latestTick: LAST_TICK }
const PAID_UP = { period: '2024-03-31', dueAt: '2024-03-31T00:00:00.000Z' }

type Found = Omit<RunAudit, 'charges' | 'ledgerCharges'>
const NOTHING: Found = { duplicateCharges: 0, dueNotCharged: 0, wrongCharges: 0, lostUpdates: 0, declined: 0 }

interface Given {
  readonly gateway?: readonly RecordedCharge[]
  /** @default that of the gateway */
  readonly ledger?: readonly RecordedCharge[]
  readonly declined?: readonly RecordedCharge[]
  /** How the subscription differs now. @default it is paid up */
  readonly now?: Partial<Subscription>
}

test.each<[string, Given, Partial<Found>]>([
  ['nothing: every due period was paid once', {}, {}],
  ['nothing in another order', { ledger: [FEBRUARY, JANUARY] }, {}],
  ['a charge that only the gateway has', { ledger: [JANUARY] }, { lostUpdates: 1, dueNotCharged: 1 }],
  ['a charge that only the ledger has', { gateway: [JANUARY], ledger: [JANUARY, FEBRUARY] }, { lostUpdates: 1 }],
  ['another id', { ledger: [JANUARY, charge({ ...FEBRUARY, id: 'pi_3' })] }, { lostUpdates: 2 }],
  ['another amount in the ledger', { ledger: [JANUARY, { ...FEBRUARY, amountMinor: 1998 }] }, { lostUpdates: 2 }],
  ['a period that was skipped', { gateway: [FEBRUARY] }, { dueNotCharged: 1 }],
  [
    'a period that was paid three times',
    { gateway: [JANUARY, FEBRUARY, charge({ id: 'pi_3' }), charge({ id: 'pi_4' })] },
    { duplicateCharges: 2 },
  ],
  [
    'one charge that pays for two periods, in the ledger alone',
    { ledger: [JANUARY, { ...FEBRUARY, id: 'pi_1' }] },
    { duplicateCharges: 1, lostUpdates: 1 },
  ],
  ['nothing in a period that was declined, then paid', { declined: [JANUARY] }, {}],
  ['what is declined and unpaid', { gateway: [], declined: [JANUARY], now: { dueAt: '2024-03-02' } }, { declined: 1 }],
  [
    'the same if it is suspended, whatever its due date',
    { gateway: [], declined: [JANUARY], now: { dueAt: '2024-01-31', status: 'suspended' } },
    { declined: 1 },
  ],
  [
    'a declined subscription whose next try is due',
    { gateway: [], declined: [JANUARY], now: { period: '2024-01-31', dueAt: LAST_TICK } },
    { declined: 1, dueNotCharged: 1 },
  ],
  ['a charge after a declined period', { gateway: [FEBRUARY], declined: [JANUARY] }, { declined: 1, wrongCharges: 1 }],
  [
    'a charge that is not due yet',
    { gateway: [JANUARY, FEBRUARY, charge({ id: 'pi_3', period: '2024-03-31' })] },
    { wrongCharges: 1 },
  ],
  ['another customer', { gateway: [JANUARY, FEBRUARY, charge({ id: 'pi_3', customer: 'c-2' })] }, { wrongCharges: 1 }],
  ['a charge of another amount', { gateway: [JANUARY, { ...FEBRUARY, amountMinor: 19_990 }] }, { wrongCharges: 1 }],
  ['a charge in another currency', { gateway: [JANUARY, { ...FEBRUARY, currency: 'USD' }] }, { wrongCharges: 1 }],
])('an audit finds %s', (_, { gateway = [JANUARY, FEBRUARY], ledger = gateway, declined = [], now = {} }, found) => {
  const account = { charges: gateway, declined: new Set(declined.map(unitOf)) }
  const subscriptions = [{ ...monthly('c-1'), ...PAID_UP, ...now }]
  const expected = { ...NOTHING, ...found, charges: gateway, ledgerCharges: ledger.length }
  expect(audit(account, ledger, subscriptions, TICKS, [monthly('c-1')])).toEqual(expected)
})

test('what is due by the last tick should be charged; what is due by a tick that was cut short may be', () => {
  const declined = new Set<string>()
  const early = { lastTick: '2024-01-31T00:00:00.000Z', latestTick: LAST_TICK }
  expect(audit({ charges: [], declined }, [], [], early, [monthly('c-1')])).toMatchObject({ dueNotCharged: 1 })
  const charges = [JANUARY, FEBRUARY]
  expect(audit({ charges, declined }, [], [], early, [monthly('c-1')])).toMatchObject({ wrongCharges: 0 })
})

test('all accounts are read in the same form: charges alone, with their unit, amount and currency', async () => {
  const client = localClient(inject('dynamodbEndpoint'))
  onTestFinished(() => client.destroy())
  const tableOf = async (sortKey: string, rows: readonly object[]) => {
    const TableName = await createTable(client, ['customer', sortKey])
    const documents = DynamoDBDocumentClient.from(client)
    for (const row of rows) await documents.send(new PutCommand({ TableName, Item: { ...row } }))
    return TableName
  }
  const ledgerRow = (period: string, status: string) => ({
    ...{ ...UNIT, charge: `plus#${period}#0`, period, dunned: 0 },
    ...{ status, amountMinor: 1999, currency: 'EUR', chargeId: 'pi_1' },
  })
  const chargesTable = await tableOf('charge', [ledgerRow('2024-01-31', 'charged'), ledgerRow('2024-02-29', 'unknown')])
  const metadata = { charge: 'k', plan: 'plus', period: '2024-01-31', dunned: '0' }
  const intent = { id: 'pi_1', amount: 1999, currency: 'eur', created: 1, metadata }
  const intents = ['requires_payment_method', 'succeeded'].map((status) => ({ ...intent, status }))
  const sandboxTable = await tableOf('key', [{ ...UNIT, key: 'k', dunned: 0, request: '', sinceMs: 1, intents }])
  expect(await readLedger(client, chargesTable)).toEqual([JANUARY])
  const { charges, declined } = await readGateway(client, sandboxTable)
  expect([charges, declined]).toMatchObject([[JANUARY], new Set([unitOf(UNIT)])])
  const subscriptionsTable = await tableOf('plan', [monthly('c-1', { dueDate: '2024-02-29' })])
  const tables = { chargesTable, sandboxTable, subscriptionsTable }
  const found = await auditRun(client, tables, TICKS, [monthly('c-1')])
  expect(found).toMatchObject({ ...NOTHING, dueNotCharged: 1, ledgerCharges: 1 })
})
