import type { Lease } from '../../../functions/election/index.ts'
import type { Row } from '../../../functions/election/testing/dynamodb/database.ts'
import { textOf } from './exchange.ts'
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
  requestedEnd: 'release' | 'complete' | undefined
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
  }
}
