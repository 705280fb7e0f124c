/**
 * Audits a run: expected charges are computed from the customers, actual charges are read from the gateway's table, and
 * the ledger is compared with both. Billing's own report is ignored.
 */
// @ts-nocheck

import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb'
import type { Money } from '../../../functions/billing/money.ts'
import { afterCharge, type BusinessUnit, type Subscription } from '../../../functions/billing/subscription.ts'
import { chargesOf, readRow } from '../../../functions/sandbox/store.ts'
import type { RunEnd } from '../run/verdict.ts'
import type { Resources } from '../stack/resources.ts'

export interface RecordedCharge extends BusinessUnit, Money {
  readonly id: string
}

export type GatewayAccount = Awaited<ReturnType<typeof readGateway>>

/** What is due by the last tick that has ended should be charged; by the last one that has started, may be. */
export type AuditedTicks = Pick<RunEnd, 'lastTick' | 'latestTick'>

export type RunAudit = ReturnType<typeof audit>

type Tables = Pick<Resources, 'subscriptionsTable' | 'chargesTable' | 'sandboxTable'>

export async function auditRun(
  client: DynamoDBClient,
  { subscriptionsTable, chargesTable, sandboxTable }: Tables,
  ticks: AuditedTicks,
  seeded: readonly Subscription[],
) {
  const gateway = await readGateway(client, sandboxTable)
  const ledger = await readLedger(client, chargesTable)
  return audit(gateway, ledger, await rowsOf(client, subscriptionsTable), ticks, seeded)
}

export function audit(
  { charges, declined }: GatewayAccount,
  ledger: readonly RecordedCharge[],
  subscriptions: readonly Readonly<Record<string, unknown>>[],
  ticks: AuditedTicks,
  seeded: readonly Subscription[],
) {
  const [paid, recorded] = [new Set(charges.map(unitOf)), new Set(ledger.map(unitOf))]
  const stillDue = subscriptions.filter(
    ({ status, dueAt }) => status === 'active' && typeof dueAt === 'string' && dueAt <= ticks.lastTick,
  )
  const due = seeded.flatMap((first) => [...unitsDue(first, ticks.lastTick, recorded, declined)])
  const missing = due.filter((unit) => !recorded.has(unit) && !declined.has(unit))
  const orderOf = (unit: string, amountMinor: number, currency: string) => JSON.stringify([unit, amountMinor, currency])
  const expected = seeded.flatMap((first) => {
    const units = [...unitsDue(first, ticks.latestTick, paid, declined)]
    return units.map((unit) => orderOf(unit, first.priceMinor, first.currency))
  })
  const orders = new Set(expected)
  const isWrong = (one: RecordedCharge) => !orders.has(orderOf(unitOf(one), one.amountMinor, one.currency))
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
    declined: [...declined].filter((unit) => !paid.has(unit)).length,
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
  const declined = rows
    .map(readRow)
    .flatMap(({ customer, intents }) =>
      intents
        .filter(({ status }) => status !== 'succeeded')
        .map(({ metadata: { plan, period } }) => unitOf({ customer, plan, period })),
    )
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
  const [atGateway, inLedger] = [new Set(gateway.map(entry)), new Set(ledger.map(entry))]
  const inBoth = [...atGateway].filter((each) => inLedger.has(each)).length
  return atGateway.size + inLedger.size - 2 * inBoth
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
