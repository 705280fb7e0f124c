/** The row that the lease protects: a list, read whole and written back whole with one addition. */
import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb'
import type { Row, TransactItem } from '../../../../functions/election/stores/store.ts'

const KEY = { lease: 'list', record: 'LIST' }

export function keyOf(TableName: string) {
  return { TableName, Key: KEY }
}

/** The input of a Put, which brings the row as it was. */
export function putOf(TableName: string, additions: readonly string[]) {
  return { TableName, Item: { ...KEY, additions }, ReturnValues: 'ALL_OLD' as const }
}

export function transactPutOf(TableName: string, additions: readonly string[]): TransactItem {
  return { Put: { TableName, Item: { ...KEY, additions } } }
}

/** The addition that a transaction carries: the last of its list. */
export function additionIn(items: readonly TransactItem[]): string {
  return additionsIn(items[0]?.Put?.Item).at(-1) ?? ''
}

export async function readAdditions(client: DynamoDBDocumentClient, TableName: string): Promise<readonly string[]> {
  const { Item } = await client.send(new GetCommand({ ...keyOf(TableName), ConsistentRead: true }))
  return additionsIn(Item)
}

export function additionsIn(row: Row | undefined): readonly string[] {
  const additions: unknown = row?.['additions']
  return Array.isArray(additions) ? additions.map(String) : []
}
