import {
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import { describe, expect, test } from 'vitest'
import { withLease } from '../../../functions/election/index.ts'
import { DynamoDBLeaseStore } from '../../../functions/election/stores/dynamodb.ts'
import { dynamodbError } from '../../../infra/local/lambda-host/dynamodb-proxy.ts'
import type { Call } from '../../../infra/local/lambda-host/interceptor.ts'
import { errorOf, isRefusal, leaseCallOf, plainName, rowOf, writesOf } from '../../../infra/local/observe/lease-call.ts'
import { TICK, wire } from './wire.ts'

/** What the requests of the library look like to whoever watches: all must be told apart. */
describe('a request of the library is recognized as', () => {
  const lease = 'billing'
  /** The requests that were sent while this was done, seen as lease calls. */
  async function seen(does: (scene: Awaited<ReturnType<typeof wire>>) => Promise<unknown>) {
    const scene = await wire()
    await does(scene)
    const calls = scene.exchanges.map(({ call }) => call)
    return {
      kinds: calls.map((call) => leaseCallOf(call, scene.leaseTable)),
      writes: calls.map((call) => writesOf(call, scene.leaseTable)),
      rows: scene.rows,
    }
  }

  test('an acquire with its lease, tick and times, and a completion', async () => {
    const earliest = Date.now()
    const { kinds, writes } = await seen((scene) => withLease(scene.optionsOf('a', { leaseMs: 200_000 }), () => {}))
    expect(kinds).toEqual([
      { lease, kind: 'acquire', nowMs: expect.any(Number), expiresAtMs: expect.any(Number), tick: TICK },
      { lease, kind: 'complete' },
    ])
    const [asked] = kinds
    if (asked?.kind !== 'acquire') throw new Error('No acquire was seen')
    expect(asked.nowMs).toBeGreaterThanOrEqual(earliest)
    expect(asked.expiresAtMs - asked.nowMs).toBe(200_000)
    expect(writes).toEqual([[], []])
  })

  test('the same without ticks', async () => {
    const { kinds } = await seen(({ optionsOf }) => {
      const { tick: _, ...options } = optionsOf('a')
      return withLease(options, () => {})
    })
    expect(kinds).toMatchObject([{ kind: 'acquire', tick: undefined }, { kind: 'complete' }])
  })

  test('the same for one event of Lambda, whose retries are known', async () => {
    const context = { awsRequestId: 'event', functionName: 'charge', getRemainingTimeInMillis: () => 60_000 }
    const { kinds } = await seen(({ optionsOf }) => withLease(optionsOf('a', { context }), () => {}))
    expect(kinds).toMatchObject([{ kind: 'acquire', tick: TICK }, { kind: 'complete' }])
  })

  test('a renewal and a checkpoint, each with the new expiry', async () => {
    const { kinds, writes } = await seen(async ({ lead }) => {
      const { lease: led, finish } = await lead('a')
      await led.renew()
      await led.saveCheckpoint({ upTo: 7 })
      await finish()
    })
    expect(kinds).toEqual([
      expect.objectContaining({ kind: 'acquire' }),
      { lease, kind: 'renew', expiresAtMs: expect.any(Number) },
      { lease, kind: 'saveCheckpoint', expiresAtMs: expect.any(Number) },
      { lease, kind: 'complete' },
    ])
    expect(writes.flat()).toEqual([])
  })

  test('a release by the task itself, and one of a task that failed, with the name of its error', async () => {
    const { kinds } = await seen(async ({ lead }) => {
      const first = await lead('a')
      await first.lease.release()
      await first.finish()
      const second = await lead('b')
      await second.fail(new RangeError('no'))
    })
    expect(kinds.filter((asked) => asked?.kind !== 'acquire')).toEqual([
      { lease, kind: 'release', how: 'released', errorName: undefined },
      { lease, kind: 'release', how: 'failed', errorName: 'RangeError' },
    ])
  })

  test('a release, where a win that came too late is given back', async () => {
    const { kinds } = await seen(({ leaseTable, clientOf }) =>
      new DynamoDBLeaseStore({ tableName: leaseTable, client: clientOf('a') }).giveBack({
        lease: 'billing',
        candidate: 'a',
        attempt: 'x',
        nowMs: 1,
      }),
    )
    expect(kinds).toEqual([{ lease, kind: 'release', how: 'released', errorName: undefined }])
  })

  test('a guard, and what it guards', async () => {
    const { kinds, writes, rows } = await seen(async ({ lead, rows: TableName }) => {
      const { lease: led, finish } = await lead('a')
      await led.transact([
        { Put: { TableName, Item: { id: '1' } } },
        { Delete: { TableName, Key: { id: '2' } } },
        { ConditionCheck: { TableName, Key: { id: '3' }, ConditionExpression: 'attribute_not_exists(id)' } },
      ])
      await finish()
    })
    expect(kinds[1]).toEqual({ lease, kind: 'guard' })
    expect(writes[1]).toEqual([`Put of ${rows} in a transaction`, `Delete of ${rows} in a transaction`])
  })

  test('a completion together with writes in one transaction', async () => {
    const { kinds, writes, rows } = await seen(async ({ lead, rows: TableName }) => {
      const { lease: led, finish } = await lead('a')
      await led.complete([{ Put: { TableName, Item: { id: '1' } } }])
      await finish()
    })
    expect(kinds.slice(1)).toEqual([{ lease, kind: 'complete' }])
    expect(writes[1]).toEqual([`Put of ${rows} in a transaction`])
  })

  test('none of the lease, where it is a fenced write elsewhere', async () => {
    const { kinds, writes, rows } = await seen(async ({ lead, rows: TableName }) => {
      const { lease: led, finish } = await lead('a')
      const Key = { id: '1' }
      await led.send({ TableName, Item: Key })
      await led.send({ TableName, Key, UpdateExpression: 'REMOVE x' })
      await led.claim({ TableName, Key })
      await led.send({ TableName, Key })
      await finish()
    })
    expect(kinds.slice(1, -1)).toEqual([undefined, undefined, undefined, undefined])
    expect(writes.slice(1, -1).flat()).toEqual([
      `PutItem of ${rows}`,
      `UpdateItem of ${rows}`,
      `UpdateItem of ${rows}`,
      `DeleteItem of ${rows}`,
    ])
  })

  test('none of the lease, where a function uses its tables without the library', async () => {
    const { kinds, writes, rows } = await seen(async ({ clientOf, rows: TableName }) => {
      const client = clientOf('a')
      const Key = { id: '1' }
      await client.send(new PutCommand({ TableName, Item: Key }))
      await client.send(new GetCommand({ TableName, Key }))
      await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: 'id = :id',
          ExpressionAttributeValues: { ':id': '1' },
        }),
      )
      await client.send(
        new UpdateCommand({
          TableName,
          Key,
          UpdateExpression: 'SET n = :expiresAt, m = :step',
          ExpressionAttributeValues: { ':expiresAt': 1, ':step': 1 },
        }),
      )
      const requests = [{ PutRequest: { Item: { id: '2' } } }, { DeleteRequest: { Key } }]
      await client.send(new BatchWriteCommand({ RequestItems: { [TableName]: requests } }))
      await client.send(
        new TransactWriteCommand({ TransactItems: [{ Update: { TableName, Key, UpdateExpression: 'REMOVE n' } }] }),
      )
      await client.send(new DeleteCommand({ TableName, Key }))
    })
    expect(kinds).toEqual(Array.from({ length: 7 }, () => undefined))
    expect(writes).toEqual([
      [`PutItem of ${rows}`],
      [],
      [],
      [`UpdateItem of ${rows}`],
      [`BatchWriteItem of ${rows}`, `BatchWriteItem of ${rows}`],
      [`Update of ${rows} in a transaction`],
      [`DeleteItem of ${rows}`],
    ])
  })
})

