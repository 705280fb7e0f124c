/** A stage for billing tests: fresh tables, a gateway, and leaders with real leases that charge what is due. */
import { randomUUID } from 'node:crypto'
import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { type BillingResult, type ChargeDueOptions, chargeDue } from '../../functions/billing/charge-due.ts'
import { httpGateway } from '../../functions/billing/gateway.ts'
import { chargesTable } from '../../functions/billing/ledger.ts'
import type { Subscription } from '../../functions/billing/subscription.ts'
import { subscriptionsTable } from '../../functions/billing/subscriptions.ts'
import { DynamoDBLeaseStore, type Outcome, withLease } from '../../functions/election/index.ts'
import { subscribe } from '../../infra/local/customers/subscribe.ts'
import { auditLedger, type LedgerAudit, seedSubscriptions } from '../../infra/local/customers.ts'
import { type GatewayOptions, type LocalGateway, startGateway } from '../../infra/local/gateway.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

export const TICK = '2024-01-31T12:00:00.000Z'
const LEASE = 'billing'

export type Changes = Partial<Omit<ChargeDueOptions, 'tick'>>

export interface Logged {
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface Scene extends AsyncDisposable {
  readonly client: DynamoDBDocumentClient
  readonly gateway: LocalGateway
  readonly tables: { readonly leaseTable: string; readonly subscriptionsTable: string; readonly chargesTable: string }
  readonly log: readonly Logged[]
  /** Leads the tick; `change` may put something else in the place of any part. */
  lead(tick: string, change?: (parts: ChargeDueOptions) => Changes): Promise<Outcome<BillingResult>>
  /** Takes the lease from whoever holds it, as an operator may. */
  forceRelease(): Promise<void>
  subscription(customer: string, plan?: string): Promise<Record<string, unknown> | undefined>
  ledgerEntry(customer: string, charge: string): Promise<Record<string, unknown> | undefined>
  put(row: Record<string, unknown>): Promise<void>
  audit(lastTick: string): Promise<LedgerAudit>
}

/** A monthly subscription in UTC, due on 31 January 2024, with changes. */
export function monthly(customer: string, changes: Partial<Parameters<typeof subscribe>[0]> = {}): Subscription {
  return subscribe({
    customer,
    name: 'Ada Sato',
    plan: 'plus',
    interval: 'month',
    priceMinor: 1999,
    currency: 'EUR',
    dueDate: '2024-01-31',
    timeZone: 'Etc/UTC',
    ...changes,
  })
}

export async function setScene(
  endpoint: string,
  subscriptions: readonly Subscription[],
  gatewayOptions: GatewayOptions = {},
): Promise<Scene> {
  const raw = localClient(endpoint)
  const client = DynamoDBDocumentClient.from(raw)
  const tables = { leaseTable: await createLeaseTable(raw), ...(await createBillingTables(raw)) }
  const gateway = await startGateway(gatewayOptions)
  await seedSubscriptions(raw, tables.subscriptionsTable, subscriptions)
  const store = new DynamoDBLeaseStore({ tableName: tables.leaseTable, client: raw })
  const log: Logged[] = []
  const write = (message: string, fields: Logged['fields']) => {
    log.push({ message, fields })
  }

  return {
    client,
    gateway,
    tables,
    log,
    lead: (tick, change = () => ({})) =>
      withLease({ store, lease: LEASE, tick, periodMs: 3_600_000 }, (lease) => {
        const parts = {
          lease,
          tick,
          subscriptions: subscriptionsTable(client, tables.subscriptionsTable),
          gateway: httpGateway({ url: gateway.url }),
          ledger: chargesTable(tables.chargesTable),
          log: { info: write, warn: write },
        }
        return chargeDue({ ...parts, ...change(parts) })
      }),
    async forceRelease() {
      await client.send(
        new UpdateCommand({
          TableName: tables.leaseTable,
          Key: { lease: LEASE, record: 'LEASE' },
          UpdateExpression: 'SET attempt = :attempt, endedBy = :forced REMOVE holder',
          ExpressionAttributeValues: { ':attempt': randomUUID(), ':forced': 'forced' },
        }),
      )
    },
    async subscription(customer, plan = 'plus') {
      const key = { TableName: tables.subscriptionsTable, Key: { customer, plan }, ConsistentRead: true }
      return (await client.send(new GetCommand(key))).Item
    },
    async ledgerEntry(customer, charge) {
      const key = { TableName: tables.chargesTable, Key: { customer, charge }, ConsistentRead: true }
      return (await client.send(new GetCommand(key))).Item
    },
    async put(row) {
      await client.send(new PutCommand({ TableName: tables.subscriptionsTable, Item: row }))
    },
    audit: (lastTick) => auditLedger(raw, tables, lastTick, subscriptions),
    async [Symbol.asyncDispose]() {
      await gateway.stop()
      raw.destroy()
    },
  }
}

export async function createBillingTables(
  client: DynamoDBClient,
): Promise<{ subscriptionsTable: string; chargesTable: string }> {
  const subscriptionsTable = `subscriptions-${randomUUID()}`
  const chargesTable = `charges-${randomUUID()}`
  await client.send(
    new CreateTableCommand({
      TableName: subscriptionsTable,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['customer', 'plan', 'dueShard', 'dueAt'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      KeySchema: [
        { AttributeName: 'customer', KeyType: 'HASH' },
        { AttributeName: 'plan', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'due',
          KeySchema: [
            { AttributeName: 'dueShard', KeyType: 'HASH' },
            { AttributeName: 'dueAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  )
  await client.send(
    new CreateTableCommand({
      TableName: chargesTable,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['customer', 'charge'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'customer', KeyType: 'HASH' },
        { AttributeName: 'charge', KeyType: 'RANGE' },
      ],
    }),
  )
  return { subscriptionsTable, chargesTable }
}
