// @ts-nocheck
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { DynamoDBLeaseStore } from '../../functions/election/index.ts'
import { readRow } from '../../functions/election/stores/row.ts'
import type { StoreUnderTest } from '../../functions/election/testing/index.ts'
import { createLeaseTable } from './tables.ts'

/** The raw lease row, read apart from the store under test. */
export async function rawRow(client: DynamoDBClient, TableName: string, lease = 'billing') {
  const Key = { lease: { S: lease }, record: { S: 'LEASE' } }
  const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))
  return Item
}

export async function leaseRow(client: DynamoDBClient, table: string, lease = 'billing') {
  const row = await rawRow(client, table, lease)
  return row === undefined ? undefined : readRow(row, lease)
}

/** Overwrites attributes of the lease row by hand. */
export async function editRow(client: DynamoDBClient, TableName: string, changes: object, lease = 'billing') {
  const row = await rawRow(client, TableName, lease)
  const Item = { lease: { S: lease }, record: { S: 'LEASE' }, ...row, ...marshall({ ...changes }) }
  await client.send(new PutItemCommand({ TableName, Item }))
}

/** A new lease table behind the shipped store, for the conformance suite. */
export async function storeUnderTest(
  client: DynamoDBClient,
  storeOf = (tableName: string) => new DynamoDBLeaseStore({ tableName, client }),
): Promise<StoreUnderTest> {
  const tableName = await createLeaseTable(client)
  return {
    store: storeOf(tableName),
    read: () => leaseRow(client, tableName),
    edit: (changes) => editRow(client, tableName, changes),
  }
}
