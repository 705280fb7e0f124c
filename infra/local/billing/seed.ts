import { setTimeout as sleep } from 'node:timers/promises'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { Subscription } from '../../../functions/billing/subscription.ts'

/** BatchWriteItem takes at most 25 items (DynamoDB API reference). */
const BATCH = 25
const MAX_TRIES = 8

/**
 * Puts all subscriptions into the table; rows of the same customer and plan are replaced.
 * @throws the reason of `signal`, and Error where DynamoDB still leaves items unprocessed after several tries
 */
export async function seedSubscriptions(
  client: DynamoDBClient,
  tableName: string,
  subscriptions: readonly Subscription[],
  signal?: AbortSignal,
): Promise<void> {
  const documents = DynamoDBDocumentClient.from(client)
  for (let start = 0; start < subscriptions.length; start += BATCH) {
    signal?.throwIfAborted()
    const batch = subscriptions.slice(start, start + BATCH)
    let RequestItems: Record<string, object[]> = {
      [tableName]: batch.map((subscription) => ({ PutRequest: { Item: { ...subscription } } })),
    }
    for (let tries = 1; Object.keys(RequestItems).length > 0; tries++) {
      if (tries > MAX_TRIES)
        throw new Error(`DynamoDB does not take the subscriptions into ${tableName}; try again later`)
      if (tries > 1) await sleep(20 * 2 ** tries)
      const { UnprocessedItems } = await documents.send(new BatchWriteCommand({ RequestItems }))
      RequestItems = UnprocessedItems ?? {}
    }
  }
}

/** The first instant at which anything is due: where a local run starts its ticks. @throws RangeError for an empty list */
export function earliestDueAt(subscriptions: readonly Subscription[]): string {
  const [earliest] = subscriptions.map(({ dueAt }) => dueAt).sort()
  if (earliest === undefined) throw new RangeError('There are no subscriptions, hence no earliest due instant')
  return earliest
}
