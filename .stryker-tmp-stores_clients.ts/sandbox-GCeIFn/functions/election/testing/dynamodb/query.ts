/** Query and Scan. A page ends only by `Limit`. */
// @ts-nocheck

import { type Answer, done, invalid, unsupported } from './answer.ts'
import { compileCondition, nameOf } from './condition.ts'
import { checkParameters, type Request, readPlaceholders, requiredText, textOf } from './request.ts'
import { keyNames, type Table } from './table.ts'
import { attributeOf, compare, type Row, readRow } from './values.ts'

const PARAMETERS = ['TableName', 'IndexName', 'KeyConditionExpression', 'Limit', 'ExclusiveStartKey']
const PLACEHOLDERS = ['ExpressionAttributeNames', 'ExpressionAttributeValues']

/** A key condition names one partition, and may compare the sort key. */
export function query(request: Request, table: Table): Answer {
  checkParameters(request, [...PARAMETERS, ...PLACEHOLDERS])
  const { schema } = table
  const indexName = textOf(request, 'IndexName')
  const index = schema.indexes?.find(({ name }) => name === indexName)
  if (indexName !== undefined && index === undefined) throw invalid('The table does not have the specified index')
  const keys = index ?? schema
  const condition = compileCondition(requiredText(request, 'KeyConditionExpression'))
  const placeholders = readPlaceholders(request, condition.uses)
  const tests = condition.comparisons.map(
    ({ path: [name = ''], operator }) => `${nameOf(name, placeholders)} ${operator}`,
  )
  const ofSort = tests.filter((test) => test !== `${keys.partitionKey} =`)
  if (tests.length !== ofSort.length + 1) throw invalid(`The condition misses the key ${keys.partitionKey}`)
  if (ofSort.length > 1 || ofSort.some((test) => !test.startsWith(`${keys.sortKey} `) || test.endsWith('<>'))) {
    throw unsupported(`the key condition ${tests.join(' AND ')}`)
  }
  const names = [...new Set([...keyNames(keys), ...keyNames(schema)])]
  const found = table
    .rows()
    .filter((row) => keyNames(keys).every((name) => attributeOf(row, name) !== undefined))
    .filter((row) => condition.test(row, placeholders))
    .sort((a, b) => compareBy(names, a, b))
  const after = request['ExclusiveStartKey']
  const start = after === undefined ? undefined : readRow(after)
  const rest = start === undefined ? found : found.filter((row) => compareBy(names, row, start) > 0)
  const limit = Number(request['Limit'] ?? Number.POSITIVE_INFINITY)
  const limited = rest.slice(0, limit)
  const last = limited[limit - 1] // it may be the last of all: DynamoDB does not look further
  return itemsOf(
    index?.projection === 'KEYS_ONLY' ? limited.map((row) => pick(row, names)) : limited,
    last && { LastEvaluatedKey: pick(last, names) },
  )
}

export function scan(request: Request, rows: readonly Row[]): Answer {
  checkParameters(request, ['TableName'])
  return itemsOf(rows)
}

function itemsOf(Items: readonly Row[], page: object = {}): Answer {
  return done({ Items, Count: Items.length, ScannedCount: Items.length, ...page })
}

function pick(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name)))
}

function compareBy(names: readonly string[], a: Row, b: Row): number {
  for (const name of names) {
    const [left, right] = [attributeOf(a, name), attributeOf(b, name)]
    const order = left !== undefined && right !== undefined ? compare(left, right) : 0
    if (order !== undefined && order !== 0) return order
  }
  return 0
}
