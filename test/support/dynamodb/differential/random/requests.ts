/** Random sequences of requests about a few rows of one table. */
import fc from 'fast-check'
import type { TableSchema, Value } from '../../database.ts'
import { condition, fill, literal, type Piece, update } from './expressions.ts'
import { attributes, key, mostly, rightKey, wholeRow } from './values.ts'

export const ROWS: TableSchema = {
  name: 'rows',
  partitionKey: 'pk',
  sortKey: 'sk',
  indexes: [
    { name: 'due', partitionKey: 'dueShard', sortKey: 'dueAt', projection: 'KEYS_ONLY' },
    { name: 'byShard', partitionKey: 'dueShard', projection: ['a', 'm'] },
  ],
}

export interface SentRequest {
  readonly operation: string
  readonly body: object
  /** Asked of an index, where several rows may have the same keys. */
  readonly hasTies?: boolean
}

/** What goes wrong with placeholders: mostly nothing. */
const slip = mostly(fc.constant('none'), fc.constantFrom('extraName', 'extraValue', 'lostValue', 'lostName'))

/** The expressions of a request, with the placeholders that they need. */
function expressions(pieces: Readonly<Record<string, Piece | undefined>>, slipped: string): object {
  const values: Record<string, Value> = {}
  const texts: Record<string, string> = {}
  for (const [name, piece] of Object.entries(pieces)) {
    if (piece === undefined) continue
    const queue = [...piece.values]
    texts[name] = piece.text.replace(/\?/g, () => {
      const placeholder = `:v${Object.keys(values).length}`
      const next = queue.shift()
      if (next !== undefined) values[placeholder] = next
      return placeholder
    })
  }
  const used = Object.values(texts)
    .join(' ')
    .matchAll(/#(\w+)/g)
  const names = Object.fromEntries(Array.from(used, ([placeholder, name]) => [placeholder, name]))
  if (slipped === 'extraName') names['#extra'] = 'extra'
  if (slipped === 'extraValue') values[':extra'] = { S: 'x' }
  if (slipped === 'lostValue') delete values[':v0']
  if (slipped === 'lostName') delete names['#a']
  return {
    ...texts,
    ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  }
}

const TableName = ROWS.name
const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const showsRow = fc.constantFrom({}, { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' })
const returning = (...words: readonly string[]) =>
  fc.constantFrom({}, ...words.map((ReturnValues) => ({ ReturnValues })))

const put = (keys: fc.Arbitrary<object>) =>
  fc
    .tuple(keys, attributes, sometimes(condition), showsRow, slip)
    .map(([Key, row, ConditionExpression, shows, slipped]) => ({
      TableName,
      Item: { ...row, ...Key },
      ...shows,
      ...expressions({ ConditionExpression }, slipped),
    }))
const change = (keys: fc.Arbitrary<object>) =>
  fc
    .tuple(keys, update, sometimes(condition), showsRow, slip)
    .map(([Key, UpdateExpression, ConditionExpression, shows, slipped]) => ({
      TableName,
      Key,
      ...shows,
      ...expressions({ UpdateExpression, ConditionExpression }, slipped),
    }))
const keyed = (keys: fc.Arbitrary<object>, when: fc.Arbitrary<Piece | undefined> = sometimes(condition)) =>
  fc.tuple(keys, when, showsRow, slip).map(([Key, ConditionExpression, shows, slipped]) => ({
    TableName,
    Key,
    ...shows,
    ...expressions({ ConditionExpression }, slipped),
  }))

const transactItem = (keys: fc.Arbitrary<object>) =>
  fc.oneof(
    { weight: 2, arbitrary: put(keys).map((Put) => ({ Put })) },
    { weight: 3, arbitrary: change(keys).map((Update) => ({ Update })) },
    { weight: 1, arbitrary: keyed(keys).map((Delete) => ({ Delete })) },
    { weight: 1, arbitrary: keyed(keys, condition).map((ConditionCheck) => ({ ConditionCheck })) },
  )
/** Of different rows, mostly. */
const transactItems = mostly(
  fc
    .uniqueArray(rightKey, { minLength: 1, maxLength: 4, selector: (one) => JSON.stringify(one) })
    .chain((keys) => fc.tuple(...keys.map((one) => transactItem(fc.constant(one))))),
  fc.array(transactItem(rightKey), { minLength: 1, maxLength: 4 }),
)
const transaction = fc
  .tuple(transactItems, sometimes(fc.constantFrom('§one', '§two', '§three')))
  .map(([TransactItems, ClientRequestToken]) => ({ TransactItems, ...(ClientRequestToken && { ClientRequestToken }) }))

const textOf = (...words: readonly string[]) => literal(fc.constantFrom(...words).map((S) => ({ S })))

function keyCondition(partitionKey: string, partitions: readonly string[], sortKey: string, sorts: readonly string[]) {
  const partition = textOf(...partitions).map((is) => fill(`${partitionKey} = $`, is))
  const to = textOf(...sorts)
  const sort = fc.oneof(
    fc
      .tuple(fc.constantFrom('=', '<', '<=', '>', '>='), to)
      .map(([operator, one]) => fill(`${sortKey} ${operator} $`, one)),
    to.map((one) => fill(`begins_with(${sortKey}, $)`, one)),
    fc.tuple(to, to).map((two) => fill(`${sortKey} BETWEEN $ AND $`, ...two)),
  )
  return mostly(
    fc.oneof(
      partition,
      fc.tuple(partition, sort).map((two) => fill('$ AND $', ...two)),
      fc.tuple(sort, partition).map((two) => fill('($) AND $', ...two)),
    ),
    fc.oneof(
      sort,
      condition,
      fc.tuple(partition, condition).map((two) => fill('$ AND $', ...two)),
    ),
  )
}
const paging = fc.record({ Limit: fc.constantFrom(1, 2, 3), ScanIndexForward: fc.boolean() }, { requiredKeys: [] })
const filter = fc.option(condition, { nil: undefined, freq: 2 })

const queryRows = fc
  .tuple(keyCondition('pk', ['§1', '§2'], 'sk', ['a', 'b', 'c']), filter, paging, slip)
  .map(([KeyConditionExpression, FilterExpression, pages, slipped]) => ({
    TableName,
    ConsistentRead: true,
    ...pages,
    ...expressions({ KeyConditionExpression, FilterExpression }, slipped),
  }))
const queryDue = fc
  .tuple(keyCondition('dueShard', ['§x', '§y', '§z'], '#dueAt', ['1', '2', '3']), filter, paging, slip)
  .map(([KeyConditionExpression, FilterExpression, pages, slipped]) => ({
    TableName,
    IndexName: 'due',
    ...pages,
    ...expressions({ KeyConditionExpression, FilterExpression }, slipped),
  }))
const queryShard = fc.constantFrom('§x', '§y').map((S) => ({
  TableName,
  IndexName: 'byShard',
  KeyConditionExpression: 'dueShard = :shard',
  ExpressionAttributeValues: { ':shard': { S } },
}))

const as =
  (operation: string) =>
  (body: object): SentRequest => ({ operation, body })
const with2 = (two: readonly [object, object]) => ({ ...two[0], ...two[1] })

const request: fc.Arbitrary<SentRequest> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(put(key), returning('ALL_OLD')).map(with2).map(as('PutItem')) },
  {
    weight: 14,
    arbitrary: fc
      .tuple(change(key), returning('ALL_OLD', 'ALL_NEW', 'UPDATED_OLD', 'UPDATED_NEW', 'NONE'))
      .map(with2)
      .map(as('UpdateItem')),
  },
  { weight: 1, arbitrary: fc.tuple(keyed(key), returning('ALL_NEW')).map(with2).map(as('UpdateItem')) },
  { weight: 2, arbitrary: fc.tuple(keyed(key), returning('ALL_OLD')).map(with2).map(as('DeleteItem')) },
  { weight: 1, arbitrary: key.map((Key) => ({ TableName, Key })).map(as('GetItem')) },
  { weight: 3, arbitrary: queryRows.map(as('Query')) },
  { weight: 2, arbitrary: fc.oneof(queryDue, queryShard).map((body) => ({ operation: 'Query', body, hasTies: true })) },
  { weight: 5, arbitrary: transaction.map(as('TransactWriteItems')) },
)

const firstRows = fc
  .array(fc.tuple(rightKey, wholeRow), { minLength: 2, maxLength: 4 })
  .map((rows) => rows.map(([Key, row]) => as('PutItem')({ TableName, Item: { ...row, ...Key } })))

export const requests = fc
  .tuple(firstRows, fc.array(request, { minLength: 8, maxLength: 36 }))
  .map(([first, others]) => [...first, ...others])
