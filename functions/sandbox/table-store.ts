import { type DynamoDBClient, PutItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { isConditionFailed } from '../election/stores/dynamodb-errors.ts'
import { readRow, type SandboxRow, type SandboxStore } from './store.ts'

/**
 * The rows in a DynamoDB table. A new charge and a repetition are one request each; a charge after its key expired,
 * two.
 */
export function tableStore(client: DynamoDBClient, TableName: string): SandboxStore {
  return {
    async put(row, before) {
      const command = new PutItemCommand({
        TableName,
        Item: marshall(row, { removeUndefinedValues: true }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        ...unchanged(before),
      })
      try {
        await client.send(command)
        return undefined
      } catch (error) {
        if (!isConditionFailed(error) || error.Item === undefined) throw error
        return readRow(unmarshall(error.Item))
      }
    },

    async list(customer) {
      const query = {
        TableName,
        // A stale read could miss a charge made a moment ago, and the caller would charge again.
        ConsistentRead: true,
        KeyConditionExpression: 'customer = :customer',
        ExpressionAttributeValues: marshall({ ':customer': customer }),
      }
      const rows: SandboxRow[] = []
      for await (const { Items = [] } of paginateQuery({ client }, query)) {
        rows.push(...Items.map((item) => readRow(unmarshall(item))))
      }
      return rows
    },
  }
}

/** Every execution changes one of the two: a key is executed again only if it has no answer, or after it expired. */
function unchanged(before: SandboxRow | undefined) {
  if (before === undefined) return { ConditionExpression: 'attribute_not_exists(sinceMs)' }
  const answer = before.statusCode === undefined ? 'attribute_not_exists' : 'attribute_exists'
  return {
    ConditionExpression: `sinceMs = :beforeMs AND ${answer}(statusCode)`,
    ExpressionAttributeValues: marshall({ ':beforeMs': before.sinceMs }),
  }
}
