import { expect, test } from 'vitest'
import { withLease } from '../../../functions/election/index.ts'
import { loseReply, NEXT_TICK, neverArrives, TICK, wire } from './wire.ts'

/** An invocation, woken for the tick, of candidate 1. */
async function scene() {
  const one = await wire()
  one.woken('a', 1, TICK, 0)
  one.woken('b', 2, TICK, 0)
  const leasesOf = (requestId: string) => one.seen(requestId)?.leases
  return { ...one, leasesOf }
}

const asked = { lease: 'billing', tick: TICK, leaseMs: expect.any(Number) }

test('a leader is seen with its token, and with the end of its tenure once it has one', async () => {
  const { lead, leasesOf } = await scene()
  const { lease, finish } = await lead('a')
  const granted = { ...asked, token: lease.fencingToken }
  expect(leasesOf('a')).toEqual([granted])
  await finish()
  expect(leasesOf('a')).toEqual([{ ...granted, ended: 'completed' }])
})

test('a task that throws is seen as failed, one that gives the lease up as released', async () => {
  const { lead, leasesOf, optionsOf } = await scene()
  const { fail } = await lead('a')
  await fail(new RangeError('no'))
  expect(leasesOf('a')).toMatchObject([{ ended: 'failed' }])
  await withLease(optionsOf('b'), (lease) => lease.release())
  expect(leasesOf('b')).toMatchObject([{ ended: 'released' }])
})

test('a completion in one transaction with rows of the task is one', async () => {
  const { lead, leasesOf, rows } = await scene()
  const { lease, finish } = await lead('a')
  await lease.complete([{ Put: { TableName: rows, Item: { id: '1' } } }])
  await finish()
  expect(leasesOf('a')).toMatchObject([{ token: lease.fencingToken, ended: 'completed' }])
})

test('who is refused is seen as such: while another leads, and when the tick is done', async () => {
  const { lead, leasesOf, optionsOf, woken } = await scene()
  const { finish } = await lead('a')
  await withLease(optionsOf('b'), () => 'never')
  expect(leasesOf('b')).toEqual([{ ...asked, refusedAs: 'held' }])
  await finish()
  woken('b', 2, TICK, 1)
  expect(leasesOf('b')).toEqual([])
  await withLease(optionsOf('b'), () => 'never')
  expect(leasesOf('b')).toEqual([{ ...asked, refusedAs: 'tickDone' }])
})

test('a grant whose reply was lost is a grant, though the repetition is refused', async () => {
  const { lead, leasesOf, strike } = await scene()
  strike(loseReply)
  const { lease, finish } = await lead('a')
  await finish()
  expect(leasesOf('a')).toEqual([{ ...asked, token: lease.fencingToken, ended: 'completed' }])
})

test('who asked and got no answer is known to have asked', async () => {
  const { leasesOf, optionsOf, strike } = await scene()
  strike(...Array.from({ length: 20 }, () => neverArrives))
  await withLease(optionsOf('a'), () => 'never').catch(() => undefined)
  expect(leasesOf('a')).toEqual([asked])
})

test('several leases are told apart, and one that is asked for without a tick has none', async () => {
  const { leasesOf, optionsOf } = await scene()
  const { tick: _, ...tickless } = optionsOf('a', { lease: 'mail' })
  await withLease(optionsOf('a'), () => 'done')
  await withLease(tickless, () => 'done')
  expect(leasesOf('a')).toMatchObject([
    { lease: 'billing', tick: TICK, ended: 'completed' },
    { lease: 'mail', tick: undefined, ended: 'completed' },
  ])
})

test('refused writes of a replaced leader are counted for its own try', async () => {
  const { lead, rows, runOut, seen } = await scene()
  const old = await lead('a')
  await runOut()
  const now = await lead('b')
  const put = { TableName: rows, Item: { id: '1' } }
  await now.lease.send(put)
  await old.lease.send(put).catch(() => undefined)
  expect(seen('a')?.staleWritesRefused).toBe(1)
  expect(seen('b')?.staleWritesRefused).toBe(0)
})

test('of a request that was never woken nothing is known', async () => {
  const { seen, optionsOf } = await scene()
  await withLease(optionsOf('z', { tick: NEXT_TICK }), () => 'done')
  expect(seen('z')).toBeUndefined()
})
