/** The caller's client stays as it is, and no effect delays a request on the lease row. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Agent, createServer } from 'node:http'
import { createRequire } from 'node:module'
import { DynamoDBClient, type DynamoDBClientConfig, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { DynamoDBDocumentClient, type TranslateConfig } from '@aws-sdk/lib-dynamodb'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  DynamoDBLeaseStore,
  type DynamoDBLeaseStoreOptions,
  LeaseStoreError,
  systemClock,
} from '../../functions/election/index.ts'
import { serveUntilTestEnds } from '../support/fake-service.ts'

interface Request {
  readonly operation: string
  readonly item: unknown
  /** The client's end of the connection. */
  readonly address: string
  readonly signed: boolean
  answer(status?: number): void
}

interface Server {
  readonly endpoint: string
  readonly requests: readonly Request[]
  readonly operations: () => readonly string[]
}

/** A DynamoDB that knows one row. It answers at once, or as `on` says. */
async function dynamodb(on: (request: Request) => void = ({ answer }) => answer()): Promise<Server> {
  const requests: Request[] = []
  // Like DynamoDB, it does not say in its answers for how long it keeps a connection open.
  const server = createServer({ keepAliveTimeout: 0 }, async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const { remoteAddress, remotePort } = incoming.socket
    const request: Request = {
      operation: String(incoming.headers['x-amz-target']).replace(/^.*\./, ''),
      item: JSON.parse(String(Buffer.concat(chunks))).Item,
      address: `${remoteAddress}:${remotePort}`,
      signed: incoming.headers.authorization !== undefined,
      answer(status = 200) {
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' })
        response.end(status === 200 ? '{}' : '{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}')
      },
    }
    requests.push(request)
    on(request)
  })
  return {
    endpoint: await serveUntilTestEnds(server),
    requests,
    operations: () => requests.map(({ operation }) => operation),
  }
}

/** Keeps the first so many requests waiting, and answers all others. */
function keepsWaiting(count: number, isMeant: (request: Request) => boolean = () => true) {
  const { promise, resolve } = Promise.withResolvers<readonly Request[]>()
  const waiting: Request[] = []
  const on = (request: Request) => {
    if (waiting.length === count || !isMeant(request)) return request.answer()
    if (waiting.push(request) === count) resolve(waiting)
  }
  return { on, waiting: promise }
}

/** Time-outs of the SDK pass when the test says so; the network is as fast as ever. */
function manualTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
}

function clientOf({ endpoint }: Server, config: DynamoDBClientConfig = {}): DynamoDBClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  return new DynamoDBClient({ endpoint, region: 'eu-central-1', credentials, ...config })
}

function storeWith(client: NonNullable<DynamoDBLeaseStoreOptions['client']>): DynamoDBLeaseStore {
  return new DynamoDBLeaseStore({ tableName: 'leases', client, clock: { ...systemClock, sleep: async () => {} } })
}

function acquire(store: DynamoDBLeaseStore, lease = 'billing') {
  const nowMs = Date.now()
  const times = { nowMs, expiresAtMs: nowMs + 30_000, maxClockSkewMs: 1_000 }
  return store.acquire({ lease, candidate: 'ann', attempt: 'a', ...times })
}

const TENURE = { lease: 'billing', candidate: 'ann', attempt: 'a', fencingToken: 1 }

const effect = (Item = {}) => ({ TableName: 'effects', Item: { id: 'x', ...Item } })

class Money {
  readonly amount = 7
}
const OPTIONS = { marshallOptions: { convertClassInstanceToMap: true, removeUndefinedValues: true } }
const STRICT = { marshallOptions: { removeUndefinedValues: false } }
const AS_MAP = { M: { amount: { N: '7' } } }
const EMPTY_MAP = { id: { S: 'x' }, map: { M: {} } }

