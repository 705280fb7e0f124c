/** Compares what should have been charged, what the ledger says, and what the gateway says: for local runs only. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb'
import type { Money } from '../../../functions/billing/money.ts'
import { afterCharge, type BusinessUnit, type Subscription } from '../../../functions/billing/subscription.ts'
import { chargesOf, readRow } from '../../../functions/sandbox/store.ts'

export interface LedgerAudit {
  /** Rows of the ledger that say charged. */
  readonly charges: number
  /** Of these, rows beyond the first with the same gateway charge or for the same (customer, plan, period). */
  readonly duplicateCharges: number
  /** Business units due by the last tick that no row shows as charged, those left aside that the card declined. */
  readonly dueNotCharged: number
}

/** The gateway's own account, never billing's word. */
export interface GatewayAccount {
  readonly charges: readonly Booked[]
  /** The business units of which it declined a charge. */
  readonly declined: ReadonlySet<string>
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
 * @param declined by the gateway: these alone excuse a period that is not charged
 */
export async function auditLedger(
  client: DynamoDBClient,
  tables: { readonly subscriptionsTable: string; readonly chargesTable: string },
  lastTick: string,
  seeded: readonly Subscription[] = [],
  declined: ReadonlySet<string> = new Set(),
): Promise<LedgerAudit> {
  const charged = await readLedger(client, tables.chargesTable)
  return auditCharged(charged, client, tables.subscriptionsTable, lastTick, seeded, declined)
}

/** The same of a ledger that was read already. */
export async function auditCharged(
  charged: readonly Booked[],
  client: DynamoDBClient,
  subscriptionsTable: string,
  lastTick: string,
  seeded: readonly Subscription[],
  declined: ReadonlySet<string>,
): Promise<LedgerAudit> {
  const paid = new Set(charged.map(unitOf))
  const missing = new Set<string>()
  for await (const row of rows(client, subscriptionsTable)) {
    const { customer, plan, period, dueAt, status } = row
    const unit = unitOf({ customer, plan, period })
    if (status === 'active' && typeof dueAt === 'string' && dueAt <= lastTick) missing.add(unit)
  }
  for (const subscription of seeded) {
    for (const unit of fallenDue(subscription, lastTick, paid, declined)) {
      if (!paid.has(unit) && !declined.has(unit)) missing.add(unit)
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

export async function readGateway(client: DynamoDBClient, sandboxTable: string): Promise<GatewayAccount> {
  const charges: Booked[] = []
  const declined = new Set<string>()
  for await (const row of rows(client, sandboxTable)) {
    charges.push(...chargesOf(row))
    const { customer, intents } = readRow(row)
    for (const { status, metadata } of intents) {
      if (status !== 'succeeded') declined.add(unitOf({ customer, plan: metadata['plan'], period: metadata['period'] }))
    }
  }
  return { charges, declined }
}

/** Charges of the gateway that nobody owed: of what was not due, or of another amount. */
export function unowed(
  { charges, declined }: GatewayAccount,
  lastTick: string,
  seeded: readonly Subscription[],
): readonly Booked[] {
  const paid = new Set(charges.map(unitOf))
  const owed = new Set<string>()
  for (const subscription of seeded) {
    const { priceMinor: amountMinor, currency } = subscription
    for (const unit of fallenDue(subscription, lastTick, paid, declined)) {
      owed.add(JSON.stringify([unit, amountMinor, currency]))
    }
  }
  return charges.filter((charge) => !owed.has(JSON.stringify([unitOf(charge), charge.amountMinor, charge.currency])))
}

/** The business units of a subscription that fell due by then. What follows one that is still being dunned is not due yet. */
function* fallenDue(
  first: Subscription,
  lastTick: string,
  paid: ReadonlySet<string>,
  declined: ReadonlySet<string>,
): Generator<string> {
  for (let due = first; due.dueAt <= lastTick; due = { ...due, ...afterCharge(due) }) {
    const unit = unitOf(due)
    yield unit
    if (declined.has(unit) && !paid.has(unit)) return
  }
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

/** The business unit as one text. */
export function unitOf({ customer, plan, period }: { readonly [Key in keyof BusinessUnit]: unknown }): string {
  return JSON.stringify([customer, plan, period])
}

async function* rows(client: DynamoDBClient, TableName: string): AsyncGenerator<Record<string, unknown>> {
  const documents = DynamoDBDocumentClient.from(client)
  for await (const page of paginateScan({ client: documents }, { TableName, ConsistentRead: true })) {
    yield* page.Items ?? []
  }
}
