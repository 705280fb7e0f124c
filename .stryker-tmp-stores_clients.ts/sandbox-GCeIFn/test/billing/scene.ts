/** What billing tests share: fresh tables, the sandbox as the gateway, and leaders with real leases that charge. */
// @ts-nocheck

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateScan,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import { type ChargeDueOptions, chargeDue } from '../../functions/billing/charge-due.ts'
import { GatewayOutcomeUnknownError } from '../../functions/billing/gateway.ts'
import { chargesTable } from '../../functions/billing/ledger.ts'
import { stripeGateway } from '../../functions/billing/stripe-gateway.ts'
import type { Subscription } from '../../functions/billing/subscription.ts'
import { subscriptionsTable } from '../../functions/billing/subscriptions.ts'
import { DynamoDBLeaseStore, type LeaseOptions, withLease } from '../../functions/election/index.ts'
import { CARD } from '../../functions/sandbox/cards.ts'
import type { GatewayRequest, GatewayResponse } from '../../functions/sandbox/message.ts'
import { sandbox } from '../../functions/sandbox/sandbox.ts'
import { chargesOf } from '../../functions/sandbox/store.ts'
import { seedSubscriptions, subscribe } from '../../infra/local/billing/subscriptions.ts'
import { memoryStore } from '../support/sandbox-memory.ts'
import { createBillingTables, createLeaseTable, localClient } from '../support/tables.ts'

export const TICK = '2024-01-31T12:00:00.000Z'
const LEASE = 'billing'

type Row = Record<string, unknown>

export interface SceneOptions {
  /** Wall clock of billing and gateway, epoch ms. */
  readonly now?: () => number
  /** Called for each request to the gateway; `answer` executes it. */
  readonly intercept?: (
    request: GatewayRequest,
    answer: () => Promise<GatewayResponse>,
    signal: AbortSignal,
  ) => Promise<GatewayResponse>
}

export type Scene = Awaited<ReturnType<typeof setScene>>

/** The sort key in the ledger of the first try of {@link monthly}. */
const FIRST_TRY = 'plus#2024-01-31#0'

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

/** A lease with some of its methods replaced. */
export function changedLease(lease: ChargeDueOptions['lease'], changes: Partial<ChargeDueOptions['lease']>) {
  return {
    fencingToken: lease.fencingToken,
    missed: lease.missed,
    signal: lease.signal,
    checkpoint: lease.checkpoint,
    saveCheckpoint: lease.saveCheckpoint.bind(lease),
    handOver: lease.handOver.bind(lease),
    assertHeld: lease.assertHeld.bind(lease),
    claim: lease.claim.bind(lease),
    send: lease.send.bind(lease),
    idempotencyKey: lease.idempotencyKey.bind(lease),
    ...changes,
  }
}

/** The gateway executes every request, but the answers to the first charges are lost. */
export function losingAnswers(count: number): SceneOptions {
  let left = count
  return {
    intercept: async ({ method }, answer) => {
      const response = await answer()
      if (method === 'POST' && left-- > 0) throw new GatewayOutcomeUnknownError('lost')
      return response
    },
  }
}

/** @param dynamodb an endpoint, or a client that the scene destroys */
export async function setScene(
  dynamodb: string | DynamoDBClient,
  subscriptions: readonly Subscription[],
  { now = Date.now, intercept = (_request, answer) => answer() }: SceneOptions = {},
) {
  const raw = typeof dynamodb === 'string' ? localClient(dynamodb) : dynamodb
  const client = DynamoDBDocumentClient.from(raw)
  const tables = { leaseTable: await createLeaseTable(raw), ...(await createBillingTables(raw)) }
  const { subscriptionsTable: TableName, chargesTable: chargesTableName } = tables
  await seedSubscriptions(raw, TableName, subscriptions)
  const store = new DynamoDBLeaseStore({ tableName: tables.leaseTable, client: raw })
  const gatewayStore = memoryStore()
  const answer = sandbox({ store: gatewayStore, now, sleep: async () => undefined })
  /** Requests to the gateway, such as `POST cus_1`. */
  const requests: string[] = []
  const log: { message: string; fields: Readonly<Row> }[] = []
  const write = (message: string, fields: Readonly<Row>) => void log.push({ message, fields })
  const gateway = stripeGateway(async (request, { signal, beforeSend }) => {
    beforeSend?.()
    const customer = request.query?.['customer'] ?? new URLSearchParams(request.body).get('customer')
    requests.push(`${request.method} ${customer}`)
    return intercept(request, () => answer(request), signal)
  })

  const get = async (name: string, Key: Row) =>
    (await client.send(new GetCommand({ TableName: name, Key, ConsistentRead: true }))).Item

  async function ledger() {
    const rows: Row[] = []
    const scan = { TableName: chargesTableName, ConsistentRead: true }
    for await (const { Items = [] } of paginateScan({ client }, scan)) rows.push(...Items)
    return rows
  }

  return {
    client,
    tables,
    log,
    requests,
    /** Leads the tick; `change` replaces parts of the task. */
    lead: (
      tick: string,
      change: (parts: ChargeDueOptions) => Partial<Omit<ChargeDueOptions, 'tick'>> = () => ({}),
      options: Pick<LeaseOptions, 'clock' | 'context' | 'continueBy' | 'continuation'> = {},
    ) =>
      withLease({ store, lease: LEASE, tick, periodMs: 3_600_000, ...options }, (lease) => {
        const parts = {
          lease,
          tick,
          subscriptions: subscriptionsTable(client, TableName),
          gateway,
          ledger: chargesTable(chargesTableName),
          log: { info: write, warn: write },
          now,
        }
        return chargeDue({ ...parts, ...change(parts) })
      }),
    /** Moves the lease's expiry into the past. */
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
    /** What the gateway has charged, by its own rows. */
    charges: () => sortedById(gatewayStore.rows().flatMap(chargesOf)),
    subscription: (customer: string, plan = 'plus') => get(TableName, { customer, plan }),
    async putSubscription(Item: Row) {
      await client.send(new PutCommand({ TableName, Item }))
    },
    ledgerRow: (customer: string, charge = FIRST_TRY) => get(chargesTableName, { customer, charge }),
    ledger,
    /** What the ledger shows as charged, in the form of `charges`. */
    recordedCharges: async () =>
      sortedById(
        (await ledger())
          .filter(({ status }) => status === 'charged')
          .map(({ chargeId: id, key, customer, plan, period, dunned, amountMinor, currency }) => {
            return { id, key, customer, plan, period, dunned, amountMinor, currency }
          }),
      ),
    async putLedgerRow(Item: Row) {
      await client.send(new PutCommand({ TableName: chargesTableName, Item }))
    },
    async deleteLedgerRow(customer: string) {
      await client.send(new DeleteCommand({ TableName: chargesTableName, Key: { customer, charge: FIRST_TRY } }))
    },
    [Symbol.asyncDispose]: async () => raw.destroy(),
  }
}

function sortedById<T extends { readonly id: unknown }>(list: readonly T[]): T[] {
  return list.toSorted((a, b) => String(a.id).localeCompare(String(b.id)))
}
