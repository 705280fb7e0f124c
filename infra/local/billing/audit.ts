/**
 * Audits a run: expected charges are computed from the customers, actual charges are read from the gateway's table, and
 * the ledger is compared with both. Billing's own report is ignored.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb'
import type { Money } from '../../../functions/billing/money.ts'
import { afterCharge, type BusinessUnit, type Subscription } from '../../../functions/billing/subscription.ts'
import { chargesOf, readRow } from '../../../functions/sandbox/store.ts'
import type { Resources } from '../stack/resources.ts'

export interface RunAudit {
  /** At the gateway, beyond the first of the same business unit. */
  readonly duplicateCharges: number
  /** Charges that are missing at the gateway or in the ledger, or that differ in amount. */
  readonly lostUpdates: number
  /** Business units that the gateway declined and that are still unpaid. */
  readonly declined: number
  readonly wrongCharges: number
  readonly ledger: LedgerAudit
  readonly charges: readonly RecordedCharge[]
}

export interface RecordedCharge extends BusinessUnit, Money {
  readonly id: string
}

export interface GatewayAccount {
  readonly charges: readonly RecordedCharge[]
  /** The business units of which the gateway declined a charge. */
  readonly declined: ReadonlySet<string>
}

export interface LedgerAudit {
  /** Rows of the ledger that are charged. */
  readonly charges: number
  /** Of these, rows beyond the first with the same charge id or for the same business unit. */
  readonly duplicateCharges: number
  /** Business units due by the last tick that no row shows as charged, except declined ones. */
  readonly dueNotCharged: number
}

/**
 * @param lastTick the last tick that has ended, canonical ISO text: what is due by then should be charged
 * @param latestTick the last tick that has started: what is due by then may be charged
 * @param seeded the subscriptions as they were before the first tick
 */
export async function auditRun(
  client: DynamoDBClient,
  resources: Resources,
  { lastTick, latestTick }: { readonly lastTick: string; readonly latestTick: string },
  seeded: readonly Subscription[],
): Promise<RunAudit> {
  const account = await readGateway(client, resources.sandboxTable)
  const { charges, declined } = account
  const ledger = await readLedger(client, resources.chargesTable)
  const paid = new Set(charges.map(unitOf))
  return {
    charges,
    declined: [...declined].filter((unit) => !paid.has(unit)).length,
    wrongCharges: unowed(account, latestTick, seeded).length,
    duplicateCharges: duplicatesIn(charges),
    lostUpdates: disagreements(charges, ledger),
    ledger: await auditCharged(ledger, client, resources.subscriptionsTable, lastTick, seeded, declined),
  }
}

export const isSettled = ({ ledger, lostUpdates }: RunAudit) => ledger.dueNotCharged === 0 && lostUpdates === 0

/**
 * @param charged from {@link readLedger}
 * @param seeded the subscriptions as they were before the first tick: every period that was due since is expected.
 *   Without them only rows that are still due are found.
 * @param declined by the gateway: only these periods need not be charged
 */
export async function auditCharged(
  charged: readonly RecordedCharge[],
  client: DynamoDBClient,
  subscriptionsTable: string,
  lastTick: string,
  seeded: readonly Subscription[] = [],
  declined: ReadonlySet<string> = new Set(),
): Promise<LedgerAudit> {
  const paid = new Set(charged.map(unitOf))
  const missing = new Set<string>()
  for await (const { customer, plan, period, dueAt, status } of rows(client, subscriptionsTable)) {
    const isDue = status === 'active' && typeof dueAt === 'string' && dueAt <= lastTick
    if (isDue) missing.add(unitOf({ customer, plan, period }))
  }
  for (const unit of seeded.flatMap((subscription) => [...unitsDue(subscription, lastTick, paid, declined)])) {
    if (!paid.has(unit) && !declined.has(unit)) missing.add(unit)
  }
  return { charges: charged.length, duplicateCharges: duplicatesIn(charged), dueNotCharged: missing.size }
}

export async function readLedger(client: DynamoDBClient, chargesTable: string): Promise<RecordedCharge[]> {
  const charged: RecordedCharge[] = []
  for await (const { customer, plan, period, status, chargeId, amountMinor, currency } of rows(client, chargesTable)) {
    if (status !== 'charged') continue
    const unit = { customer: String(customer), plan: String(plan), period: String(period) }
    charged.push({ ...unit, id: String(chargeId), amountMinor: Number(amountMinor), currency: String(currency) })
  }
  return charged
}

export async function readGateway(client: DynamoDBClient, sandboxTable: string): Promise<GatewayAccount> {
  const charges: RecordedCharge[] = []
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

/** The gateway's charges that were not expected: not due, or of another amount. */
export function unowed({ charges, declined }: GatewayAccount, lastTick: string, seeded: readonly Subscription[]) {
  const paid = new Set(charges.map(unitOf))
  const expected = new Set<string>()
  for (const first of seeded) {
    for (const unit of unitsDue(first, lastTick, paid, declined)) {
      expected.add(JSON.stringify([unit, first.priceMinor, first.currency]))
    }
  }
  return charges.filter((one) => !expected.has(JSON.stringify([unitOf(one), one.amountMinor, one.currency])))
}

type Units = ReadonlySet<string>

/** The business units of a subscription that are due by the tick. A declined one that is unpaid delays the next. */
function* unitsDue(first: Subscription, lastTick: string, paid: Units, declined: Units): Generator<string> {
  for (let due = first; due.dueAt <= lastTick; due = { ...due, ...afterCharge(due) }) {
    const unit = unitOf(due)
    yield unit
    if (declined.has(unit) && !paid.has(unit)) return
  }
}

/** Charges beyond the first with the same id or for the same business unit. */
export function duplicatesIn(charged: readonly RecordedCharge[]): number {
  const known = new Set<string>()
  let duplicates = 0
  for (const charge of charged) {
    if (known.has(unitOf(charge)) || known.has(charge.id)) duplicates++
    known.add(unitOf(charge)).add(charge.id)
  }
  return duplicates
}

export function disagreements(gateway: readonly RecordedCharge[], ledger: readonly RecordedCharge[]): number {
  const entry = ({ id, amountMinor, currency }: RecordedCharge) => JSON.stringify([id, amountMinor, currency])
  const [atGateway, inLedger] = [new Set(gateway.map(entry)), new Set(ledger.map(entry))]
  const inBoth = [...atGateway].filter((each) => inLedger.has(each)).length
  return atGateway.size + inLedger.size - 2 * inBoth
}

export function unitOf({ customer, plan, period }: { readonly [Key in keyof BusinessUnit]: unknown }): string {
  return JSON.stringify([customer, plan, period])
}

async function* rows(client: DynamoDBClient, TableName: string): AsyncGenerator<Record<string, unknown>> {
  const documents = DynamoDBDocumentClient.from(client)
  for await (const page of paginateScan({ client: documents }, { TableName, ConsistentRead: true })) {
    yield* page.Items ?? []
  }
}
