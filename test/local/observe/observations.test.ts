import { expect, test } from 'vitest'
import { withLease } from '../../../functions/election/index.ts'
import { dropReply, dropRequest, put, replacement, TICK, wire } from './wire.ts'

function scene() {
  const all = wire()
  all.start('a', 'b')
  return { ...all, leasesOf: (requestId: string) => all.recorder.observations(requestId)?.leases }
}

const REQUESTED = { lease: 'billing', tick: TICK, leaseMs: 600_000 }

test('a leader is observed with its token, and then with the end of its tenure', async () => {
  const { lead, leasesOf, optionsOf } = scene()
  const { lease, fail } = await lead('a')
  const granted = { ...REQUESTED, token: lease.fencingToken }
  expect(leasesOf('a')).toEqual([granted])
  await fail(new RangeError('no'))
  expect(leasesOf('a')).toEqual([{ ...granted, ended: 'failed' }])
  await withLease(optionsOf('b'), (other) => other.release())
  expect(leasesOf('b')).toMatchObject([{ ended: 'released' }])
  await withLease(optionsOf('b'), (other) => other.complete([{ Put: put() }]))
  expect(leasesOf('b')).toMatchObject([{ ended: 'completed' }])
})

test('a refusal is observed: while another candidate leads, and when the tick is done', async () => {
  const { lead, leasesOf, optionsOf, start } = scene()
  const { finish } = await lead('a')
  await withLease(optionsOf('b'), () => 'never')
  expect(leasesOf('b')).toEqual([{ ...REQUESTED, refusedAs: 'held' }])
  await finish()
  start('b')
  expect(leasesOf('b')).toEqual([])
  await withLease(optionsOf('b'), () => 'never')
  expect(leasesOf('b')).toEqual([{ ...REQUESTED, refusedAs: 'tickDone' }])
})

test('a grant whose reply was lost is a grant, though its repetition is refused', async () => {
  const { lead, leasesOf, inject } = scene()
  inject(dropReply)
  const { lease, finish } = await lead('a')
  await finish()
  expect(leasesOf('a')).toEqual([{ ...REQUESTED, token: lease.fencingToken, ended: 'completed' }])
})

test('a request without an answer is observed', async () => {
  const { leasesOf, optionsOf, inject } = scene()
  inject(...Array.from({ length: 20 }, () => dropRequest))
  await withLease(optionsOf('a'), () => 'never').catch(() => undefined)
  expect(leasesOf('a')).toEqual([REQUESTED])
})

test('several leases are observed separately, and a lease without ticks has none', async () => {
  const { leasesOf, optionsOf } = scene()
  const { tick: _, ...tickless } = optionsOf('a', { lease: 'mail' })
  await withLease(optionsOf('a'), () => 'done')
  await withLease(tickless, () => 'done')
  expect(leasesOf('a')).toMatchObject([
    { lease: 'billing', tick: TICK, ended: 'completed' },
    { lease: 'mail', tick: undefined, ended: 'completed' },
  ])
})

test('refused writes of a replaced leader count for its own attempt', async () => {
  const { old, current, recorder } = await replacement()
  await current.lease.send(put())
  await old.lease.send(put()).catch(() => undefined)
  expect(['a', 'b'].map((id) => recorder.observations(id)?.staleWritesRefused)).toEqual([1, 0])
})
