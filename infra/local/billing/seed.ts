import { setTimeout as sleep } from 'node:timers/promises'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { Subscription } from '../../../functions/billing/subscription.ts'

/** BatchWriteItem takes at most 25 items (DynamoDB API reference). */
const BATCH = 25
const MAX_TRIES = 8

/**
 * Puts the subscriptions into the table; a row with the same customer and plan is replaced.
 *
 * @throws the reason of `signal`, and Error if DynamoDB leaves items unprocessed after several tries
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
    const puts = subscriptions.slice(start, start + BATCH).map((Item) => ({ PutRequest: { Item } }))
    let RequestItems: Record<string, object[]> = { [tableName]: puts }
    for (let tries = 1; Object.keys(RequestItems).length > 0; tries++) {
      if (tries > MAX_TRIES)
        throw new Error(`DynamoDB does not write all subscriptions to ${tableName}; try again later`)
      if (tries > 1) await sleep(20 * 2 ** tries)
      const { UnprocessedItems = {} } = await documents.send(new BatchWriteCommand({ RequestItems }))
      RequestItems = UnprocessedItems
    }
  }
}
