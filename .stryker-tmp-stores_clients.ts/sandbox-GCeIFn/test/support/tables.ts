/** New tables in DynamoDB Local: each test has its own, so that tests can run in parallel. */
// @ts-nocheck

import { randomUUID } from 'node:crypto'
import { CreateTableCommand, DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb'

/** A client for DynamoDB Local, which takes any credentials and any region. */
export function localClient(endpoint: string, config: DynamoDBClientConfig = {}): DynamoDBClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  return new DynamoDBClient({ endpoint, region: 'eu-central-1', credentials, ...config })
}

type Keys = readonly [partition: string, sort: string]
const KEY_TYPES = ['HASH', 'RANGE'] as const
const keySchema = (keys: Keys) => keys.map((AttributeName, nth) => ({ AttributeName, KeyType: KEY_TYPES[nth] }))

/** @param due the keys of the index `due` @returns the name of a new, empty table */
export async function createTable(client: DynamoDBClient, keys: Keys, due?: Keys): Promise<string> {
  const TableName = `table-${randomUUID()}`
  const Projection = { ProjectionType: 'KEYS_ONLY' as const }
  const AttributeDefinitions = [...keys, ...(due ?? [])].map((AttributeName) => {
    return { AttributeName, AttributeType: 'S' as const }
  })
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

export const createLeaseTable = (client: DynamoDBClient) => createTable(client, ['lease', 'record'])

/** The tables of the billing example, as its stacks create them. */
export async function createBillingTables(client: DynamoDBClient) {
  return {
    subscriptionsTable: await createTable(client, ['customer', 'plan'], ['dueShard', 'dueAt']),
    chargesTable: await createTable(client, ['customer', 'charge']),
  }
}

export const createSandboxTable = (client: DynamoDBClient) => createTable(client, ['customer', 'key'])
