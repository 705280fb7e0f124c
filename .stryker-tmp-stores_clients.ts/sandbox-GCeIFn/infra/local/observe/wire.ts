/** What is read off requests and replies besides lease requests. Lenient: it only counts and displays. */
// @ts-nocheck

import { parseJson, property } from '../../../functions/election/json.ts'
import { describeLeaseRequest, type LeaseRequest } from '../../../functions/election/stores/describe.ts'
import { CANDIDATE_PREFIX } from '../../../functions/election/stores/standing.ts'
import type { Call, Reply } from '../lambda-host/interceptor.ts'

export type { LeaseRequest }
export type Acquire = Extract<LeaseRequest, { readonly kind: 'acquire' }>

export function leaseRequestOf({ service, operation, body }: Call, leaseTable: string): LeaseRequest | undefined {
  return service === 'dynamodb' ? describeLeaseRequest(operation, body, leaseTable) : undefined
}

/** What a server sends while it stands by: looks at the lease and at the rows of the candidates, and its own row. */
export function isStandingBy({ operation, target, body }: Call, leaseTable: string): boolean {
  const record = property(property(property(body, 'Key'), 'record'), 'S')
  const isOwnRow = typeof record === 'string' && record.startsWith(CANDIDATE_PREFIX)
  return target === leaseTable && (operation === 'GetItem' || operation === 'Query' || isOwnRow)
}

/** The candidate to which the leader is asked to hand over by this request. */
export function transferIn({ target, body }: Call, leaseTable: string): string | undefined {
  const to = property(property(body['ExpressionAttributeValues'], ':to'), 'S')
  return target === leaseTable && typeof to === 'string' ? to : undefined
}

/** How a request ends its tenure in the lease row; undefined if it does not. */
export function endIn(request: LeaseRequest): 'completed' | 'released' | 'continued' | 'failed' | undefined {
  if (request.kind === 'release') return handedOverTo(request) === undefined ? request.endedBy : 'continued'
  if (request.kind === 'giveBack') return 'released'
  return request.kind === 'complete' ? 'completed' : undefined
}

/** The candidate, or the continuation, for which a release keeps the lease. */
export const handedOverTo = (request: LeaseRequest): string | undefined =>
  'reservedFor' in request ? request.reservedFor : undefined

/** A write to anything but the lease row. */
export interface Write {
  readonly what: string
  /** Its plain name; undefined for a charge at the gateway. */
  readonly table?: string
  /** Its condition refuses it once a newer leader has written the row. */
  readonly isFenced: boolean
}

export function writesOf({ service, operation, target, body }: Call, leaseTable: string): readonly Write[] {
  if (service === 'lambda') return body['method'] === 'POST' ? [{ what: 'charge at the gateway', isFenced: false }] : []
  const write = (action: string, fullName: string, input: unknown, more = ''): Write => {
    const table = plainName(fullName)
    return { what: `${action} of ${table}${more}`, table, isFenced: isFenced(input) }
  }
  switch (operation) {
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return target === leaseTable ? [] : [write(operation, target, body)]
    case 'BatchWriteItem':
      return Object.entries(property(body, 'RequestItems') ?? {}).flatMap(([table, requests]) =>
        Array.isArray(requests) ? requests.map(() => write(operation, table, undefined)) : [],
      )
    case 'TransactWriteItems':
      return transactItemsOf(body)
        .filter(({ action, table }) => action !== 'ConditionCheck' && table !== leaseTable)
        .map(({ action, table, input }) => write(action, table, input, ' in a transaction'))
    case 'ExecuteStatement':
    case 'ExecuteTransaction':
    case 'BatchExecuteStatement':
      // No fence is written in PartiQL.
      return statementsOf(body).flatMap(({ table, isWrite }) =>
        isWrite && table !== leaseTable ? [write(operation, table, undefined)] : [],
      )
    default:
      return []
  }
}

/** Rule F1 of functions/election/fencing.ts, unless the run has switched it off on the wire. */
const FENCE = 'attribute_not_exists(#tenureFence) OR #tenureFence <= :tenureFence'

const isFenced = (input: unknown): boolean => String(property(input, 'ConditionExpression')).includes(FENCE)

/** Whether the fence refused this write, and not another part of its condition; unknown without the row. */
export function isRefusedByFence({ body }: Call, item: unknown): boolean {
  if (!isFenced(body)) return false
  if (body['ReturnValuesOnConditionCheckFailure'] !== 'ALL_OLD') return true
  const column = String(property(body['ExpressionAttributeNames'], '#tenureFence'))
  const mine = numberOf(property(body['ExpressionAttributeValues'], ':tenureFence'))
  return (numberOf(property(item, column)) ?? 0) > (mine ?? 0)
}

