/** Creates in DynamoDB Local the tables that a template declares, with their indexes, streams and TTL. */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  type DynamoDBClient,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { isList, isObject, type Json, type JsonObject, TemplateError } from './intrinsics.ts'
import type { Table } from './template.ts'

export async function createTables(client: DynamoDBClient, tables: readonly Table[]): Promise<void> {
  await Promise.all(
    tables.map(async (table) => {
      await client.send(new CreateTableCommand(requestFor(table)))
      const { name: TableName, ttlAttribute: AttributeName } = table
      if (AttributeName === undefined) return
      const TimeToLiveSpecification = { AttributeName, Enabled: true }
      await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }))
    }),
  )
}

/** For a DynamoDB Local that was there before us and stays. */
export async function deleteTables(client: DynamoDBClient, tables: readonly Table[]): Promise<void> {
  await Promise.allSettled(tables.map(({ name }) => client.send(new DeleteTableCommand({ TableName: name }))))
}

const KEY_TYPES = ['HASH', 'RANGE'] as const
const ATTRIBUTE_TYPES = ['S', 'N', 'B'] as const
const PROJECTIONS = ['ALL', 'KEYS_ONLY', 'INCLUDE'] as const
const STREAM_VIEWS = ['NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES', 'KEYS_ONLY'] as const

function requestFor(table: Table): CreateTableCommandInput {
  const indexes = table.indexes.map((index) => ({
    IndexName: text(index['IndexName']),
    KeySchema: keysOf(index['KeySchema']),
    Projection: projectionOf(index['Projection']),
  }))
  return {
    TableName: table.name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keysOf(table.keys),
    AttributeDefinitions: table.attributes.map((attribute) => ({
      AttributeName: text(attribute['AttributeName']),
      AttributeType: oneOf(ATTRIBUTE_TYPES, attribute['AttributeType']),
    })),
    ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes }),
    ...(table.streamView !== undefined && {
      StreamSpecification: { StreamEnabled: true, StreamViewType: oneOf(STREAM_VIEWS, table.streamView) },
    }),
  }
}

const keysOf = (keys: Json | undefined) =>
  listOf(keys).map((key) => ({
    AttributeName: text(key['AttributeName']),
    KeyType: oneOf(KEY_TYPES, key['KeyType']),
  }))

function projectionOf(projection: Json | undefined) {
  const { ProjectionType: type = 'ALL', NonKeyAttributes: names } = isObject(projection) ? projection : {}
  return {
    ProjectionType: oneOf(PROJECTIONS, type),
    ...(isList(names) && { NonKeyAttributes: names.map(text) }),
  }
}

const listOf = (value: Json | undefined): readonly JsonObject[] => (isList(value) ? value.filter(isObject) : [])

function text(value: Json | undefined): string {
  if (typeof value === 'string') return value
  throw new TemplateError(`A table's definition has ${JSON.stringify(value)} where a name should be`)
}

function oneOf<T extends string>(allowed: readonly T[], value: Json | undefined): T {
  const found = allowed.find((one) => one === value)
  if (found !== undefined) return found
  throw new TemplateError(
    `A table's definition has ${JSON.stringify(value)} where one of ${allowed.join(', ')} should be`,
  )
}