describe('the options of document clients', () => {
  it('that the caller made of a raw client stay as they are when the raw client is lent', async () => {
    const raw = clientOf(await dynamodb())
    const mine = DynamoDBDocumentClient.from(raw, OPTIONS)
    const config = { ...raw.config }
    const layers = raw.middlewareStack.identify()
    const options = structuredClone(OPTIONS)
    const store = storeWith(raw)
    expect({ ...raw.config }).toEqual(config)
    await acquire(store)
    await store.send(effect({ map: { left: undefined } }))
    expect(raw.middlewareStack.identify()).toEqual(layers)
    expect(mine.config.translateConfig).toBe(OPTIONS)
    expect(OPTIONS).toEqual(options)
  })

  it('that the caller makes of a lent raw client, before or after, do not change how effects are written', async () => {
    const server = await dynamodb()
    const raw = clientOf(server)
    DynamoDBDocumentClient.from(raw, STRICT)
    const store = storeWith(raw)
    await store.send(effect({ map: { left: undefined } }))
    DynamoDBDocumentClient.from(raw, { ...STRICT })
    await store.send(effect({ map: { left: undefined } }))
    expect(server.requests.map(({ item }) => item)).toEqual([EMPTY_MAP, EMPTY_MAP])
  })

  it('are those of the document client that is lent, as they were then', async () => {
    const server = await dynamodb()
    const options = structuredClone(OPTIONS)
    const store = storeWith(DynamoDBDocumentClient.from(clientOf(server), options))
    options.marshallOptions.convertClassInstanceToMap = false
    await store.send(effect({ price: new Money() }))
    expect(server.requests[0]?.item).toEqual({ id: { S: 'x' }, price: AS_MAP })
  })
})

type Stack = DynamoDBClient['middlewareStack']

/** A span for each request. The client's stack is wrapped, and each stack that is made of it. */
function traced(ofClient: Stack): readonly string[] {
  const spans: string[] = []
  const wrap = (stack: Stack): Stack => {
    const { clone, concat, resolve } = { ...stack }
    return Object.assign(stack, {
      clone: () => wrap(clone()),
      concat: (other: Stack) => wrap(concat(other)),
      resolve(...given: Parameters<Stack['resolve']>) {
        const [, { commandName }] = given
        spans.push(String(commandName))
        return resolve(...given)
      },
    })
  }
  wrap(ofClient)
  return spans
}

/** The SDK once more, with classes of its own. */
function otherCopy() {
  const require = createRequire(import.meta.url)
  const loaded = new Map(Object.entries(require.cache))
  const ofTheSdk = (file: string) => /node_modules\/@(aws-sdk|smithy)\//.test(file)
  for (const file of loaded.keys()) if (ofTheSdk(file)) delete require.cache[file]
  const raw: typeof import('@aws-sdk/client-dynamodb') = require('@aws-sdk/client-dynamodb')
  const document: typeof import('@aws-sdk/lib-dynamodb') = require('@aws-sdk/lib-dynamodb')
  Object.assign(require.cache, Object.fromEntries(loaded))
  return { ...raw, ...document }
}

describe('a document client of another copy of the SDK', () => {
  const warn = vi.spyOn(console, 'warn')

  it.each([
    ['of this time', () => {}],
    [
      'of a time when commands brought their serialization along',
      ({ middlewareStack }: DynamoDBDocumentClient) => {
        middlewareStack.remove('serializerMiddleware')
        middlewareStack.remove('deserializerMiddleware')
      },
    ],
  ])('%s keeps its options and its middleware, also what is added later', async (_, age) => {
    const sdk = otherCopy()
    const server = await dynamodb()
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
    const raw = new sdk.DynamoDBClient({ endpoint: server.endpoint, region: 'eu-central-1', credentials })
    expect(raw).not.toBeInstanceOf(DynamoDBClient)
    const lent = sdk.DynamoDBDocumentClient.from(raw, OPTIONS satisfies TranslateConfig)
    age(lent)
    const store = storeWith(lent)
    const seen: (string | undefined)[] = []
    lent.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          seen.push(commandName)
          return next(args)
        },
      { step: 'build' },
    )
    expect(await acquire(store)).toMatchObject({ granted: true })
    await store.send(effect({ price: new Money() }))
    expect(seen).toEqual(['UpdateItemCommand', 'PutItemCommand'])
    expect(server.requests[1]?.item).toEqual({ id: { S: 'x' }, price: AS_MAP })
    expect(warn).not.toHaveBeenCalled()
  })
})

