import type { Lease } from '../../../functions/election/index.ts'
import type { Row } from '../../support/dynamodb/database.ts'
import { type Exchange, isObject, numberOf, placeholder, textOf } from './exchange.ts'
import type { Invocation } from './lambda.ts'
import type { SimulatedProcess } from './process.ts'

/** One grant of the lease, as whoever sees everything knows it. */
export interface Tenure {
  readonly token: number
  readonly attempt: string
  readonly tick: string
  /** Which period the tick is in, counted from 1970. */
  readonly period: number
  readonly process: SimulatedProcess
  readonly holder: string
  readonly grantedAtMs: number
  /** The sender had given up on this request before it was granted. */
  readonly isGhost: boolean
  /** Until when its holder may believe, at most: by its own two clocks. */
  untilWallMs: number
  untilMonotonicMs: number
  expiresAtMs: number
  step: number
  /** A clock outside the budget had a part in this, so that belief proves nothing. */
  suspect: boolean
  ended: string | undefined
  /** The end that the task asked for itself. */
  endAsked: 'release' | 'complete' | undefined
  invocation: Invocation | undefined
  lease: Lease | undefined
}

export const LEASES = 'leases'
export const LEASE = 'billing'
export const LEASE_KEY: Row = { lease: { S: LEASE }, record: { S: 'LEASE' } }

/** What the requests on the lease row are called here. */
export type LeaseRequest = 'acquire' | 'renew' | 'saveCheckpoint' | 'complete' | 'release' | 'giveBack' | 'guard'

export interface OnLease {
  readonly kind: LeaseRequest
  /** The part of the request that speaks of the lease row. */
  readonly body: Readonly<Record<string, unknown>>
}

/** What a request wants of the lease row; undefined where it wants nothing. */
export function onLease({ operation, body }: Exchange): OnLease | undefined {
  if (operation === 'TransactWriteItems') {
    const items = body['TransactItems']
    const first: unknown = Array.isArray(items) ? items[0] : undefined
    if (!isObject(first)) return undefined
    if (isObject(first['ConditionCheck'])) return { kind: 'guard', body: first['ConditionCheck'] }
    const update = first['Update']
    return isObject(update) && update['TableName'] === LEASES ? { kind: 'complete', body: update } : undefined
  }
  if (body['TableName'] !== LEASES) return undefined
  return { kind: kindOf(String(body['UpdateExpression']), body), body }
}

function kindOf(update: string, body: Readonly<Record<string, unknown>>): LeaseRequest {
  if (update.includes('acquiredAtMs =')) return 'acquire'
  if (update.includes('checkpoint =')) return 'saveCheckpoint'
  if (update.includes('expiresAtMs =')) return 'renew'
  if (placeholder(body, ':endedBy') === 'completed') return 'complete'
  return placeholder(body, ':step') === undefined ? 'giveBack' : 'release'
}

/** The lease row as the watch reads it. */
export interface LeaseRow {
  readonly token: number
  readonly attempt: string
  readonly holder: string | undefined
  readonly eventId: string | undefined
  readonly expiresAtMs: number
  readonly writtenAtMs: number
  readonly step: number
  readonly tick: string
  readonly completedTick: string | undefined
  readonly endedBy: string | undefined
}

export function leaseRow(row: Row | undefined): LeaseRow | undefined {
  if (row === undefined) return undefined
  return {
    token: numberOf(row['fencingToken']) ?? Number.NaN,
    attempt: textOf(row['attempt']) ?? '',
    holder: textOf(row['holder']),
    eventId: textOf(row['eventId']),
    expiresAtMs: numberOf(row['expiresAtMs']) ?? Number.NaN,
    writtenAtMs: numberOf(row['writtenAtMs']) ?? Number.NaN,
    step: numberOf(row['step']) ?? Number.NaN,
    tick: textOf(row['tick']) ?? '',
    completedTick: textOf(row['completedTick']),
    endedBy: textOf(row['endedBy']),
  }
}

export function nameOf({ invocation, process, token }: Tenure): string {
  return `${invocation?.label ?? process.name} (token ${token})`
}

/** The attribute under a placeholder of the part that speaks of the lease row. */
export function placeholderOf({ body }: Pick<OnLease, 'body'>, called: string): unknown {
  const values = body['ExpressionAttributeValues']
  return typeof values === 'object' && values !== null ? Reflect.get(values, called) : undefined
}
