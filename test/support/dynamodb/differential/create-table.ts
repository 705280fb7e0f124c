/** A table's schema as CreateTable has it. */
import { requestOf, requiredText } from '../request.ts'
import { type IndexSchema, type KeySchema, keyNames, type TableSchema } from '../table.ts'

export function createTableRequest(schema: TableSchema): object {
  const { name, indexes = [] } = schema
  const names = new Set([schema, ...indexes].flatMap(keyNames))
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: Array.from(names, (AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: keySchemaRequest(schema),
    ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes.map(indexRequest) }),
  }
}

function indexRequest(index: IndexSchema): object {
  return { IndexName: index.name, KeySchema: keySchemaRequest(index), Projection: projectionRequest(index) }
}

function keySchemaRequest({ partitionKey, sortKey }: KeySchema): readonly object[] {
  const partition = { AttributeName: partitionKey, KeyType: 'HASH' }
  return sortKey === undefined ? [partition] : [partition, { AttributeName: sortKey, KeyType: 'RANGE' }]
}

function projectionRequest({ projection = 'ALL' }: IndexSchema): object {
  if (typeof projection === 'string') return { ProjectionType: projection }
  return { ProjectionType: 'INCLUDE', NonKeyAttributes: projection }
}

/** The schema of a CreateTable that shipped code or its tests send; the indexes of theirs have ALL or KEYS_ONLY. */
export function schemaOf(body: object): TableSchema {
  const request = requestOf(body)
  const indexes = objects(request['GlobalSecondaryIndexes'])
  return {
    name: requiredText(request, 'TableName'),
    ...keySchemaOf(request),
    indexes: indexes.map((index) => ({
      name: requiredText(index, 'IndexName'),
      ...keySchemaOf(index),
      ...projectionOf(requestOf(index['Projection'])),
    })),
  }
}

function keySchemaOf(request: Readonly<Record<string, unknown>>): KeySchema {
  const [partition = {}, sort] = objects(request['KeySchema'])
  const partitionKey = requiredText(partition, 'AttributeName')
  return sort === undefined ? { partitionKey } : { partitionKey, sortKey: requiredText(sort, 'AttributeName') }
}

function projectionOf(projection: Readonly<Record<string, unknown>>): Pick<IndexSchema, 'projection'> {
  const names = projection['NonKeyAttributes']
  if (Array.isArray(names)) return { projection: names.map(String) }
  return { projection: projection['ProjectionType'] === 'KEYS_ONLY' ? 'KEYS_ONLY' : 'ALL' }
}

function objects(json: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(json) ? json.map(requestOf) : []
}
