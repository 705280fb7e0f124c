// @ts-nocheck
import { DynamoDBDocumentClient, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { expect, test } from 'vitest'
import { type Charge, chargesTable } from '../../../functions/billing/ledger.ts'
import { subscriptionsTable } from '../../../functions/billing/subscriptions.ts'
import { fence } from '../../../functions/election/fencing.ts'
import { settled } from '../../../functions/election/testing/manual-clock.ts'
import type { CallAction, CallFault, CallKind } from '../../../infra/local/faults/fault.ts'
import { callKindOf, GatewayWatch, PlannedFaults } from '../../../infra/local/faults/planned-faults.ts'
import type { Call, Reply } from '../../../infra/local/lambda-host/interceptor.ts'
import { localClient } from '../../support/tables.ts'
import { gatewayCall, jsonReply } from '../observe/wire.ts'

const PLACES = { leaseTable: 'leases', subscriptionsTable: 'subscriptions', chargesTable: 'charges' }
const ofDynamoDB = { service: 'dynamodb', operation: 'UpdateItem', requestId: 'r-1' } as const

const STAMP = { fencingToken: 1, step: 1, settled: 0 }

/** A lease that only notes the kind of each write. */
function spy() {
  const kinds: unknown[] = []
  const send = async (input: object) => {
    const fenced: Partial<UpdateCommandInput> = fence(input, 'billing', STAMP)
    const values = marshall(fenced.ExpressionAttributeValues ?? {}, { removeUndefinedValues: true })
    const body = { ...fenced, ExpressionAttributeValues: values }
    kinds.push(callKindOf({ ...ofDynamoDB, target: fenced.TableName ?? '', body }, PLACES))
    return { ...ROW }
  }
  // As the lease's handle does.
  const claim = (key: object) => send({ ...key, UpdateExpression: '', ReturnValues: 'ALL_NEW' })
  return { kinds, lease: { send, claim, fencingToken: 1, idempotencyKey: () => 'k-1' } }
}

const ORDER = {
  ...{ customer: 'c-1', plan: 'basic', period: '2024-01-31', dunned: 0 },
  ...{ amountMinor: 999, currency: 'EUR', paymentMethod: 'card_1' },
}
const PLAN = { interval: 'month', anchorDay: 31, priceMinor: 999, timeZone: 'Etc/UTC' } as const
const CHARGE: Charge = { ...ORDER, key: 'k-1', status: 'intended', fresh: true }
const ROW = { ...CHARGE, ...PLAN, intendedBy: 1 }

test('each write of the billing task has the kind of its step', async () => {
  const { kinds, lease } = spy()
  const documents = DynamoDBDocumentClient.from(localClient('http://127.0.0.1:1'))
  const subscriptions = subscriptionsTable(documents, PLACES.subscriptionsTable)
  const ledger = chargesTable(PLACES.chargesTable)
  await subscriptions.claimDue(lease, ORDER, '2024-01-31T00:00:00.000Z')
  await ledger.intend(lease, ORDER, '2024-01-31T00:00:00.000Z', 1)
  await ledger.answer(lease, CHARGE, { status: 'charged', chargeId: 'pi_1', replayed: false }, 2)
  await ledger.answer(lease, CHARGE, 'unknown', 2)
  await subscriptions.moveOn(lease, { ...ORDER, ...PLAN }, { dunned: 1, status: 'suspended' })
  expect(kinds).toEqual(['claim', 'intent', 'answer', 'unknown', 'move'])
})

/** Planned faults, the events that they cause in order, and a function that sends a call of a kind. */
function scene(planned: readonly CallFault[]) {
  const events: string[] = []
  const injected: (readonly [CallFault, requestId: string])[] = []
  const stopping = new AbortController()
  const signal = (name: string) => (requestId: string) => {
    if (RUNNING.includes(requestId)) events.push(`${name} ${requestId}`)
    return RUNNING.includes(requestId)
  }
  const faults = new PlannedFaults({
    ...{ places: PLACES, without: [], pastLeaseMs: 5, signal: stopping.signal },
    plan: { faultsOf: (tick) => planned.filter((fault) => fault.tick === tick) },
    processes: { kill: async (requestId) => signal('kill')(requestId), freeze: signal('freeze'), thaw: signal('thaw') },
    onFault: (...fault) => injected.push(fault),
    deliverAgain: async (requestId) => {
      events.push(`rival of ${requestId} invoked`)
      await settled()
      events.push('rival done')
    },
  })
  faults.tickStarts(1, 0)
  const send = (kind: string, requestId = 'leader') =>
    faults.intercept({ ...(CALLS[kind] ?? CALLS.lease), requestId }, async () => {
      events.push(`${kind} arrives`)
      return DONE
    })
  return { events, injected, faults, send, stopping }
}

const DONE: Reply = { statusCode: 200, headers: {}, body: 'done' }
const RUNNING = ['leader', 'other']
const update = (target: string, body: Call['body'] = {}): Call => ({ ...ofDynamoDB, target, body })
const CALLS: Readonly<Record<string, Call>> & { readonly lease: Call } = {
  lease: update('leases'),
  claim: update('subscriptions', { ReturnValues: 'ALL_NEW' }),
  unknown: update('charges', { ExpressionAttributeValues: { ':status': { S: 'unknown' } } }),
  charge: gatewayCall('POST'),
  lookup: gatewayCall('GET'),
  query: { ...update('charges'), operation: 'Query' },
  row: { ...update('rows'), operation: 'PutItem' },
}

test('writes of the lease and charges have a kind; lookups, queries and other writes have none', () => {
  const kinds = Object.values(CALLS).map((call) => callKindOf(call, PLACES))
  expect(kinds).toEqual(['lease', 'claim', 'unknown', 'charge', undefined, undefined, undefined])
})

const faultAt = (at: CallKind, action: CallAction, nth = 1): CallFault => ({ tick: 1, at, nth, ...action })
const gatewayStatus = (statusCode: number) => ({
  statusCode: 200,
  body: expect.stringContaining(`"statusCode":${statusCode}`),
})
const THROTTLED = { statusCode: 400, body: expect.stringContaining('ThrottlingException') }
/** From the freeze to the thaw. */
const FROZEN = ['freeze leader', 'rival of leader invoked', 'rival done', 'thaw leader']

test('only the planned call is hit, and calls of other kinds do not count', async () => {
  const fault = faultAt('claim', { do: 'dropRequest' }, 2)
  const { send, events, injected, faults } = scene([fault])
  for (const kind of ['claim', 'lease', 'query']) expect(await send(kind)).toEqual(DONE)
  expect(injected).toEqual([])
  expect(await send('claim', 'other')).toBe('hangUp')
  expect(await send('claim')).toEqual(DONE)
  expect(events).toEqual(['claim arrives', 'lease arrives', 'query arrives', 'claim arrives'])
  expect(injected).toEqual([[fault, 'other']])
  expect(faults.injected).toEqual([fault])
})

test('every tick counts from one', async () => {
  const { send, faults } = scene([{ ...faultAt('claim', { do: 'dropRequest' }), tick: 2 }])
  expect(await send('claim')).toEqual(DONE)
  faults.tickStarts(2, 0)
  expect(await send('claim')).toBe('hangUp')
})

const KILL = { do: 'killLeader' } as const
const FREEZE = { do: 'freezeLeader' } as const
test.each<[string, CallKind, CallAction, unknown, readonly string[]]>([
  ['killed before its call', 'claim', { ...KILL, when: 'before' }, 'hangUp', ['kill leader']],
  ['killed before the reply', 'charge', { ...KILL, when: 'after' }, 'hangUp', ['charge arrives', 'kill leader']],
  ['frozen before its call', 'unknown', { ...FREEZE, when: 'before' }, DONE, [...FROZEN, 'unknown arrives']],
  ['frozen before the reply', 'claim', { ...FREEZE, when: 'after' }, DONE, ['claim arrives', ...FROZEN]],
  ['without the reply to its write', 'claim', { do: 'dropReply' }, 'hangUp', ['claim arrives']],
  ['charged, but answered with 504', 'charge', { do: 'dropReply' }, gatewayStatus(504), ['charge arrives']],
  ['refused by the gateway', 'charge', { do: 'refuse' }, gatewayStatus(503), []],
])('a leader is %s', async (_, kind, action, reply, expected) => {
  const { send, events, injected } = scene([faultAt(kind, action)])
  const received = await send(kind)
  if (typeof reply === 'string') expect(received).toBe(reply)
  else expect(received).toMatchObject(Object(reply))
  expect(events).toEqual(expected)
  expect(injected).toHaveLength(1)
})

test('several throttled calls in a row are one fault', async () => {
  const { send, events, injected } = scene([faultAt('claim', { do: 'throttle', times: 2 })])
  for (const reply of [THROTTLED, THROTTLED, DONE]) expect(await send('claim')).toMatchObject(reply)
  expect(events).toEqual(['claim arrives'])
  expect(injected).toHaveLength(1)
})

test.each([KILL, FREEZE].flatMap((fault) => (['before', 'after'] as const).map((when) => ({ ...fault, when }))))(
  '$do $when a call of an invocation that has ended does nothing, and the call arrives once',
  async (action) => {
    const { send, events, injected } = scene([faultAt('claim', action)])
    expect(await send('claim', 'gone')).toEqual(DONE)
    expect(events).toEqual(['claim arrives'])
    expect(injected).toEqual([])
  },
)

test('a frozen leader is thawed without a rival when the run ends', async () => {
  const { send, stopping, events } = scene([faultAt('claim', { ...FREEZE, when: 'before' })])
  stopping.abort()
  expect(await send('claim')).toEqual(DONE)
  expect(events).toEqual(['freeze leader', 'thaw leader', 'claim arrives'])
})

const REPLAYED = { 'idempotent-replayed': 'true' }

test('charged and declined units count once per tick, and repeated answers over the whole run', async () => {
  const watch = new GatewayWatch()
  const send = async (customer: string, statusCode: number, headers: object = {}, method = 'POST') => {
    const form = new URLSearchParams({ customer, 'metadata[plan]': 'p', 'metadata[period]': '2024-01-31' })
    const call = { ...gatewayCall(), body: { method, body: form.toString() } }
    const reply = jsonReply({ statusCode, headers, body: '{}' })
    expect(await watch.intercept(call, async () => reply)).toBe(reply)
    return [watch.answered.size, watch.replayedRequests]
  }
  expect(await send('c-1', 200)).toEqual([1, 0])
  expect(await send('c-2', 402)).toEqual([2, 0])
  expect(await send('c-3', 500)).toEqual([2, 0])
  expect(await send('c-4', 200, {}, 'GET')).toEqual([2, 0])
  expect(await send('c-1', 200, REPLAYED)).toEqual([2, 1])
  watch.answered.clear()
  expect([watch.answered.size, watch.replayedRequests]).toEqual([0, 1])
})
