import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb'
import {
  BatchWriteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { dynamodbError, startDynamoDBProxy } from '../../../infra/local/lambda-host/dynamodb-proxy.ts'
import type { Call, Interceptor } from '../../../infra/local/lambda-host/interceptor.ts'
import { createLeaseTable, localClient } from '../../support/tables.ts'
import { addressesOpenAt, FOREIGN, post, signedWith, UNSIGNED } from '../fixtures/reach.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp()
})

const pass: Interceptor = (_, forward) => forward()

async function startProxy(intercept: Interceptor, dynamodbEndpoint = inject('dynamodbEndpoint')) {
  const requestOf = (headers: Readonly<Record<string, string>>) => `by ${headers['user-agent']?.slice(0, 10)}`
  const proxy = await startDynamoDBProxy({
    dynamodbEndpoint,
    region: 'eu-central-1',
    accessKey: 'local',
    intercept,
    requestOf,
  })
  cleanups.push(proxy.stop)
  return proxy
}

function documents(client: DynamoDBClient): DynamoDBDocumentClient {
  cleanups.push(() => client.destroy())
  client.config.maxAttempts = async () => 1
  return DynamoDBDocumentClient.from(client)
}

/** A table of leases, a client that reaches it through a proxy, and one that reaches it directly. */
async function scene(intercept: Interceptor) {
  const direct = documents(localClient(inject('dynamodbEndpoint')))
  const TableName = await createLeaseTable(direct)
  const proxy = await startProxy(intercept)
  return { TableName, proxy, client: documents(localClient(proxy.url)), direct }
}

const key = { lease: 'billing', record: 'LEASE' }

describe('a request that none of the functions sent', () => {
  const LIST = { 'x-amz-target': 'DynamoDB_20120810.ListTables' }

  async function watched() {
    const calls: Call[] = []
    const proxy = await startProxy((call, forward) => {
      calls.push(call)
      return forward()
    })
    return { ...proxy, calls }
  }

  test.each(FOREIGN)('but %s is refused', async (_, headers, status) => {
    const { url, calls } = await watched()
    expect(await post(url, { ...LIST, ...signedWith('local'), ...headers }, '{}')).toMatchObject({ status })
    expect(calls).toEqual([])
  })

  test.each(UNSIGNED)('%s is refused, and told why', async (_, headers) => {
    const { url, calls } = await watched()
    const { status, body } = await post(url, { ...LIST, ...headers }, '{}')
    expect(status).toBe(400)
    expect(JSON.parse(body)).toMatchObject({
      __type: 'com.amazonaws.dynamodb.v20120810#UnrecognizedClientException',
      message: expect.stringContaining('knows them by the credentials in their environment variables'),
    })
    expect(calls).toEqual([])
  })

  test('cannot reach the proxy from elsewhere than this machine', async () => {
    const { url } = await watched()
    expect(await addressesOpenAt(Number(new URL(url).port))).toEqual(['127.0.0.1'])
  })
})

test('a function that asks another Region finds the tables too, which are those of this run', async () => {
  const signed: unknown[] = []
  const dynamodbEndpoint = await startUpstream((request, response) => {
    signed.push(request.headers.authorization?.replace(/, .*/, ''))
    response.end('{}')
  })
  const { url } = await startProxy(pass, dynamodbEndpoint)
  const { authorization = '' } = signedWith('local')
  await post(url, { authorization: authorization.replace('eu-central-1', 'us-east-1') }, '{}')
  expect(signed).toEqual(['AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/any/aws4_request'])
})

