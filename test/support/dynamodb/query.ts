/** Query and Scan, over a table or one of its indexes. */
import { type Answer, done } from './answer.ts'
import { type CompiledCondition, compileCondition } from './condition.ts'
import type { Comparator, Condition, Operand } from './condition-grammar.ts'
import { checkDefined, checkUsed, given, type Placeholders, readPlaceholders } from './placeholders.ts'
import { invalid, invalidParameter } from './refusal.ts'
import { remembered } from './remembered.ts'
import { checkParameters, parameters, type Request, textOf } from './request.ts'
import { compareBy, type KeySchema, keyNames, pick, type Table } from './table.ts'
import { attributeOf, type Row, readRow } from './values.ts'

const compiledFilter = remembered((text) => compileCondition(text, 'FilterExpression'))
const compiledKeyCondition = remembered((text) => compileCondition(text, 'KeyConditionExpression'))

const COMMON = [
  'TableName',
  'IndexName',
  'FilterExpression',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
  'Limit',
  'ExclusiveStartKey',
]
const OF_SCAN = parameters(...COMMON)
const OF_QUERY = parameters(...COMMON, 'KeyConditionExpression', 'ScanIndexForward')

/** Where rows are looked for: a table, or one of its indexes. */
interface Source {
  readonly table: Table
  readonly keys: KeySchema
  /** What the rows are sorted by; those of the table's key last, so that no two are equal. */
  readonly order: readonly string[]
  /** All of them, where there is no list. */
  readonly attributes: readonly string[] | undefined
}

export function query(request: Request, table: Table): Answer {
  checkParameters(request, OF_QUERY)
  const source = sourceOf(request, table)
  const placeholders = readPlaceholders(request)
  const text = textOf(request, 'KeyConditionExpression')
  if (text === undefined)
    throw invalid('Either the KeyConditions or KeyConditionExpression parameter must be specified')
  const keyCondition = compiledKeyCondition(text)
  const filter = readFilter(request)
  checkExpressions(keyCondition, filter, placeholders)
  const partition = partitionOf(keyCondition.condition, source.keys, placeholders)
  checkFilter(filter, source, placeholders)
  const rows = rowsIn(source, partition).filter((row) => keyCondition.test(row, placeholders))
  rows.sort((a, b) => compareBy(source.order, a, b))
  if (request['ScanIndexForward'] === false) rows.reverse()
  return page(request, source, rows, (row) => filter?.test(row, placeholders) !== false)
}

export function scan(request: Request, table: Table): Answer {
  checkParameters(request, OF_SCAN)
  const source = sourceOf(request, table)
  const placeholders = readPlaceholders(request)
  const filter = readFilter(request)
  checkExpressions(undefined, filter, placeholders)
  const rows = [...table.rows()].filter((row) => isIn(source.keys, row))
  rows.sort((a, b) => compareBy([source.keys.partitionKey, ...source.order], a, b))
  return page(request, source, rows, (row) => filter?.test(row, placeholders) !== false)
}

function sourceOf(request: Request, table: Table): Source {
  const { schema } = table
  const tableKeys = keyNames(schema)
  const name = textOf(request, 'IndexName')
  if (name === undefined) return { table, keys: schema, order: tableKeys, attributes: undefined }
  if (request['ConsistentRead'] === true) {
    throw invalid('Consistent reads are not supported on global secondary indexes')
  }
  const index = table.index(name)
  const order = [...new Set([...keyNames(index), ...tableKeys])]
  const { projection = 'ALL' } = index
  if (projection === 'ALL') return { table, keys: index, order, attributes: undefined }
  return { table, keys: index, order, attributes: projection === 'KEYS_ONLY' ? order : [...order, ...projection] }
}

function readFilter(request: Request): CompiledCondition | undefined {
  const text = textOf(request, 'FilterExpression')
  return text === undefined ? undefined : compiledFilter(text)
}

function checkExpressions(
  keyCondition: CompiledCondition | undefined,
  filter: CompiledCondition | undefined,
  placeholders: Placeholders,
): void {
  if (keyCondition !== undefined) checkDefined('KeyConditionExpression', keyCondition, placeholders)
  if (filter !== undefined) checkDefined('FilterExpression', filter, placeholders)
  keyCondition?.check(placeholders)
  filter?.check(placeholders)
  checkUsed(keyCondition, filter, placeholders)
}

/** A row without the keys of an index is not in it. */
function isIn(keys: KeySchema, row: Row): boolean {
  return keyNames(keys).every((name) => attributeOf(row, name) !== undefined)
}

function rowsIn({ table, keys }: Source, partition: string): Row[] {
  if (keys === table.schema) return [...table.partition(partition)]
  return [...table.rows()].filter((row) => {
    const value = attributeOf(row, keys.partitionKey)
    return value !== undefined && 'S' in value && value.S === partition && isIn(keys, row)
  })
}

interface KeyTest {
  readonly name: string
  readonly operator: Comparator | 'BETWEEN' | 'begins_with'
  readonly value: Operand
}

const SORT_OPERATORS: readonly KeyTest['operator'][] = ['=', '<', '<=', '>', '>=', 'BETWEEN', 'begins_with']

