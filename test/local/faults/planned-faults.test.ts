import { DynamoDBDocumentClient, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { expect, test } from 'vitest'
import { type Charge, chargesTable } from '../../../functions/billing/ledger.ts'
import { subscriptionsTable } from '../../../functions/billing/subscriptions.ts'
import { fence } from '../../../functions/election/fencing.ts'
import { callKindOf, GatewayWatch, PlannedFaults } from '../../../infra/local/faults/planned-faults.ts'
import type { Protection } from '../../../infra/local/faults/protections.ts'
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

test('writes of the lease and charges have a kind; lookups, queries and writes of the gateway have none', () => {
  expect(callKindOf({ ...ofDynamoDB, target: 'leases', body: {} }, PLACES)).toBe('lease')
  expect(callKindOf(gatewayCall('POST'), PLACES)).toBe('charge')
  expect(callKindOf(gatewayCall('GET'), PLACES)).toBeUndefined()
  expect(callKindOf({ ...ofDynamoDB, target: 'sandbox', body: {} }, PLACES)).toBeUndefined()
  expect(callKindOf({ ...ofDynamoDB, operation: 'Query', target: 'charges', body: {} }, PLACES)).toBeUndefined()
})

test.each<[readonly Protection[], number]>([
  [['lease'], 0],
  [['fence'], 1],
  [['key', 'fence'], 1],
])('with %j switched off, %d fence is removed on the wire', async (without, removed) => {
  const options = { killLeader: undefined, freezeLeader: undefined, chaos: undefined, ticks: 3, without }
  const never = () => Promise.reject(new Error('no process is there'))
  const faults = new PlannedFaults(options, PLACES, {
    processes: { kill: never, freeze: () => false, thaw: () => false },
    onFault: () => {},
    deliverAgain: never,
    pastLeaseMs: 1,
    signal: AbortSignal.abort(),
  })
  const input = fence({ TableName: 'rows', Item: { id: '1' } }, 'billing', STAMP)
  const call = { ...ofDynamoDB, operation: 'PutItem', target: 'rows', body: { ...input } }
  let passed: unknown
  await faults.intercept(call, async (body) => {
    passed = body
    return jsonReply({})
  })
  expect(passed === undefined ? 0 : 1).toBe(removed)
  expect(faults.planned()).toBe(0)
  expect(faults.injected()).toEqual([])
})

const REPLAYED = { 'idempotent-replayed': 'true' }

function gateway() {
  const watch = new GatewayWatch()
  const send = async (customer: string, statusCode: number, headers: object = {}, method = 'POST') => {
    const form = new URLSearchParams({ customer, 'metadata[plan]': 'p', 'metadata[period]': '2024-01-31' })
    const call = { ...gatewayCall(), body: { method, body: form.toString() } }
    const reply = jsonReply({ statusCode, headers, body: '{}' })
    expect(await watch.intercept(call, async () => reply)).toBe(reply)
  }
  return { watch, send }
}

test('charged and declined units are answered; failures and lookups are not', async () => {
  const { watch, send } = gateway()
  await send('c-1', 200)
  await send('c-2', 402)
  await send('c-3', 500)
  await send('c-4', 200, {}, 'GET')
  expect(watch.answered()).toBe(2)
})

test('a unit counts once per tick, and repeated answers count over the whole run', async () => {
  const { watch, send } = gateway()
  await send('c-1', 200)
  await send('c-1', 200, REPLAYED)
  expect([watch.answered(), watch.replayedRequests()]).toEqual([1, 1])
  watch.tickStarts()
  expect([watch.answered(), watch.replayedRequests()]).toEqual([0, 1])
})
