/** What the single writes and those of a transaction have in common: a row, a condition on it, and what becomes of it. */
import { type CompiledCondition, compileCondition } from './condition.ts'
import type { Path } from './path.ts'
import { checkDefined, checkUsed, type Placeholders, readPlaceholders } from './placeholders.ts'
import { invalid, invalidParameter } from './refusal.ts'
import { remembered } from './remembered.ts'
import { checkParameters, oneOf, type Parameters, parameters, type Request, requiredText, textOf } from './request.ts'
import { checkIndexKeys, type Key, keyNames, keyOf, keyOfRow, type Table } from './table.ts'
import { type CompiledUpdate, compileUpdate } from './update.ts'
import { type Row, readRow } from './values.ts'

export type WriteKind = 'Put' | 'Update' | 'Delete' | 'ConditionCheck'

/** A write whose form is right, whatever it is aimed at. */
export interface Write {
  readonly kind: WriteKind
  readonly table: Table
  /** The whole row of a Put, and the key of any other. */
  readonly row: Row
  readonly condition: CompiledCondition | undefined
  readonly update: CompiledUpdate | undefined
  readonly placeholders: Placeholders
  /** What an update touches. */
  readonly paths: readonly Path[]
  /** Whether a refusal shows the row. */
  readonly showsRow: boolean
}

/** What a write would do to its row. */
export type Effect =
  | { readonly granted: false; readonly before: Row | undefined }
  | { readonly granted: true; readonly before: Row | undefined; readonly after: Row | undefined }

export type TableOf = (name: string) => Table

const compiledCondition = remembered((text) => compileCondition(text, 'ConditionExpression'))
const compiledUpdate = remembered(compileUpdate)

const COMMON = [
  'TableName',
  'ConditionExpression',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
  'ReturnValuesOnConditionCheckFailure',
]
type ByKind = Readonly<Record<WriteKind, Parameters>>
const IN_TRANSACTIONS: ByKind = {
  Put: parameters(...COMMON, 'Item'),
  Update: parameters(...COMMON, 'Key', 'UpdateExpression'),
  Delete: parameters(...COMMON, 'Key'),
  ConditionCheck: parameters(...COMMON, 'Key'),
}
const ALONE: ByKind = {
  ...IN_TRANSACTIONS,
  Put: parameters(...COMMON, 'Item', 'ReturnValues'),
  Update: parameters(...COMMON, 'Key', 'UpdateExpression', 'ReturnValues'),
  Delete: parameters(...COMMON, 'Key', 'ReturnValues'),
}

/** Reads a request's write, or that of one of a transaction's items. */
export function readWrite(kind: WriteKind, request: Request, tableOf: TableOf, isAlone: boolean): Write {
  checkParameters(request, isAlone ? ALONE[kind] : IN_TRANSACTIONS[kind])
  const placeholders = readPlaceholders(request)
  const row = readRow(request[kind === 'Put' ? 'Item' : 'Key'])
  const showsRow = oneOf(request, 'ReturnValuesOnConditionCheckFailure', ['NONE', 'ALL_OLD']) === 'ALL_OLD'
  const updateText = textOf(request, 'UpdateExpression')
  const conditionText = textOf(request, 'ConditionExpression')
  if (kind === 'ConditionCheck' && conditionText === undefined) {
    throw invalid('A ConditionCheck needs a ConditionExpression')
  }
  const update = updateText === undefined ? undefined : compiledUpdate(updateText)
  const condition = conditionText === undefined ? undefined : compiledCondition(conditionText)
  if (update !== undefined) checkDefined('UpdateExpression', update, placeholders)
  if (condition !== undefined) checkDefined('ConditionExpression', condition, placeholders)
  const paths = update?.paths(placeholders) ?? []
  update?.check(paths, placeholders)
  condition?.check(placeholders)
  checkUsed(update, condition, placeholders)
  const table = tableOf(requiredText(request, 'TableName'))
  return { kind, table, row, condition, update, placeholders, paths, showsRow }
}

/** Refuses a key that is not one of this table, and an update that would change it. */
export function keyOfWrite({ kind, table: { schema }, row, paths }: Write): Key {
  const key = kind === 'Put' ? keyOfRow(schema, row) : keyOf(schema, row)
  if (kind === 'Put') checkIndexKeys(schema, row)
  for (const name of paths.length === 0 ? [] : keyNames(schema)) {
    if (paths.some(([first]) => first === name)) {
      throw invalidParameter(`Cannot update attribute ${name}. This attribute is part of the key`)
    }
  }
  return key
}

export function effectOf(write: Write, key: Key): Effect {
  const { table, condition, placeholders } = write
  const before = table.get(key)
  // A row that does not exist has no attributes.
  const granted = condition === undefined || condition.test(before ?? {}, placeholders)
  return granted ? { granted, before, after: rowAfter(write, before) } : { granted, before }
}

function rowAfter({ kind, table, row, update, placeholders }: Write, before: Row | undefined): Row | undefined {
  switch (kind) {
    case 'Put':
      return row
    case 'Delete':
      return undefined
    case 'ConditionCheck':
      return before
    case 'Update': {
      if (update === undefined) return before ?? row
      const after = update.apply(before ?? row, placeholders)
      checkIndexKeys(table.schema, after)
      return after
    }
  }
}

export function store(table: Table, key: Key, row: Row | undefined): void {
  if (row === undefined) table.delete(key)
  else table.put(key, row)
}
