import { createServer, type RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, GetCommand, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { startDynamoDBProxy } from '../../../infra/local/lambda-host/dynamodb-proxy.ts'
import type { Call, Interceptor } from '../../../infra/local/lambda-host/interceptor.ts'
import { listen } from '../../../infra/local/lambda-host/loopback.ts'
import { createLeaseTable, localClient } from '../../support/tables.ts'
import { PASS } from '../fixtures/functions.ts'
import { post, signedWith } from '../fixtures/reach.ts'

async function startProxy(intercept: Interceptor, dynamodbEndpoint = inject('dynamodbEndpoint')) {
  const proxy = await startDynamoDBProxy({
    dynamodbEndpoint,
    region: 'eu-central-1',
    accessKey: 'local',
    intercept,
    requestOf: (headers) => `by ${headers['user-agent']?.slice(0, 10)}`,
  })
  onTestFinished(proxy.stop)
  return proxy
}

function documents(client: DynamoDBClient): DynamoDBDocumentClient {
  onTestFinished(() => client.destroy())
  client.config.maxAttempts = async () => 1
  return DynamoDBDocumentClient.from(client)
}

/** A lease table, a client that reaches it through a proxy, and reads that do not. */
async function scene(intercept: Interceptor) {
  const direct = documents(localClient(inject('dynamodbEndpoint')))
  const TableName = await createLeaseTable(direct)
  const proxy = await startProxy(intercept)
  const client = documents(localClient(proxy.url))
  const put = (Item: object = KEY) => client.send(new PutCommand({ TableName, Item: { ...Item } }))
  const stored = async () => (await direct.send(new GetCommand({ TableName, Key: KEY }))).Item
  return { TableName, proxy, client, put, stored }
}

const KEY = { lease: 'billing', record: 'LEASE' }
const LIST_TABLES = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.ListTables' }

/** By hand, for the headers of the reply. */
const listTables = (url: string, headers = signedWith('local')) =>
  post(url, { ...LIST_TABLES, ...headers }, '{"Limit":1}')

/** A server in the place of DynamoDB. */
async function startUpstream(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${await listen(server, 0)}`
}

test('a function that asks for another Region gets the tables of this run', async () => {
  const signed: unknown[] = []
  const upstream = await startUpstream((request, response) => {
    signed.push(request.headers.authorization?.replace(/, .*/, ''))
    response.end('{}')
  })
  const { url } = await startProxy(PASS, upstream)
  const { authorization = '' } = signedWith('local')
  await post(url, { authorization: authorization.replace('eu-central-1', 'us-east-1') }, '{}')
  expect(signed).toEqual(['AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/any/aws4_request'])
})

test('without faults, writes, reads, refusals with their item and cancelled transactions are as without a proxy', async () => {
  const { TableName, client, put } = await scene(PASS)
  const Item = { ...KEY, holder: 'Zoë Müller 日本', n: 1.5, list: [1, { a: true }] }
  await put(Item)
  expect((await client.send(new GetCommand({ TableName, Key: KEY }))).Item).toEqual(Item)
  const refused = {
    TableName,
    Item: KEY,
    ConditionExpression: 'attribute_not_exists(lease)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  } as const
  const error: unknown = await client.send(new PutCommand(refused)).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(ConditionalCheckFailedException)
  expect(error).toMatchObject({ Item: { holder: { S: 'Zoë Müller 日本' } } })
  const transaction = new TransactWriteCommand({ TransactItems: [{ Put: refused }] })
  await expect(client.send(transaction)).rejects.toThrow(TransactionCanceledException)
})

test("replies have DynamoDB's headers, its clock among them; requests share one connection", async () => {
  const date = 'Mon, 01 Jan 2024 00:00:00 GMT'
  const connections = new Set<Socket>()
  const upstream = await startUpstream(({ socket }, response) => {
    connections.add(socket)
    response.setHeader('date', date).setHeader('x-amzn-requestid', 'r-1').end('{}')
  })
  const { url } = await startProxy(PASS, upstream)
  for (let nth = 0; nth < 20; nth += 1) {
    expect((await listTables(url)).headers).toMatchObject({ date, 'x-amzn-requestid': 'r-1' })
  }
  expect(connections.size).toBe(1)
})

test('a DynamoDB that is missing is an error with the reason', async () => {
  const { url } = await startProxy(PASS, 'http://127.0.0.1:2')
  expect(await listTables(url)).toMatchObject({ status: 500, body: expect.stringContaining('ECONNREFUSED') })
})

describe('an interceptor', () => {
  test('sees the operation, the table, the input and the sender', async () => {
    const calls: Call[] = []
    const { TableName, client } = await scene((call, forward) => {
      calls.push(call)
      return forward()
    })
    await client.send(new GetCommand({ TableName, Key: KEY }))
    await client.send(new TransactWriteCommand({ TransactItems: [{ Delete: { TableName, Key: KEY } }] }))
    const body = { TableName, Key: { lease: { S: 'billing' }, record: { S: 'LEASE' } } }
    expect(calls).toMatchObject([
      { service: 'dynamodb', operation: 'GetItem', target: TableName, body, requestId: 'by aws-sdk-js' },
      { operation: 'TransactWriteItems', target: '' },
    ])
  })

  test('may change body and date of a reply, whose length and checksum follow', async () => {
    const date = 'Mon, 01 Jan 2024 00:00:00 GMT'
    const { url } = await startProxy(async (_, forward) => {
      const reply = await forward()
      return { ...reply, headers: { ...reply.headers, date }, body: '{"TableNames":["Zoë"]}' }
    })
    const { headers, body } = await listTables(url)
    expect(body).toBe('{"TableNames":["Zoë"]}')
    const length = String(Buffer.byteLength(body))
    expect(headers).toMatchObject({ 'x-amz-crc32': String(crc32(body)), 'content-length': length, date })
  })

  test('may hang up, before DynamoDB gets the request and after', async () => {
    let isForwarded = false
    const { put, stored } = await scene(async (_, forward) => {
      if (isForwarded) await forward()
      return 'hangUp'
    })
    await expect(put()).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await stored()).toBeUndefined()
    isForwarded = true
    await expect(put()).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await stored()).toEqual(KEY)
  })
})

test('stopping waits for what is on its way to DynamoDB, and forwards nothing afterwards', async () => {
  const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let answered = 0
  const upstream = await startUpstream(async (_, response) => {
    arrived.resolve()
    await released.promise
    answered += 1
    response.end('{}')
  })
  const late = Promise.withResolvers<() => Promise<unknown>>()
  const proxy = await startProxy((_, forward) => {
    late.resolve(forward)
    return forward()
  }, upstream)
  const sent = listTables(proxy.url).catch(() => 'hung up')
  await arrived.promise
  const stopping = proxy.stop()
  expect(await Promise.race([stopping, sleep(50, 'still waiting')])).toBe('still waiting')
  released.resolve()
  await stopping
  expect([answered, await sent]).toEqual([1, 'hung up'])
  await expect((await late.promise)()).rejects.toThrow('the host has stopped')
})

test('stopping does not wait forever for a DynamoDB that does not answer', async () => {
  const arrived = Promise.withResolvers<void>()
  const proxy = await startProxy(PASS, await startUpstream(() => arrived.resolve()))
  const sent = listTables(proxy.url).catch(() => 'hung up')
  await arrived.promise
  await proxy.stop()
  expect(await sent).toBe('hung up')
})
