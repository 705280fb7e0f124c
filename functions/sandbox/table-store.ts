import { type DynamoDBClient, paginateQuery, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { isConditionFailed } from '../election/stores/dynamodb-errors.ts'
import { readRow, type SandboxRow, type SandboxStore } from './store.ts'

/**
 * The rows in a DynamoDB table. A new charge and a repetition are one request each; a charge after its key expired,
 * two.
 */
export function tableStore(client: DynamoDBClient, TableName: string): SandboxStore {
  return {
    async record({ customer, key, intent, ...attributes }, before) {
      const condition = unchanged(before)
      const names = Object.keys(attributes)
      const update = `SET ${names.map((name) => `#${name} = :${name}`).join(', ')},
        #intents = list_append(if_not_exists(#intents, :none), :made)`
      const values = {
        ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`:${name}`, value])),
        ...(before === undefined ? {} : { ':beforeMs': before.sinceMs }),
        ':none': [],
        ':made': intent === undefined ? [] : [intent],
      }
      const command = new UpdateItemCommand({
        TableName,
        Key: marshall({ customer, key }),
        ConditionExpression: condition,
        UpdateExpression: update,
        ExpressionAttributeNames: namesIn(condition + update),
        ExpressionAttributeValues: marshall(values),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
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
function unchanged(before: SandboxRow | undefined): string {
  if (before === undefined) return 'attribute_not_exists(#sinceMs)'
  const answer = before.statusCode === undefined ? 'attribute_not_exists' : 'attribute_exists'
  return `#sinceMs = :beforeMs AND ${answer}(#statusCode)`
}

/** Placeholders for all names, as some are reserved words; only those used, as DynamoDB refuses unused ones. */
function namesIn(expressions: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(expressions.matchAll(/#(\w+)/g), ([placeholder, name = '']) => [placeholder, name]),
  )
}
