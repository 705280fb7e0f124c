/** Query and Scan. The answer has all rows, or as many as `Limit` allows: there are no pages here. */
import { type Answer, done, invalid, unsupported } from './answer.ts'
import { compileCondition, nameOf } from './condition.ts'
import { checkParameters, type Request, readPlaceholders, requiredText, textOf } from './request.ts'
import { keyNames, type Table } from './table.ts'
import { attributeOf, compare, type Row } from './values.ts'

const PARAMETERS = ['TableName', 'IndexName', 'KeyConditionExpression', 'Limit']
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
  const limited = found.slice(0, Number(request['Limit'] ?? found.length))
  return itemsOf(index?.projection === 'KEYS_ONLY' ? limited.map((row) => pick(row, names)) : limited)
}

export function scan(request: Request, rows: readonly Row[]): Answer {
  checkParameters(request, ['TableName'])
  return itemsOf(rows)
}

function itemsOf(Items: readonly Row[]): Answer {
  return done({ Items, Count: Items.length, ScannedCount: Items.length })
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