const call = (changes: Partial<Call>): Call => ({
  service: 'dynamodb',
  operation: 'UpdateItem',
  target: 'leases',
  body: {},
  requestId: 'a',
  ...changes,
})

test('a charge at the gateway is a write, and a question to it is none', () => {
  const ask = (method: string) =>
    writesOf(call({ service: 'lambda', operation: 'Invoke', target: 'sandbox', body: { method } }), 'leases')
  expect(ask('POST')).toEqual(['charge at the gateway'])
  expect(ask('GET')).toEqual([])
})

test.each([
  ['an update of the lease row by somebody else', {}],
  ['one whose values are of other types', { ExpressionAttributeValues: { ':expiresAt': { S: '1' }, ':step': 7 } }],
  ['one with an end that is none', { ExpressionAttributeValues: { ':endedBy': { S: 'forced' } } }],
  ['an acquire that names no lease', { ExpressionAttributeValues: { ':now': { N: '1' }, ':expiresAt': { N: '2' } } }],
  ['values that are no object', { ExpressionAttributeValues: 'x' }],
])('%s is not taken for one of the library', (_, body) => {
  expect(leaseCallOf(call({ body }), 'leases')).toBeUndefined()
})

test.each([
  ['no list', { TransactItems: 7 }],
  ['an empty list', { TransactItems: [] }],
  ['items that are no objects', { TransactItems: [null, 7, 'x'] }],
])('a transaction of %s is no lease call, and no write', (_, body) => {
  const damaged = call({ operation: 'TransactWriteItems', target: '', body })
  expect(leaseCallOf(damaged, 'leases')).toBeUndefined()
  expect(writesOf(damaged, 'leases')).toEqual([])
})

