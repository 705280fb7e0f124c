/** Ends and effects whose replies are lost, late or doubled, on a real network. */
// @ts-nocheck

import { inspect } from 'node:util'
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { describe, expect, it, vi } from 'vitest'
import { DynamoDBLeaseStore, type Lease, withLease } from '../../functions/election/index.ts'
import { createLeaseTable } from '../support/tables.ts'
import { answerError, gate, loseReply, type WireRequest } from '../support/tcp-proxy.ts'
import { counted, countUp, direct, is, LEASE_MS, scene, sdk, TICK } from './wire-scene.ts'

describe('no call succeeds without its effect', () => {
  it('a completion with items on a lease that is completed already throws, and so do its items', async () => {
    const { options } = await scene()
    const effects = await createLeaseTable(direct)
    const outcome = await withLease(options(), async (lease) => {
      await lease.complete()
      await lease.complete() // idempotent
      await expect(lease.complete([countUp(effects)])).rejects.toThrow(/was completed before/)
    })
    expect(outcome).toMatchObject({ status: 'completed' })
    expect(await counted(effects)).toBe(0)
  })

  it.each([
    ['a completion', (lease: Lease) => lease.complete()],
    ['a completion with other items', (lease: Lease, table: string) => lease.complete([countUp(table)])],
  ])('nor one behind %s that is still under way', async (_, first) => {
    const { options } = await scene()
    const effects = await createLeaseTable(direct)
    const outcome = await withLease(options(), async (lease) => {
      const both = await Promise.allSettled([first(lease, effects), lease.complete([countUp(effects), other(effects)])])
      expect(both).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: { name: 'LeaseLostError' } }])
      expect(() => lease.assertHeld()).toThrow('was completed by this candidate itself')
    })
    expect(outcome).toMatchObject({ status: 'completed' })
    expect(await counted(effects)).toBeLessThanOrEqual(1)
  })
})

const other = (TableName: string) => ({ Put: { TableName, Item: { lease: 'effects', record: 'OTHER' } } })

describe('a renewal that hangs', () => {
  it('holds up no completion, and changes nothing when it arrives behind it', async () => {
    const { proxy, options, clock, kinds, row } = await scene()
    const hanging = gate()
    proxy.meet(is('renew'), hanging.fault)
    const lost = vi.fn()
    const onEvent = ({ kind }: { kind: string }) => void (kind === 'lost' && lost())
    const outcome = await withLease(options({ onEvent }), async () => {
      await clock.advance(LEASE_MS / 3)
      await hanging.reached
    })
    expect(outcome).toMatchObject({ status: 'completed' })
    expect(kinds()).toEqual(['acquire', 'renew', 'complete'])
    expect(await row()).toMatchObject({ completedTick: TICK, step: 2 })
    hanging.open()
    const completed = await row()
    for (const copy of proxy.requests.filter(is('renew'))) {
      expect(await proxy.resend(copy)).toBe('ConditionalCheckFailedException')
    }
    expect(await row()).toEqual(completed)
    expect(lost).not.toHaveBeenCalled()
    expect(clock.sleeping).toBe(0)
  })

  it('goes on behind a completion that the caller’s own condition refused', async () => {
    const { options, clock, kinds } = await scene()
    const effects = await createLeaseTable(direct)
    const impossible = { Put: { ...other(effects).Put, ConditionExpression: 'attribute_exists(times)' } }
    await withLease(options(), async (lease) => {
      await expect(lease.complete([impossible])).rejects.toMatchObject({ name: 'TransactionCanceledException' })
      await clock.advance(LEASE_MS / 3)
      await vi.waitFor(() => expect(kinds()).toEqual(['acquire', 'TransactWriteItems', 'renew']))
      lease.assertHeld()
    })
  })
})

describe('guarded effects', () => {
  it('whose first try arrives late, behind a conflict and a try that was applied, take place once', async () => {
    const { proxy, options } = await scene()
    const effects = await createLeaseTable(direct)
    const conflict = answerError('TransactionCanceledException', 'Transaction cancelled', {
      CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }],
    })
    proxy.meet(is('TransactWriteItems'), conflict)
    await withLease(options(), async (lease) => {
      await lease.transact([countUp(effects)])
      const tries = proxy.requests.filter(is('TransactWriteItems'))
      expect(tries).toHaveLength(2)
      for (const late of tries) await proxy.resend(late)
      expect(await counted(effects)).toBe(1)
      await lease.transact([countUp(effects)]) // another call is another transaction
    })
    expect(await counted(effects)).toBe(2)
  })
})

