/** What a request to DynamoDB is about, read from the request itself: of the lease, of something else, or of both. */
import { property } from '../../../functions/election/json.ts'
import type { Call, Reply } from '../lambda-host/interceptor.ts'

/** A request that asks something of the row of a lease. */
export type LeaseCall = { readonly lease: string } & (
  | {
      readonly kind: 'acquire'
      readonly nowMs: number
      readonly expiresAtMs: number
      readonly tick?: string | undefined
    }
  | { readonly kind: 'renew' | 'saveCheckpoint'; readonly expiresAtMs: number }
  | { readonly kind: 'complete' }
  | { readonly kind: 'release'; readonly how: 'released' | 'failed'; readonly errorName?: string | undefined }
  /** A condition on the row, in a transaction with writes elsewhere. */
  | { readonly kind: 'guard' }
)

export type Acquire = LeaseCall & { readonly kind: 'acquire' }

/** Undefined for a request that leaves the lease row alone. */
export function leaseCallOf({ operation, target, body }: Call, leaseTable: string): LeaseCall | undefined {
  if (operation === 'UpdateItem') return target === leaseTable ? updateOf(body) : undefined
  const [first] = itemsOf(body)
  if (first === undefined || first.table !== leaseTable) return undefined
  if (first.action === 'Update') return updateOf(first.input)
  const lease = leaseIn(first.input)
  return first.action === 'ConditionCheck' && lease !== undefined ? { lease, kind: 'guard' } : undefined
}

const leaseIn = (input: unknown) => textOf(property(property(input, 'Key'), 'lease'))

function updateOf(input: unknown): LeaseCall | undefined {
  const values = property(input, 'ExpressionAttributeValues')
  const text = (name: string) => textOf(property(values, name))
  const number = (name: string) => numberOf(property(values, name))
  const lease = leaseIn(input)
  const expiresAtMs = number(':expiresAt')
  const endedBy = text(':endedBy')
  if (lease === undefined) return undefined
  if (endedBy === 'completed') return { lease, kind: 'complete' }
  if (endedBy === 'released' || endedBy === 'failed') {
    return { lease, kind: 'release', how: endedBy, errorName: text(':errorName') }
  }
  if (expiresAtMs === undefined) return undefined
  if (property(values, ':step') !== undefined) {
    return { lease, kind: property(values, ':checkpoint') === undefined ? 'renew' : 'saveCheckpoint', expiresAtMs }
  }
  const nowMs = number(':now')
  return nowMs === undefined ? undefined : { lease, kind: 'acquire', nowMs, expiresAtMs, tick: text(':tick') }
}

/** The writes of a request that are not of the lease row, such as `UpdateItem of Charges`. */
export function writesOf({ service, operation, target, body }: Call, leaseTable: string): readonly string[] {
  if (service === 'lambda') return body['method'] === 'POST' ? ['charge at the gateway'] : []
  switch (operation) {
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return target === leaseTable ? [] : [`${operation} of ${plainName(target)}`]
    case 'BatchWriteItem':
      return Object.entries(property(body, 'RequestItems') ?? {}).flatMap(([table, requests]) =>
        Array.isArray(requests) ? requests.map(() => `BatchWriteItem of ${plainName(table)}`) : [],
      )
    case 'TransactWriteItems':
      return itemsOf(body)
        .filter(({ action, table }) => action !== 'ConditionCheck' && table !== leaseTable)
        .map(({ action, table }) => `${action} of ${plainName(String(table))} in a transaction`)
    default:
      return []
  }
}

interface Item {
  readonly action: string
  readonly table: string
  readonly input: unknown
}

function itemsOf(body: Call['body']): readonly Item[] {
  const items = body['TransactItems']
  if (!Array.isArray(items)) return []
  return items.flatMap((item: unknown) =>
    Object.entries(item ?? {}).flatMap(([action, input]) => {
      const table = property(input, 'TableName')
      return typeof table === 'string' ? [{ action, table, input }] : []
    }),
  )
}

/** The name of DynamoDB's error, such as `ConditionalCheckFailedException`; undefined for a success. */
export function errorOf({ statusCode }: Pick<Reply, 'statusCode'>, body: unknown): string | undefined {
  if (statusCode < 300) return undefined
  const type = property(body, '__type')
  return typeof type === 'string' ? type.replace(/^.*#/, '') : `HTTP ${statusCode}`
}

/** A name as the stack's author wrote it: `Subscriptions`, and not `TenureBilling-f2f6ac26-Subscriptions1F71F6D8`. */
export function plainName(name: string): string {
  return /^\w+-[0-9a-f]{8}-(\w+?)[0-9A-F]{8}$/.exec(name)?.[1] ?? name
}

/** What the function that stands for the gateway answers, such as 402; undefined where it is no answer of a gateway's. */
export function gatewayStatusOf({ service }: Pick<Call, 'service'>, body: unknown): number | undefined {
  if (service !== 'lambda') return undefined
  const statusCode = property(body, 'statusCode')
  if (typeof statusCode === 'number') return statusCode
  return property(body, 'errorType') === undefined ? undefined : 500
}

/** Whether DynamoDB refused a condition. */
export const isRefusal = (error: string | undefined): boolean =>
  error === 'ConditionalCheckFailedException' || error === 'TransactionCanceledException'

export interface RowSeen {
  readonly fencingToken?: number | undefined
  readonly holder?: string | undefined
  readonly expiresAtMs?: number | undefined
}

/** A lease row as it comes with a reply; what is missing or damaged is left out, for a picture decides nothing. */
export function rowOf(item: unknown): RowSeen {
  return {
    fencingToken: numberOf(property(item, 'fencingToken')),
    holder: textOf(property(item, 'holder')),
    expiresAtMs: numberOf(property(item, 'expiresAtMs')),
  }
}

/** What DynamoDB's answer to an acquire that it granted says: the token, and the row as it was. */
export function grantOf({ nowMs }: Acquire, body: unknown): { readonly token: number; readonly before: RowSeen } {
  const before = rowOf(property(body, 'Attributes'))
  return { token: (before.fencingToken ?? nowMs) + 1, before }
}

export function textOf(value: unknown): string | undefined {
  const text = property(value, 'S')
  return typeof text === 'string' ? text : undefined
}

function numberOf(value: unknown): number | undefined {
  const digits = property(value, 'N')
  const number = typeof digits === 'string' ? Number(digits) : Number.NaN
  return Number.isSafeInteger(number) ? number : undefined
}
