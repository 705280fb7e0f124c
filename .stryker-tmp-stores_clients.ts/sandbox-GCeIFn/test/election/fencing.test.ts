// @ts-nocheck
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import fc from 'fast-check'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import {
  explainRefusedWrite,
  type Fenceable,
  fence,
  fenceAdmits,
  idempotencyKey,
  readSeen,
} from '../../functions/election/fencing.ts'
import {
  DynamoDBLeaseStore,
  InvalidOptionError,
  type Lease,
  StaleTokenError,
  withLease,
} from '../../functions/election/index.ts'
import { compileCondition } from '../../functions/election/testing/dynamodb/condition.ts'
import { editRow } from '../support/lease-row.ts'
import { createLeaseTable, localClient } from '../support/tables.ts'

const FENCE = 'fencingToken:billing'
const Key = { lease: 'rows', record: 'one' }
const BY = { ExpressionAttributeNames: { '#by': 'by' } }
/** Of a write that the caller sends itself. */
const BY_HAND = { fencingToken: 7, step: 0, settled: 0 }
const client = localClient(inject('dynamodbEndpoint'))
const documents = DynamoDBDocumentClient.from(client)

/** A lease table, a table of protected rows, and two leaders of one lease: the first was replaced by the second. */
async function replacement() {
  const tableName = await createLeaseTable(client)
  const TableName = await createLeaseTable(client)
  const store = new DynamoDBLeaseStore({ tableName, client })
  const lead = async (candidate: string) => {
    const started = Promise.withResolvers<Lease>()
    const end = Promise.withResolvers<void>()
    const outcome = withLease({ store, lease: 'billing', candidate }, (lease) => {
      started.resolve(lease)
      return end.promise
    }).catch((error: unknown) => error)
    return { lease: await started.promise, end: end.resolve, outcome }
  }
  const old = await lead('ann')
  await editRow(client, tableName, { expiresAtMs: Date.now() - 60_000 })
  const now = await lead('bob')
  const row = async () => (await documents.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item
  const end = async () => {
    now.end()
    old.end()
    return await Promise.all([now.outcome, old.outcome])
  }
  onTestFinished(async () => void (await end()))
  return { TableName, row, old: old.lease, now: now.lease, end }
}

describe('the fence', () => {
  it.each<[string, (old: Lease, TableName: string) => Promise<unknown>]>([
    ['put', (old, TableName) => old.send({ TableName, Item: { ...Key, by: 'old' } })],
    ['update', (old, TableName) => old.send({ TableName, Key, UpdateExpression: 'REMOVE #by', ...BY })],
    ['deletion', (old, TableName) => old.send({ TableName, Key })],
    ['claim', (old, TableName) => old.claim({ TableName, Key })],
  ])('rejects the %s of a replaced leader on a row that its successor wrote', async (_, write) => {
    const { TableName, row, old, now, end } = await replacement()
    await now.send({ TableName, Item: { ...Key, by: 'new' } })
    const error = await write(old, TableName).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(StaleTokenError)
    const [fencingToken, seenToken] = [old.fencingToken, now.fencingToken]
    expect(error).toMatchObject({ fencingToken, seenToken, lease: 'billing' })
    expect(await row()).toMatchObject({ ...Key, by: 'new', [FENCE]: now.fencingToken })
    expect(await end()).toMatchObject([{ status: 'completed' }, { name: 'LeaseLostError' }])
  })

  it('lets a row pass whose stamp is not its own, and takes a SET however it is written', async () => {
    const { TableName, row, now } = await replacement()
    const stamp = { [FENCE]: now.fencingToken, 'fencingStep:billing': 'edited by hand' }
    await documents.send(new PutCommand({ TableName, Item: { ...Key, ...stamp } }))
    const values = { ExpressionAttributeNames: { '#n': 'n' }, ExpressionAttributeValues: { ':n': 1 } }
    await now.send({ TableName, Key, UpdateExpression: 'SET#n = :n', ...values })
    expect(await row()).toMatchObject({ n: 1, 'fencingStep:billing': { step: 1 } })
  })

  it('lets the newer leader write over the older one’s rows, update and delete them', async () => {
    const { TableName, row, old, now } = await replacement()
    await old.send({ TableName, Item: { ...Key, count: 1 } })
    const values = { ExpressionAttributeNames: { '#set': 'set' }, ExpressionAttributeValues: { ':one': 1 } }
    const update = { UpdateExpression: 'ADD visits :one SET #set = :one', ...values, ReturnValues: 'ALL_NEW' as const }
    const updated = await now.send({ TableName, Key, ...update })
    expect(updated).toMatchObject({ ...Key, count: 1, visits: 1, set: 1, [FENCE]: now.fencingToken })
    await now.send({ TableName, Key, UpdateExpression: 'REMOVE visits' })
    expect(await row()).toMatchObject({ ...Key, count: 1, set: 1, [FENCE]: now.fencingToken })
    await now.send({ TableName, Key })
    expect(await row()).toBeUndefined()
  })

  it('does not take an older leader’s step for its own after it wrote the row without one', async () => {
    const { TableName, row, old, now } = await replacement()
    const visit = { TableName, Key, UpdateExpression: 'ADD visits :one', ExpressionAttributeValues: { ':one': 1 } }
    for (const _ of [1, 2, 3]) await old.send(visit)
    await documents.send(new UpdateCommand(now.fence(visit)))
    for (const _ of [1, 2]) await now.send(visit)
    expect(await row()).toMatchObject({ visits: 6 })
  })

  it('orders writes, but a claim is what protects a read: after it the older leader cannot write', async () => {
    const { TableName, row, old, now } = await replacement()
    await old.send({ TableName, Item: { ...Key, balance: 5 } })
    expect(await now.claim({ TableName, Key })).toMatchObject({ ...Key, balance: 5, [FENCE]: now.fencingToken })
    await expect(old.send({ TableName, Item: { ...Key, balance: 0 } })).rejects.toThrow(StaleTokenError)
    expect(await row()).toMatchObject({ balance: 5 })
  })

  it('a claim may be bound to a condition, and creates no row that the condition requires', async () => {
    const { TableName, row, now } = await replacement()
    const claim = now.claim({ TableName, Key, ConditionExpression: 'attribute_exists(lease)' })
    await expect(claim).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' })
    expect(await row()).toBeUndefined()
  })

  it('keeps leases apart: two leases may protect the same row', () => {
    const once = fence({ TableName: 't', Item: { id: 1 } }, 'billing', { ...BY_HAND, settled: 3 })
    expect(once).toEqual({
      TableName: 't',
      Item: { id: 1, 'fencingToken:billing': 7, 'fencingStep:billing': { fencingToken: 7, step: 0, settled: 3 } },
      ConditionExpression: '(attribute_not_exists(#tenureFence) OR #tenureFence <= :tenureFence)',
      ExpressionAttributeNames: { '#tenureFence': 'fencingToken:billing' },
      ExpressionAttributeValues: { ':tenureFence': 7 },
    })
    expect(() => fence(once, 'reports', BY_HAND)).toThrow(InvalidOptionError)
  })

  it.each([
    ['SET a = :a', 'SET #tenureFence = :tenureFence, a = :a'],
    ['set a = :a remove b', 'set #tenureFence = :tenureFence, a = :a remove b'],
    ['REMOVE b SET a = :a', 'REMOVE b SET #tenureFence = :tenureFence, a = :a'],
    ['REMOVE #set, #SET', 'REMOVE #set, #SET SET #tenureFence = :tenureFence'],
    ['ADD offset :SET', 'ADD offset :SET SET #tenureFence = :tenureFence'],
    ['REMOVE offset, asset', 'REMOVE offset, asset SET #tenureFence = :tenureFence'],
    ['', 'SET #tenureFence = :tenureFence'],
    [undefined, 'SET #tenureFence = :tenureFence'],
  ])('adds itself to the update %j', (UpdateExpression, expected) => {
    expect(fence({ UpdateExpression }, 'billing', BY_HAND)).toMatchObject({ UpdateExpression: expected })
  })

  it.each<object>([
    { AttributeUpdates: {} },
    { Expected: {} },
    { ConditionalOperator: 'AND' },
    ...['#tenureFence', '#tenureStep'].map((name) => ({ ExpressionAttributeNames: { [name]: 'x' } })),
    ...[':tenureFence', ':tenureStep', ':tenureStamp'].map((name) => ({ ExpressionAttributeValues: { [name]: 1 } })),
  ])('refuses %j, which would undo it', (input) => {
    expect(() => Reflect.apply(fence, undefined, [input, 'billing', BY_HAND])).toThrow(InvalidOptionError)
  })

  const [seven, nine] = [{ N: '7' }, { N: '9' }]
  const written = (fencingToken: { N: string }) => ({ M: { fencingToken, step: { N: '4' }, settled: { N: '2' } } })
  const [STEP, others] = ['fencingStep:billing', { 'fencingToken:reports': nine }]
  it.each<[string, Parameters<typeof readSeen>[0], object]>([
    ['token and step', { [FENCE]: seven, ...others, [STEP]: written(seven) }, { fencingToken: 7, step: 4, settled: 2 }],
    ['token alone', { [FENCE]: seven }, { fencingToken: 7 }],
    ['step of another token', { [FENCE]: seven, [STEP]: written(nine) }, { fencingToken: 7 }],
    ['values of others', { [FENCE]: { S: '7' }, [STEP]: { L: [] } }, {}],
    ['missing row', undefined, {}],
  ])('reads what a row remembers of one lease, and nothing that a fence did not write: %s', (_, item, seen) => {
    const nothing = { fencingToken: undefined, step: undefined, settled: undefined }
    expect(readSeen(item, 'billing')).toEqual({ ...nothing, ...seen })
  })

  it('admits by its rules what DynamoDB admits by its condition', () => {
    const number = (value: number) => ({ N: String(value) })
    const stamp = (token: number, of: number, step: number, settled: number) => ({
      [FENCE]: number(token),
      [STEP]: { M: { fencingToken: number(of), step: number(step), settled: number(settled) } },
    })
    const near = [3, 4, 5]
    const stamped = near.flatMap((step) =>
      near.flatMap((settled) => [stamp(6, 6, step, settled), stamp(7, 6, step, settled), stamp(7, 7, step, settled)]),
    )
    const rows = [{}, ...[6, 7, 8].map((token) => ({ [FENCE]: number(token) })), ...stamped]
    for (const step of [0, 4]) {
      const write = { fencingToken: 7, step, settled: 2 }
      const { ConditionExpression = '', ExpressionAttributeNames: names = {} } = fence<Fenceable>({}, 'billing', write)
      const { test } = compileCondition(ConditionExpression)
      const values = { ':tenureFence': seven, ':tenureStep': number(step) }
      for (const row of rows) {
        expect({ row, step, isAdmitted: fenceAdmits(readSeen(row, 'billing'), write) }).toEqual({
          ...{ row, step },
          isAdmitted: test(row, { names, values }),
        })
      }
    }
  })

  it.each([
    [undefined, undefined, 'absent'],
    [6, 4, 'absent'],
    [8, 4, 'stale'],
    [7, 4, 'mine'],
    [7, 5, 'covered'],
    [7, 3, 'covered'],
    [7, 2, 'absent'],
    [7, 0, 'covered'],
    [7, undefined, 'covered'],
  ])('finds from token %j and step %j that a refused write is %s', (fencingToken, step, expected) => {
    const seen = { fencingToken, step, settled: undefined }
    expect(explainRefusedWrite(seen, { fencingToken: 7, step: 4, settled: 2 })).toBe(expected)
  })

  it('does not change the input it was given, and keeps its condition', () => {
    const ExpressionAttributeValues = { ':a': 1 }
    const input = { TableName: 't', Key: { id: 1 }, ConditionExpression: 'a = :a OR b = :a', ExpressionAttributeValues }
    const before = structuredClone(input)
    expect(fence(input, 'billing', BY_HAND)).toMatchObject({
      ConditionExpression:
        '(a = :a OR b = :a) AND (attribute_not_exists(#tenureFence) OR #tenureFence <= :tenureFence)',
      ExpressionAttributeValues: { ':a': 1, ':tenureFence': 7 },
    })
    expect(input).toEqual(before)
  })
})

describe('the idempotency key', () => {
  it('is the business unit, readable and the same for every leader', () => {
    expect(idempotencyKey(['charge', 'customer-7', '2024-02-29', 0])).toBe('charge:customer-7:2024-02-29:0')
  })

  it('separates different units, whatever they contain', () => {
    const part = fc.oneof(fc.string({ minLength: 1, unit: fc.constantFrom(':', '%', 'a', '3', 'ü') }), fc.integer())
    const unit = fc.array(part, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(unit, unit, (a, b) => {
        fc.pre(JSON.stringify(a.map(String)) !== JSON.stringify(b.map(String)))
        expect(idempotencyKey(a)).not.toBe(idempotencyKey(b))
      }),
    )
  })

  it('fits into 255 characters, as Stripe asks', () => {
    const long = idempotencyKey(['charge', 'x'.repeat(300)])
    expect(long).toMatch(/^[0-9a-f]{64}$/)
    expect(long).not.toBe(idempotencyKey(['charge', 'x'.repeat(301)]))
    expect(idempotencyKey(['x'.repeat(255)])).toHaveLength(255)
  })

  it('shows which part is wrong, and not at length', () => {
    const refused = () => Reflect.apply(idempotencyKey, undefined, [['charge', 7, undefined, 10n ** 99n]])
    expect(refused).toThrow(`But it got (string, number, undefined, 1${'0'.repeat(59)}).`)
  })

  it.each([[[]], ...['', Number.NaN, undefined, {}, '\ud800'].map((part) => [['charge', part]])])(
    'refuses %j',
    (unit: unknown[]) => {
      expect(() => Reflect.apply(idempotencyKey, undefined, [unit])).toThrow(InvalidOptionError)
    },
  )
})
