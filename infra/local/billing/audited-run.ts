/** The books after the ticks: what the gateway has, what the ledger has, and whether they agree. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Subscription } from '../../../functions/billing/subscription.ts'
import type { Resources } from '../stack/resources.ts'
import {
  auditCharged,
  type Booked,
  disagreements,
  duplicatesIn,
  readGateway,
  readLedger,
  unitOf,
  unowed,
} from './customers.ts'

export interface Books {
  /** By the gateway's own account. */
  readonly charges: readonly Booked[]
  /** At the gateway, of one (customer, plan, period), beyond the first. */
  readonly duplicateCharges: number
  readonly lostUpdates: number
  readonly declined: number
  readonly wrongCharges: number
  readonly ledger: { readonly charges: number; readonly duplicateCharges: number; readonly dueNotCharged: number }
}

/**
 * @param lastTick the last tick that is over, canonical ISO text
 * @param latestTick the last that was begun
 * @param seeded the subscriptions as they were before the first tick
 */
export async function readBooks(
  client: DynamoDBClient,
  places: Resources,
  { lastTick, latestTick }: { readonly lastTick: string; readonly latestTick: string },
  seeded: readonly Subscription[],
): Promise<Books> {
  const account = await readGateway(client, places.sandboxTable)
  const { charges, declined } = account
  const ledger = await readLedger(client, places.chargesTable)
  const paid = new Set(charges.map(unitOf))
  return {
    charges,
    declined: [...declined].filter((unit) => !paid.has(unit)).length,
    wrongCharges: unowed(account, latestTick, seeded).length,
    duplicateCharges: duplicatesIn(charges),
    lostUpdates: disagreements(charges, ledger),
    ledger: await auditCharged(ledger, client, places.subscriptionsTable, lastTick, seeded, declined),
  }
}

/** Whether nothing is left to do for a later tick. */
export const areSettled = ({ ledger, lostUpdates }: Books) => ledger.dueNotCharged === 0 && lostUpdates === 0
