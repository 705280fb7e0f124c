/** Creates the tables that a template declares in DynamoDB Local, with their indexes. A run uses no streams and no TTL. */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb'
import { property } from '../../../functions/election/json.ts'
import { show } from '../../../functions/election/show.ts'
import { isList, isObject, type Json, type JsonObject, TemplateError } from './intrinsics.ts'
import type { Table } from './template.ts'

export async function createTables(client: DynamoDBClient, tables: readonly Table[]): Promise<void> {
  await Promise.all(tables.map((table) => client.send(new CreateTableCommand(requestFor(table)))))
}

/** For a DynamoDB Local that keeps running after the run. */
export async function deleteTables(client: DynamoDBClient, tables: readonly Table[]): Promise<void> {
  await Promise.allSettled(tables.map(({ name }) => client.send(new DeleteTableCommand({ TableName: name }))))
}

function requestFor(table: Table): CreateTableCommandInput {
  const indexes = table.indexes.map(({ IndexName, KeySchema, Projection }) => ({
    IndexName: text(IndexName),
    KeySchema: keysOf(isList(KeySchema) ? KeySchema.filter(isObject) : []),
    Projection: { ProjectionType: oneOf(['ALL', 'KEYS_ONLY'] as const, property(Projection, 'ProjectionType')) },
  }))
  return {
    TableName: table.name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keysOf(table.keys),
    AttributeDefinitions: table.attributes.map(({ AttributeName, AttributeType }) => ({
      AttributeName: text(AttributeName),
      AttributeType: oneOf(['S', 'N', 'B'] as const, AttributeType),
    })),
    ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes }),
  }
}

const keysOf = (keys: readonly JsonObject[]) =>
  keys.map(({ AttributeName, KeyType }) => ({
    AttributeName: text(AttributeName),
    KeyType: oneOf(['HASH', 'RANGE'] as const, KeyType),
  }))

function text(value: Json | undefined): string {
  if (typeof value === 'string') return value
  throw new TemplateError(`The definition of a table should have a name, not ${show(value)}`)
}

function oneOf<T extends string>(allowed: readonly T[], value: unknown): T {
  const found = allowed.find((one) => one === value)
  if (found !== undefined) return found
  throw new TemplateError(`The definition of a table should have one of ${allowed.join(', ')}, not ${show(value)}`)
}
