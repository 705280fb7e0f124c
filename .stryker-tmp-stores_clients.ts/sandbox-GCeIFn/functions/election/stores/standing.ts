// @ts-nocheck
import { marshall } from '@aws-sdk/util-dynamodb'
import { type AttributeMap, LEASE_RECORD, readRow } from './row.ts'
import type { CandidateRow, Look, StandingStore } from './store.ts'
import type { TableAnswer, TableRequest, Wire } from './wire.ts'

/** The sort key of a candidate's row is this prefix and its name. */
export const CANDIDATE_PREFIX = 'CANDIDATE#'

/** More are not read: a rank is one of five, and the query stays small. */
const MOST_CANDIDATES = 200
/** Rows of servers that are gone must not hide the others, nor make the query large: DynamoDB removes them late. */
const MOST_PAGES = 10

/** How long a row is kept after its candidate wrote it last, in seconds: longer than three refreshes. */
const KEPT_S = 3_600

type Reads = Omit<StandingStore, 'requestTransfer' | 'renew'>

/** Sends a request about a lease; its errors are LeaseStoreErrors, but for a failed condition. */
type Send = (lease: string, request: TableRequest) => Promise<{ readonly answer: TableAnswer; readonly wire: Wire }>

/** The reads of a standing election, and the rows of its candidates, beside the lease row. */
export function standingReads(TableName: string, send: Send): Reads {
  const keyOf = (lease: string, record: string) => marshall({ lease, record })
  return {
    async read(lease, { consistent = false } = {}) {
      const Key = keyOf(lease, LEASE_RECORD)
      const input = { TableName, Key, ConsistentRead: consistent }
      const { answer, wire } = await send(lease, { operation: 'GetItem', input })
      return lookOf(answer.Item, lease, wire)
    },

    async candidates(lease, { seenSinceMs = 1 } = {}) {
      const found: CandidateRow[] = []
      let next: AttributeMap | undefined
      for (let page = 0; page < MOST_PAGES; page++) {
        const input = {
          TableName,
          KeyConditionExpression: '#lease = :lease AND begins_with(#record, :prefix)',
          ExpressionAttributeNames: { '#lease': 'lease', '#record': 'record' },
          ExpressionAttributeValues: marshall({ ':lease': lease, ':prefix': CANDIDATE_PREFIX }),
          Limit: MOST_CANDIDATES,
          ...(next && { ExclusiveStartKey: next }),
        }
        const { answer } = await send(lease, { operation: 'Query', input })
        const rows = (answer.Items ?? []).flatMap((item) => readCandidate(item) ?? [])
        found.push(...rows.filter(({ seenAtMs }) => seenAtMs >= seenSinceMs))
        next = answer.LastEvaluatedKey
        if (next === undefined || found.length >= MOST_CANDIDATES) break
      }
      return found.slice(0, MOST_CANDIDATES)
    },

    async putCandidate({ lease, name, ...row }) {
      const attributes = Object.entries({ ...row, ttl: Math.ceil(row.seenAtMs / 1_000) + KEPT_S })
      const input = {
        TableName,
        Key: keyOf(lease, CANDIDATE_PREFIX + name),
        UpdateExpression: `SET ${attributes.map(([attribute]) => `#${attribute} = :${attribute}`).join(', ')}`,
        ExpressionAttributeNames: Object.fromEntries(attributes.map(([attribute]) => [`#${attribute}`, attribute])),
        ExpressionAttributeValues: marshall(
          Object.fromEntries(attributes.map(([attribute, value]) => [`:${attribute}`, value])),
        ),
        ReturnValues: 'ALL_OLD' as const,
      }
      const { answer } = await send(lease, { operation: 'UpdateItem', input })
      return answer.Attributes?.['identity']?.S
    },

    async removeCandidate({ lease, name, identity }) {
      // Not deleted: candidates need no permission to delete rows of the lease table.
      const input = {
        TableName,
        Key: keyOf(lease, CANDIDATE_PREFIX + name),
        UpdateExpression: 'SET eligible = :no, seenAtMs = :never',
        ConditionExpression: '#identity = :identity',
        ExpressionAttributeNames: { '#identity': 'identity' },
        ExpressionAttributeValues: marshall({ ':identity': identity, ':no': false, ':never': 0 }),
      }
      await send(lease, { operation: 'UpdateItem', input })
    },
  }
}

export function lookOf(item: AttributeMap | undefined, lease: string, { clockReading }: Wire): Look {
  return {
    ...(item === undefined ? {} : { record: readRow(item, lease) }),
    ...(clockReading === undefined ? {} : { clockReading }),
  }
}

/** Undefined if an operator or another version wrote something else. */
function readCandidate(item: AttributeMap): CandidateRow | undefined {
  const text = (name: string) => item[name]?.S
  const number = (name: string) => Number(item[name]?.N ?? Number.NaN)
  const [lease, record, identity] = [text('lease'), text('record'), text('identity')]
  const [merit, sinceMs, seenAtMs] = [number('merit'), number('sinceMs'), number('seenAtMs')]
  if (lease === undefined || record === undefined || identity === undefined) return undefined
  if (![merit, sinceMs, seenAtMs].every(Number.isFinite)) return undefined
  const name = record.slice(CANDIDATE_PREFIX.length)
  return { lease, name, identity, merit, eligible: item['eligible']?.BOOL === true, sinceMs, seenAtMs }
}
