/** Compares what should have been charged, what the ledger says, and what the gateway says: for local runs only. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb'
import type { Money } from '../../../functions/billing/money.ts'
import { afterCharge, type BusinessUnit, type Subscription } from '../../../functions/billing/subscription.ts'
import { chargesOf } from '../../../functions/sandbox/store.ts'

export interface LedgerAudit {
  /** Rows of the ledger that say charged. */
  readonly charges: number
  /** Of these, rows beyond the first with the same gateway charge or for the same (customer, plan, period). */
  readonly duplicateCharges: number
  /** Business units due by the last tick that no row shows as charged, those left aside that the card declined. */
  readonly dueNotCharged: number
}

/** A charge as one of the two sides has it. */
export interface Booked extends BusinessUnit, Money {
  readonly id: string
}

/**
 * Reads both tables completely, by consistent scans.
 *
 * @param lastTick canonical ISO text; what fell due up to then should be charged
 * @param seeded the subscriptions as they were before the first tick. With them every period that fell due since is
 *   looked up in the ledger; without them only rows that are still due are found.
 */
export async function auditLedger(
  client: DynamoDBClient,
  tables: { readonly subscriptionsTable: string; readonly chargesTable: string },
  lastTick: string,
  seeded: readonly Subscription[] = [],
): Promise<LedgerAudit> {
  const charged = await readLedger(client, tables.chargesTable)
  const paid = new Set(charged.map(unitOf))

  const missing = new Set<string>()
  const declined = new Set<string>()
  for await (const row of rows(client, tables.subscriptionsTable)) {
    const { customer, plan, period, dueAt, dunned, status } = row
    const unit = unitOf({ customer, plan, period })
    if (dunned !== 0) declined.add(unit)
    if (status === 'active' && typeof dueAt === 'string' && dueAt <= lastTick) missing.add(unit)
  }
  for (const subscription of seeded) {
    let expected = subscription
    // What follows a period that is still being dunned is not due yet.
    while (expected.dueAt <= lastTick && !declined.has(unitOf(expected))) {
      if (!paid.has(unitOf(expected))) missing.add(unitOf(expected))
      expected = { ...expected, ...afterCharge(expected) }
    }
  }
  return { charges: charged.length, duplicateCharges: duplicatesIn(charged), dueNotCharged: missing.size }
}

/** What the ledger shows as charged. */
export async function readLedger(client: DynamoDBClient, chargesTable: string): Promise<Booked[]> {
  const charged: Booked[] = []
  for await (const { customer, plan, period, status, chargeId, amountMinor, currency } of rows(client, chargesTable)) {
    if (status !== 'charged') continue
    const unit = { customer: String(customer), plan: String(plan), period: String(period) }
    charged.push({ ...unit, id: String(chargeId), amountMinor: Number(amountMinor), currency: String(currency) })
  }
  return charged
}

/** The sandbox's own account, never billing's word. */
export async function readGateway(client: DynamoDBClient, sandboxTable: string): Promise<Booked[]> {
  const charged: Booked[] = []
  for await (const row of rows(client, sandboxTable)) charged.push(...chargesOf(row))
  return charged
}

/** Charges beyond the first with the same id or for the same (customer, plan, period). */
export function duplicatesIn(charged: readonly Booked[]): number {
  const units = new Set<string>()
  const ids = new Set<string>()
  let duplicates = 0
  for (const charge of charged) {
    if (units.has(unitOf(charge)) || ids.has(charge.id)) duplicates++
    units.add(unitOf(charge))
    ids.add(charge.id)
  }
  return duplicates
}

/** Charges that only one side has, or has with another amount. */
export function disagreements(gateway: readonly Booked[], ledger: readonly Booked[]): number {
  const entry = ({ id, amountMinor, currency }: Booked) => JSON.stringify([id, amountMinor, currency])
  const atGateway = new Set(gateway.map(entry))
  const inLedger = new Set(ledger.map(entry))
  const onlyIn = (one: ReadonlySet<string>, other: ReadonlySet<string>) => [...one].filter((each) => !other.has(each))
  return onlyIn(atGateway, inLedger).length + onlyIn(inLedger, atGateway).length
}

function unitOf({ customer, plan, period }: { readonly [Key in keyof BusinessUnit]: unknown }): string {
  return JSON.stringify([customer, plan, period])
}

async function* rows(client: DynamoDBClient, TableName: string): AsyncGenerator<Record<string, unknown>> {
  const documents = DynamoDBDocumentClient.from(client)
  for await (const page of paginateScan({ client: documents }, { TableName, ConsistentRead: true })) {
    yield* page.Items ?? []
  }
}
