/** What the simulation knows of each tenure and each request. */
// @ts-nocheck

import type { Lease } from '../../../functions/election/index.ts'
import type { Checkpoint } from '../../../functions/election/rules.ts'
import type { LeaseRequest } from '../../../functions/election/stores/describe.ts'
import type { Answer } from '../../../functions/election/testing/dynamodb/answer.ts'
import type { Row } from '../../../functions/election/testing/dynamodb/database.ts'
import { isObject } from '../../../functions/election/testing/dynamodb/values.ts'
import type { Invocation } from './lambda.ts'
import type { SimulatedProcess } from './process.ts'

export const LEASES = 'leases'
export const LEASE = 'billing'
export const LEASE_KEY: Row = { lease: { S: LEASE }, record: { S: 'LEASE' } }

/** One grant of the lease, with what only the simulation knows about it. */
export interface Tenure {
  readonly token: number
  readonly attempt: string
  readonly tick: string
  /** The period of the tick, counted from 1970. */
  readonly period: number
  readonly process: SimulatedProcess
  readonly holder: string
  /** The request was granted after its sender had given up on it. */
  readonly isUnclaimed: boolean
  /** The latest time at which its leader may believe, by each of its own clocks. */
  untilWallMs: number
  untilMonotonicMs: number
  expiresAtMs: number
  /** A clock outside the budget had a part in this, so belief in it proves nothing. */
  hasWrongClock: boolean
  ended: string | undefined
  /** The end that the task asked for itself. */
  requestedEnd: 'release' | 'complete' | 'handOver' | undefined
  /** What the leader before handed over to it. */
  readonly continues: Checkpoint | undefined
  invocation: Invocation | undefined
  lease: Lease | undefined
}

export function nameOf({ invocation, process, token }: Tenure): string {
  return `${invocation?.label ?? process.name} (token ${token})`
}

export type LeaseRow = ReturnType<typeof leaseRow>

/** The lease row, read without the shipped code. */
export function leaseRow(row: Row) {
  return {
    token: Number(textOf(row['fencingToken'])),
    attempt: textOf(row['attempt']) ?? '',
    holder: textOf(row['holder']),
    expiresAtMs: Number(textOf(row['expiresAtMs'])),
    writtenAtMs: Number(textOf(row['writtenAtMs'])),
    step: Number(textOf(row['step'])),
    tick: textOf(row['tick']) ?? '',
    endedBy: textOf(row['endedBy']),
    firstTick: textOf(row['firstTick']) ?? '',
    completedTick: textOf(row['completedTick']),
    eventId: textOf(row['eventId']),
    pausedUntilMs: Number(textOf(row['pausedUntilMs']) ?? 0),
    ...reservationIn(row),
  }
}

/** Until when the lease is reserved, and for whom. */
function reservationIn(row: Row) {
  const isValid = textOf(row['reservedBy']) === textOf(row['fencingToken'])
  const [reservedFor, untilMs] = isValid ? [textOf(row['reservedFor']), textOf(row['reservedUntilMs'])] : []
  return { reservedFor, reservedUntilMs: Number(untilMs ?? 0) }
}

/** One request, shared by its sender and all copies of it. */
export interface Exchange {
  readonly process: SimulatedProcess
  /** Like 't3 ann try 1 request 2': the same in every history of a seed whose beginning is the same. */
  readonly place: string
  readonly operation: string
  readonly body: Readonly<Record<string, unknown>>
  /** The request to the lease row in it, if any. */
  readonly lease: LeaseRequest | undefined
  readonly sentAtMs: number
  /** The sender has an answer or has given up. */
  settled: boolean
  /** How often it reached DynamoDB. */
  arrivals: number
}

/** The error's name without its namespace; undefined for a success. */
export function errorType({ status, body }: Answer): string | undefined {
  if (status === 200) return undefined
  const type: unknown = '__type' in body ? body.__type : undefined
  return String(type).replace(/^.*#/, '')
}

/** The text or number that a placeholder of the request stands for. */
export function placeholder(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const values = body['ExpressionAttributeValues']
  return isObject(values) ? textOf(values[name]) : undefined
}

/** A text attribute, or the digits of a number. */
export function textOf(attribute: unknown): string | undefined {
  if (!isObject(attribute)) return undefined
  const value = attribute['S'] ?? attribute['N']
  return typeof value === 'string' ? value : undefined
}