/** The partition that a key condition names. It must name one, and may beside it say one thing of the sort key. */
function partitionOf(condition: Condition, keys: KeySchema, placeholders: Placeholders): string {
  const tests = keyTests(condition, placeholders)
  const ofPartition = tests.filter(({ name }) => name === keys.partitionKey)
  const ofSort = tests.filter(({ name }) => name === keys.sortKey)
  const [test] = ofPartition
  if (test === undefined) throw invalid(`Query condition missed key schema element: ${keys.partitionKey}`)
  if (ofPartition.length > 1 || ofSort.length > 1) {
    throw invalid('KeyConditionExpressions must only contain one condition per key')
  }
  if (tests.length > 2 || ofSort.length < tests.length - 1) {
    throw invalid(`Query condition missed key schema element: ${keys.sortKey}`)
  }
  if (test.operator !== '=' || ofSort.some(({ operator }) => !SORT_OPERATORS.includes(operator))) {
    throw invalid('Query key condition not supported')
  }
  for (const { value } of tests) {
    if (value.kind !== 'value') throw invalid('Invalid KeyConditionExpression: a key is compared with a value')
    if (!('S' in given(value.placeholder, placeholders))) {
      throw invalid('One or more parameter values were invalid: Condition parameter type does not match schema type')
    }
  }
  const wanted = test.value.kind === 'value' ? given(test.value.placeholder, placeholders) : undefined
  return wanted !== undefined && 'S' in wanted ? wanted.S : ''
}

function keyTests(condition: Condition, placeholders: Placeholders): readonly KeyTest[] {
  switch (condition.kind) {
    case 'and':
      return [...keyTests(condition.left, placeholders), ...keyTests(condition.right, placeholders)]
    case 'compare':
      return [keyTest(condition.left, condition.operator, condition.right, placeholders)]
    case 'between':
      return [keyTest(condition.value, 'BETWEEN', condition.low, placeholders)]
    case 'function':
      if (condition.name !== 'begins_with' || condition.second === undefined) break
      return [keyTest(condition.first, 'begins_with', condition.second, placeholders)]
    case 'or':
    case 'not':
    case 'in':
  }
  throw invalid(`Invalid operator used in KeyConditionExpression: ${condition.kind}`)
}

function keyTest(left: Operand, operator: KeyTest['operator'], value: Operand, placeholders: Placeholders): KeyTest {
  const path = left.kind === 'path' ? left.path(placeholders) : []
  const [name] = path
  if (path.length !== 1 || typeof name !== 'string') {
    throw invalid('Invalid KeyConditionExpression: a condition begins with a key attribute')
  }
  return { name, operator, value }
}

/** A filter looks at what the index has, and leaves the keys to the key condition. */
function checkFilter(
  filter: CompiledCondition | undefined,
  { keys, attributes }: Source,
  placeholders: Placeholders,
): void {
  const ofKey = keyNames(keys)
  for (const [name] of filter?.paths(placeholders) ?? []) {
    if (typeof name !== 'string') continue
    if (ofKey.includes(name)) {
      throw invalid(`Filter Expression can only contain non-primary key attributes: Primary key attribute: ${name}`)
    }
    if (attributes?.includes(name) === false) {
      throw invalidParameter(`Secondary index does not project one or more filter attributes: [${name}]`)
    }
  }
}

function page(request: Request, source: Source, rows: readonly Row[], isWanted: (row: Row) => boolean): Answer {
  const { attributes } = source
  const limit = limitOf(request)
  const from = startOf(request, source, rows)
  const read = rows.slice(from, limit === undefined ? undefined : from + limit)
  const items = read.filter(isWanted).map((row) => (attributes === undefined ? row : pick(row, attributes)))
  const last = limit !== undefined && read.length === limit ? read.at(-1) : undefined
  return done({
    Items: items,
    Count: items.length,
    ScannedCount: read.length,
    ...(last === undefined ? {} : { LastEvaluatedKey: pick(last, startKeyNames(source)) }),
  })
}

function limitOf(request: Request): number | undefined {
  const limit = request['Limit']
  if (limit === undefined) return undefined
  if (typeof limit === 'number' && Number.isInteger(limit) && limit >= 1) return limit
  throw invalid('Limit must be greater than or equal to 1')
}

function startKeyNames({ keys, table }: Source): readonly string[] {
  return [...new Set([...keyNames(keys), ...keyNames(table.schema)])]
}

/** The place of the first row behind ExclusiveStartKey, which itself need not be there any more. */
function startOf(request: Request, source: Source, rows: readonly Row[]): number {
  if (request['ExclusiveStartKey'] === undefined) return 0
  const start = readRow(request['ExclusiveStartKey'])
  const names = startKeyNames(source)
  const fits =
    Object.keys(start).length === names.length && names.every((name) => attributeOf(start, name) !== undefined)
  if (!fits) throw invalid('The provided starting key is invalid')
  const direction = request['ScanIndexForward'] === false ? -1 : 1
  const order = [source.keys.partitionKey, ...source.order]
  const at = rows.findIndex((row) => direction * compareBy(order, row, start) > 0)
  return at === -1 ? rows.length : at
}
