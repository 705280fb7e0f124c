/**
 * What a request on the wire asks of a lease row: expressions.ts, read backwards. For pages, faults and tests, which see
 * requests of any program; the election itself never reads its own requests.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { unmarshall } from '@aws-sdk/util-dynamodb'
import type { AcquireRequest, GiveBackRequest, HolderWrite, Tenure } from '../rules.ts'

/** `guard` is the condition check on the lease row in a transaction of `lease.transact`. */
export type LeaseRequest =
  | (AcquireRequest & { readonly kind: 'acquire' })
  | HolderWrite
  | (GiveBackRequest & { readonly kind: 'giveBack' })
  | (Tenure & { readonly kind: 'guard' })

/**
 * @param operation such as `UpdateItem`
 * @param input the body of the request, with attribute values as they travel: `{ S: 'billing' }`
 * @returns undefined for a request that does not touch a lease row, or that this version of the library does not send
 */
export function describeLeaseRequest(operation: string, input: unknown, leaseTable: string): LeaseRequest | undefined {
  if (operation === 'UpdateItem') return describeUpdate(input, leaseTable)
  if (operation !== 'TransactWriteItems') return undefined
  const items = field(input, 'TransactItems')
  const first: unknown = Array.isArray(items) ? items[0] : undefined // the store puts the lease row first
  return describeUpdate(field(first, 'Update'), leaseTable) ?? describeGuard(field(first, 'ConditionCheck'), leaseTable)
}

function describeUpdate(input: unknown, leaseTable: string): LeaseRequest | undefined {
  const read = readerOf(input, leaseTable)
  if (read === undefined) return undefined
  const { text, number, value } = read
  const lease = read.lease
  const [candidate, attempt, nowMs] = [text(':candidate'), text(':attempt'), number(':now')]
  if (candidate === undefined || attempt === undefined || nowMs === undefined) return undefined
  const [expiresAtMs, endedBy, tick] = [number(':expiresAt'), text(':endedBy'), text(':tick')]
  const ofTick = tick === undefined ? {} : { tick }
  const writtenBeforeMs = number(':writtenBefore')
  if (writtenBeforeMs !== undefined && expiresAtMs !== undefined) {
    const eventId = text(':eventId')
    return {
      kind: 'acquire',
      ...{ lease, candidate, attempt, ...(eventId === undefined ? {} : { eventId }), ...ofTick },
      ...{ nowMs, expiresAtMs, maxClockSkewMs: writtenBeforeMs - nowMs },
    }
  }
  const [fencingToken, step] = [number(':fencingToken'), number(':step')]
  if (fencingToken === undefined || step === undefined) {
    return endedBy === 'released' ? { kind: 'giveBack', lease, candidate, attempt, nowMs } : undefined
  }
  const write = { lease, candidate, attempt, fencingToken, step, nowMs }
  if (endedBy === 'completed') return { kind: 'complete', ...write, ...ofTick }
  if (endedBy === 'released' || endedBy === 'failed') {
    const errorName = text(':errorName')
    return { kind: 'release', ...write, endedBy, ...(errorName === undefined ? {} : { errorName }) }
  }
  if (expiresAtMs === undefined) return undefined
  const checkpoint = value(':checkpoint')
  if (checkpoint === undefined) return { kind: 'renew', ...write, expiresAtMs }
  const checkpointTick = field(checkpoint, 'tick')
  const ofCheckpoint = typeof checkpointTick === 'string' ? { tick: checkpointTick } : {}
  return {
    kind: 'saveCheckpoint',
    ...write,
    expiresAtMs,
    checkpoint: { ...ofCheckpoint, state: field(checkpoint, 'state') },
  }
}

function describeGuard(input: unknown, leaseTable: string): LeaseRequest | undefined {
  const read = readerOf(input, leaseTable)
  if (read === undefined) return undefined
  const { lease, text, number } = read
  const [candidate, attempt, fencingToken] = [text(':candidate'), text(':attempt'), number(':fencingToken')]
  if (candidate === undefined || attempt === undefined || fencingToken === undefined) return undefined
  return { kind: 'guard', lease, candidate, attempt, fencingToken }
}

/** Undefined for a request to another table, or without the key of a lease. */
function readerOf(input: unknown, leaseTable: string) {
  const lease = plain(field(field(input, 'Key'), 'lease'))
  if (field(input, 'TableName') !== leaseTable || typeof lease !== 'string') return undefined
  const values = field(input, 'ExpressionAttributeValues')
  const value = (name: string) => plain(field(values, name))
  return {
    lease,
    value,
    text: (name: string) => {
      const text = value(name)
      return typeof text === 'string' ? text : undefined
    },
    number: (name: string) => {
      const number = value(name)
      return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
    },
  }
}

function plain(value: unknown): unknown {
  if (!isAttributeValue(value)) return undefined
  try {
    return unmarshall({ value })['value']
  } catch {
    return undefined // no attribute value, or a number that JavaScript cannot hold
  }
}

function isAttributeValue(value: unknown): value is AttributeValue {
  return typeof value === 'object' && value !== null
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
