/** The caller's client stays as it is, and no effect delays a request on the lease row. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Agent } from 'node:http'
import { DynamoDBClient, type DynamoDBClientConfig, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  DynamoDBLeaseStore,
  type DynamoDBLeaseStoreOptions,
  LeaseStoreError,
  systemClock,
} from '../../functions/election/index.ts'
import {
  type Answer,
  type FakeService,
  type ReceivedRequest,
  startFakeService,
  stubAws,
} from '../support/fake-service.ts'
import { localClient } from '../support/tables.ts'

const FAILURE = { statusCode: 500, body: { __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError' } }

const operationOf = ({ headers }: ReceivedRequest) => String(headers['x-amz-target']).replace(/^.*\./, '')
const itemsOf = ({ requests }: FakeService) => requests.map(({ body }): unknown => JSON.parse(body).Item)

/** Keeps the first so many requests waiting, and answers all others. */
function keepsWaiting(count: number, isMeant: (request: ReceivedRequest) => boolean = () => true) {
  const all = Promise.withResolvers<readonly ReceivedRequest[]>()
  const answer = Promise.withResolvers<Answer>()
  const waiting: ReceivedRequest[] = []
  const on = (request: ReceivedRequest) => {
    if (waiting.length === count || !isMeant(request)) return {}
    if (waiting.push(request) === count) all.resolve(waiting)
    return answer.promise
  }
  return { on, waiting: all.promise, answer: () => answer.resolve({}) }
}

/**
 * Sends requests, the first so many of which wait for this time before they are answered. Time-outs of the SDK pass
 * when the test says so; the network is as fast as ever.
 */
