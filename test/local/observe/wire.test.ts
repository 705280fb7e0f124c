import { expect, test } from 'vitest'
import type { Call } from '../../../infra/local/lambda-host/interceptor.ts'
import { dynamodbError } from '../../../infra/local/lambda-host/services.ts'
import {
  answerOf,
  isRefusal,
  leaseRequestOf,
  missingTableOf,
  otherWritesOf,
  plainName,
  rowOf,
} from '../../../infra/local/observe/wire.ts'
import { gatewayCall, LEASES, ROWS, wire } from './wire.ts'

const Key = { id: '1' }
const TableName = ROWS

test('the library’s requests of a tenure have their kinds and their other writes', async () => {
  const { lead, exchanges } = wire()
  const { lease, finish } = await lead('a')
  await lease.renew()
  await lease.saveCheckpoint({ upTo: 7 })
  await lease.send({ TableName, Item: Key })
  await lease.send({ TableName, Key, UpdateExpression: 'REMOVE x' })
  await lease.transact([
    { Put: { TableName, Item: Key } },
    { Delete: { TableName, Key: { id: '2' } } },
    { ConditionCheck: { TableName, Key: { id: '3' }, ConditionExpression: 'attribute_not_exists(id)' } },
  ])
  await lease.complete([{ Put: { TableName, Item: { id: '4' } } }])
  await finish()
  expect(exchanges.map(({ call }) => [leaseRequestOf(call, LEASES)?.kind, otherWritesOf(call, LEASES)])).toEqual([
    ['acquire', []],
    ['renew', []],
    ['saveCheckpoint', []],
    [undefined, ['PutItem of rows']],
    [undefined, ['UpdateItem of rows']],
    ['guard', ['Put of rows in a transaction', 'Delete of rows in a transaction']],
    ['complete', ['Put of rows in a transaction']],
  ])
})

test.each<[string, object, readonly string[]]>([
  ['PutItem', {}, ['PutItem of rows']],
  ['UpdateItem', { ExpressionAttributeValues: { ':expiresAt': 1, ':step': 1 } }, ['UpdateItem of rows']],
  ['DeleteItem', {}, ['DeleteItem of rows']],
  ['GetItem', {}, []],
  ['Query', {}, []],
  ['BatchWriteItem', { RequestItems: { rows: [{}, {}] } }, Array(2).fill('BatchWriteItem of rows')],
  ['TransactWriteItems', { TransactItems: [{ Update: { TableName } }] }, ['Update of rows in a transaction']],
])('%s with %j, without the library, is no lease request', (operation, body, writes) => {
  const call: Call = { service: 'dynamodb', operation, target: TableName, body: { ...body }, requestId: 'a' }
  expect(leaseRequestOf(call, LEASES)).toBeUndefined()
  expect(otherWritesOf(call, LEASES)).toEqual(writes)
})

test('a charge at the gateway is a write, and a lookup is not', () => {
  expect(otherWritesOf(gatewayCall('POST'), LEASES)).toEqual(['charge at the gateway'])
  expect(otherWritesOf(gatewayCall('GET'), LEASES)).toEqual([])
})

test.each<[string, string, unknown]>([
  ['TransactWriteItems', 'TransactItems', 7],
  ['TransactWriteItems', 'TransactItems', [null, 7, 'x']],
  ['BatchWriteItem', 'RequestItems', undefined],
  ['BatchWriteItem', 'RequestItems', { rows: 7 }],
])('a damaged %s with %s = %j is no lease request, and no write', (operation, name, items) => {
  const call: Call = { service: 'dynamodb', operation, target: '', body: { [name]: items }, requestId: 'a' }
  expect(leaseRequestOf(call, LEASES)).toBeUndefined()
  expect(otherWritesOf(call, LEASES)).toEqual([])
})

test.each<[string, string, object, object]>([
  ['UpdateItem', ROWS, { Key: { id: { S: '1' } } }, { tables: [ROWS], keys: ['id'] }],
  ['PutItem', ROWS, {}, { tables: [ROWS], keys: [] }],
  ['TransactWriteItems', '', { TransactItems: [{ Put: { TableName } }] }, { tables: [ROWS], keys: [] }],
  ['BatchWriteItem', '', { RequestItems: { [ROWS]: [] } }, { tables: [ROWS], keys: [] }],
])('a failed %s of %j with %j names the table that is missing', (operation, target, body, missing) => {
  const call: Call = { service: 'dynamodb', operation, target, body: { ...body }, requestId: 'a' }
  expect(missingTableOf(call, { body: {}, error: 'ResourceNotFoundException' })).toEqual(missing)
  expect(missingTableOf(call, { body: {}, error: undefined })).toBeUndefined()
})

test('an answer has its parsed body, and the name or the status of its error', () => {
  const refused = dynamodbError('ConditionalCheckFailedException', 'The conditional request failed')
  expect(answerOf(refused).error).toBe('ConditionalCheckFailedException')
  expect(answerOf({ statusCode: 500, body: 'not JSON' })).toEqual({ body: 'not JSON', error: 'HTTP 500' })
  expect(answerOf({ statusCode: 200, body: '{"__type":"x"}' })).toEqual({ body: { __type: 'x' }, error: undefined })
})

test('an error of DynamoDB is a refused condition, or another one', () => {
  expect(['ConditionalCheckFailedException', 'TransactionCanceledException'].every(isRefusal)).toBe(true)
  expect(['ThrottlingException', undefined].some(isRefusal)).toBe(false)
})

test('missing and damaged fields of a lease row are undefined', () => {
  const row = { fencingToken: { N: '7' }, holder: { S: 'ann' }, expiresAtMs: { N: '8' } }
  expect(rowOf(row)).toMatchObject({ fencingToken: 7, holder: 'ann', expiresAtMs: 8, isPaused: false })
  const nothing = { fencingToken: undefined, holder: undefined, expiresAtMs: undefined }
  const damaged = { fencingToken: { S: '7' }, holder: { N: '1' }, expiresAtMs: { N: '1e400' } }
  for (const item of [damaged, undefined]) expect(rowOf(item)).toMatchObject(nothing)
})

test.each([
  ['TenureBilling-f2f6ac26-Subscriptions1F71F6D8', 'Subscriptions'],
  ['Invoices', 'Invoices'],
])('the table %s is called %s', (name, plain) => {
  expect(plainName(name)).toBe(plain)
})
