// @ts-nocheck
import { expect, test } from 'vitest'
import { withLease } from '../../../functions/election/index.ts'
import type { Call } from '../../../infra/local/lambda-host/interceptor.ts'
import { dynamodbError } from '../../../infra/local/lambda-host/services.ts'
import { clock, describeRequest, describeResult } from '../../../infra/local/observe/descriptions.ts'
import { dropReply, gatewayCall, jsonReply, LEASES, put, replacement, TICK, type Wire, wire } from './wire.ts'

/** What the log says of each request that arrived, and of its result. */
const described = ({ exchanges }: Wire) =>
  exchanges.map(({ call, reply }) => {
    const result = describeResult(call, LEASES, { reply, received: reply })
    return `${describeRequest(call, LEASES)}: ${result}`.replace(/\d\d:\d\d:\d\d\.\d\d\d/g, 'T').replace(/\d{13}/g, 'N')
  })

const GRANTED = 'Requests the lease until T: granted, with token N'

test('a tenure reads from its beginning to its end', async () => {
  const scene = wire()
  const { lease, finish } = await scene.lead('a')
  await lease.renew()
  await lease.saveCheckpoint({ upTo: 7 })
  await lease.send(put())
  await lease.transact([{ Put: put('2') }])
  await withLease(scene.optionsOf('b'), () => 'never')
  await finish()
  await withLease(scene.optionsOf('b'), () => 'never')
  expect(described(scene)).toEqual([
    GRANTED,
    'Renews the lease until T: done',
    'Saves a checkpoint, and renews the lease until T: done',
    'PutItem of rows, unless a newer leader has written it: done',
    'Sends 1 write of its own, if it still leads: done',
    'Requests the lease until T: refused: token N leads until T',
    'Completes the tick: done',
    'Requests the lease until T: refused: the lease is not available for this tick',
  ])
})

test('the ends of a tenure differ', async () => {
  const scene = wire()
  await withLease(scene.optionsOf('a'), (lease) => lease.release())
  await (await scene.lead('b')).fail(new RangeError('no'))
  await withLease(scene.optionsOf('c'), (lease) => lease.complete([{ Put: put() }]))
  const { store } = scene.optionsOf('d')
  const d = { lease: 'billing', candidate: 'd', attempt: 'x', nowMs: 1 }
  await store?.giveBack(d)
  const handOver = { kind: 'release', endedBy: 'released', reservedFor: 'e', reservedUntilMs: 2 } as const
  await store?.write({ ...d, ...handOver, fencingToken: 1, step: 1 })
  await store?.standing?.requestTransfer({ lease: 'billing', fencingToken: 1, to: 'e', nowMs: 1, untilMs: 2 })
  expect(described(scene).filter((text) => !text.startsWith('Requests'))).toEqual([
    'Releases the lease: done',
    'Releases the lease: its task failed with RangeError: done',
    'Completes the tick, together with 1 write of its own: done',
    'Gives back a lease that was granted too late: refused: its condition does not hold',
    'Hands the lease over to e: refused: its condition does not hold',
    'Asks the leader to hand over to e: refused: its condition does not hold',
  ])
})

test('the grant of a successor names the token that had expired', async () => {
  expect(described(await replacement())[1]).toBe(`${GRANTED}: the lease of token N had expired`)
})

test('a request that is repeated after a lost reply was applied before', async () => {
  const scene = wire()
  scene.inject(dropReply)
  const { lease, finish } = await scene.lead('a')
  scene.inject(dropReply)
  await lease.renew()
  scene.inject(dropReply)
  await finish()
  const [renews, completes] = ['Renews the lease until T', 'Completes the tick']
  const again = 'refused, because it was applied before'
  expect(described(scene)).toEqual([
    ...[GRANTED, `Requests the lease until T: ${again}`, `${renews}: done`, `${renews}: ${again}`],
    ...[`${completes}: done`, `${completes}: ${again}`],
  ])
})

const call = (operation = 'PutItem', target = 'rows', body = {}): Call => ({
  ...{ service: 'dynamodb', operation, target, body, requestId: 'a' },
})
const FENCED = { ConditionExpression: '(attribute_not_exists(#tenureFence) OR #tenureFence <= :tenureFence)' }
const fenced = call('PutItem', 'rows', FENCED)
const fencedItem = call('TransactWriteItems', '', { TransactItems: [{ Put: { TableName: 'rows', ...FENCED } }] })

test.each([
  [gatewayCall('POST'), 'Requests a charge from the gateway'],
  [gatewayCall('GET'), 'Looks up an earlier charge'],
  [gatewayCall(), 'Invoke of sandbox'],
  [call('UpdateItem'), 'UpdateItem of rows'],
  [call('ListTables', ''), 'ListTables'],
])('any other request is described: %#', (request, description) => {
  expect(describeRequest(request, LEASES)).toBe(description)
})

const DONE = jsonReply({})
const refusal = (type: string) => dynamodbError(type, 'no')
const REFUSED = refusal('ConditionalCheckFailedException')
const CANCELLED = refusal('TransactionCanceledException')

test.each<[Call, Parameters<typeof describeResult>[2], string]>([
  [call(), { received: 'hangUp' }, 'never arrived'],
  [call(), { received: refusal('ThrottlingException') }, 'ThrottlingException'],
  [call(), { reply: DONE, received: 'hangUp' }, 'done; but the reply was lost'],
  [call(), { received: REFUSED }, 'refused: its condition does not hold'],
  [fenced, { received: REFUSED, successor: 8 }, 'refused: token 8 has taken over'],
  [fencedItem, { received: CANCELLED, successor: 8 }, 'refused: token 8 has taken over'],
  [call(), { received: REFUSED, successor: 8 }, 'refused: its condition does not hold'],
  [call(), { received: DONE, successor: 8 }, 'done, although token 8 has taken over: no fence guards it'],
  [call('GetItem'), { received: DONE, successor: 8 }, 'done'],
  [call(), { received: jsonReply({}, 500), successor: 8 }, 'HTTP 500'],
  [gatewayCall('POST'), { received: jsonReply({ statusCode: 200 }) }, 'done'],
  [gatewayCall('POST'), { received: jsonReply({ statusCode: 402 }) }, 'declined'],
  [gatewayCall('POST'), { received: jsonReply({ statusCode: 503 }) }, 'HTTP 503'],
  [gatewayCall('POST'), { received: jsonReply({ errorType: 'RangeError' }) }, 'failed with RangeError'],
  [
    gatewayCall('POST'),
    { received: jsonReply({ statusCode: 200, headers: { 'idempotent-replayed': 'true' } }) },
    'answered as before, nothing charged',
  ],
])('a result is described: %#', (request, replies, description) => {
  expect(describeResult(request, LEASES, replies)).toBe(description)
})

test('a time is shown to the millisecond in UTC, and an impossible one as its number', () => {
  expect(clock(Date.parse(TICK) + 61_007)).toBe('00:01:01.007')
  expect(clock(8.64e15 + 1)).toBe(String(8.64e15 + 1))
})
