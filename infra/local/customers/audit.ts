import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb'
import { afterCharge, type BusinessUnit, type Subscription } from '../../../functions/billing/subscription.ts'

export interface LedgerAudit {
  /** Rows of the ledger. */
  readonly charges: number
  /** Rows beyond the first with the same gateway charge or for the same (customer, plan, period). */
  readonly duplicateCharges: number
  /** Business units due by the last tick that have no row in the ledger, those left aside that the card declined. */
  readonly dueNotCharged: number
}

/**
 * Reads both tables completely, by consistent scans: for local runs only.
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
  const documents = DynamoDBDocumentClient.from(client)
  const units = new Set<string>()
  const chargeIds = new Set<unknown>()
  let charges = 0
  let duplicateCharges = 0
  for await (const { customer, plan, period, chargeId } of rows(documents, tables.chargesTable)) {
    const unit = unitOf({ customer, plan, period })
    charges++
    if (units.has(unit) || chargeIds.has(chargeId)) duplicateCharges++
    units.add(unit)
    chargeIds.add(chargeId)
  }

  const missing = new Set<string>()
  const declined = new Set<string>()
  for await (const row of rows(documents, tables.subscriptionsTable)) {
    const { customer, plan, period, dueAt, dunned, status } = row
    const unit = unitOf({ customer, plan, period })
    if (dunned !== 0) declined.add(unit)
    if (status === 'active' && typeof dueAt === 'string' && dueAt <= lastTick) missing.add(unit)
  }
  for (const subscription of seeded) {
    const intent = { startedAtMs: 0, amountMinor: subscription.priceMinor, currency: subscription.currency }
    let expected = { ...subscription, intent }
    // What follows a period that is still being dunned is not due yet.
    while (expected.dueAt <= lastTick && !declined.has(unitOf(expected))) {
      if (!units.has(unitOf(expected))) missing.add(unitOf(expected))
      expected = { ...expected, ...afterCharge(expected) }
    }
  }
  return { charges, duplicateCharges, dueNotCharged: missing.size }
}

function unitOf({ customer, plan, period }: { [Key in keyof BusinessUnit]: unknown }): string {
  return JSON.stringify([customer, plan, period])
}

async function* rows(documents: DynamoDBDocumentClient, TableName: string): AsyncGenerator<Record<string, unknown>> {
  for await (const page of paginateScan({ client: documents }, { TableName, ConsistentRead: true })) {
    yield* page.Items ?? []
  }
}