describe('what nobody intercepts', () => {
  test('is as it is without a proxy: writes, reads, refusals with their item, cancelled transactions', async () => {
    const { TableName, client } = await scene(pass)
    const Item = { ...key, holder: 'Zoë Müller 日本', n: 1.5, list: [1, { a: true }] }
    await client.send(new PutCommand({ TableName, Item }))
    expect((await client.send(new GetCommand({ TableName, Key: key }))).Item).toEqual(Item)
    const query = {
      TableName,
      KeyConditionExpression: 'lease = :lease',
      ExpressionAttributeValues: { ':lease': 'billing' },
    }
    expect((await client.send(new QueryCommand(query))).Items).toEqual([Item])
    const refused = {
      TableName,
      Item: key,
      ConditionExpression: 'attribute_not_exists(lease)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    } as const
    const error: unknown = await client.send(new PutCommand(refused)).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ConditionalCheckFailedException)
    expect(error).toMatchObject({ Item: { holder: { S: 'Zoë Müller 日本' } } })
    const transaction = new TransactWriteCommand({ TransactItems: [{ Put: refused }] })
    await expect(client.send(transaction)).rejects.toThrow(TransactionCanceledException)
  })

  test('keeps the headers of DynamoDB, its clock and its checksum among them', async () => {
    const { proxy } = await scene(pass)
    const { headers, text } = await listTables(proxy.url)
    expect(headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers['content-type']).toBe('application/x-amz-json-1.0')
    expect(headers['x-amz-crc32']).toBe(String(crc32(text)))
    expect(headers['server']).toMatch(/Jetty/)
    expect(Math.abs(Date.parse(headers['date'] ?? '') - Date.now())).toBeLessThan(5_000)
  })

  test("keeps DynamoDB's clock, and has none of its own", async () => {
    const date = 'Mon, 01 Jan 2024 00:00:00 GMT'
    const proxy = await startProxy(
      pass,
      await startUpstream((_, response) => response.setHeader('date', date).end('{}')),
    )
    expect((await listTables(proxy.url)).headers['date']).toBe(date)
  })

  test('shares connections to DynamoDB', async () => {
    const connections = new Set<Socket>()
    const upstream = await startUpstream(({ socket }, response) => {
      connections.add(socket)
      response.end('{}')
    })
    const proxy = await startProxy(pass, upstream)
    for (let nth = 0; nth < 20; nth += 1) await listTables(proxy.url)
    expect(connections.size).toBe(1)
  })

  test('lets clients keep their connections for as long as they like: they may be frozen', async () => {
    const proxy = await startProxy(pass)
    expect((await listTables(proxy.url)).headers['keep-alive']).toBeUndefined() // else it says how long
  })

  test('outlives a client that hangs up in the middle of its request', async () => {
    const proxy = await startProxy(pass)
    const client = connect(Number(new URL(proxy.url).port), '127.0.0.1')
    await once(client, 'connect')
    const headers = { Host: new URL(proxy.url).host, 'Content-Length': 100, ...signedWith('local') }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    client.write(`POST / HTTP/1.1\r\n${lines.join('')}\r\n{"TableName":`)
    await sleep(20)
    client.resetAndDestroy()
    expect((await listTables(proxy.url)).status).toBe(200)
  })

  test('fails with the reason where DynamoDB is not there', async () => {
    const proxy = await startProxy(pass, 'http://127.0.0.1:1')
    const { status, text } = await listTables(proxy.url)
    expect(status).toBe(500)
    expect(text).toContain('ECONNREFUSED')
  })
})

