/** Single writes and transactions: a row, a condition on it, and what it becomes. */
// @ts-nocheck

import { type Answer, done, invalid, Refusal, refused } from './answer.ts'
import { type Condition, compileCondition } from './condition.ts'
import {
  checkParameters,
  oneOf,
  type Placeholders,
  type Request,
  readPlaceholders,
  requestOf,
  requiredText,
  textOf,
} from './request.ts'
import { checkIndexKeys, keyNames, keyOf, keyOfRow, type Table } from './table.ts'
import { compileUpdate, type Update } from './update.ts'
import { type Row, readRow } from './values.ts'

export type WriteKind = 'Put' | 'Update' | 'Delete' | 'ConditionCheck'
export type TableOf = (name: string) => Table

interface Write {
  readonly kind: WriteKind
  readonly table: Table
  readonly key: string
  /** The whole row of a Put; the key of others. */
  readonly row: Row
  readonly condition: Condition | undefined
  readonly update: Update | undefined
  readonly placeholders: Placeholders
  /** Whether a refusal shows the row. */
  readonly showsRow: boolean
}

const PARAMETERS = [
  'TableName',
  'ConditionExpression',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
  'ReturnValuesOnConditionCheckFailure',
]

function readWrite(kind: WriteKind, request: Request, tableOf: TableOf, more: readonly string[] = []): Write {
  const own = kind === 'Put' ? ['Item'] : kind === 'Update' ? ['Key', 'UpdateExpression'] : ['Key']
  checkParameters(request, [...PARAMETERS, ...own, ...more])
  const updateText = textOf(request, 'UpdateExpression')
  const conditionText = textOf(request, 'ConditionExpression')
  const update = updateText === undefined ? undefined : compileUpdate(updateText)
  const condition = conditionText === undefined ? undefined : compileCondition(conditionText)
  if (kind === 'ConditionCheck' && condition === undefined) throw invalid('A ConditionCheck needs a condition')
  const placeholders = readPlaceholders(request, update?.uses, condition?.uses)
  const showsRow = oneOf(request, 'ReturnValuesOnConditionCheckFailure', ['NONE', 'ALL_OLD']) === 'ALL_OLD'
  const table = tableOf(requiredText(request, 'TableName'))
  const row = readRow(request[kind === 'Put' ? 'Item' : 'Key'])
  const key = kind === 'Put' ? keyOfRow(table.schema, row) : keyOf(table.schema, row)
  const changed = update?.names(placeholders) ?? []
  if (new Set(changed).size < changed.length) throw invalid('Two document paths overlap with each other')
  if (changed.some((name) => keyNames(table.schema).includes(name))) {
    throw invalid('One or more parameter values were invalid: Cannot update an attribute that is part of the key')
  }
  if (kind === 'Put') checkIndexKeys(table.schema, row)
  return { kind, table, key, row, condition, update, placeholders, showsRow }
}

function isGranted({ table, key, condition, placeholders }: Write): boolean {
  return condition === undefined || condition.test(table.get(key) ?? {}, placeholders)
}

function rowAfter({ kind, table, key, row, update, placeholders }: Write): Row | undefined {
  const before = table.get(key)
  if (kind === 'Put') return row
  if (kind === 'Delete') return undefined
  if (kind === 'ConditionCheck') return before
  const after = update?.apply(before ?? row, placeholders) ?? before ?? row
  checkIndexKeys(table.schema, after)
  return after
}

/** The row that a refusal shows. */
function shownBy({ table, key, showsRow }: Write): { readonly Item?: Row } {
  const Item = showsRow ? table.get(key) : undefined
  return Item === undefined ? {} : { Item }
}

const FAILED = 'The conditional request failed'