test.each([
  ['nothing', undefined],
  ['a number', 7],
  ['no table', {}],
  ['a table with no list', { rows: 7 }],
])('a batch of %s writes nothing', (_, RequestItems) => {
  expect(writesOf(call({ operation: 'BatchWriteItem', target: '', body: { RequestItems } }), 'leases')).toEqual([])
})

test('an error is known by its name, by its status where it says none, and a success is none', () => {
  const refused = dynamodbError('ConditionalCheckFailedException', 'The conditional request failed')
  expect(errorOf(refused, JSON.parse(refused.body))).toBe('ConditionalCheckFailedException')
  expect(errorOf({ statusCode: 500 }, 'not even JSON')).toBe('HTTP 500')
  expect(errorOf({ statusCode: 200 }, { __type: 'x' })).toBeUndefined()
})

test.each([
  ['ConditionalCheckFailedException', true],
  ['TransactionCanceledException', true],
  ['ThrottlingException', false],
  [undefined, false],
])('of a call that ended with %s, a condition was refused: %s', (error, expected) => {
  expect(isRefusal(error)).toBe(expected)
})

test('of a lease row, what is missing or damaged is left out', () => {
  const whole = { fencingToken: { N: '7' }, holder: { S: 'ann' }, expiresAtMs: { N: '8' } }
  expect(rowOf(whole)).toEqual({ fencingToken: 7, holder: 'ann', expiresAtMs: 8 })
  const nothing = { fencingToken: undefined, holder: undefined, expiresAtMs: undefined }
  expect(rowOf({ fencingToken: { S: '7' }, holder: { N: '1' }, expiresAtMs: { N: '1e400' } })).toEqual(nothing)
  expect(rowOf(undefined)).toEqual(nothing)
})

test('tables are called as the author of their stack calls them, others by their own names', () => {
  expect(plainName('TenureBilling-f2f6ac26-Subscriptions1F71F6D8')).toBe('Subscriptions')
  expect(plainName('Invoices')).toBe('Invoices')
  expect(plainName('my-table-1F71F6D8')).toBe('my-table-1F71F6D8')
})