describe('changes of a client by its caller', () => {
  it('its send is what sends, also one that is bound to the client', async () => {
    const server = await dynamodb()
    const client = clientOf(server)
    const store = storeWith(client)
    const bound = client.send.bind(client)
    const send = vi.spyOn(client, 'send').mockImplementation(bound)
    await acquire(store)
    await store.send(effect({ map: { left: undefined } }))
    expect(send.mock.calls.map(([{ input }]) => Reflect.get(input, 'TableName'))).toEqual(['leases', 'effects'])
    expect(server.operations()).toEqual(['UpdateItem', 'PutItem'])
  })

  it('a layer that it took out stays out', async () => {
    const server = await dynamodb()
    const client = clientOf(server)
    client.middlewareStack.remove('httpSigningMiddleware')
    const store = storeWith(client)
    await acquire(store)
    await store.send(effect())
    expect(server.requests.map(({ signed }) => signed)).toEqual([false, false])
  })

  it('an effect is sent once if it took the retries out', async () => {
    const server = await dynamodb(({ answer }) => answer(500))
    const client = clientOf(server)
    // The SDK's signing has its place after the retries.
    for (const name of ['retryMiddleware', 'httpSigningMiddleware']) client.middlewareStack.remove(name)
    await expect(storeWith(client).transact(TENURE, [], crypto.randomUUID())).rejects.toThrow(LeaseStoreError)
    expect(server.requests).toHaveLength(1)
  })

  it('its layers surround what they surround in the client itself: the whole request, or each try', async () => {
    let isFirst = true
    const server = await dynamodb(({ answer }) => {
      answer(isFirst ? 500 : 200)
      isFirst = false
    })
    const client = clientOf(server)
    const seen: string[] = []
    const sees =
      (step: string) =>
      <In, Out>(next: (args: In) => Out) =>
      (args: In): Out => {
        seen.push(step)
        return next(args)
      }
    client.middlewareStack.add(sees('build'), { step: 'build', priority: 'low' })
    client.middlewareStack.add(sees('finalizeRequest'), { step: 'finalizeRequest', priority: 'high' })
    await acquire(storeWith(client))
    expect(seen).toEqual(['build', 'finalizeRequest', 'finalizeRequest'])
  })

  it.each([
    ['a raw client', (raw: DynamoDBClient) => raw],
    ['a document client', (raw: DynamoDBClient) => DynamoDBDocumentClient.from(raw)],
  ])('%s that is traced as OpenTelemetry does it has a span for each request', async (_, lentOf) => {
    const client = lentOf(clientOf(await dynamodb()))
    const spans = traced(client.middlewareStack)
    const store = storeWith(client)
    await acquire(store)
    await store.send(effect())
    await store.transact(TENURE, [{ Put: effect() }], crypto.randomUUID())
    expect(spans).toEqual(['UpdateItemCommand', 'PutItemCommand', 'TransactWriteItemsCommand'])
  })

  it('each command is watched on the wire, also if the client keeps the layers of one for the next', async () => {
    const store = storeWith(clientOf(await dynamodb(), { cacheMiddleware: true }))
    for (const lease of ['a', 'b']) expect(await acquire(store, lease)).toHaveProperty('clockReading.dateMs')
  })

  it.each([
    ['a client of another service', new EventBridgeClient(), 'a client of EventBridge'],
    ['no client', {}, 'of type object'],
    ['nothing', null, 'of type object'],
    ['a name', 'dynamodb', 'of type string'],
  ])('%s is refused by name', (_, client, given) => {
    expect(() => Reflect.construct(DynamoDBLeaseStore, [{ tableName: 'leases', client }])).toThrow(
      `The option client must be a DynamoDBClient or DynamoDBDocumentClient of the AWS SDK, version 3, but is ${given}.`,
    )
  })
})

