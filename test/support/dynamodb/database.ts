/**
 * DynamoDB in memory, for simulations of the shipped code: it answers requests as they are on the wire, one at a time, with
 * no clock and no randomness of its own.
 *
 * Not here: legacy parameters (Expected, AttributeUpdates …), projections and Select, keys that are not texts, sizes (rows of
 * 400 KB, pages of 1 MB), capacity and throttling, permissions, streams. What is not known is refused, never ignored.
 */

import { type Answer, done, refused } from './answer.ts'
import { batchWrite } from './batch.ts'
import { type Path, valueAt } from './path.ts'
import { query, scan } from './query.ts'
import { Refusal, tableNotFound } from './refusal.ts'
import { checkParameters, oneOf, parameters, type Request, requestOf, requiredText } from './request.ts'
import { keyOf, keyOfRow, pick, Table, type TableSchema } from './table.ts'
import { transactItems, transactWrite } from './transaction.ts'
import { attributeOf, type Row, readRow } from './values.ts'
import { effectOf, keyOfWrite, readWrite, store, type WriteKind } from './write.ts'

export type { Answer } from './answer.ts'
export type { IndexSchema, TableSchema } from './table.ts'
export type { Row, Value } from './values.ts'

const OF_GET_ITEM = parameters('TableName', 'Key')
const FIVE_YEARS_MS = 5 * 365 * 24 * 3_600_000

export class SimulatedDynamoDB {
  readonly #tables = new Map<string, Table>()
  readonly #tokens = new Map<string, string>()

  createTable(schema: TableSchema): void {
    this.#tables.set(schema.name, new Table(schema))
  }

  /**
   * Applies one request as it is on the wire. Bad input is answered, never thrown. The answer shares its rows with the
   * table: read it, or make it text, but do not change it.
   */
  execute(operation: string, body: object): Answer {
    try {
      return this.#execute(operation, requestOf(body))
    } catch (error) {
      if (error instanceof Refusal) return refused(error.type, error.message)
      throw error
    }
  }

  /**
   * The rows that a request for single rows reads or writes, as texts `table/key`. A transaction that is under way refuses
   * other writes of its rows; queries and scans are never refused for it, and name none.
   */
  rowsOf(operation: string, body: object): readonly string[] {
    try {
      const request = requestOf(body)
      if (operation !== 'TransactWriteItems') return this.#rowsOfItem(request)
      return transactItems(request).flatMap(([, item]) => this.#rowsOfItem(item))
    } catch (error) {
      if (error instanceof Refusal) return []
      throw error
    }
  }

  /** Deletes the rows whose time of deletion lies before `nowMs`, as DynamoDB does within days. Gives how many. */
  expire(nowMs: number): number {
    let deleted = 0
    for (const { schema } of this.#tables.values()) {
      for (const row of this.rows(schema.name)) {
        if (!isOver(row, schema.ttlAttribute, nowMs)) continue
        this.remove(schema.name, row)
        deleted++
      }
    }
    return deleted
  }

  /** A row as it is stored. `key` has the key's attributes and maybe more. */
  row(table: string, key: Row): Row | undefined {
    const found = this.#table(table)
    return found.get(keyOfRow(found.schema, key))
  }

  rows(table: string): readonly Row[] {
    return [...this.#table(table).rows()]
  }

  /** Puts a row by hand, without any condition. */
  put(table: string, row: Row): void {
    const found = this.#table(table)
    found.put(keyOfRow(found.schema, row), readRow(row))
  }

  /** Removes a row by hand. */
  remove(table: string, key: Row): void {
    const found = this.#table(table)
    found.delete(keyOfRow(found.schema, key))
  }

  #execute(operation: string, request: Request): Answer {
    switch (operation) {
      case 'PutItem':
        return this.#write('Put', request)
      case 'UpdateItem':
        return this.#write('Update', request)
      case 'DeleteItem':
        return this.#write('Delete', request)
      case 'GetItem':
        return this.#getItem(request)
      case 'Query':
        return query(request, this.#tableOf(request))
      case 'Scan':
        return scan(request, this.#tableOf(request))
      case 'BatchWriteItem':
        return batchWrite(request, this.#table)
      case 'TransactWriteItems':
        return transactWrite(request, this.#table, this.#tokens)
      default:
        return refused('UnknownOperationException', `The simulated DynamoDB has no operation ${operation}`)
    }
  }

  #getItem(request: Request): Answer {
    checkParameters(request, OF_GET_ITEM)
    const table = this.#tableOf(request)
    const row = table.get(keyOf(table.schema, readRow(request['Key'])))
    return done(row === undefined ? {} : { Item: row })
  }

  #write(kind: Exclude<WriteKind, 'ConditionCheck'>, request: Request): Answer {
    const write = readWrite(kind, request, this.#table, true)
    const returned = oneOf(request, 'ReturnValues', kind === 'Update' ? UPDATE_RETURNS : OTHER_RETURNS)
    const key = keyOfWrite(write)
    const effect = effectOf(write, key)
    const { before } = effect
    if (!effect.granted) {
      const row = write.showsRow && before !== undefined ? { Item: before } : {}
      return refused('ConditionalCheckFailedException', 'The conditional request failed', row)
    }
    store(write.table, key, effect.after)
    const attributes = returnedAttributes(returned, write.paths, before, effect.after)
    return done(attributes === undefined ? {} : { Attributes: attributes })
  }

  #rowsOfItem(request: Request): readonly string[] {
    const attributes = request['Key'] ?? request['Item']
    if (attributes === undefined) return []
    const { schema } = this.#tableOf(request)
    const { partition, sort } = keyOfRow(schema, readRow(attributes))
    return [`${schema.name}/${sort === '' ? partition : `${partition}/${sort}`}`]
  }

  #tableOf(request: Request): Table {
    return this.#table(requiredText(request, 'TableName'))
  }

  readonly #table = (name: string): Table => {
    const table = this.#tables.get(name)
    if (table === undefined) throw tableNotFound()
    return table
  }
}

const UPDATE_RETURNS = ['NONE', 'ALL_OLD', 'UPDATED_OLD', 'ALL_NEW', 'UPDATED_NEW'] as const
const OTHER_RETURNS = ['NONE', 'ALL_OLD'] as const
type Returned = (typeof UPDATE_RETURNS)[number]

function returnedAttributes(
  returned: Returned,
  paths: readonly Path[],
  before: Row | undefined,
  after: Row | undefined,
) {
  switch (returned) {
    case 'NONE':
      return undefined
    case 'ALL_OLD':
      return before
    case 'ALL_NEW':
      return after
    case 'UPDATED_OLD':
      return touched(before, paths)
    case 'UPDATED_NEW':
      return touched(after, paths)
  }
}

/** The attributes in which an update touched something. */
function touched(row: Row | undefined, paths: readonly Path[]): Row | undefined {
  if (row === undefined) return undefined
  const there = paths.filter((path) => valueAt(row, path) !== undefined)
  return there.length === 0
    ? undefined
    : pick(
        row,
        there.map(([name]) => String(name)),
      )
}

/** Whether DynamoDB may have deleted the row by now. It leaves rows alone whose time lies more than five years back. */
function isOver(row: Row, ttlAttribute: string | undefined, nowMs: number): boolean {
  const value = ttlAttribute === undefined ? undefined : attributeOf(row, ttlAttribute)
  if (value === undefined || !('N' in value)) return false
  const agoMs = nowMs - Number(value.N) * 1_000
  return agoMs > 0 && agoMs < FIVE_YEARS_MS
}