describe('an interceptor', () => {
  test('learns the operation, the table, the input, and who sent it', async () => {
    const calls: Call[] = []
    const { TableName, client } = await scene((call, forward) => {
      calls.push(call)
      return forward()
    })
    await client.send(new GetCommand({ TableName, Key: key }))
    await client.send(new TransactWriteCommand({ TransactItems: [{ Delete: { TableName, Key: key } }] }))
    await client.send(new BatchWriteCommand({ RequestItems: { [TableName]: [{ PutRequest: { Item: key } }] } }))
    const Key = { lease: { S: 'billing' }, record: { S: 'LEASE' } }
    expect(calls).toMatchObject([
      {
        service: 'dynamodb',
        operation: 'GetItem',
        target: TableName,
        body: { TableName, Key },
        requestId: 'by aws-sdk-js',
      },
      { operation: 'TransactWriteItems', target: '' },
      { operation: 'BatchWriteItem', target: '' },
    ])
  })

  test('may send another body', async () => {
    const { TableName, client, direct } = await scene((call, forward) =>
      forward(call.operation === 'PutItem' ? { ...call.body, Item: keyWith({ holder: { S: 'Zoë' } }) } : undefined),
    )
    await client.send(new PutCommand({ TableName, Item: { ...key, holder: 'Ada' } }))
    expect((await direct.send(new GetCommand({ TableName, Key: key }))).Item).toEqual({ ...key, holder: 'Zoë' })
  })

  test('may change a reply, which then has the length and the checksum of what is sent', async () => {
    const proxy = await startProxy(async (_, forward) => ({ ...(await forward()), body: '{"TableNames":["Zoë"]}' }))
    const { headers, text } = await listTables(proxy.url)
    expect(text).toBe('{"TableNames":["Zoë"]}')
    expect(headers['x-amz-crc32']).toBe(String(crc32(text)))
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
  })

  test('may change the date of a reply', async () => {
    const date = 'Mon, 01 Jan 2024 00:00:00 GMT'
    const proxy = await startProxy(async (_, forward) => {
      const reply = await forward()
      return { ...reply, headers: { ...reply.headers, date } }
    })
    expect((await listTables(proxy.url)).headers['date']).toBe(date)
  })

  test('may answer in place of DynamoDB, with an error that the SDK understands', async () => {
    const { TableName, client, direct } = await scene(async ({ operation }, forward) =>
      operation === 'PutItem' ? dynamodbError('TransactionConflictException', 'in the way') : forward(),
    )
    await expect(client.send(new PutCommand({ TableName, Item: key }))).rejects.toMatchObject({
      name: 'TransactionConflictException',
      message: 'in the way',
    })
    expect((await direct.send(new GetCommand({ TableName, Key: key }))).Item).toBeUndefined()
  })

  test('may hang up, before DynamoDB knows of the request and after', async () => {
    let isForwarded = false
    const { TableName, client, direct } = await scene(async (_, forward) => {
      if (isForwarded) await forward()
      return 'hangUp'
    })
    const put = () => client.send(new PutCommand({ TableName, Item: key }))
    const read = async () => (await direct.send(new GetCommand({ TableName, Key: key }))).Item
    await expect(put()).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await read()).toBeUndefined()
    isForwarded = true
    await expect(put()).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await read()).toEqual(key)
  })

  test('may let a request through long after its client has hung up', async () => {
    const held = Promise.withResolvers<void>()
    const { TableName, client, direct } = await scene(async (call, forward) => {
      if (call.operation === 'UpdateItem') await held.promise
      return forward()
    })
    const update = {
      TableName,
      Key: key,
      UpdateExpression: 'SET holder = :me',
      ExpressionAttributeValues: { ':me': 'late' },
    }
    const sent = client.send(new UpdateCommand(update), { abortSignal: AbortSignal.timeout(100) })
    await expect(sent).rejects.toThrow()
    const read = async () => (await direct.send(new GetCommand({ TableName, Key: key }))).Item
    expect(await read()).toBeUndefined()
    held.resolve()
    await expect.poll(read).toEqual({ ...key, holder: 'late' })
    await client.send(new GetCommand({ TableName, Key: key })) // and nothing broke
  })

  test('that fails makes an error that tells why', async () => {
    const proxy = await startProxy(() => Promise.reject(new Error('no such plan')))
    const { status, text } = await listTables(proxy.url)
    expect(status).toBe(500)
    expect(text).toContain('no such plan')
  })
})

describe('stopping', () => {
  test('waits for what is on its way to DynamoDB, and lets nothing through afterwards', async () => {
    const arrived = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
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
    let isStopped = false
    const stopping = proxy.stop().then(() => {
      isStopped = true
    })
    await sleep(50)
    expect(isStopped).toBe(false)
    released.resolve()
    await stopping
    expect(answered).toBe(1)
    expect(await sent).toBe('hung up')
    const forward = await late.promise
    await expect(forward()).rejects.toThrow('the host has stopped')
  })

  test('does not wait for ever for a DynamoDB that does not answer', async () => {
    const arrived = Promise.withResolvers<void>()
    const proxy = await startProxy(pass, await startUpstream(() => arrived.resolve()))
    const sent = listTables(proxy.url).catch(() => 'hung up')
    await arrived.promise
    await proxy.stop()
    expect(await sent).toBe('hung up')
  })
})

/** Something in DynamoDB's place. */
async function startUpstream(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

/** By hand, for its headers. */
async function listTables(url: string) {
  const reply = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.ListTables',
      authorization: 'AWS4-HMAC-SHA256 Credential=local/20240101/eu-central-1/dynamodb/aws4_request, Signature=none',
    },
    body: '{"Limit":1}',
  })
  return { status: reply.status, headers: Object.fromEntries(reply.headers), text: await reply.text() }
}

const keyWith = (attributes: object) => ({ lease: { S: 'billing' }, record: { S: 'LEASE' }, ...attributes })