class ProxyAgent extends Agent {
  constructor() {
    super({ keepAlive: true, maxSockets: 50 })
  }
}

/** Something around the SDK's own handler, which has 50 connections. */
function callersHandler() {
  const { requestHandler: inner } = new DynamoDBClient({ region: 'eu-central-1' }).config
  return { metadata: inner.metadata, handle: inner.handle.bind(inner) }
}

describe('requests on the lease row', () => {
  const isEffect = ({ operation }: Request) => operation === 'PutItem'

  it('have connections of their own: effects that hold all of the client’s do not delay them', async () => {
    const { on, waiting } = keepsWaiting(3, isEffect)
    const server = await dynamodb(on)
    const agent = { maxSockets: 3, localAddress: '127.0.0.2' }
    const store = storeWith(clientOf(server, { requestHandler: { httpAgent: agent } }))
    const effects = Array.from({ length: 100 }, () => store.send(effect()))
    const held = await waiting
    expect(await acquire(store)).toMatchObject({ granted: true })
    const completion = { ...TENURE, kind: 'complete' as const, step: 1, nowMs: Date.now() }
    expect(await store.completeWith(completion, [{ Put: effect() }], crypto.randomUUID())).toEqual({ granted: true })

    const [first, ...later] = server.requests.filter((request) => !isEffect(request)).map(({ address }) => address)
    expect(first).toMatch(/^127\.0\.0\.2:/)
    expect(later).toEqual([first])
    expect(held.map(({ address }) => address)).not.toContain(first)
    for (const { answer } of held) answer()
    await Promise.all(effects)
  })

  it('have the same connections in all stores of one client', async () => {
    const server = await dynamodb()
    const raw = clientOf(server)
    for (const lent of [raw, raw, DynamoDBDocumentClient.from(raw)]) await acquire(storeWith(lent))
    expect(new Set(server.requests.map(({ address }) => address))).toHaveProperty('size', 1)
  })

  it('leave no connection open for longer than a minute after the last of them', async () => {
    const sockets: unknown[] = []
    const opened = (message: unknown) => void sockets.push(Reflect.get(Object(message), 'socket'))
    subscribe('net.client.socket', opened)
    onTestFinished(() => void unsubscribe('net.client.socket', opened))
    await acquire(storeWith(clientOf(await dynamodb())))
    await vi.waitFor(() => expect(sockets).toEqual([expect.objectContaining({ timeout: 60_000 })]))
  })

  it.each<[string, () => NonNullable<DynamoDBClientConfig['requestHandler']>]>([
    ['an agent that cannot be made again, as one for a proxy', () => ({ httpAgent: new ProxyAgent() })],
    ['a request handler of the caller’s own', callersHandler],
  ])('have a part of the connections that they must share with effects: %s', async (_, handlerOf) => {
    const { on, waiting } = keepsWaiting(45, isEffect)
    const server = await dynamodb(on)
    const store = storeWith(clientOf(server, { requestHandler: handlerOf() }))
    const effects = Array.from({ length: 200 }, () => store.send(effect()))
    const held = await waiting
    const asked = Array.from({ length: 20 }, (_, lease) => acquire(store, `lease-${lease}`))
    expect((await Promise.all(asked)).filter(({ granted }) => granted)).toHaveLength(20)
    expect(server.requests.filter(isEffect)).toHaveLength(45)
    for (const { answer } of held) answer()
    await Promise.all(effects)
  })

  it('do not time out as unconnected while the caller’s own requests hold all connections of a shared agent', async () => {
    manualTimers()
    const { on, waiting } = keepsWaiting(50, isEffect)
    const client = clientOf(await dynamodb(on), { requestHandler: { httpAgent: new ProxyAgent() }, maxAttempts: 1 })
    const own = Array.from({ length: 50 }, () => client.send(new PutItemCommand({ TableName: 'own', Item: {} })))
    const held = await waiting
    const asked = acquire(storeWith(client))
    await vi.advanceTimersByTimeAsync(1_900)
    for (const { answer } of held) answer()
    expect(await asked).toMatchObject({ granted: true })
    await Promise.all(own)
  })

  it('have retries of their own: a client that holds its own requests back, as in adaptive mode, does not delay them', async () => {
    const retryStrategy = {
      mode: 'adaptive',
      acquireInitialRetryToken: () => new Promise<never>(() => {}),
      refreshRetryTokenForRetry: () => Promise.reject(new Error('never asked')),
      recordSuccess: () => {},
    }
    let isFirst = true
    const server = await dynamodb(({ answer }) => {
      answer(isFirst ? 500 : 200)
      isFirst = false
    })
    const store = storeWith(clientOf(server, { retryStrategy, maxAttempts: 2 }))
    void store.send(effect())
    expect(await acquire(store)).toMatchObject({ granted: true })
    expect(server.operations()).toEqual(['UpdateItem', 'UpdateItem'])
  })

  it('do not time out while they wait for one another', async () => {
    manualTimers()
    const { on, waiting } = keepsWaiting(50)
    const store = storeWith(
      clientOf(await dynamodb(on), { requestHandler: { requestTimeout: 60_000 }, maxAttempts: 1 }),
    )
    const asked = Array.from({ length: 200 }, (_, lease) => acquire(store, `lease-${lease}`))
    const held = await waiting
    await vi.advanceTimersByTimeAsync(59_000)
    for (const { answer } of held) answer()
    expect((await Promise.all(asked)).filter(({ granted }) => granted)).toHaveLength(200)
  })

  it('end, also if the client would wait forever', async () => {
    manualTimers()
    const { on, waiting } = keepsWaiting(1)
    const asked = acquire(storeWith(clientOf(await dynamodb(on), { maxAttempts: 1 })))
    const refused = expect(asked).rejects.toThrow(/gave no answer.*TimeoutError/)
    await waiting
    await vi.advanceTimersByTimeAsync(2_000)
    await refused
  })

  it('keep the time-outs that the client has', async () => {
    const { on } = keepsWaiting(1)
    const client = clientOf(await dynamodb(on), { requestHandler: { socketTimeout: 50 }, maxAttempts: 1 })
    await expect(acquire(storeWith(client))).rejects.toThrow(/timed out after 50 ms/)
  })
})

