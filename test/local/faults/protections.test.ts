import { randomUUID } from 'node:crypto'
import {
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { describe, expect, test } from 'vitest'
import { fence, fenceAttribute } from '../../../functions/election/fencing.ts'
import { withoutFence, withoutKey, withoutLease } from '../../../infra/local/faults/protections.ts'
import type { Call, Interceptor } from '../../../infra/local/lambda-host/interceptor.ts'
import { fixtureFunction } from '../fixtures/functions.ts'
import { gatewayCall, jsonReply, ROWS, wire } from '../observe/wire.ts'

const LEASE = 'billing'
const [MINE, NEWER] = [5, 9]

const TableName = ROWS
const client = wire().clientOf('a')

/** The row of a newer leader. */
async function rowOfSuccessor() {
  const Key = { id: { S: randomUUID() } }
  const Item = { ...Key, text: { S: 'successor' }, [fenceAttribute(LEASE)]: { N: String(NEWER) } }
  await client.send(new PutItemCommand({ TableName, Item }))
  const text = async () =>
    (await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item?.['text']?.S
  return { Key, text }
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

const rewritten = (body: object, operation = 'UpdateItem') =>
  forwarded(withoutFence, { service: 'dynamodb', operation, target: '', body: { ...body }, requestId: 'r-1' })

/** In DynamoDB's form; `fence` takes and returns that of the document client. */
function fenced<Input extends object>(input: Input): Input {
  const written = JSON.stringify(fence(input, LEASE, { fencingToken: MINE, step: 3, settled: 2 }))
  const numbers = written.replace(/:(\d+)/g, ':{"N":"$1"}')
  return JSON.parse(numbers.replace(/{"fencingToken":.*?}}/g, (stamp) => `{"M":${stamp}}`))
}

const STALE = { S: 'stale' }
const SET_TEXT = {
  UpdateExpression: 'SET #t = :t',
  ExpressionAttributeNames: { '#t': 'text' },
  ExpressionAttributeValues: { ':t': STALE },
}

describe('without the fence, DynamoDB accepts from a replaced leader', () => {
  test.each([
    ['an update', SET_TEXT],
    ['an update with a condition of its own', { ...SET_TEXT, ConditionExpression: 'attribute_exists(id)' }],
  ])('%s', async (_, update) => {
    const { Key, text } = await rowOfSuccessor()
    const stale = fenced({ TableName, Key, ...update })
    await expect(client.send(new UpdateItemCommand(stale))).rejects.toThrow('conditional request failed')
    expect(await text()).toBe('successor')
    await client.send(new UpdateItemCommand({ ...stale, ...(await rewritten(stale)) }))
    expect(await text()).toBe('stale')
  })

  test('a put', async () => {
    const { Key, text } = await rowOfSuccessor()
    const stale = fenced({ TableName, Item: { ...Key, text: STALE } })
    await expect(client.send(new PutItemCommand(stale))).rejects.toThrow('conditional request failed')
    await client.send(new PutItemCommand({ ...stale, ...(await rewritten(stale)) }))
    expect(await text()).toBe('stale')
  })

  test('a delete', async () => {
    const { Key, text } = await rowOfSuccessor()
    const stale = fenced({ TableName, Key })
    await expect(client.send(new DeleteItemCommand(stale))).rejects.toThrow('conditional request failed')
    await client.send(new DeleteItemCommand({ ...stale, ...(await rewritten(stale)) }))
    expect(await text()).toBeUndefined()
  })

  test('a transaction', async () => {
    const [one, other] = [await rowOfSuccessor(), await rowOfSuccessor()]
    const update = fenced({ TableName, Key: one.Key, ...SET_TEXT })
    const put = fenced({ TableName, Item: { ...other.Key, text: STALE } })
    const stale = { TransactItems: [{ Update: update }, { Put: put }] }
    await expect(client.send(new TransactWriteItemsCommand(stale))).rejects.toThrow('Transaction cancelled')
    await client.send(new TransactWriteItemsCommand({ ...stale, ...(await rewritten(stale, 'TransactWriteItems')) }))
    expect([await one.text(), await other.text()]).toEqual(['stale', 'stale'])
  })
})

test('without the fence, a write still fails if its own condition does not hold', async () => {
  const { Key, text } = await rowOfSuccessor()
  const stale = fenced({ TableName, Key, ...SET_TEXT, ConditionExpression: 'attribute_not_exists(id)' })
  const sent = client.send(new UpdateItemCommand({ ...stale, ...(await rewritten(stale)) }))
  await expect(sent).rejects.toThrow('conditional request failed')
  expect(await text()).toBe('successor')
})

test('without the fence, a request that has none is unchanged', async () => {
  expect(await rewritten({ ConditionExpression: 'attribute_exists(id)' })).toBeUndefined()
  expect(await rewritten({})).toBeUndefined()
})

const form = 'amount=999&metadata%5Bcharge%5D=k-1&metadata%5Bplan%5D=basic'
const charge = {
  method: 'POST',
  path: '/v1/payment_intents',
  headers: { 'idempotency-key': 'k-1', other: 'x' },
  body: form,
}

const sentWithoutKey = async (body: Call['body']): Promise<Record<string, unknown>> => ({
  ...((await forwarded(withoutKey, { ...gatewayCall(), body })) ?? body),
})

test('without the key, every charge has a new idempotency key, and is otherwise unchanged', async () => {
  const [one, other] = [await sentWithoutKey(charge), await sentWithoutKey(charge)]
  const keyOf = ({ headers }: Record<string, unknown>) => Object(headers)['idempotency-key']
  expect(new Set(['k-1', keyOf(one), keyOf(other)]).size).toBe(3)
  expect(one).toEqual({
    ...charge,
    headers: { 'idempotency-key': keyOf(one), other: 'x' },
    body: form.replace('k-1', keyOf(one)),
  })
})

test('without the key, a lookup at the gateway is unchanged', async () => {
  const search = { method: 'GET', path: '/v1/payment_intents', query: { customer: 'c-1' }, headers: {}, body: '' }
  expect(await sentWithoutKey(search)).toEqual(search)
})

test('without the lease, every candidate has a lease of its own, and otherwise the same environment', () => {
  const lambda = fixtureFunction({ environment: { LEASE_NAME: 'billing', OTHER: 'x' } })
  const schedule = { name: 's', arn: 'a', periodMs: 1, targetArn: lambda.arn, input: '{}' }
  const alone = [1, 5].map((number) => withoutLease({ schedule, lambda }, number))
  expect(alone).toMatchObject([{ schedule }, { schedule }])
  expect(alone.map((candidate) => candidate.lambda.environment)).toEqual([
    { LEASE_NAME: 'billing-1', OTHER: 'x' },
    { LEASE_NAME: 'billing-5', OTHER: 'x' },
  ])
})