export function write(kind: 'Put' | 'Update' | 'Delete', request: Request, tableOf: TableOf): Answer {
  const one = readWrite(kind, request, tableOf, ['ReturnValues'])
  const returnable: [string, ...string[]] = ['NONE', 'ALL_OLD', ...(kind === 'Update' ? ['ALL_NEW'] : [])]
  const returned = oneOf(request, 'ReturnValues', returnable)
  const before = one.table.get(one.key)
  if (!isGranted(one)) return refused('ConditionalCheckFailedException', FAILED, shownBy(one))
  const after = rowAfter(one)
  one.table.set(one.key, after)
  const Attributes = returned === 'ALL_OLD' ? before : returned === 'ALL_NEW' ? after : undefined
  return done(Attributes === undefined ? {} : { Attributes })
}

/** Puts without conditions. None is left unprocessed. */
export function batchWrite(request: Request, tableOf: TableOf): Answer {
  checkParameters(request, ['RequestItems'])
  for (const [TableName, items] of Object.entries(requestOf(request['RequestItems']))) {
    for (const item of Array.isArray(items) ? items.map(requestOf) : []) {
      checkParameters(item, ['PutRequest'])
      const { table, key, row } = readWrite('Put', { TableName, ...requestOf(item['PutRequest']) }, tableOf)
      table.set(key, row)
    }
  }
  return done({ UnprocessedItems: {} })
}

interface Reason {
  readonly Code: 'None' | 'ConditionalCheckFailed' | 'ValidationError'
  readonly Message?: string
  readonly Item?: Row
}

/**
 * All writes or none.
 *
 * @param tokens the items that were applied under each ClientRequestToken: a repetition changes nothing, and succeeds
 */
export function transactWrite(request: Request, tableOf: TableOf, tokens: Map<string, string>): Answer {
  checkParameters(request, ['TransactItems', 'ClientRequestToken'])
  const writes = transactItems(request).map(([kind, item]) => readWrite(kind, item, tableOf))
  const token = textOf(request, 'ClientRequestToken')
  const content = JSON.stringify(request['TransactItems'])
  const applied = token === undefined ? undefined : tokens.get(token)
  if (applied === content) return done({})
  if (applied !== undefined) {
    return refused('IdempotentParameterMismatchException', 'This client token was used before, with other parameters')
  }
  if (new Set(writes.map(({ table, key }) => `${table.schema.name}/${key}`)).size < writes.length) {
    throw invalid('Transaction request cannot include multiple operations on one item')
  }
  const tried = writes.map(tryWrite)
  const reasons = tried.map(({ reason }) => reason)
  if (reasons.some(({ Code }) => Code !== 'None')) {
    const codes = reasons.map(({ Code }) => Code).join(', ')
    const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`
    return refused('TransactionCanceledException', message, { CancellationReasons: reasons })
  }
  for (const [nth, { table, key }] of writes.entries()) table.set(key, tried[nth]?.after)
  if (token !== undefined) tokens.set(token, content)
  return done({})
}

const KINDS: readonly WriteKind[] = ['Put', 'Update', 'Delete', 'ConditionCheck']

/** Each item of a transaction with its kind. */
export function transactItems(request: Request): readonly (readonly [WriteKind, Request])[] {
  const items = request['TransactItems']
  if (!Array.isArray(items) || items.length === 0) throw invalid('A transaction has 1 to 100 items')
  return items.map((json) => {
    const item = requestOf(json)
    checkParameters(item, KINDS)
    const [kind, ...others] = KINDS.filter((known) => item[known] !== undefined)
    if (kind === undefined || others.length > 0) throw invalid('An item has one of Check, Put, Update or Delete')
    return [kind, requestOf(item[kind])]
  })
}

function tryWrite(one: Write): { readonly reason: Reason; readonly after?: Row | undefined } {
  try {
    if (isGranted(one)) return { reason: { Code: 'None' }, after: rowAfter(one) }
    return { reason: { Code: 'ConditionalCheckFailed', Message: FAILED, ...shownBy(one) } }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { reason: { Code: 'ValidationError', Message: error.message } }
  }
}
