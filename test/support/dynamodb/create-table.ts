/** A table's schema as CreateTable has it, and back. */
import { requestOf, requiredText } from './request.ts'
import { type IndexSchema, type KeySchema, keyNames, type TableSchema } from './table.ts'

export function createTableRequest(schema: TableSchema): object {
  const { name, indexes = [] } = schema
  const names = new Set([schema, ...indexes].flatMap(keyNames))
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: Array.from(names, (AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: keySchemaRequest(schema),
    ...(indexes.length > 0 && {
      GlobalSecondaryIndexes: indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: keySchemaRequest(index),
        Projection: { ProjectionType: index.projection ?? 'ALL' },
      })),
    }),
  }
}

function keySchemaRequest(keys: KeySchema): readonly object[] {
  return keyNames(keys).map((AttributeName, nth) => ({ AttributeName, KeyType: nth === 0 ? 'HASH' : 'RANGE' }))
}

export function schemaOf(body: object): TableSchema {
  const request = requestOf(body)
  return {
    name: requiredText(request, 'TableName'),
    ...keySchemaOf(request),
    indexes: objects(request['GlobalSecondaryIndexes']).map((index): IndexSchema => {
      const { ProjectionType } = requestOf(index['Projection'])
      const projection = ProjectionType === 'KEYS_ONLY' ? 'KEYS_ONLY' : 'ALL'
      return { name: requiredText(index, 'IndexName'), ...keySchemaOf(index), projection }
    }),
  }
}

function keySchemaOf(request: Readonly<Record<string, unknown>>): KeySchema {
  const [partition = {}, sort] = objects(request['KeySchema'])
  const partitionKey = requiredText(partition, 'AttributeName')
  return sort === undefined ? { partitionKey } : { partitionKey, sortKey: requiredText(sort, 'AttributeName') }
}

function objects(json: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(json) ? json.map(requestOf) : []
}
