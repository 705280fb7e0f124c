import { type DynamoDBClient, paginateQuery, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { isConditionFailed } from '../election/stores/dynamodb-errors.ts'
import { readRow, type SandboxRow, type SandboxStore } from './store.ts'

const IS_NEW = 'attribute_not_exists(#sinceMs)'
// Each execution changes one of the two: a key is executed again only without an answer, or much later.
const IS_AS_BEFORE = '#sinceMs = :beforeMs'
const HAS_NO_ANSWER = 'attribute_not_exists(#statusCode)'
const HAS_AN_ANSWER = 'attribute_exists(#statusCode)'

/** The rows in a DynamoDB table. A new charge and a repetition are one request each, and one after the window two. */
export function tableStore(client: DynamoDBClient, TableName: string): SandboxStore {
  return {
    async record({ customer, key, intent, ...attributes }, before) {
      const condition = unchanged(before)
      const changes = Object.keys(attributes).map((name) => `#${name} = :${name}`)
      const update = `SET ${changes.join(', ')}, #intents = list_append(if_not_exists(#intents, :none), :made)`
      const beforeMs = before === undefined ? {} : { ':beforeMs': before.sinceMs }
      const values = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`:${name}`, value]))
      const command = new UpdateItemCommand({
        TableName,
        Key: marshall({ customer, key }),
        ConditionExpression: condition,
        UpdateExpression: update,
        ExpressionAttributeNames: namesIn(condition + update),
        ExpressionAttributeValues: marshall({
          ...values,
          ...beforeMs,
          ':none': [],
          ':made': intent === undefined ? [] : [intent],
        }),
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
        // Without it a charge made just now might be missing, and whoever asks would charge again.
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

function unchanged(before: SandboxRow | undefined): string {
  if (before === undefined) return IS_NEW
  return `${IS_AS_BEFORE} AND ${before.statusCode === undefined ? HAS_NO_ANSWER : HAS_AN_ANSWER}`
}

/** Every attribute by a placeholder, since some of them are reserved words; DynamoDB refuses placeholders that are not used. */
function namesIn(expressions: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(expressions.matchAll(/#(\w+)/g), ([placeholder, name = '']) => [placeholder, name]),
  )
}
