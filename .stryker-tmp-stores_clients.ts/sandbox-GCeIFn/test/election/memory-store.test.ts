// @ts-nocheck
import { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb'
import { build } from 'esbuild'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type Lease,
  LeaseLostError,
  LeaseStoreError,
  StaleTokenError,
  withLease,
} from '../../functions/election/index.ts'
import { ManualClock, MemoryLeaseStore } from '../../functions/election/testing/index.ts'

let clock: ManualClock
let store: MemoryLeaseStore
beforeEach(() => {
  clock = new ManualClock()
  store = new MemoryLeaseStore({ tables: { Reports: 'id', Ledger: ['customer', 'period'] } })
})

const lead = <T>(task: (lease: Lease) => Promise<T>) =>
  withLease({ store, clock, lease: 'reports', tick: clock.wallMs() }, task)
const put = (id: string) => ({ TableName: 'Reports', Item: { id } })

describe('MemoryLeaseStore', () => {
  it('applies send, claim, transact and complete(items) to its tables', async () => {
    await lead(async (lease) => {
      await lease.send(put('sent'))
      expect(await lease.claim({ TableName: 'Reports', Key: { id: 'sent' } })).toMatchObject({ id: 'sent' })
      await lease.transact([{ Put: put('transacted') }])
      const Item = { customer: 'ann', period: '2026-11', cents: 1_999 }
      await lease.complete([{ Put: { TableName: 'Ledger', Item } }])
    })
    expect((await store.table('Reports').items()).map(({ id }) => id)).toEqual(['sent', 'transacted'])
    expect(await store.table('Ledger').items()).toEqual([{ customer: 'ann', period: '2026-11', cents: 1_999 }])
    expect(await store.read('reports')).toMatchObject({ completedTick: '2026-11-21T06:00:00.000Z' })
  })

  it('closes a missed tick with items, also if a renewal overtakes the transaction', async () => {
    const hourly = { store, clock, lease: 'reports', schedule: 'rate(1 hour)' }
    await withLease({ ...hourly, tick: '2026-11-21T03:00:00Z' }, () => undefined)
    const { completeWith } = store
    let renew = async (): Promise<void> => undefined
    const overtaken = vi.spyOn(store, 'completeWith').mockImplementationOnce(async (...late) => {
      await Promise.all([renew(), clock.advance(5_000)])
      return await completeWith.apply(store, late)
    })
    const outcome = await withLease({ ...hourly, tick: '2026-11-21T05:00:00Z' }, async (lease) => {
      renew = () => lease.renew()
      for await (const tick of lease.ticks()) if (tick !== lease.tick) await lease.advance([{ Put: put(tick) }])
    })
    expect(outcome).toMatchObject({ status: 'completed' })
    expect(overtaken).toHaveBeenCalledTimes(2)
    expect(await store.table('Reports').items()).toMatchObject([{ id: '2026-11-21T04:00:00.000Z' }])
  })

  it('writes items once, although their answer is lost and the task sends others', async () => {
    const hourly = { store, clock, lease: 'reports', schedule: 'rate(1 hour)' }
    await withLease({ ...hourly, tick: '2026-11-21T03:00:00Z' }, () => undefined)
    const outcome = await withLease({ ...hourly, tick: '2026-11-21T05:00:00Z' }, async (lease) => {
      for await (const tick of lease.ticks()) {
        if (tick === lease.tick) continue
        store.loseReplies(3)
        await expect(lease.advance([{ Put: put('once') }])).rejects.toThrow(LeaseStoreError)
        const again = await lease.advance([{ Put: put('again') }]).catch((error: unknown) => error)
        expect(again).toMatchObject({ message: expect.stringContaining('is closed already'), lease: 'reports' })
        expect(again).toMatchObject({ retryable: false })
      }
    })
    expect(outcome).toMatchObject({ status: 'completed' })
    expect(await store.table('Reports').items()).toMatchObject([{ id: 'once' }])
  })

  it('closes a missed tick with items for its leader alone, and extends the lease', async () => {
    const hourly = { store, clock, lease: 'reports', schedule: 'rate(1 hour)', heartbeat: false }
    await withLease({ ...hourly, tick: '2026-11-21T02:00:00Z' }, () => undefined)
    const replaced = withLease({ ...hourly, tick: '2026-11-21T05:00:00Z' }, async (lease) => {
      for await (const tick of lease.ticks()) {
        await clock.advance(10_000)
        if (tick.includes('T04')) await store.edit('reports', { attempt: 'that of another' })
        await lease.advance([{ Put: put(tick) }])
        expect(lease.remainingMs()).toBe(30_000)
      }
    })
    await expect(replaced).rejects.toThrow(LeaseLostError)
    expect(await store.table('Reports').items()).toHaveLength(1)
  })

  it('refuses what a condition forbids', async () => {
    await store.table('Reports').put({ id: 'there' })
    const onlyNew = { ...put('there'), ConditionExpression: 'attribute_not_exists(id)' }
    await lead(async (lease) => {
      await expect(lease.send(onlyNew)).rejects.toThrow(/conditional request failed/i)
      await expect(lease.transact([{ Put: onlyNew }])).rejects.toThrow('ConditionalCheckFailed')
    })
  })

  it('answers the reads of its client', async () => {
    await lead((lease) => lease.send(put('a')))
    const KeyConditionExpression = 'id = :id'
    const query = { TableName: 'Reports', KeyConditionExpression, ExpressionAttributeValues: { ':id': 'a' } }
    const { Items } = await DynamoDBDocumentClient.from(store.client).send(new QueryCommand(query))
    expect(Items).toMatchObject([{ id: 'a' }])
  })

  it('lets a leader be replaced, which loses its transactions and its completion', async () => {
    const replaced = lead(async (lease) => {
      const token = await store.replaceLeader('reports')
      expect(token).toBe(lease.fencingToken + 1)
      await expect(lease.transact([{ Put: put('late') }])).rejects.toThrow(LeaseLostError)
      expect(lease.signal.aborted).toBe(true)
    })
    await expect(replaced).rejects.toThrow(LeaseLostError)
    expect(await store.table('Reports').items()).toEqual([])
    await expect(store.replaceLeader('other')).rejects.toThrow('no leader of lease "other"')
  })

  it('repairs one lost reply by the SDK’s next try, so that the write is applied once', async () => {
    await lead(async (lease) => {
      store.loseReplies()
      const update = { UpdateExpression: 'ADD visits :one', ExpressionAttributeValues: { ':one': 1 } }
      await lease.send({ TableName: 'Reports', Key: { id: 'a' }, ...update })
    })
    expect(await store.table('Reports').items()).toMatchObject([{ id: 'a', visits: 1 }])
  })

  it('fails a transaction whose replies are all lost: it may have been applied', async () => {
    await lead(async (lease) => {
      store.loseReplies(3)
      const error = await lease.transact([{ Put: put('a') }]).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(LeaseStoreError)
      expect(error).toMatchObject({ applied: 'unknown' })
    })
    expect(await store.table('Reports').items()).toEqual([{ id: 'a' }])
  })

  it('refuses the write of a leader that was frozen until another wrote the row', async () => {
    const frozen = lead(async (lease) => {
      clock.freeze(60_000)
      await lead((other) => other.send(put('a')))
      clock.freeze(-60_000) // the first leader believes that no time has passed
      await lease.send(put('a'))
    })
    await expect(frozen).rejects.toThrow(StaleTokenError)
  })

  it('is not in the bundle of a function', async () => {
    const { metafile } = await build({
      stdin: { contents: "export { leaderOnly, withLease } from './functions/election/index.ts'", resolveDir: '.' },
      ...{ bundle: true, write: false, metafile: true, platform: 'node', format: 'esm', packages: 'external' },
    })
    const kept = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs))
    expect(kept.filter((path) => path.includes('/testing/'))).toEqual([])
  })
})
