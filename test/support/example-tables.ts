/** The tables of the billing example, as its stacks create them, with names of their own. */
import { randomUUID } from 'node:crypto'
import { CreateTableCommand, type DynamoDBClient, type KeySchemaElement } from '@aws-sdk/client-dynamodb'

type Keys = readonly [partition: string, sort: string]

export async function createBillingTables(client: DynamoDBClient) {
  return {
    subscriptionsTable: await createTable(client, ['customer', 'plan'], ['dueShard', 'dueAt']),
    chargesTable: await createTable(client, ['customer', 'charge']),
  }
}

export const createSandboxTable = (client: DynamoDBClient) => createTable(client, ['customer', 'key'])

/** @param due the keys of the index `due` */
export async function createTable(client: DynamoDBClient, keys: Keys, due?: Keys): Promise<string> {
  const TableName = `example-${randomUUID()}`
  const Projection = { ProjectionType: 'KEYS_ONLY' as const }
  const AttributeDefinitions = [...keys, ...(due ?? [])].map((name) => ({
    AttributeName: name,
    AttributeType: 'S' as const,
  }))
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions,
      KeySchema: keySchema(keys),
      ...(due && { GlobalSecondaryIndexes: [{ IndexName: 'due', KeySchema: keySchema(due), Projection }] }),
    }),
  )
  return TableName
}

function keySchema([partition, sort]: Keys): KeySchemaElement[] {
  return [
    { AttributeName: partition, KeyType: 'HASH' },
    { AttributeName: sort, KeyType: 'RANGE' },
  ]
}