/** The way to a table of protected rows, and one of those rows. */
async function rowScene() {
  const { proxy, options, tableName } = await scene()
  const TableName = await createLeaseTable(direct)
  const Key = { lease: 'rows', record: 'one' }
  const row = async () => {
    const WireKey = { lease: { S: 'rows' }, record: { S: 'one' } }
    return (await direct.send(new GetItemCommand({ TableName, Key: WireKey, ConsistentRead: true }))).Item ?? {}
  }
  const isWrite = ({ body }: WireRequest) => body.TableName === TableName
  const copies = () => proxy.requests.filter(isWrite)
  const update = (UpdateExpression: string, value: number) => {
    return { TableName, Key, UpdateExpression, ExpressionAttributeValues: { ':value': value } }
  }
  const setTo = (value: number) => update('SET amount = :value', value)
  return { proxy, options, tableName, TableName, Key, row, isWrite, copies, setTo, add: update('ADD times :value', 1) }
}

async function protectedRow(act: (lease: Lease, tools: Awaited<ReturnType<typeof rowScene>>) => Promise<void>) {
  const tools = await rowScene()
  await withLease(tools.options(), (lease) => act(lease, tools))
}

describe('an effect whose first reply is lost', () => {
  it.each([
    ['a raw client', (client: DynamoDBClient) => client, 1],
    ['a document client', (client: DynamoDBClient) => DynamoDBDocumentClient.from(client), 1],
    [
      'a document client with options of its own',
      (client: DynamoDBClient) => DynamoDBDocumentClient.from(client, { unmarshallOptions: { wrapNumbers: String } }),
      '1',
    ],
  ])('returns the row in the form of %s if it was asked for it, as a claim does', async (_, clientOf, times) => {
    const { proxy, options, tableName, TableName, Key, isWrite } = await rowScene()
    const store = new DynamoDBLeaseStore({ tableName, client: clientOf(sdk(proxy.endpoint)) })
    await withLease(options({ store }), async (lease) => {
      await lease.send({ TableName, Item: { ...Key, times: 1 } })
      proxy.meet(isWrite, loseReply)
      expect(await lease.claim({ TableName, Key })).toMatchObject({ ...Key, times })
    })
  })
})

describe('a late copy of an effect', () => {
  it('does not undo a newer one of the same leader, by send or as a Put in a transaction', () =>
    protectedRow(async (lease, { proxy, TableName, Key, row, copies, setTo }) => {
      await lease.send(setTo(1))
      await lease.send(setTo(2))
      for (const copy of copies()) expect(await proxy.resend(copy)).toBe('ConditionalCheckFailedException')
      expect((await row())['amount']?.N).toBe('2')
      await lease.transact([{ Put: lease.fence({ TableName, Item: { ...Key, amount: 3 } }) }])
      for (const copy of copies()) expect(await proxy.resend(copy)).toBe('ConditionalCheckFailedException')
      expect((await row())['amount']?.N).toBe('3')
      await lease.send(setTo(4))
      expect((await row())['amount']?.N).toBe('4')
    }))

  it('lands no second time, once a later effect has said that it was answered', () =>
    protectedRow(async (lease, { proxy, row, copies, add }) => {
      await Promise.all(Array.from({ length: 20 }, () => lease.send(add))) // side by side: all of them land
      expect((await row())['times']?.N).toBe('20')
      await lease.send(add)
      for (const copy of copies()) await proxy.resend(copy)
      expect((await row())['times']?.N).toBe('21')
    }))
})

describe('an effect that the caller’s own condition refuses', () => {
  it.each([
    [undefined, false],
    ['NONE', false],
    ['ALL_OLD', true],
  ] as const)('asked with ReturnValuesOnConditionCheckFailure %s shows the row: %s', (asked, shows) =>
    protectedRow(async (lease, { TableName, Key }) => {
      await lease.send({ TableName, Item: { ...Key, secret: 'personal' } })
      const impossible = { TableName, Item: Key, ConditionExpression: 'attribute_not_exists(lease)' }
      const error = await lease
        .send({ ...impossible, ...(asked && { ReturnValuesOnConditionCheckFailure: asked }) })
        .catch((reason: unknown) => reason)
      expect(error).toMatchObject({ name: 'ConditionalCheckFailedException' })
      expect(inspect(error, { depth: 9 }).includes('personal')).toBe(shows)
    }),
  )

  it('as stale shows no row in its cause either', () =>
    protectedRow(async (lease, { TableName, add }) => {
      const Item = { lease: { S: 'rows' }, record: { S: 'one' }, secret: { S: 'personal' } }
      const newer = { ...Item, 'fencingToken:billing': { N: String(lease.fencingToken + 1) } }
      await direct.send(new PutItemCommand({ TableName, Item: newer }))
      const error = await lease.send(add).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ name: 'StaleTokenError', applied: 'no' })
      expect(inspect(error, { depth: 9 })).not.toContain('personal')
    }))
})
