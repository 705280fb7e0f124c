/**
 * What is read for each lease: its row and its newest tenures, side by side, and nothing else. What goes wrong with one
 * lease is said in its place; the others are shown.
 */
import { type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import { CorruptLeaseError } from '../election/errors.ts'
import type { LeaseRecord } from '../election/rules.ts'
import { LEASE_RECORD, readRow, TENURE_PREFIX } from '../election/stores/row.ts'
import type { History, LeaseReading, Reading } from './model.ts'
import { readTenure } from './tenure-row.ts'
import { cut } from './wording.ts'

const SHOWN_TENURES = 20
/** All but the checkpoint, which is the task's own and stays where it is. */
const SHOWN_ATTRIBUTES = [
  ...['fencingToken', 'holder', 'attempt', 'acquiredAtMs', 'expiresAtMs', 'writtenAtMs', 'step', 'tick'],
  ...['completedTick', 'endedBy', 'errorName', 'pausedUntilMs'],
]

/** Never fails: what could not be read is told as such. */
export function readLeases(
  client: DynamoDBClient,
  TableName: string,
  leases: readonly string[],
): Promise<readonly LeaseReading[]> {
  return Promise.all(
    leases.map(async (lease) => {
      const [record, history] = await Promise.all([
        reading(readRecord(client, TableName, lease)),
        reading(readHistory(client, TableName, lease)),
      ])
      return { lease, record, history }
    }),
  )
}

async function readRecord(client: DynamoDBClient, TableName: string, lease: string): Promise<LeaseRecord | undefined> {
  const { Item } = await client.send(
    new GetItemCommand({
      TableName,
      Key: { lease: { S: lease }, record: { S: LEASE_RECORD } },
      // A countdown of what was some seconds ago would show a leader as lost that has renewed since.
      ConsistentRead: true,
      ProjectionExpression: SHOWN_ATTRIBUTES.join(', '),
    }),
  )
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

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Reading it failed; try again.'
  if (error instanceof CorruptLeaseError) return error.message
  switch (error.name) {
    case 'AccessDeniedException':
      return 'Access denied: the role of this function permits only the leases that its dashboard was made for.'
    case 'ResourceNotFoundException':
      return 'The table of leases does not exist; see the environment variable LEASE_TABLE of this function.'
    case 'ProvisionedThroughputExceededException':
    case 'RequestLimitExceeded':
    case 'ThrottlingException':
      return 'DynamoDB has too much to do for the moment; refresh in a while.'
    case 'TimeoutError':
      return 'DynamoDB did not answer in time; refresh in a while.'
    default:
      return `Reading it failed with ${cut(error.name, 60)}: ${cut(error.message, 200)}`
  }
}
