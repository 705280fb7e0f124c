/**
 * What a request on the wire asks of a lease row: the inverse of expressions.ts. For pages, faults and tests, which see
 * the requests of other programs; the election never reads its own.
 */
// @ts-nocheck

import { unmarshall } from '@aws-sdk/util-dynamodb'
import { property } from '../json.ts'
import type { AcquireRequest, Checkpoint, Closing, GiveBackRequest, HolderWrite, Tenure } from '../rules.ts'
import { acquireUpdate, giveBackUpdate, guardCondition, holderUpdate, type LeaseUpdate } from './expressions.ts'
import { LEASE_RECORD } from './row.ts'

type Acquire = AcquireRequest & { readonly kind: 'acquire' }
type GiveBack = GiveBackRequest & { readonly kind: 'giveBack' }
/** The condition on the lease row in a transaction of `lease.transact`. */
type Guard = Tenure & { readonly kind: 'guard' }

export type LeaseRequest = Acquire | HolderWrite | GiveBack | Guard

/**
 * @param operation such as `UpdateItem`
 * @param input the body of the request, with attribute values as they travel: `{ S: 'billing' }`; binary values in a
 *   checkpoint stay base64
 * @returns undefined unless the request is one that this version of the library sends on a lease row
 */
export function describeLeaseRequest(operation: string, input: unknown, leaseTable: string): LeaseRequest | undefined {
  if (operation === 'UpdateItem') return describeUpdate(input, leaseTable)
  if (operation !== 'TransactWriteItems') return undefined
  const first = property(property(input, 'TransactItems'), '0') // the store puts the lease row first
  return (
    describeUpdate(property(first, 'Update'), leaseTable) ??
    describeGuard(property(first, 'ConditionCheck'), leaseTable)
  )
}

function describeUpdate(input: unknown, leaseTable: string): LeaseRequest | undefined {
  const request = readUpdate(input, leaseTable)
  return request !== undefined && isSame(input, updateFor(request)) ? request : undefined
}

function updateFor(request: Acquire | HolderWrite | GiveBack): LeaseUpdate {
  if (request.kind === 'acquire') return acquireUpdate(request)
  return request.kind === 'giveBack' ? giveBackUpdate(request) : holderUpdate(request)
}

/** The same expressions, with values for the same names. */
function isSame(input: unknown, expected: Partial<LeaseUpdate>): boolean {
  const form = ({ UpdateExpression, ConditionExpression, ExpressionAttributeValues }: Record<string, unknown>) =>
    JSON.stringify([UpdateExpression, ConditionExpression, Object.keys({ ...Object(ExpressionAttributeValues) })])
  return form({ ...Object(input) }) === form({ ...expected })
}

function readUpdate(input: unknown, leaseTable: string): Acquire | HolderWrite | GiveBack | undefined {
  const row = readRequest(input, leaseTable)
  if (row?.nowMs === undefined) return undefined
  const { lease, candidate, attempt, nowMs, expiresAtMs, fencingToken, step, text, number, value } = row
  const own = { lease, candidate, attempt, nowMs }
  const endedBy = text(':endedBy')
  const writtenBeforeMs = number(':writtenBefore')
  if (writtenBeforeMs !== undefined && expiresAtMs !== undefined) {
    const ids = {
      ...given('eventId', text(':eventId')),
      ...given('continuation', text(':continuation')),
      ...given('tick', text(':tick')),
    }
    return { kind: 'acquire', ...own, ...ids, expiresAtMs, maxClockSkewMs: writtenBeforeMs - nowMs }
  }
  if (fencingToken === undefined || step === undefined) {
    return endedBy === 'released' ? { kind: 'giveBack', ...own } : undefined
  }
  const write = { ...own, fencingToken, step }
  if (endedBy === 'completed') return { kind: 'complete', ...write, ...given('tick', text(':tick')), ...closingOf(row) }
  const [reservedFor, reservedUntilMs] = [text(':reservedFor'), number(':reservedUntil')]
  if (endedBy === 'released' || endedBy === 'failed') {
    const reservation = { ...given('reservedFor', reservedFor), ...given('reservedUntilMs', reservedUntilMs) }
    return { kind: 'release', ...write, endedBy, ...given('errorName', text(':errorName')), ...reservation }
  }
  const checkpoint = readCheckpoint(value(':checkpoint'))
  if (checkpoint !== undefined && reservedFor !== undefined && reservedUntilMs !== undefined) {
    return { kind: 'release', ...write, endedBy: 'continued', checkpoint, reservedFor, reservedUntilMs }
  }
  if (expiresAtMs === undefined) return undefined
  const tick = text(':tick')
  if (tick !== undefined) return { kind: 'advance', ...write, tick, expiresAtMs, ...closingOf(row) }
  const announcement = value(':announcement')
  if (announcement !== undefined) return { kind: 'proclaim', ...write, expiresAtMs, announcement }
  if (checkpoint === undefined) return { kind: 'renew', ...write, expiresAtMs }
  return { kind: 'saveCheckpoint', ...write, expiresAtMs, checkpoint }
}

