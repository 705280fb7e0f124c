/** The rows of one table and of its indexes. All keys are texts, as in every table of this project. */
import { invalid, invalidParameter } from './refusal.ts'
import { attributeOf, compareTexts, type Row, typeOf, type Value } from './values.ts'

export interface TableSchema {
  readonly name: string
  readonly partitionKey: string
  readonly sortKey?: string
  readonly indexes?: readonly IndexSchema[]
  /** The attribute with the time of deletion, in epoch seconds. */
  readonly ttlAttribute?: string
}

/** A global secondary index. Here it is never behind its table. */
export interface IndexSchema {
  readonly name: string
  readonly partitionKey: string
  readonly sortKey?: string
  /** The attributes that it has beside the keys. @default ALL */
  readonly projection?: 'ALL' | 'KEYS_ONLY' | readonly string[]
}

/** Of a table or an index. */
export interface KeySchema {
  readonly partitionKey: string
  readonly sortKey?: string
}

export interface Key {
  readonly partition: string
  /** Empty in a table without a sort key. */
  readonly sort: string
}

export class Table {
  readonly schema: TableSchema
  readonly #partitions = new Map<string, Map<string, Row>>()

  constructor(schema: TableSchema) {
    this.schema = schema
  }

  get({ partition, sort }: Key): Row | undefined {
    return this.#partitions.get(partition)?.get(sort)
  }

  put({ partition, sort }: Key, row: Row): void {
    const rows = this.#partitions.get(partition)
    if (rows === undefined) this.#partitions.set(partition, new Map([[sort, row]]))
    else rows.set(sort, row)
  }

  delete({ partition, sort }: Key): void {
    const rows = this.#partitions.get(partition)
    rows?.delete(sort)
    if (rows?.size === 0) this.#partitions.delete(partition)
  }

  /** In no order that means anything. */
  *rows(): Generator<Row> {
    for (const rows of this.#partitions.values()) yield* rows.values()
  }

  partition(partition: string): Iterable<Row> {
    return this.#partitions.get(partition)?.values() ?? []
  }

  index(name: string): IndexSchema {
    const found = this.schema.indexes?.find((index) => index.name === name)
    if (found === undefined) throw invalid(`The table does not have the specified index: ${name}`)
    return found
  }
}

/** The names of a schema's key attributes. */
export function keyNames({ partitionKey, sortKey }: KeySchema): readonly string[] {
  return sortKey === undefined ? [partitionKey] : [partitionKey, sortKey]
}

/** The key of a request, which has the key's attributes and no others. */
export function keyOf(schema: TableSchema, key: Row): Key {
  const names = keyNames(schema)
  const fits =
    Object.keys(key).length === names.length &&
    names.every((name) => {
      const value = attributeOf(key, name)
      return value !== undefined && 'S' in value
    })
  if (!fits) throw invalid('The provided key element does not match the schema')
  return keyOfRow(schema, key)
}

export function keyOfRow(schema: TableSchema, row: Row): Key {
  return {
    partition: keyText(schema.partitionKey, row),
    sort: schema.sortKey === undefined ? '' : keyText(schema.sortKey, row),
  }
}

function keyText(name: string, row: Row): string {
  const value = attributeOf(row, name)
  if (value === undefined) throw invalidParameter(`Missing the key ${name} in the item`)
  if (!('S' in value)) {
    throw invalidParameter(`Type mismatch for key ${name} expected: S actual: ${typeOf(value)}`)
  }
  if (value.S === '') {
    throw invalidParameter(`The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`)
  }
  return value.S
}

/** A row need not have the keys of an index, but where it has them they must be fit for it. */
export function checkIndexKeys({ indexes = [] }: TableSchema, row: Row): void {
  for (const index of indexes) {
    for (const name of keyNames(index)) {
      const value = attributeOf(row, name)
      if (value === undefined) continue
      if (!('S' in value)) {
        throw invalidParameter(
          `Type mismatch for Index Key ${name} Expected: S Actual: ${typeOf(value)} IndexName: ${index.name}`,
        )
      }
      if (value.S === '') {
        throw invalidParameter(
          `The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ${index.name}, IndexKey: ${name}`,
        )
      }
    }
  }
}

/** The attributes of a row that are in the named ones, in their order. */
export function pick(row: Row, names: readonly string[]): Row {
  const picked: Record<string, Value> = {}
  for (const name of names) {
    const value = attributeOf(row, name)
    if (value !== undefined) picked[name] = value
  }
  return picked
}

/** By the first attribute that tells the two apart; a row without it goes first. */
export function compareBy(names: readonly string[], a: Row, b: Row): number {
  for (const name of names) {
    const order = compareTexts(textOf(a, name), textOf(b, name))
    if (order !== 0) return order
  }
  return 0
}

function textOf(row: Row, name: string): string {
  const value = attributeOf(row, name)
  return value !== undefined && 'S' in value ? value.S : ''
}
