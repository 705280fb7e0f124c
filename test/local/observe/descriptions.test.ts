import { describe, expect, test } from 'vitest'
import { withLease } from '../../../functions/election/index.ts'
import type { Call } from '../../../infra/local/lambda-host/interceptor.ts'
import { dynamodbError } from '../../../infra/local/lambda-host/services.ts'
import { clock, describeRequest, describeResult } from '../../../infra/local/observe/descriptions.ts'
import {
  dropReply,
  gatewayCall,
  jsonReply,
  LEASES,
  libraryExchanges,
  put,
  replacement,
  TICK,
  type Wire,
  wire,
} from './wire.ts'

const requestsOf = ({ exchanges }: Wire) => exchanges.map(({ call }) => describeRequest(call, LEASES))
const resultsOf = ({ exchanges }: Wire) =>
  exchanges.map(({ call, reply }) => describeResult(call, LEASES, { reply, received: reply }))

const UNTIL = String.raw`until \d\d:\d\d:\d\d\.\d\d\d`

describe('of the library’s own requests', () => {
  test('a tenure reads from its beginning to its end', async () => {
    const scene = wire()
    const { lease, finish } = await scene.lead('a')
    await lease.renew()
    await lease.saveCheckpoint({ upTo: 7 })
    await lease.send(put())
    await lease.transact([{ Put: put('2') }])
    await lease.transact([{ Put: put('2') }, { Delete: { TableName: 'rows', Key: { id: '3' } } }])
    await finish()
    expect(requestsOf(scene)).toEqual([
      expect.stringMatching(`^Requests the lease ${UNTIL}$`),
      expect.stringMatching(`^Renews the lease ${UNTIL}$`),
      expect.stringMatching(`^Saves a checkpoint, and renews the lease ${UNTIL}$`),
      'Puts a row into rows, unless a newer leader has written it',
      'Sends 1 write of its own, if it still leads',
      'Sends 2 writes of its own, if it still leads',
      'Completes the tick',
    ])
    expect(resultsOf(scene)).toEqual([expect.stringMatching(/^granted, with token \d{13}$/), ...Array(6).fill('done')])
  })

  test('the ends of a tenure differ', async () => {
    const scene = wire()
    await withLease(scene.optionsOf('a'), (lease) => lease.release())
    await (await scene.lead('b')).fail(new RangeError('no'))
    await withLease(scene.optionsOf('c'), (lease) => lease.complete([{ Put: put() }]))
    await scene.optionsOf('d').store?.giveBack({ lease: 'billing', candidate: 'd', attempt: 'x', nowMs: 1 })
    expect(requestsOf(scene).filter((text) => !text.startsWith('Requests'))).toEqual([
      'Releases the lease',
      'Releases the lease: its task failed with RangeError',
      'Completes the tick, together with 1 write of its own',
      'Gives back a lease that was granted too late',
    ])
  })

  test('a refused acquire names the leader, or says that the lease is not available', async () => {
    const scene = wire()
    const { lease, finish } = await scene.lead('a')
    await withLease(scene.optionsOf('b'), () => {})
    await finish()
    await withLease(scene.optionsOf('b'), () => {})
    expect(resultsOf(scene)[1]).toMatch(new RegExp(`^refused: token ${lease.fencingToken} leads ${UNTIL}$`))
    expect(resultsOf(scene).at(-1)).toBe('refused: the lease is not available for this tick')
  })

  test('the grant of a successor names the token that had expired', async () => {
    const scene = await replacement()
    const [before, token] = [scene.old, scene.current].map(({ lease }) => lease.fencingToken)
    expect(resultsOf(scene)[1]).toBe(`granted, with token ${token}: the lease of token ${before} had expired`)
  })

  test('a request that is repeated after a lost reply was applied before', async () => {
    const scene = wire()
    scene.inject(dropReply)
    const { lease, finish } = await scene.lead('a')
    for (const send of [() => lease.renew(), () => lease.send(put()), finish]) {
      scene.inject(dropReply)
      await send()
    }
    const repeated = 'refused, because it was applied before'
    const granted = expect.stringMatching(/^granted, with token \d+$/)
    expect(resultsOf(scene)).toEqual([granted, repeated, ...Array(3).fill(['done', repeated]).flat()])
  })

  test('a refused acquire without the time of expiry names only the leader', async () => {
    const { call } = (await libraryExchanges()).found('acquire')
    const Item = { holder: { S: 'ann' }, fencingToken: { N: '7' } }
    const reply = dynamodbError('ConditionalCheckFailedException', 'no', 400, { Item })
    expect(describeResult(call, LEASES, { reply, received: reply })).toBe('refused: token 7 leads')
  })
})

