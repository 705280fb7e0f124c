/**
 * Reads the row of each lease and its newest tenures, and nothing else. A failure of one lease is reported in its
 * place; the others are shown.
 */
// @ts-nocheck

import { type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import { CorruptLeaseError } from '../election/errors.ts'
import type { LeaseRecord } from '../election/rules.ts'
import { LEASE_RECORD, readRow, TENURE_PREFIX } from '../election/stores/row.ts'
import { cut } from './descriptions.ts'
import { type History, type LeaseReading, type Reading, readTenure } from './model.ts'

const SHOWN_TENURES = 20
/** All but the checkpoint, which belongs to the task and is not read. */
const SHOWN_ATTRIBUTES = [
  ...['fencingToken', 'holder', 'attempt', 'acquiredAtMs', 'expiresAtMs', 'writtenAtMs', 'step', 'tick'],
  ...['completedTick', 'endedBy', 'errorName', 'pausedUntilMs', 'announcement', 'announcedBy'],
  ...['reservedFor', 'reservedUntilMs', 'reservedBy'],
]

/** Never rejects. */
export function readLeases(client: DynamoDBClient, TableName: string, leases: readonly string[]) {
  return Promise.all(
    leases.map(async (lease): Promise<LeaseReading> => {
      const record = reading(readRecord(client, TableName, lease))
      const history = reading(readHistory(client, TableName, lease))
      return { lease, record: await record, history: await history }
    }),
  )
}

async function readRecord(client: DynamoDBClient, TableName: string, lease: string): Promise<LeaseRecord | undefined> {
  const Key = { lease: { S: lease }, record: { S: LEASE_RECORD } }
  const ProjectionExpression = SHOWN_ATTRIBUTES.join(', ')
  // A row some seconds old would show a leader as expired that has renewed since.
  const get = new GetItemCommand({ TableName, Key, ProjectionExpression, ConsistentRead: true })
  const { Item } = await client.send(get)
  return Item === undefined ? undefined : readRow(Item, lease)
}

async function readHistory(client: DynamoDBClient, TableName: string, lease: string): Promise<History> {
  const { Items = [], LastEvaluatedKey } = await client.send(
    new QueryCommand({
      TableName,
      KeyConditionExpression: 'lease = :lease AND begins_with(#record, :tenures)',
      ExpressionAttributeNames: { '#record': 'record' },
      ExpressionAttributeValues: { ':lease': { S: lease }, ':tenures': { S: TENURE_PREFIX } },
      ScanIndexForward: false,
      Limit: SHOWN_TENURES,
    }),
  )
  return { rows: Items.map(readTenure), hasMore: LastEvaluatedKey !== undefined }
}

async function reading<T>(promise: Promise<T>): Promise<Reading<T>> {
  try {
    return { ok: true, value: await promise }
  } catch (error) {
    return { ok: false, problem: problemOf(error) }
  }
}

const PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['AccessDeniedException', 'Access denied: this function’s role permits only the leases of its dashboard.'],
  ['ResourceNotFoundException', 'The lease table does not exist; see this function’s variable LEASE_TABLE.'],
  ['ThrottlingException', 'DynamoDB throttles requests; refresh in a while.'],
  ['TimeoutError', 'DynamoDB did not answer in time; refresh in a while.'],
])

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Reading failed; try again.'
  if (error instanceof CorruptLeaseError) return error.message
  return PROBLEMS.get(error.name) ?? `Reading failed with ${cut(error.name, 60)}: ${cut(error.message, 200)}`
}