export type MissingTable = NonNullable<ReturnType<typeof missingTableOf>>

/** `keys` are the names of the keys, if the request has them. */
export function missingTableOf({ operation, target, body }: Call, { error }: Answer) {
  if (error !== 'ResourceNotFoundException') return undefined
  const items = operation === 'TransactWriteItems' ? transactItemsOf(body).map(({ table }) => table) : []
  const batch = Object.keys(property(body, 'RequestItems') ?? {})
  const statements = statementsOf(body).flatMap(({ table }) => (table === '' ? [] : [table]))
  const tables = [...new Set([...(target === '' ? [] : [target]), ...items, ...batch, ...statements])]
  return { tables, keys: Object.keys(body['Key'] ?? {}) }
}

function transactItemsOf(body: Call['body']) {
  const items = body['TransactItems']
  if (!Array.isArray(items)) return []
  return items.flatMap((item: unknown) =>
    Object.entries(item ?? {}).flatMap(([action, input]) => {
      const table = property(input, 'TableName')
      return typeof table === 'string' ? [{ action, table, input }] : []
    }),
  )
}

const PARTIQL = /^\s*(?:(INSERT\s+INTO|UPDATE|DELETE\s+FROM)|SELECT[\s\S]*?FROM)\s+"?([\w.-]+)/i

/** The tables of PartiQL: of one statement, a transaction or a batch. */
function statementsOf(body: Call['body']): readonly { readonly table: string; readonly isWrite: boolean }[] {
  const list = body['Statements'] ?? body['TransactStatements'] ?? [body]
  return (Array.isArray(list) ? list : []).map((one: unknown) => {
    const [, write, table = ''] = PARTIQL.exec(String(property(one, 'Statement'))) ?? []
    return { table, isWrite: write !== undefined }
  })
}

/** The name that the stack's author wrote: `Subscriptions`, not `TenureBilling-f2f6ac26-Subscriptions1F71F6D8`. */
export function plainName(name: string): string {
  return /^\w+-[0-9a-f]{8}-(\w+?)[0-9A-F]{8}$/.exec(name)?.[1] ?? name
}

export type Answer = ReturnType<typeof answerOf>

/** The parsed body, or the text itself if it is not JSON; and DynamoDB's error, undefined for a success. */
export function answerOf({ statusCode, body: text }: Pick<Reply, 'statusCode' | 'body'>) {
  const body = parseJson(text) ?? text
  if (statusCode < 300) return { body, error: undefined }
  const type = property(body, '__type')
  return { body, error: typeof type === 'string' ? type.replace(/^.*#/, '') : `HTTP ${statusCode}` }
}

export const isRefusal = (error: string | undefined): boolean =>
  error === 'ConditionalCheckFailedException' || error === 'TransactionCanceledException'

/** The status in the reply of the gateway's function, such as 402; undefined for another service's reply. */
export function gatewayStatusOf({ service }: Pick<Call, 'service'>, body: unknown): number | undefined {
  if (service !== 'lambda') return undefined
  const statusCode = property(body, 'statusCode')
  if (typeof statusCode === 'number') return statusCode
  return property(body, 'errorType') === undefined ? undefined : 500
}

/** A lease row in a reply; missing or damaged fields are undefined. */
export function rowOf(item: unknown) {
  const number = (name: string) => numberOf(property(item, name))
  const text = (name: string) => {
    const value = property(property(item, name), 'S')
    return typeof value === 'string' ? value : undefined
  }
  return {
    ...{ fencingToken: number('fencingToken'), expiresAtMs: number('expiresAtMs') },
    ...{ holder: text('holder'), attempt: text('attempt'), completedTick: text('completedTick') },
    isPaused: (number('pausedUntilMs') ?? 0) > Date.now(),
  }
}

/** The new token, and the row before the acquire that DynamoDB granted with this reply. */
export function grantOf({ nowMs }: Acquire, body: unknown) {
  const before = rowOf(property(body, 'Attributes'))
  return { token: (before.fencingToken ?? nowMs) + 1, before }
}

export function numberOf(value: unknown): number | undefined {
  const digits = property(value, 'N')
  const number = typeof digits === 'string' ? Number(digits) : Number.NaN
  return Number.isSafeInteger(number) ? number : undefined
}