const call = (operation = 'PutItem', target = 'rows', body = {}): Call => ({
  ...{ service: 'dynamodb', operation, target, body, requestId: 'a' },
})
const FENCED = { ConditionExpression: '(attribute_not_exists(#tenureFence) OR #tenureFence <= :tenureFence)' }
const fenced = call('PutItem', 'rows', FENCED)
const fencedItem = call('TransactWriteItems', '', { TransactItems: [{ Put: { TableName: 'rows', ...FENCED } }] })

test.each([
  [gatewayCall('POST'), 'Requests a charge from the gateway'],
  [gatewayCall('GET'), 'Looks up an earlier charge at the gateway'],
  [gatewayCall(), 'Invokes sandbox'],
  [call('UpdateItem'), 'Updates a row of rows'],
  [call('DeleteItem'), 'Deletes a row of rows'],
  [call('GetItem'), 'Reads a row of rows'],
  [call('Query'), 'Queries rows of rows'],
  [call('DescribeTable'), 'DescribeTable of rows'],
  [call('ListTables', ''), 'ListTables'],
])('any other request is described: %#', (request, description) => {
  expect(describeRequest(request, LEASES)).toBe(description)
})

const DONE = jsonReply({})
const refusal = (type: string) => dynamodbError(type, 'no')
const REFUSED = refusal('ConditionalCheckFailedException')
const CANCELLED = refusal('TransactionCanceledException')
const ERROR = jsonReply({}, 500)
const [CHARGED, TIMED_OUT] = [jsonReply({ statusCode: 200 }), jsonReply({ statusCode: 504 })]

test.each<[Call, Parameters<typeof describeResult>[2], string]>([
  [call(), { received: 'hangUp' }, 'never arrived'],
  [call(), { received: refusal('ThrottlingException') }, 'blocked on its way: ThrottlingException'],
  [call(), { reply: DONE, received: 'hangUp' }, 'done; but the reply was lost'],
  [call(), { reply: REFUSED, received: REFUSED }, 'refused: its condition does not hold'],
  [fenced, { reply: REFUSED, received: REFUSED, successor: 8 }, 'refused: token 8 has taken over'],
  [fencedItem, { reply: CANCELLED, received: CANCELLED, successor: 8 }, 'refused: token 8 has taken over'],
  [call(), { reply: REFUSED, received: REFUSED, successor: 8 }, 'refused: its condition does not hold'],
  [call(), { reply: DONE, received: DONE, successor: 8 }, 'done, although token 8 has taken over: no fence guards it'],
  [call('GetItem'), { reply: DONE, received: DONE, successor: 8 }, 'done'],
  [call(), { reply: ERROR, received: ERROR, successor: 8 }, 'HTTP 500'],
  [gatewayCall('POST'), { reply: CHARGED, received: TIMED_OUT }, 'done; but the function received another reply'],
])('a result is described: %#', (request, replies, description) => {
  expect(describeResult(request, LEASES, replies)).toBe(description)
})

test.each([
  [{ statusCode: 200 }, 'done'],
  [{ statusCode: 402 }, 'declined'],
  [{ statusCode: 503 }, 'HTTP 503'],
  [{ statusCode: 200, headers: { 'idempotent-replayed': 'true' } }, 'answered as before, nothing charged'],
  [{ errorType: 'RangeError', errorMessage: 'no' }, 'failed with RangeError'],
  [null, 'done'],
])('the gateway’s reply %j means: %s', (body, description) => {
  const reply = jsonReply(body)
  expect(describeResult(gatewayCall('POST'), LEASES, { reply, received: reply })).toBe(description)
})

test('a time is shown to the millisecond in UTC, and an impossible one as its number', () => {
  expect(clock(Date.parse(TICK) + 61_007)).toBe('00:01:01.007')
  expect(clock(8.64e15 + 1)).toBe(String(8.64e15 + 1))
})
