/**
 * Audits a run: expected charges are computed from the customers, actual charges are read from the gateway's table, and
 * the ledger is compared with both. Billing's own report is ignored.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb'
import type { Money } from '../../../functions/billing/money.ts'
import { afterCharge, type BusinessUnit, type Subscription } from '../../../functions/billing/subscription.ts'
import { chargesOf, readRow } from '../../../functions/sandbox/store.ts'
import type { RunEnd } from '../run/verdict.ts'

export interface RecordedCharge extends BusinessUnit, Money {
  readonly id: string
}

export type GatewayAccount = Awaited<ReturnType<typeof readGateway>>

/** What is due by the last tick that has ended should be charged; by the last one that has started, may be. */
export type AuditedTicks = Pick<RunEnd, 'lastTick' | 'latestTick'>

export type RunAudit = ReturnType<typeof audit>

export async function auditRun(
  client: DynamoDBClient,
  tables: Readonly<Record<'subscriptionsTable' | 'chargesTable' | 'sandboxTable', string>>,
  ticks: AuditedTicks,
  seeded: readonly Subscription[],
) {
  const gateway = await readGateway(client, tables.sandboxTable)
  const ledger = await readLedger(client, tables.chargesTable)
  return audit(gateway, ledger, await rowsOf(client, tables.subscriptionsTable), ticks, seeded)
}

export function audit(
  { charges, declined }: GatewayAccount,
  ledger: readonly RecordedCharge[],
  subscriptions: readonly Readonly<Record<string, unknown>>[],
  ticks: AuditedTicks,
  seeded: readonly Subscription[],
) {
  const [paid, recorded] = [new Set(charges.map(unitOf)), new Set(ledger.map(unitOf))]
  const stillDue = subscriptions.filter(({ status, dueAt }) => status === 'active' && String(dueAt) <= ticks.lastTick)
  const due = new Set(seeded.flatMap((first) => [...unitsDue(first, ticks.lastTick, recorded, declined)]))
  const missing = due.difference(recorded).difference(declined)
  const orderOf = (unit: string, amountMinor: number, currency: string) => JSON.stringify([unit, amountMinor, currency])
  const ordersOf = (first: Subscription) =>
    [...unitsDue(first, ticks.latestTick, paid, declined)].map((u) => orderOf(u, first.priceMinor, first.currency))
  const expected = new Set(seeded.flatMap(ordersOf))
  const isWrong = (one: RecordedCharge) => !expected.has(orderOf(unitOf(one), one.amountMinor, one.currency))
  return {
    charges,
    ledgerCharges: ledger.length,
    duplicateCharges: Math.max(duplicatesIn(charges), duplicatesIn(ledger)),
    /** Business units due by the last tick that the ledger does not show as charged, except declined ones. */
    dueNotCharged: new Set([...stillDue.map(unitOf), ...missing]).size,
    /** Charges of the gateway that were not due, or of another amount. */
    wrongCharges: charges.filter(isWrong).length,
    /** Charges that are missing at the gateway or in the ledger, or that differ in amount. */
    lostUpdates: disagreements(charges, ledger),
    /** Business units that the gateway declined and that are still unpaid. */
    declined: declined.difference(paid).size,
  }
}

export async function readLedger(client: DynamoDBClient, chargesTable: string): Promise<RecordedCharge[]> {
  const charged = (await rowsOf(client, chargesTable)).filter(({ status }) => status === 'charged')
  return charged.map(({ customer, plan, period, chargeId, amountMinor, currency }) => ({
    ...{ customer: String(customer), plan: String(plan), period: String(period) },
    ...{ id: String(chargeId), amountMinor: Number(amountMinor), currency: String(currency) },
  }))
}

export async function readGateway(client: DynamoDBClient, sandboxTable: string) {
  const rows = await rowsOf(client, sandboxTable)
  const intents = rows.map(readRow).flatMap(({ customer, intents }) => intents.map((one) => ({ ...one, customer })))
  const declined = intents
    .filter(({ status }) => status !== 'succeeded')
    .map(({ customer, metadata: { plan, period } }) => unitOf({ customer, plan, period }))
  const charges: readonly RecordedCharge[] = rows.flatMap(chargesOf)
  return { charges, declined: new Set(declined) }
}

/** The business units of a subscription that are due by the tick. A declined one that is unpaid delays the next. */
function* unitsDue(first: Subscription, tick: string, paid: ReadonlySet<string>, declined: ReadonlySet<string>) {
  for (let due = first; due.dueAt <= tick; due = { ...due, ...afterCharge(due) }) {
    const unit = unitOf(due)
    yield unit
    if (declined.has(unit) && !paid.has(unit)) return
  }
}

/** Charges beyond the first with the same id or for the same business unit. */
function duplicatesIn(charged: readonly RecordedCharge[]): number {
  const known = new Set<string>()
  return charged.filter((charge) => {
    const isDuplicate = known.has(unitOf(charge)) || known.has(charge.id)
    known.add(unitOf(charge)).add(charge.id)
    return isDuplicate
  }).length
}

function disagreements(gateway: readonly RecordedCharge[], ledger: readonly RecordedCharge[]): number {
  const entry = ({ id, amountMinor, currency }: RecordedCharge) => JSON.stringify([id, amountMinor, currency])
  return new Set(gateway.map(entry)).symmetricDifference(new Set(ledger.map(entry))).size
}

export function unitOf({ customer, plan, period }: { readonly [Key in keyof BusinessUnit]?: unknown }): string {
  return JSON.stringify([customer, plan, period])
}

async function rowsOf(client: DynamoDBClient, TableName: string): Promise<readonly Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  const pages = paginateScan({ client: DynamoDBDocumentClient.from(client) }, { TableName, ConsistentRead: true })
  for await (const { Items = [] } of pages) rows.push(...Items)
  return rows
}
