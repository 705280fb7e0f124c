/** TransactWriteItems: all of its writes or none. */
import { type Answer, done, refused } from './answer.ts'
import { invalid, Refusal } from './refusal.ts'
import { checkParameters, parameters, type Request, requestOf, textOf } from './request.ts'
import { type Key, keyNames, type Table } from './table.ts'
import { attributeOf, type Row } from './values.ts'
import { effectOf, keyOfWrite, readWrite, store, type TableOf, type Write, type WriteKind } from './write.ts'

const MOST_ITEMS = 100
const KINDS: readonly WriteKind[] = ['Put', 'Update', 'Delete', 'ConditionCheck']
const PARAMETERS = parameters('TransactItems', 'ClientRequestToken')
const ITEM = parameters(...KINDS)

interface Reason {
  readonly Code: 'None' | 'ConditionalCheckFailed' | 'ValidationError'
  readonly Message?: string
  readonly Item?: Row
}

type Tried = { readonly table: Table; readonly key: Key; readonly after: Row | undefined } | { readonly reason: Reason }

/**
 * Applies a transaction. `tokens` has what was applied under each ClientRequestToken: a repetition of it changes nothing and
 * is answered as the first time.
 */
export function transactWrite(request: Request, tableOf: TableOf, tokens: Map<string, string>): Answer {
  checkParameters(request, PARAMETERS)
  const writes = transactItems(request).map(([kind, item]) => readWrite(kind, item, tableOf, false))
  const token = textOf(request, 'ClientRequestToken')
  const content = token === undefined ? '' : JSON.stringify(request['TransactItems'])
  const applied = token === undefined ? undefined : tokens.get(token)
  if (applied !== undefined && applied !== content) {
    return refused('IdempotentParameterMismatchException', 'This client token was used before, with other parameters')
  }
  if (applied !== undefined) return done({})
  checkRowsDiffer(writes)
  const tried = writes.map(tryWrite)
  const right = tried.filter((one) => 'table' in one)
  if (right.length < tried.length) return cancelled(tried)
  for (const { table, key, after } of right) store(table, key, after)
  if (token !== undefined) tokens.set(token, content)
  return done({})
}

/** Each item of a transaction with its kind, as it was sent. */
export function transactItems(request: Request): readonly (readonly [WriteKind, Request])[] {
  const items = request['TransactItems']
  if (!Array.isArray(items) || items.length === 0 || items.length > MOST_ITEMS) {
    throw invalid(`A transaction has 1 to ${MOST_ITEMS} items`)
  }
  return items.map((json) => {
    const item = requestOf(json)
    checkParameters(item, ITEM)
    const [kind, ...others] = KINDS.filter((known) => item[known] !== undefined)
    if (kind === undefined || others.length > 0) {
      throw invalid('TransactItems can only contain one of Check, Put, Update or Delete')
    }
    return [kind, requestOf(item[kind])]
  })
}

function checkRowsDiffer(writes: readonly Write[]): void {
  const rows = writes.map(({ table: { schema }, row }) =>
    JSON.stringify([schema.name, ...keyNames(schema).map((name) => attributeOf(row, name))]),
  )
  if (new Set(rows).size === rows.length) return
  throw invalid('Transaction request cannot include multiple operations on one item')
}

function tryWrite(write: Write): Tried {
  try {
    const key = keyOfWrite(write)
    const effect = effectOf(write, key)
    if (effect.granted) return { table: write.table, key, after: effect.after }
    const reason: Reason = { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' }
    return { reason: write.showsRow && effect.before !== undefined ? { ...reason, Item: effect.before } : reason }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { reason: { Code: 'ValidationError', Message: error.message } }
  }
}

function cancelled(tried: readonly Tried[]): Answer {
  const reasons = tried.map((one): Reason => ('reason' in one ? one.reason : { Code: 'None' }))
  const codes = reasons.map(({ Code }) => Code).join(', ')
  return refused(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { CancellationReasons: reasons },
  )
}
