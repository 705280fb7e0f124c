// @ts-nocheck
import { describe, expect, it } from 'vitest'
import { DynamoDBLeaseStore } from '../../functions/election/index.ts'
import { describeLeaseRequest, type LeaseRequest } from '../../functions/election/stores/describe.ts'
import {
  acquireRequest,
  CONTINUATION,
  holderWrite,
  NOW_MS,
  tenureOf,
  ticklessRequest,
} from '../../functions/election/testing/requests.ts'
import { answeringClient } from './answering-client.ts'

const acquire = acquireRequest()
const ann = tenureOf(acquire, NOW_MS + 1)
const complete = holderWrite(ann, 'complete')
const release = { ...ann, kind: 'release', step: 1, nowMs: NOW_MS } as const
const giveBack = { lease: 'billing', candidate: 'ann', attempt: 'attempt-ann', nowMs: NOW_MS }
const item = { Put: { TableName: 'invoices', Item: { id: 1 } } }
const TOKEN = 'd3b07384-d9a0-4c9b-8f5e-2b7f5b2c1e11'
const checkpoint = { state: { list: [1, 'a', null, true], deep: { by: 0.5 } } }
const save = { ...ann, kind: 'saveCheckpoint', step: 2, nowMs: NOW_MS, expiresAtMs: NOW_MS + 1, checkpoint } as const

type Send = (store: DynamoDBLeaseStore) => Promise<unknown>
const writes = [
  ...[holderWrite(ann, 'renew'), holderWrite(ann, 'saveCheckpoint'), save, complete, holderWrite(ann, 'handOver')],
  { ...ann, kind: 'complete', step: 1, nowMs: NOW_MS },
  { ...holderWrite(ann, 'advance'), closesOnce: true },
  { ...holderWrite(ann, 'advance'), keepsCheckpoint: true, gaveUp: 'no such plan' },
  { ...ann, kind: 'proclaim', step: 1, nowMs: NOW_MS, expiresAtMs: NOW_MS + 1, announcement: { url: 'http://a' } },
  { ...release, endedBy: 'released' },
  { ...release, endedBy: 'released', reservedFor: 'bob', reservedUntilMs: NOW_MS + 1 },
  { ...release, endedBy: 'failed', errorName: 'TypeError' },
] as const
const acquires = [
  ...[acquire, { ...acquire, eventId: 'event-1' }, ticklessRequest({ eventId: 'event-1' })],
  { ...acquire, continuation: CONTINUATION },
]

const SENT: readonly (readonly [LeaseRequest, Send])[] = [
  ...acquires.map((request): [LeaseRequest, Send] => [
    { kind: 'acquire', ...request },
    (store) => store.acquire(request),
  ]),
  ...writes.map((request): [LeaseRequest, Send] => [request, (store) => store.write(request)]),
  [{ kind: 'giveBack', ...giveBack }, (store) => store.giveBack(giveBack)],
  [complete, (store) => store.completeWith(complete, [item], TOKEN)],
  [{ kind: 'guard', ...ann }, (store) => store.transact(ann, [item], TOKEN)],
]

async function sent(send: Send) {
  const { client, requests } = answeringClient()
  await send(new DynamoDBLeaseStore({ tableName: 'leases', client }))
  const body: Record<string, unknown> = structuredClone({ ...requests[0] })
  const items: readonly Record<string, object>[] = Array.isArray(body['TransactItems']) ? body['TransactItems'] : []
  const onLeaseRow: Record<string, unknown> = { ...(items[0]?.['Update'] ?? items[0]?.['ConditionCheck'] ?? body) }
  const operation = items.length > 0 ? 'TransactWriteItems' : 'UpdateItem'
  /** The description if these fields of the part on the lease row are others. */
  const describeWith = (changes: object, table = 'leases') => {
    const changed = { ...onLeaseRow, ...changes }
    const [kind = ''] = Object.keys(items[0] ?? {})
    const input = items.length > 0 ? { TransactItems: [{ [kind]: changed }, ...items.slice(1)] } : changed
    return describeLeaseRequest(operation, input, table)
  }
  return { body, operation, onLeaseRow, describeWith }
}

describe('a request of the store', () => {
  it.each(SENT)('reads back as it was given: %j', async (request, send) => {
    const { body, operation } = await sent(send)
    expect(describeLeaseRequest(operation, body, 'leases')).toStrictEqual(request)
  })

  it.each(SENT)('reads as nothing on another row, or if anything of it is changed: %j', async (_, send) => {
    const { body, onLeaseRow, describeWith } = await sent(send)
    expect(describeWith({})).toBeDefined()
    expect(describeWith({}, 'others')).toBeUndefined()
    expect(describeWith({ Key: { lease: { S: 'billing' }, record: { S: 'TENURE#1' } } })).toBeUndefined()
    expect(describeWith({ Key: { record: { S: 'LEASE' } } })).toBeUndefined()
    expect(describeLeaseRequest('PutItem', body, 'leases')).toBeUndefined()
    for (const expression of ['UpdateExpression', 'ConditionExpression']) {
      if (expression in onLeaseRow) {
        expect(describeWith({ [expression]: `${onLeaseRow[expression]} ` }), expression).toBeUndefined()
      }
    }
    const values = Object(onLeaseRow['ExpressionAttributeValues'])
    for (const name of Object.keys(values)) {
      const { [name]: _left, ...rest } = values
      expect(describeWith({ ExpressionAttributeValues: rest }), `without ${name}`).toBeUndefined()
    }
  })
})

describe('a damaged request', () => {
  it.each([undefined, null, 7, {}, { TableName: 'leases' }, { TableName: 'leases', Key: {} }])(
    'reads as nothing: %j',
    (input) => {
      const bodies = [input, { TransactItems: [{ Update: input }] }]
      const read = (operation: string) => bodies.map((body) => describeLeaseRequest(operation, body, 'leases'))
      expect([...read('UpdateItem'), ...read('TransactWriteItems')]).toEqual(Array(4).fill(undefined))
    },
  )

  it.each<[string, unknown, Send?]>([
    [':now', { N: '1.5' }],
    [':now', { N: '9'.repeat(40) }],
    [':now', { S: '1' }],
    [':candidate', { N: '1' }],
    [':attempt', 'ann'],
    [':expiresAt', { NULL: true }],
    [':writtenBefore', null],
    [':endedBy', { S: 'failed' }, (store) => store.giveBack(giveBack)],
  ])('reads as nothing if its value %s is %j', async (name, value, send = (store) => store.acquire(acquire)) => {
    const { onLeaseRow, describeWith } = await sent(send)
    const values = { ...Object(onLeaseRow['ExpressionAttributeValues']), [name]: value }
    expect(describeWith({ ExpressionAttributeValues: values })).toBeUndefined()
  })

  it('reads without what a checkpoint cannot have', async () => {
    const { onLeaseRow, describeWith } = await sent((store) => store.write(save))
    const damaged = { M: { tick: { N: '1' }, version: { S: '2' }, state: { S: 'x' } } }
    const values = { ...Object(onLeaseRow['ExpressionAttributeValues']), ':checkpoint': damaged }
    expect(describeWith({ ExpressionAttributeValues: values })).toStrictEqual({ ...save, checkpoint: { state: 'x' } })
  })
})
