/** The books after the ticks: what the gateway has, what the ledger has, and whether they agree. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Subscription } from '../../functions/billing/subscription.ts'
import { auditLedger, type Booked, disagreements, duplicatesIn, readGateway, readLedger } from './customers.ts'
import type { Places } from './places.ts'
import type { Counted } from './summary.ts'

export interface Books extends Omit<Counted, 'replayedRequests'> {
  /** By the gateway's own account. */
  readonly charges: readonly Booked[]
}

/**
 * @param lastTick canonical ISO text
 * @param seeded the subscriptions as they were before the first tick
 */
export async function readBooks(
  client: DynamoDBClient,
  places: Places,
  lastTick: string,
  seeded: readonly Subscription[],
): Promise<Books> {
  const charges = await readGateway(client, places.sandboxTable)
  return {
    charges,
    duplicateCharges: duplicatesIn(charges),
    lostUpdates: disagreements(charges, await readLedger(client, places.chargesTable)),
    ledger: await auditLedger(client, places, lastTick, seeded),
  }
}

/** Whether nothing is left to do for a later tick. */
export const areSettled = ({ ledger, lostUpdates }: Books) => ledger.dueNotCharged === 0 && lostUpdates === 0
