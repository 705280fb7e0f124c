/** A stage for billing tests: fresh tables, the sandbox as gateway, and leaders with real leases that charge what is due. */
import { randomUUID } from 'node:crypto'
import { CreateTableCommand, type DynamoDBClient, type KeySchemaElement } from '@aws-sdk/client-dynamodb'
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateScan,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import { type BillingResult, type ChargeDueOptions, chargeDue } from '../../functions/billing/charge-due.ts'
import { chargesTable } from '../../functions/billing/ledger.ts'
import { stripeGateway } from '../../functions/billing/stripe-gateway.ts'
import type { Subscription } from '../../functions/billing/subscription.ts'
import { subscriptionsTable } from '../../functions/billing/subscriptions.ts'
import type { GatewayRequest, GatewayResponse } from '../../functions/billing/transports.ts'
import { DynamoDBLeaseStore, type LeaseOptions, type Outcome, withLease } from '../../functions/election/index.ts'
import { memoryStore } from '../../functions/sandbox/memory-store.ts'
import { sandbox } from '../../functions/sandbox/sandbox.ts'
import { chargesOf, type SandboxCharge, type SandboxRow } from '../../functions/sandbox/store.ts'
import { seedSubscriptions } from '../../infra/local/billing/customers.ts'
import { subscribe } from '../../infra/local/billing/subscribe.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

export const TICK = '2024-01-31T12:00:00.000Z'
const LEASE = 'billing'

/** What the sandbox does with them is said in functions/sandbox/cards.ts. */
export const CARD = {
  charged: 'card_4242424242424242',
  declined: 'card_4000000000000002',
  lostOnItsWay: 'card_4000000000005001',
  chargedButTold500: 'card_4000000000005019',
  failedFor24Hours: 'card_4000000000005035',
} as const

export type Changes = Partial<Omit<ChargeDueOptions, 'tick'>>

export interface Logged {
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface SceneOptions {
  /** Wall clock of billing and gateway, epoch ms. */
  readonly now?: () => number
  /** What becomes of each request to the gateway. */
  readonly intercept?: (
    request: GatewayRequest,
    answer: () => Promise<GatewayResponse>,
    signal: AbortSignal,
  ) => Promise<GatewayResponse>
}

export interface Scene extends AsyncDisposable {
  readonly client: DynamoDBDocumentClient
  readonly tables: { readonly leaseTable: string; readonly subscriptionsTable: string; readonly chargesTable: string }
  readonly log: readonly Logged[]
  /** Requests to the gateway, such as `POST cus_1`. */
  readonly asked: readonly string[]
  /** Leads the tick; `change` may put something else in the place of any part. */
  lead(
    tick: string,
    change?: (parts: ChargeDueOptions) => Changes,
    options?: Pick<LeaseOptions, 'clock'>,
  ): Promise<Outcome<BillingResult>>
  /** As if the lease had expired long ago. */
  expireLease(): Promise<void>
  /** What the gateway has taken, by its own account. */
  charges(): readonly SandboxCharge[]
  subscription(customer: string, plan?: string): Promise<Record<string, unknown> | undefined>
  ledgerRow(customer: string, charge: string): Promise<Record<string, unknown> | undefined>
  /** Every row of the ledger. */
  ledger(): Promise<readonly Record<string, unknown>[]>
  /** What the ledger shows as charged, to be compared with {@link Scene.charges}. */
  booked(): Promise<readonly unknown[]>
  /** Puts a subscription. */
  put(row: Record<string, unknown>): Promise<void>
  /** Puts a row of the ledger. */
  putCharge(row: Record<string, unknown>): Promise<void>
  /** Takes a row out of the ledger, as restoring an older copy does. */
  dropCharge(customer: string, charge: string): Promise<void>
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
    paymentMethod: CARD.charged,
    ...changes,
  })
}