describe('effects', () => {
  it('fail no earlier than through the client itself: they wait for a connection as long as it takes', async () => {
    manualTimers()
    const { on, waiting } = keepsWaiting(50)
    const server = await dynamodb(on)
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', server.endpoint)
    vi.stubEnv('AWS_REGION', 'eu-central-1')
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'local')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local')
    onTestFinished(() => void vi.unstubAllEnvs())
    const store = new DynamoDBLeaseStore({ tableName: 'leases' })
    const sent = Array.from({ length: 200 }, () => store.send(effect()))
    const held = await waiting
    await vi.advanceTimersByTimeAsync(600_000)
    for (const { answer } of held) answer()
    await Promise.all(sent)
    expect(server.requests).toHaveLength(200)
  })

  it('of all stores of one client are under way by the thousand, while more wait and leave the process time for its timers', async () => {
    const { promise: open, resolve: answer } = Promise.withResolvers<void>()
    let handled = 0
    const requestHandler = {
      metadata: { handlerProtocol: 'h2' },
      async handle() {
        handled++
        await open
        return { response: { statusCode: 200, headers: {}, body: new TextEncoder().encode('{}') } }
      },
    }
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
    const client = new DynamoDBClient({ region: 'eu-central-1', credentials, requestHandler })
    const stores = [storeWith(client), storeWith(client)]
    const sent = stores.flatMap((store) => Array.from({ length: 1_000 }, () => store.send(effect())))
    await vi.waitFor(() => expect(handled).toBe(1_000))
    await new Promise((resolve) => setImmediate(resolve))
    expect(handled).toBe(1_000)
    answer()
    await Promise.all(sent)
    expect(handled).toBe(2_000)
  })
})
