// @ts-nocheck
import { expect, test } from 'vitest'
import type { Call } from '../../../infra/local/lambda-host/interceptor.ts'
import { dynamodbError } from '../../../infra/local/lambda-host/services.ts'
import {
  answerOf,
  endIn,
  isStandingBy,
  leaseRequestOf,
  missingTableOf,
  plainName,
  writesOf,
} from '../../../infra/local/observe/wire.ts'
import { gatewayCall, LEASES, ROWS } from './wire.ts'

const TableName = ROWS

test.each<[string, object, readonly string[]]>([
  ['PutItem', {}, ['PutItem of rows']],
  ['UpdateItem', { ExpressionAttributeValues: { ':expiresAt': 1, ':step': 1 } }, ['UpdateItem of rows']],
  ['DeleteItem', {}, ['DeleteItem of rows']],
  ['GetItem', {}, []],
  ['Query', {}, []],
  ['BatchWriteItem', { RequestItems: { rows: [{}, {}] } }, Array(2).fill('BatchWriteItem of rows')],
  [
    'TransactWriteItems',
    { TransactItems: [{ Update: { TableName } }, { ConditionCheck: { TableName } }] },
    ['Update of rows in a transaction'],
  ],
  ['ExecuteStatement', { Statement: ' insert into "rows" value {}' }, ['ExecuteStatement of rows']],
  ['ExecuteStatement', { Statement: 'SELECT * FROM rows' }, []],
  ['ExecuteTransaction', { TransactStatements: [{ Statement: 'UPDATE rows SET a' }] }, ['ExecuteTransaction of rows']],
  ['BatchExecuteStatement', { Statements: [{ Statement: 'DELETE FROM rows' }, {}] }, ['BatchExecuteStatement of rows']],
])('%s with %j, without the library, is no lease request', (operation, body, writes) => {
  const call: Call = { service: 'dynamodb', operation, target: TableName, body: { ...body }, requestId: 'a' }
  expect(leaseRequestOf(call, LEASES)).toBeUndefined()
  expect(writesOf(call, LEASES).map(({ what }) => what)).toEqual(writes)
})

const keyOf = (record: string) => ({ Key: { lease: { S: 'a' }, record: { S: record } } })
test.each<[string, string, object, boolean]>([
  ['GetItem', LEASES, keyOf('LEASE'), true],
  ['Query', LEASES, {}, true],
  ['UpdateItem', LEASES, keyOf('CANDIDATE#b'), true],
  ['UpdateItem', LEASES, keyOf('LEASE'), false],
  ['GetItem', ROWS, keyOf('LEASE'), false],
])('%s of %s with %j is what a server sends while it stands by: %s', (operation, target, body, isOne) => {
  expect(isStandingBy({ service: 'dynamodb', operation, target, body: { ...body }, requestId: 'a' }, LEASES)).toBe(
    isOne,
  )
})

test('a release that keeps the lease for a candidate hands it over', () => {
  const tenure = { lease: 'a', candidate: 'b', attempt: 'x', fencingToken: 1, step: 1, nowMs: 1 }
  const release = { ...tenure, kind: 'release', endedBy: 'released' } as const
  expect(endIn(release)).toBe('released')
  expect(endIn({ ...release, reservedFor: 'c', reservedUntilMs: 2 })).toBe('continued')
})

test('a charge at the gateway is a write, and a lookup is not', () => {
  expect(writesOf(gatewayCall('POST'), LEASES)).toEqual([{ what: 'charge at the gateway', isFenced: false }])
  expect(writesOf(gatewayCall('GET'), LEASES)).toEqual([])
})

test.each<[string, string, object, object]>([
  ['UpdateItem', ROWS, { Key: { id: { S: '1' } } }, { tables: [ROWS], keys: ['id'] }],
  ['PutItem', ROWS, {}, { tables: [ROWS], keys: [] }],
  ['TransactWriteItems', '', { TransactItems: [{ Put: { TableName } }] }, { tables: [ROWS], keys: [] }],
  ['BatchWriteItem', '', { RequestItems: { [ROWS]: [] } }, { tables: [ROWS], keys: [] }],
  ['ExecuteStatement', '', { Statement: 'SELECT a\nFROM "rows"' }, { tables: [ROWS], keys: [] }],
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

test.each([
  ['TenureBilling-f2f6ac26-Subscriptions1F71F6D8', 'Subscriptions'],
  ['Invoices', 'Invoices'],
])('the table %s is called %s', (name, plain) => {
  expect(plainName(name)).toBe(plain)
})
