import { DynamoDBDocumentClient, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { expect, test } from 'vitest'
import { type Charge, chargesTable } from '../../../functions/billing/ledger.ts'
import { subscriptionsTable } from '../../../functions/billing/subscriptions.ts'
import { fence } from '../../../functions/election/fencing.ts'
import { kindOf } from '../../../infra/local/faults/calls.ts'
import { localClient } from '../../support/tables.ts'

const PLACES = { leaseTable: 'leases', subscriptionsTable: 'subscriptions', chargesTable: 'charges' }
const ofDynamoDB = { service: 'dynamodb', operation: 'UpdateItem', requestId: 'r-1' } as const

/** A lease that only says what kind of call each write would be. */
function spy() {
  const kinds: unknown[] = []
  const note = (input: object) => {
    const {
      TableName = '',
      ExpressionAttributeValues,
      ...rest
    }: Partial<UpdateCommandInput> = fence(input, 'billing', { fencingToken: 1, step: 1, settled: 0 })
    const values = marshall(ExpressionAttributeValues ?? {}, { removeUndefinedValues: true })
    const body = { ...rest, ExpressionAttributeValues: values }
    kinds.push(kindOf({ ...ofDynamoDB, target: TableName, body }, PLACES))
  }
  const send = async (input: object) => {
    note(input)
    return { ...ROW }
  }
  const claim = async (key: object) => {
    note({ ...key, UpdateExpression: '', ReturnValues: 'ALL_NEW' }) // as the lease's handle does
    return { ...ROW }
  }
  return { kinds, lease: { send, claim, fencingToken: 1, idempotencyKey: () => 'k-1' } }
}

const ORDER = {
  ...{ customer: 'c-1', plan: 'basic', period: '2024-01-31', dunned: 0 },
  ...{ amountMinor: 999, currency: 'EUR', paymentMethod: 'card_1' },
}
const CHARGE: Charge = { ...ORDER, key: 'k-1', status: 'intended', fresh: true }
const ROW = { ...CHARGE, intendedBy: 1, interval: 'month', anchorDay: 31, priceMinor: 999, timeZone: 'Etc/UTC' }
const DUE = { ...ORDER, interval: 'month', anchorDay: 31, priceMinor: 999, timeZone: 'Etc/UTC' } as const

test('every write of the task is known by its step', async () => {
  const { kinds, lease } = spy()
  const documents = DynamoDBDocumentClient.from(localClient('http://127.0.0.1:1'))
  const subscriptions = subscriptionsTable(documents, PLACES.subscriptionsTable)
  const ledger = chargesTable(PLACES.chargesTable)
  await subscriptions.claimDue(lease, ORDER, '2024-01-31T00:00:00.000Z')
  await ledger.intend(lease, ORDER, '2024-01-31T00:00:00.000Z', 1)
  await ledger.answer(lease, CHARGE, { status: 'charged', chargeId: 'pi_1', replayed: false }, 2)
  await ledger.answer(lease, CHARGE, 'unknown', 2)
  await subscriptions.moveOn(lease, DUE, { dunned: 1, status: 'suspended' })
  expect(kinds).toEqual(['claim', 'intent', 'answer', 'unknown', 'move'])
})

test('every write of the lease is one, and a charge is told from a question', () => {
  expect(kindOf({ ...ofDynamoDB, target: 'leases', body: {} }, PLACES)).toBe('lease')
  const invoke = { service: 'lambda', operation: 'Invoke', target: 'sandbox', requestId: 'r-1' } as const
  expect(kindOf({ ...invoke, body: { method: 'POST' } }, PLACES)).toBe('charge')
  expect(kindOf({ ...invoke, body: { method: 'GET' } }, PLACES)).toBeUndefined()
})

test('what the gateway stores, and what is only read, is left alone', () => {
  expect(kindOf({ ...ofDynamoDB, target: 'sandbox', body: {} }, PLACES)).toBeUndefined()
  expect(kindOf({ ...ofDynamoDB, operation: 'Query', target: 'charges', body: {} }, PLACES)).toBeUndefined()
})
