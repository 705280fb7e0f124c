/** Who leads, read from the lease row: for those who watch a run. No candidate ever reads it (see the protocol). */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb'
import type { LambdaFunction } from './template.ts'

export interface LeaseRow {
  /** The request id of the event whose invocation acquired the lease last; kept when it gives the lease up. */
  readonly eventId: string | undefined
  /** Absent while the lease is vacant. */
  readonly holder: string | undefined
  readonly tick: string | undefined
  readonly fencingToken: number | undefined
}

/** The row of the lease that `lambda`'s environment names; undefined where there is none, or no lease. */
export async function readLeaseRow(client: DynamoDBClient, lambda: LambdaFunction): Promise<LeaseRow | undefined> {
  const { LEASE_TABLE: TableName, LEASE_NAME: lease } = lambda.environment
  if (TableName === undefined || lease === undefined) return undefined
  const get = new GetCommand({ TableName, Key: { lease, record: 'LEASE' }, ConsistentRead: true })
  const { Item: row } = await DynamoDBDocumentClient.from(client).send(get)
  if (row === undefined) return undefined
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  const { eventId, holder, tick, fencingToken } = row
  return {
    eventId: text(eventId),
    holder: text(holder),
    tick: text(tick),
    fencingToken: typeof fencingToken === 'number' ? fencingToken : undefined,
  }
}
