/** The rows of one table. All keys are texts, as in every table of the product. */
// @ts-nocheck

import { invalid } from './answer.ts'
import { type Request, requestOf, requiredText } from './request.ts'
import { attributeOf, type Row } from './values.ts'

export interface KeySchema {
  readonly partitionKey: string
  readonly sortKey?: string
}

export interface TableSchema extends KeySchema {
  readonly name: string
  readonly indexes?: readonly IndexSchema[]
}

/** A global secondary index, which here is never behind its table. */
export interface IndexSchema extends KeySchema {
  readonly name: string
  /** @default ALL */
  readonly projection?: 'ALL' | 'KEYS_ONLY'
}

export class Table {
  readonly schema: TableSchema
  readonly #rows = new Map<string, Row>()

  constructor(schema: TableSchema) {
    this.schema = schema
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  /** @param row undefined to delete it */
  set(key: string, row: Row | undefined): void {
    if (row === undefined) this.#rows.delete(key)
    else this.#rows.set(key, row)
  }

  rows(): readonly Row[] {
    return [...this.#rows.values()]
  }
}

/** The schema in a CreateTable request. */
export function schemaOf(request: Request): TableSchema {
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

function keySchemaOf(request: Request): KeySchema {
  const [partition = {}, sort] = objects(request['KeySchema'])
  const partitionKey = requiredText(partition, 'AttributeName')
  return sort === undefined ? { partitionKey } : { partitionKey, sortKey: requiredText(sort, 'AttributeName') }
}

function objects(json: unknown): readonly Request[] {
  return Array.isArray(json) ? json.map(requestOf) : []
}

export function keyNames({ partitionKey, sortKey }: KeySchema): readonly string[] {
  return sortKey === undefined ? [partitionKey] : [partitionKey, sortKey]
}

/** The key of a request, which has the key's attributes and no others. */
export function keyOf(schema: TableSchema, key: Row): string {
  if (Object.keys(key).length !== keyNames(schema).length) throw wrongKey()
  return keyOfRow(schema, key)
}

export function keyOfRow(schema: TableSchema, row: Row): string {
  return keyNames(schema)
    .map((name) => {
      const value = attributeOf(row, name)
      if (value === undefined || !('S' in value) || value.S === '') throw wrongKey()
      return value.S
    })
    .join('/')
}

function wrongKey(): Error {
  return invalid('The provided key element does not match the schema')
}

/** A row need not have the keys of an index, but those that it has must be texts. */
export function checkIndexKeys({ indexes = [] }: TableSchema, row: Row): void {
  for (const name of indexes.flatMap(keyNames)) {
    const value = attributeOf(row, name)
    if (value !== undefined && !('S' in value && value.S !== '')) {
      throw invalid(`One or more parameter values were invalid: Type mismatch for Index Key ${name}`)
    }
  }
}
