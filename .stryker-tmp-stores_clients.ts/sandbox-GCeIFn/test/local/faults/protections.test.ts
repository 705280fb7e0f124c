// @ts-nocheck
import { expect, test } from 'vitest'
import { fence, fenceAttribute } from '../../../functions/election/fencing.ts'
import { property } from '../../../functions/election/json.ts'
import { SimulatedDynamoDB } from '../../../functions/election/testing/dynamodb/database.ts'
import { withoutFence, withoutKey, withoutLease } from '../../../infra/local/faults/protections.ts'
import type { Call, Interceptor } from '../../../infra/local/lambda-host/interceptor.ts'
import { fixtureFunction } from '../fixtures/functions.ts'
import { gatewayCall, jsonReply } from '../observe/wire.ts'

const LEASE = 'billing'
const [MINE, NEWER] = [5, 9]
const TableName = 'rows'
const Key = { id: { S: '1' } }

/** A table with a row of a newer leader. */
function rowOfSuccessor() {
  const database = new SimulatedDynamoDB()
  database.createTable({ name: TableName, partitionKey: 'id' })
  const Item = { ...Key, text: { S: 'successor' }, [fenceAttribute(LEASE)]: { N: String(NEWER) } }
  database.execute('PutItem', { TableName, Item })
  return {
    /** The error, if there is one. */
    send: (operation: string, body: object) => property(database.execute(operation, { ...body }).body, '__type'),
    text: () => Object(database.execute('GetItem', { TableName, Key }).body).Item?.text?.S,
  }
}

/** The body that an interceptor forwards; undefined if it is unchanged. */
async function forwarded(interceptor: Interceptor, call: Call): Promise<Call['body'] | undefined> {
  let forwardedBody: Call['body'] | undefined
  await interceptor(call, async (changed) => {
    forwardedBody = changed
    return jsonReply({})
  })
  return forwardedBody
}

const rewritten = (body: object) =>
  forwarded(withoutFence, { service: 'dynamodb', operation: '', target: '', body: { ...body }, requestId: 'r-1' })

/** In DynamoDB's form; `fence` takes and returns that of the document client. */
function fenced<Input extends object>(input: Input): Input {
  const written = JSON.stringify(fence(input, LEASE, { fencingToken: MINE, step: 3, settled: 2 }))
  const numbers = written.replace(/:(\d+)/g, ':{"N":"$1"}')
  return JSON.parse(numbers.replace(/{"fencingToken":.*?}}/g, (stamp) => `{"M":${stamp}}`))
}

const STALE = { S: 'stale' }
const UPDATE = {
  ...{ TableName, Key, UpdateExpression: 'SET #t = :t' },
  ...{ ExpressionAttributeNames: { '#t': 'text' }, ExpressionAttributeValues: { ':t': STALE } },
}
const PUT = fenced({ TableName, Item: { ...Key, text: STALE } })

test.each<[string, string, object, string | undefined]>([
  ['a conditional update', 'UpdateItem', fenced({ ...UPDATE, ConditionExpression: 'attribute_exists(id)' }), 'stale'],
  ['a put', 'PutItem', PUT, 'stale'],
  ['a delete', 'DeleteItem', fenced({ TableName, Key }), undefined],
])('without the fence, DynamoDB accepts %s with %s from a replaced leader', async (_, operation, stale, after) => {
  const { send, text } = rowOfSuccessor()
  expect(send(operation, stale)).toMatch(/ConditionalCheckFailed|TransactionCanceled/)
  expect(text()).toBe('successor')
  expect(send(operation, { ...stale, ...(await rewritten(stale)) })).toBeUndefined()
  expect(text()).toBe(after)
})

test('without the fence, a write still fails if its own condition does not hold', async () => {
  const { send, text } = rowOfSuccessor()
  const stale = fenced({ ...UPDATE, ConditionExpression: 'attribute_not_exists(id)' })
  expect(send('UpdateItem', { ...stale, ...(await rewritten(stale)) })).toMatch(/ConditionalCheckFailed/)
  expect(text()).toBe('successor')
})

test('without the key, every charge has a new idempotency key, and is otherwise unchanged', async () => {
  const form = 'amount=999&metadata%5Bcharge%5D=k-1&metadata%5Bplan%5D=basic'
  const charge = { method: 'POST', path: '/v1', headers: { 'idempotency-key': 'k-1', other: 'x' }, body: form }
  const sent = (body: Call['body']) => forwarded(withoutKey, { ...gatewayCall(), body })
  const [one, other] = [await sent(charge), await sent(charge)]
  const keyOf = (body: unknown) => Object(body).headers['idempotency-key']
  expect(new Set(['k-1', keyOf(one), keyOf(other)]).size).toBe(3)
  const headers = { 'idempotency-key': keyOf(one), other: 'x' }
  expect(one).toEqual({ ...charge, headers, body: form.replace('k-1', keyOf(one)) })
  expect(await sent({ method: 'GET', path: '/v1', headers: {}, body: '' })).toBeUndefined()
})

test('without the lease, every candidate has a lease of its own, and otherwise the same environment', () => {
  const lambda = fixtureFunction({ environment: { LEASE_NAME: 'billing', OTHER: 'x' } })
  const schedule = { name: 's', arn: 'a', periodMs: 1, targetArn: lambda.arn, input: '{}' }
  const alone = [1, 5].map((number) => withoutLease({ schedule, lambda }, number))
  const own = (LEASE_NAME: string) => ({ schedule, lambda: { ...lambda, environment: { LEASE_NAME, OTHER: 'x' } } })
  expect(alone).toEqual([own('billing-1'), own('billing-5')])
})
