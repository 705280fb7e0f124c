/**
 * DynamoDB in memory: it answers requests as they are on the wire, one at a time, with no clock and no randomness.
 *
 * It knows the operations, parameters and expressions that the product sends, and refuses all others. It has no pages,
 * projections, capacity, throttling, size limits, permissions and streams.
 */
// @ts-nocheck

import { type Answer, done, Refusal, refused } from './answer.ts'
import { query, scan } from './query.ts'
import { checkParameters, type Request, requestOf, requiredText } from './request.ts'
import { keyOf, keyOfRow, schemaOf, Table, type TableSchema } from './table.ts'
import { type Row, readRow } from './values.ts'
import { batchWrite, transactItems, transactWrite, write } from './write.ts'

export type { Row, Value } from './values.ts'

export class SimulatedDynamoDB {
  readonly #tables = new Map<string, Table>()
  readonly #tokens = new Map<string, string>()

  createTable(schema: TableSchema): void {
    this.#tables.set(schema.name, new Table(schema))
  }

  /** Applies one request. The answer shares its rows with the table: do not change them. */
  execute(operation: string, body: object): Answer {
    try {
      return this.#execute(operation, requestOf(body))
    } catch (error) {
      if (error instanceof Refusal) return refused(error.type, error.message)
      throw error
    }
  }

  /** The rows that a request for single rows reads or writes, as texts `table/key`. */
  rowsOf(operation: string, body: object): readonly string[] {
    try {
      const request = requestOf(body)
      const items = operation === 'TransactWriteItems' ? transactItems(request).map(([, item]) => item) : [request]
      return items.flatMap((item) => {
        const attributes = item['Key'] ?? item['Item']
        if (attributes === undefined) return []
        const { schema } = this.#tableOf(item)
        return [`${schema.name}/${keyOfRow(schema, readRow(attributes))}`]
      })
    } catch (error) {
      if (error instanceof Refusal) return []
      throw error
    }
  }

  /** A row as it is stored. */
  row(table: string, key: Row): Row | undefined {
    const found = this.#table(table)
    return found.get(keyOfRow(found.schema, key))
  }

  rows(table: string): readonly Row[] {
    return this.#table(table).rows()
  }

  /** Puts a row without any condition. */
  put(table: string, row: Row): void {
    const found = this.#table(table)
    found.set(keyOfRow(found.schema, row), readRow(row))
  }

  #execute(operation: string, request: Request): Answer {
    switch (operation) {
      case 'CreateTable':
        this.createTable(schemaOf(request))
        return done({})
      case 'PutItem':
        return write('Put', request, this.#table)
      case 'UpdateItem':
        return write('Update', request, this.#table)
      case 'DeleteItem':
        return write('Delete', request, this.#table)
      case 'TransactWriteItems':
        return transactWrite(request, this.#table, this.#tokens)
      case 'BatchWriteItem':
        return batchWrite(request, this.#table)
      case 'GetItem':
        return this.#getItem(request)
      case 'Query':
        return query(request, this.#tableOf(request))
      case 'Scan':
        return scan(request, this.#tableOf(request).rows())
      default:
        return refused('UnknownOperationException', `The simulated DynamoDB has no operation ${operation}`)
    }
  }

  #getItem(request: Request): Answer {
    checkParameters(request, ['TableName', 'Key'])
    const table = this.#tableOf(request)
    const row = table.get(keyOf(table.schema, readRow(request['Key'])))
    return done(row === undefined ? {} : { Item: row })
  }

  #tableOf(request: Request): Table {
    return this.#table(requiredText(request, 'TableName'))
  }

  readonly #table = (name: string): Table => {
    const table = this.#tables.get(name)
    if (table !== undefined) return table
    throw new Refusal(
      'ResourceNotFoundException',
      `There is no table "${name}": new MemoryLeaseStore({ tables }) makes it`,
    )
  }
}