/** `dynamodb` is an endpoint, or a client that goes with the scene. */
export async function setScene(
  dynamodb: string | DynamoDBClient,
  subscriptions: readonly Subscription[],
  { now = Date.now, intercept = (_request, answer) => answer() }: SceneOptions = {},
): Promise<Scene> {
  const raw = typeof dynamodb === 'string' ? localClient(dynamodb) : dynamodb
  const client = DynamoDBDocumentClient.from(raw)
  const tables = { leaseTable: await createLeaseTable(raw), ...(await createBillingTables(raw)) }
  await seedSubscriptions(raw, tables.subscriptionsTable, subscriptions)
  const store = new DynamoDBLeaseStore({ tableName: tables.leaseTable, client: raw })
  const books = watchedStore()
  const answer = sandbox({ store: books.store, now, sleep: async () => undefined })
  const asked: string[] = []
  const log: Logged[] = []
  const write = (message: string, fields: Logged['fields']) => {
    log.push({ message, fields })
  }
  const gateway = stripeGateway(async (request, { signal, beforeSend }) => {
    beforeSend?.()
    const customer = request.query?.['customer'] ?? new URLSearchParams(request.body).get('customer')
    asked.push(`${request.method} ${customer}`)
    return intercept(request, () => answer(request), signal)
  })

  async function get(TableName: string, Key: Record<string, string>) {
    return (await client.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item
  }

  async function ledger() {
    const rows: Record<string, unknown>[] = []
    const scan = { TableName: tables.chargesTable, ConsistentRead: true }
    for await (const { Items = [] } of paginateScan({ client }, scan)) rows.push(...Items)
    return rows
  }

  return {
    client,
    tables,
    log,
    asked,
    lead: (tick, change = () => ({}), options = {}) =>
      withLease({ store, lease: LEASE, tick, periodMs: 3_600_000, ...options }, (lease) => {
        const parts = {
          lease,
          tick,
          subscriptions: subscriptionsTable(client, tables.subscriptionsTable),
          gateway,
          ledger: chargesTable(tables.chargesTable),
          log: { info: write, warn: write },
          now,
        }
        return chargeDue({ ...parts, ...change(parts) })
      }),
    async expireLease() {
      await client.send(
        new UpdateCommand({
          TableName: tables.leaseTable,
          Key: { lease: LEASE, record: 'LEASE' },
          UpdateExpression: 'SET expiresAtMs = :longAgo',
          ExpressionAttributeValues: { ':longAgo': Date.now() - 60_000 },
        }),
      )
    },
    charges: () => sortedById(books.rows().flatMap(chargesOf)),
    subscription: (customer, plan = 'plus') => get(tables.subscriptionsTable, { customer, plan }),
    ledgerRow: (customer, charge) => get(tables.chargesTable, { customer, charge }),
    ledger,
    async booked() {
      const charged = (await ledger()).filter(({ status }) => status === 'charged')
      return sortedById(charged.map(({ chargeId, ...row }) => ({ ...row, id: chargeId })).map(asCharge))
    },
    async put(row) {
      await client.send(new PutCommand({ TableName: tables.subscriptionsTable, Item: row }))
    },
    async putCharge(row) {
      await client.send(new PutCommand({ TableName: tables.chargesTable, Item: row }))
    },
    async dropCharge(customer, charge) {
      await client.send(new DeleteCommand({ TableName: tables.chargesTable, Key: { customer, charge } }))
    },
    async [Symbol.asyncDispose]() {
      raw.destroy()
    },
  }
}

function asCharge(row: Readonly<Record<string, unknown>>) {
  const { id, key, customer, plan, period, dunned, amountMinor, currency } = row
  return { id, key, customer, plan, period, dunned, amountMinor, currency }
}

function sortedById<T extends { readonly id: unknown }>(list: readonly T[]): T[] {
  return list.toSorted((a, b) => String(a.id).localeCompare(String(b.id)))
}

/** The sandbox's memory, with a view of all of its rows. */
function watchedStore() {
  const store = memoryStore()
  const rows = new Map<string, SandboxRow>()
  return {
    store: {
      ...store,
      async record(...[execution, before]: Parameters<typeof store.record>) {
        const found = await store.record(execution, before)
        for (const row of await store.list(execution.customer)) rows.set(JSON.stringify([row.customer, row.key]), row)
        return found
      },
    },
    rows: () => [...rows.values()],
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
      AttributeDefinitions: textAttributes('customer', 'plan', 'dueShard', 'dueAt'),
      KeySchema: keys('customer', 'plan'),
      GlobalSecondaryIndexes: [
        { IndexName: 'due', KeySchema: keys('dueShard', 'dueAt'), Projection: { ProjectionType: 'KEYS_ONLY' } },
      ],
    }),
  )
  await client.send(
    new CreateTableCommand({
      TableName: chargesTable,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: textAttributes('customer', 'charge'),
      KeySchema: keys('customer', 'charge'),
    }),
  )
  return { subscriptionsTable, chargesTable }
}

function textAttributes(...names: readonly string[]) {
  return names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const }))
}

function keys(partition: string, sort: string): KeySchemaElement[] {
  return [
    { AttributeName: partition, KeyType: 'HASH' },
    { AttributeName: sort, KeyType: 'RANGE' },
  ]
}