async function heldUp<T>(count: number, ms: number, send: (url: string) => readonly Promise<T>[]) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { on, waiting, answer } = keepsWaiting(count)
  const { url, requests } = await startFakeService(on)
  const all = Promise.all(send(url))
  all.catch(() => undefined) // until it is awaited
  await waiting
  await vi.advanceTimersByTimeAsync(ms)
  answer()
  return { replies: await all, requests }
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
    const raw = localClient((await startFakeService()).url)
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
    const server = await startFakeService()
    const raw = localClient(server.url)
    DynamoDBDocumentClient.from(raw, STRICT)
    const store = storeWith(raw)
    await store.send(effect({ map: { left: undefined } }))
    DynamoDBDocumentClient.from(raw, { ...STRICT })
    await store.send(effect({ map: { left: undefined } }))
    expect(itemsOf(server)).toEqual([EMPTY_MAP, EMPTY_MAP])
  })

  it.each<[string, readonly string[]]>([
    ['later versions', []],
    [
      'versions in which commands brought their serialization along',
      ['serializerMiddleware', 'deserializerMiddleware'],
    ],
  ])('are those of the document client that is lent, as they were then, in %s of the SDK', async (_, without) => {
    const server = await startFakeService()
    const options = structuredClone(OPTIONS)
    const lent = DynamoDBDocumentClient.from(localClient(server.url), options)
    for (const name of without) lent.middlewareStack.remove(name)
    const store = storeWith(lent)
    options.marshallOptions.convertClassInstanceToMap = false
    await store.send(effect({ price: new Money() }))
    expect(itemsOf(server)).toEqual([{ id: { S: 'x' }, price: AS_MAP }])
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

describe('changes of a client by its caller', () => {
  it('its send is what sends, also one that is bound to the client', async () => {
    const server = await startFakeService()
    const client = localClient(server.url)
    const store = storeWith(client)
    const bound = client.send.bind(client)
    const send = vi.spyOn(client, 'send').mockImplementation(bound)
    await acquire(store)
    await store.send(effect({ map: { left: undefined } }))
    expect(send.mock.calls.map(([{ input }]) => Reflect.get(input, 'TableName'))).toEqual(['leases', 'effects'])
    expect(server.requests.map(operationOf)).toEqual(['UpdateItem', 'PutItem'])
  })

  it('a layer that it took out stays out: no request is signed, and an effect is sent once', async () => {
    const server = await startFakeService({}, FAILURE)
    const client = localClient(server.url)
    // The SDK's signing has its place after the retries.
    for (const name of ['retryMiddleware', 'httpSigningMiddleware']) client.middlewareStack.remove(name)
    const store = storeWith(client)
    await acquire(store)
    await expect(store.transact(TENURE, [], crypto.randomUUID())).rejects.toThrow(LeaseStoreError)
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  it('its layers surround what they surround in the client itself: the whole request, or each try', async () => {
    const client = localClient((await startFakeService(FAILURE, {})).url)
    const store = storeWith(client)
    const seen: string[] = []
    const { middlewareStack } = client
    for (const [step = '', priority] of [
      ['build', 'low'],
      ['finalizeRequest', 'high'],
    ]) {
      const layer = (next: (args: never) => unknown) => (args: never) => {
        seen.push(step)
        return next(args)
      }
      Reflect.apply(middlewareStack.add, middlewareStack, [layer, { step, priority }])
    }
    await acquire(store)
    expect(seen).toEqual(['build', 'finalizeRequest', 'finalizeRequest'])
  })

  it('each request has the layers of its time, whose copy is made again only after a change', async () => {
    const client = localClient((await startFakeService()).url)
    const { middlewareStack } = client
    const store = storeWith(client)
    const seen: string[] = []
    const add = (name: string, how: 'add' | 'addRelativeTo', place: object) => {
      const layer = (next: (args: never) => unknown) => (args: never) => {
        seen.push(name)
        return next(args)
      }
      middlewareStack.remove(name)
      Reflect.apply(middlewareStack[how], middlewareStack, [layer, { name, ...place }])
    }
    const sent = async (stack = middlewareStack) => {
      seen.length = 0
      const clone = vi.spyOn(stack, 'clone')
      await acquire(store)
      const copies = clone.mock.calls.length
      clone.mockRestore()
      return [...seen, copies]
    }
    await acquire(store)
    expect(await sent()).toEqual([0])
    add('a', 'add', { step: 'build' })
    expect(await sent()).toEqual(['a', 1])
    expect(await sent()).toEqual(['a', 0])
    add('b', 'addRelativeTo', { relation: 'after', toMiddleware: 'a' })
    expect(await sent()).toEqual(['a', 'b', 1])
    add('b', 'addRelativeTo', { relation: 'before', toMiddleware: 'a' })
    expect(await sent()).toEqual(['b', 'a', 1])
    middlewareStack.remove('b')
    expect(await sent()).toEqual(['a', 1])
    const other = middlewareStack.clone()
    Object.assign(client, { middlewareStack: other })
    expect(await sent(other)).toEqual(['a', 1])
  })

  it.each([
    ['a raw client', (raw: DynamoDBClient) => raw],
    ['a document client', (raw: DynamoDBClient) => DynamoDBDocumentClient.from(raw)],
  ])('%s that is traced as OpenTelemetry does it has a span for each request', async (_, lentOf) => {
    const client = lentOf(localClient((await startFakeService()).url))
    const spans = traced(client.middlewareStack)
    const store = storeWith(client)
    await acquire(store)
    await store.send(effect())
    await store.transact(TENURE, [{ Put: effect() }], crypto.randomUUID())
    expect(spans).toEqual(['UpdateItemCommand', 'PutItemCommand', 'TransactWriteItemsCommand'])
  })

  it('each command is watched on the wire, also if the client keeps the layers of one for the next', async () => {
    const store = storeWith(localClient((await startFakeService()).url, { cacheMiddleware: true }))
    for (const lease of ['a', 'b']) expect(await acquire(store, lease)).toHaveProperty('clockReading.dateMs')
  })

  it.each([
    ['a client of another service', new EventBridgeClient(), 'a client of EventBridge'],
    ['a copy of a client, without its methods', { ...localClient('http://localhost') }, 'a client of DynamoDB'],
    ['a stub of a client', { config: { serviceId: 'DynamoDB' }, send: () => {} }, 'a client of DynamoDB'],
    ['no client', {}, 'of type object'],
    ['nothing', null, 'of type object'],
    ['a name', 'dynamodb', 'of type string'],
  ])('%s is refused by name', (_, client, given) => {
    expect(() => Reflect.construct(DynamoDBLeaseStore, [{ tableName: 'leases', client }])).toThrow(
      `The option client must be a DynamoDBClient or DynamoDBDocumentClient ` +
        `of the AWS SDK, version 3, but is ${given}.`,
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
  const isEffect = (request: ReceivedRequest) => operationOf(request) === 'PutItem'

  it('have connections of their own: effects that hold all of the client’s do not delay them', async () => {
    const { on, waiting, answer } = keepsWaiting(3, isEffect)
    const server = await startFakeService(on)
    const agent = { maxSockets: 3, localAddress: '127.0.0.2' }
    const store = storeWith(localClient(server.url, { requestHandler: { httpAgent: agent } }))
    const effects = Array.from({ length: 100 }, () => store.send(effect()))
    const held = await waiting
    expect(await acquire(store)).toMatchObject({ granted: true })
    const completion = { ...TENURE, kind: 'complete' as const, step: 1, nowMs: Date.now() }
    expect(await store.completeWith(completion, [{ Put: effect() }], crypto.randomUUID())).toEqual({ granted: true })

    const [first, ...later] = server.requests.filter((request) => !isEffect(request)).map(({ address }) => address)
    expect(first).toMatch(/^127\.0\.0\.2:/)
    expect(later).toEqual([first])
    expect(held.map(({ address }) => address)).not.toContain(first)
    answer()
    await Promise.all(effects)
  })

  it('have the same connections in all stores of one client, closed a minute after the last request', async () => {
    const sockets: unknown[] = []
    const opened = (message: unknown) => void sockets.push(Reflect.get(Object(message), 'socket'))
    subscribe('net.client.socket', opened)
    onTestFinished(() => void unsubscribe('net.client.socket', opened))
    const raw = localClient((await startFakeService()).url)
    for (const lent of [raw, raw, DynamoDBDocumentClient.from(raw)]) await acquire(storeWith(lent))
    await vi.waitFor(() => expect(sockets).toEqual([expect.objectContaining({ timeout: 60_000 })]))
  })

  it.each<[string, () => NonNullable<DynamoDBClientConfig['requestHandler']>]>([
    ['an agent that cannot be made again, as one for a proxy', () => ({ httpAgent: new ProxyAgent() })],
    ['a request handler of the caller’s own', callersHandler],
  ])('have a part of the connections that they must share with effects: %s', async (_, handlerOf) => {
    const { on, waiting, answer } = keepsWaiting(45, isEffect)
    const server = await startFakeService(on)
    const store = storeWith(localClient(server.url, { requestHandler: handlerOf() }))
    const effects = Array.from({ length: 200 }, () => store.send(effect()))
    await waiting
    const asked = Array.from({ length: 20 }, (_, lease) => acquire(store, `lease-${lease}`))
    expect((await Promise.all(asked)).filter(({ granted }) => granted)).toHaveLength(20)
    expect(server.requests.filter(isEffect)).toHaveLength(45)
    answer()
    await Promise.all(effects)
  })

  it('do not time out while the caller’s own requests hold all connections of a shared agent', async () => {
    const { replies } = await heldUp<unknown>(50, 1_900, (url) => {
      const client = localClient(url, { requestHandler: { httpAgent: new ProxyAgent() }, maxAttempts: 1 })
      const own = () => client.send(new PutItemCommand({ TableName: 'own', Item: {} }))
      return [...Array.from({ length: 50 }, own), acquire(storeWith(client))]
    })
    expect(replies.at(-1)).toMatchObject({ granted: true })
  })

  it('have retries of their own: a client in adaptive mode does not delay them', async () => {
    const retryStrategy = {
      mode: 'adaptive',
      acquireInitialRetryToken: () => new Promise<never>(() => {}),
      refreshRetryTokenForRetry: () => Promise.reject(new Error('never asked')),
      recordSuccess: () => {},
    }
    const server = await startFakeService(FAILURE, {})
    const store = storeWith(localClient(server.url, { retryStrategy, maxAttempts: 2 }))
    void store.send(effect())
    expect(await acquire(store)).toMatchObject({ granted: true })
    expect(server.requests.map(operationOf)).toEqual(['UpdateItem', 'UpdateItem'])
  })

  it('do not time out while they wait for one another', async () => {
    const { replies } = await heldUp(50, 59_000, (url) => {
      const store = storeWith(localClient(url, { requestHandler: { requestTimeout: 60_000 }, maxAttempts: 1 }))
      return Array.from({ length: 200 }, (_, lease) => acquire(store, `lease-${lease}`))
    })
    expect(replies.filter(({ granted }) => granted)).toHaveLength(200)
  })

  it('end, also if the client would wait forever', async () => {
    const asked = heldUp(1, 2_000, (url) => [acquire(storeWith(localClient(url, { maxAttempts: 1 })))])
    await expect(asked).rejects.toThrow(/gave no answer.*TimeoutError/)
  })

  it.each([
    ['for an answer', { socketTimeout: 50 }, /timed out after 50 ms/],
    [
      'to connect',
      { connectionTimeout: 50, httpAgent: { lookup: () => {} } },
      /within the configured timeout of 50 ms/,
    ],
    ['to connect, or else a second', { httpAgent: { lookup: () => {} } }, /configured timeout of 1000 ms/],
  ])('keep the time-outs that the client has %s', async (_, requestHandler, message) => {
    const { on } = keepsWaiting(1)
    const url = (await startFakeService(on)).url.replace('127.0.0.1', 'localhost')
    const client = localClient(url, { requestHandler, maxAttempts: 1 })
    await expect(acquire(storeWith(client))).rejects.toThrow(message)
  })
})

it('that is broken fails with its own error, not as one of the network', async () => {
  const client = new DynamoDBClient({ region: 'eu-central-1' })
  client.middlewareStack.clone = () => Object({}).of.it
  const store = storeWith(client)
  const broken = { name: 'TypeError', message: expect.stringContaining("reading 'it'") }
  await expect(acquire(store)).rejects.toMatchObject(broken)
  await expect(store.send(effect())).rejects.toMatchObject(broken)
})

describe('effects', () => {
  it('fail no earlier than through the client itself: they wait for a connection as long as it takes', async () => {
    const { requests } = await heldUp(50, 600_000, (url) => {
      const store = storeWith(localClient(url))
      return Array.from({ length: 200 }, () => store.send(effect()))
    })
    expect(requests).toHaveLength(200)
  })

  it('through a client with time-outs do not time out while they wait for one another', async () => {
    const { requests } = await heldUp(50, 1_900, (url) => {
      stubAws('DYNAMODB', url)
      const store = new DynamoDBLeaseStore({ tableName: 'leases' })
      return Array.from({ length: 200 }, () => store.send(effect()))
    })
    expect(requests).toHaveLength(200)
  })

  it('through the default client end, also if DynamoDB never answers', async () => {
    const sent = heldUp(1, 2_000, (url) => {
      stubAws('DYNAMODB', url)
      vi.stubEnv('AWS_MAX_ATTEMPTS', '1')
      return [new DynamoDBLeaseStore({ tableName: 'leases' }).send(effect())]
    })
    await expect(sent).rejects.toThrow(/TimeoutError|timed out|2000 ms/i)
  })

  it('of all stores of one client are under way by the thousand; more wait, and timers fire meanwhile', async () => {
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
