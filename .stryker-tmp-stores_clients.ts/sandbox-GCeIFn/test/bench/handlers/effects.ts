// @ts-nocheck
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { type Lease, withLease } from '../../../functions/election/index.ts'
import type { InvocationContext } from '../../../functions/election/invocation.ts'
import type { BenchEvent } from './event.ts'

const { BENCH_EFFECT = 'none', BENCH_EFFECTS = '1' } = process.env
const documents = DynamoDBDocumentClient.from(new DynamoDBClient())
const TableName = 'effects'
const item = (nth: number) => ({ TableName, Item: { id: `row-${nth}`, amount: 1_999, state: 'charged' } })
const update = (nth: number) => ({
  TableName,
  Key: { id: `row-${nth}` },
  UpdateExpression: 'SET amount = :amount, #state = :state',
  ExpressionAttributeNames: { '#state': 'state' },
  ExpressionAttributeValues: { ':amount': 1_999, ':state': 'charged' },
})

/** One effect of each strength. */
const effects: Readonly<Record<string, (lease: Lease, nth: number) => Promise<unknown>>> = {
  none: async () => {},
  'no fence, Put': (_, nth) => documents.send(new PutCommand(item(nth))),
  'lease.send, Put': (lease, nth) => lease.send(item(nth)),
  'no fence, Update': (_, nth) => documents.send(new UpdateCommand(update(nth))),
  'lease.fence, Update': (lease, nth) => documents.send(new UpdateCommand(lease.fence(update(nth)))),
  'lease.send, Update': (lease, nth) => lease.send(update(nth)),
  'lease.claim': (lease, nth) => lease.claim({ TableName, Key: { id: `row-${nth}` } }),
  'lease.transact': (lease, nth) => lease.transact([{ Put: item(nth) }]),
  'lease.complete': (lease, nth) => lease.complete([{ Put: item(nth) }]),
}

export const handler = ({ tick }: BenchEvent, context: InvocationContext) =>
  withLease({ tick, context }, async (lease) => {
    for (let nth = 0; nth < Number(BENCH_EFFECTS); nth++) await effects[BENCH_EFFECT]?.(lease, nth)
  })