function readCheckpoint(value: unknown): Checkpoint | undefined {
  if (value === undefined) return undefined
  const tick = property(value, 'tick')
  const number = (name: string) => {
    const number = property(value, name)
    return given(name, typeof number === 'number' ? number : undefined)
  }
  return {
    ...given('tick', typeof tick === 'string' ? tick : undefined),
    ...number('version'),
    state: property(value, 'state'),
    ...number('continuations'),
    ...number('sinceMs'),
  }
}

function closingOf({ text, removes, closesOnce }: NonNullable<ReturnType<typeof readRequest>>): Closing {
  return {
    ...(closesOnce ? { closesOnce: true } : {}),
    ...(removes?.includes('checkpoint') ? {} : { keepsCheckpoint: true }),
    ...given('gaveUp', text(':gaveUp')),
  }
}

function describeGuard(input: unknown, leaseTable: string): Guard | undefined {
  const row = readRequest(input, leaseTable)
  if (row?.fencingToken === undefined) return undefined
  const { lease, candidate, attempt, fencingToken } = row
  const guard: Guard = { kind: 'guard', lease, candidate, attempt, fencingToken }
  return isSame(input, guardCondition(guard)) ? guard : undefined
}

/** Undefined for a request on another row, or without a candidate. */
function readRequest(input: unknown, leaseTable: string) {
  const key = property(input, 'Key')
  const lease = plain(property(key, 'lease'))
  const isLeaseRow = property(input, 'TableName') === leaseTable && plain(property(key, 'record')) === LEASE_RECORD
  const value = (name: string) => plain(property(property(input, 'ExpressionAttributeValues'), name))
  const text = (name: string) => {
    const text = value(name)
    return typeof text === 'string' ? text : undefined
  }
  const number = (name: string) => {
    const number = value(name)
    return Number.isSafeInteger(number) ? Number(number) : undefined
  }
  const [candidate, attempt] = [text(':candidate'), text(':attempt')]
  if (!isLeaseRow || typeof lease !== 'string' || candidate === undefined || attempt === undefined) return undefined
  const [nowMs, expiresAtMs] = [number(':now'), number(':expiresAt')]
  const [fencingToken, step] = [number(':fencingToken'), number(':step')]
  const removes = String(property(input, 'UpdateExpression')).split(' REMOVE ')[1]?.split(', ')
  const closesOnce = String(property(input, 'ConditionExpression')).includes('NOT completedTick >= :tick')
  return { lease, candidate, attempt, nowMs, expiresAtMs, fencingToken, step, text, number, value, removes, closesOnce }
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { [K in Name]?: Value } | object {
  return value === undefined ? {} : { [name]: value }
}

/** Undefined for what is not an attribute value, or a number that JavaScript cannot hold. */
function plain(value: unknown): unknown {
  try {
    return value === undefined ? undefined : unmarshall({ value: Object(value) })['value']
  } catch {
    return undefined
  }
}
