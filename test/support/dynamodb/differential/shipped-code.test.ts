/** The simulated DynamoDB answers what the shipped code sends with the AWS SDK as DynamoDB Local does. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { DynamoDBLeaseStore, withLease } from '../../../../functions/election/index.ts'
import { leaseStoreConformance } from '../../../../functions/election/testing/index.ts'
import { CARD } from '../../../../functions/sandbox/cards.ts'
import { sandbox } from '../../../../functions/sandbox/sandbox.ts'
import { tableStore } from '../../../../functions/sandbox/store.ts'
import { monthly, setScene, TICK } from '../../../billing/scene.ts'
import { orderWith, post } from '../../../sandbox/orders.ts'
import { editRow, storeUnderTest } from '../../lease-row.ts'
import { createLeaseTable, createSandboxTable, localClient } from '../../tables.ts'
import { sendTo, serve } from '../wire.ts'
import { Both } from './both.ts'

const stack = new AsyncDisposableStack()
let both: Both
let endpoint: string
let client: DynamoDBClient

beforeAll(async () => {
  both = new Both(sendTo(inject('dynamodbEndpoint')))
  endpoint = stack.use(await serve((operation, body) => both.send(operation, body))).endpoint
  client = localClient(endpoint)
  stack.defer(() => client.destroy())
})
afterAll(() => stack.disposeAsync())
afterEach(() => {
  expect(both.differences.splice(0)).toEqual([])
})

describe('a lease store', () => {
  leaseStoreConformance({
    describe,
    it,
    createStore: () => storeUnderTest(client),
  })
})

it('a leader that claims, writes, guards and completes with effects, and one that is replaced', async () => {
  const tableName = await createLeaseTable(client)
  const TableName = await createLeaseTable(client)
  const Key = { lease: 'row', record: 'ROW' }
  const OTHER = { ...Key, lease: 'other' }
  const store = new DynamoDBLeaseStore({ tableName, client })
  const common = { store, lease: 'billing', periodMs: 3_600_000 }

  const replaced = withLease({ ...common, candidate: 'ann', tick: TICK }, async (old) => {
    await old.send({ TableName, Item: { ...Key, by: 'ann', list: [1, { two: 2.5 }], set: new Set(['a']) } })
    await old.saveCheckpoint({ upTo: 1 })
    await editRow(client, tableName, { expiresAtMs: Date.now() - 60_000 })
    await withLease({ ...common, candidate: 'bob', tick: TICK }, async (now) => {
      expect(await now.claim({ TableName, Key })).toMatchObject({ by: 'ann' })
      await expect(old.send({ TableName, Item: Key })).rejects.toThrow('written under token')
      await expect(old.transact([{ Put: { TableName, Item: Key } }])).rejects.toThrow('no longer leads')
      const ExpressionAttributeValues = { ':by': 'bob', ':one': 1 }
      const UpdateExpression = 'SET #by = :by ADD #count :one'
      const ExpressionAttributeNames = { '#by': 'by', '#count': 'count' }
      await now.send({ TableName, Key, UpdateExpression, ExpressionAttributeNames, ExpressionAttributeValues })
      await now.transact([{ Delete: { TableName, Key: OTHER } }])
      const ConditionExpression = 'attribute_exists(lease)'
      const impossible = { Put: { TableName, Item: OTHER, ConditionExpression } }
      await expect(now.transact([impossible])).rejects.toMatchObject({ name: 'TransactionCanceledException' })
      await now.send({
        TableName,
        Key,
        ConditionExpression: 'attribute_exists(#by) OR #by = :by',
        ExpressionAttributeNames: { '#by': 'by' },
        ExpressionAttributeValues: { ':by': 'bob' },
      })
      await now.complete([{ Put: { TableName, Item: Key, ConditionExpression: 'attribute_not_exists(lease)' } }])
    })
  })
  await expect(replaced).rejects.toThrow('no longer leads')
  expect(both.outcomes.get('TransactWriteItems done')).toBeGreaterThan(1)
})

it('billing: charged, declined, of unknown outcome, charged by the next leader, and found in the index', async () => {
  const subscriptions = [
    monthly('cus_paid'),
    monthly('cus_late', { dueDate: '2023-11-30' }),
    monthly('cus_declined', { paymentMethod: CARD.declined }),
    monthly('cus_told_500', { paymentMethod: CARD.toldAFailure }),
    monthly('cus_later', { dueDate: '2024-02-01' }),
  ]
  await using scene = await setScene(endpoint, subscriptions)
  const died = scene.lead(TICK, ({ ledger }) => ({
    ledger: { ...ledger, answer: () => Promise.reject(new Error('died behind the charge')) },
  }))
  await expect(died).rejects.toThrow()
  await scene.expireLease()
  await scene.lead(TICK).catch(() => undefined)
  await scene.expireLease()
  await scene.lead(TICK).catch(() => undefined)
  await scene.lead('2024-02-01T12:00:00.000Z').catch(() => undefined)
  expect(scene.charges().map(({ customer }) => customer)).toEqual(expect.arrayContaining(['cus_paid', 'cus_told_500']))
  expect(both.outcomes.get('Query done')).toBeGreaterThan(10)
})

it('the sandbox: a charge, its repetition, a late answer, and all charges of a customer', async () => {
  const store = tableStore(client, await createSandboxTable(client))
  const ask = sandbox({ store, now: () => 1_795_000_000_000, sleep: async () => undefined })
  for (const card of Object.values(CARD)) {
    await ask(post(card, orderWith(card)))
    await ask(post(card, orderWith(card)))
  }
  expect((await store.list('cus_1')).length).toBeGreaterThan(3)
})
