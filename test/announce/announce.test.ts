import { expect, test } from 'vitest'
import { noHistory } from '../../functions/announce/history.ts'
import { withLease } from '../../functions/election/index.ts'
import { ManualClock } from '../../functions/election/testing/manual-clock.ts'
import type { BusFault } from './bus.ts'
import { StreamedLeases, streamRecord, TABLE_ARN } from './lease-stream.ts'
import { setScene } from './scene.ts'

const TICK = '2026-11-21T05:00:00.000Z'

async function completedTick(leases = new StreamedLeases(), clock = new ManualClock('2026-11-21T05:00:00.400Z')) {
  const options = { store: leases, lease: 'billing', candidate: 'ann', tick: TICK, clock }
  await withLease(options, async (lease) => {
    clock.freeze(700)
    await lease.saveCheckpoint({ customer: 'cus_SECRET' })
    clock.freeze(1_800)
  })
  return leases
}

test('A tick that is led and completed becomes three events, one row of history and four measurements', async () => {
  const { records } = await completedTick()
  expect(records).toHaveLength(3)
  const scene = await setScene()
  expect(await scene.deliver(records)).toEqual({ batchItemFailures: [] })

  const beganAtMs = Date.parse(TICK) + 400
  const fencingToken = beganAtMs + 1
  const common = { version: 1, lease: 'billing', fencingToken, candidate: 'ann', tick: TICK }
  const endedAtMs = beganAtMs + 2_500
  expect(scene.bus.taken.map(({ detail }) => detail)).toEqual([
    { ...common, id: `billing/${fencingToken}/LeaderElected`, atMs: beganAtMs, expiresAtMs: beganAtMs + 30_000 },
    {
      ...common,
      id: `billing/${fencingToken}/LeaderReleased`,
      atMs: endedAtMs,
      endedBy: 'completed',
      durationMs: 2_500,
    },
    { ...common, id: `billing/${fencingToken}/TickCompleted`, atMs: endedAtMs, durationMs: 2_500 },
  ])
  for (const { bus, resources, atMs, detail } of scene.bus.taken) {
    expect({ bus, resources, atMs }).toEqual({ bus: 'tenure-bus', resources: [TABLE_ARN], atMs: detail['atMs'] })
  }
  const row = {
    candidate: 'ann',
    forTick: TICK,
    beganAtMs,
    endedAtMs,
    outcome: 'completed',
    ttl: Math.floor(beganAtMs / 1_000) + 30 * 86_400,
    announced: ['LeaderElected', 'LeaderReleased', 'TickCompleted'],
  }
  expect(Object.fromEntries(await scene.rows())).toEqual({ [`billing/${fencingToken}`]: row })
  expect(scene.measured.map(({ lease, name, value }) => [lease, name, value])).toEqual([
    ['billing', 'elected', 1],
    ['billing', 'ticksCompleted', 1],
    ['billing', 'tickDuration', 2_500],
  ])
})

test('A fact costs one read, one request to EventBridge and one write; a renewal and a repetition next to nothing', async () => {
  const { records } = await completedTick()
  const scene = await setScene()
  await scene.deliver(records)
  expect(scene.operations).toEqual(['GetItemCommand', 'UpdateItemCommand', 'GetItemCommand', 'UpdateItemCommand'])
  expect(scene.bus.requests).toEqual([1, 2])
  await scene.deliver(records)
  expect(scene.operations.slice(4)).toEqual(['GetItemCommand', 'GetItemCommand'])
  expect(scene.bus.requests).toHaveLength(2)
})

test('Without a history no row is touched, and what is delivered twice is sent twice, under the same ids', async () => {
  const { records } = await completedTick()
  const scene = await setScene({ history: noHistory })
  for (const _delivery of [1, 2]) expect(await scene.deliver(records)).toEqual({ batchItemFailures: [] })
  expect(scene.operations).toEqual([])
  expect((await scene.rows()).size).toBe(0)
  const ids = scene.bus.taken.map(({ detail }) => detail['id'])
  expect(ids).toHaveLength(6)
  expect(ids.slice(3)).toEqual(ids.slice(0, 3))
  expect(scene.measured.map(({ name }) => name).slice(3)).toEqual(scene.measured.map(({ name }) => name).slice(0, 3))
})

test('A failed record is named and logged, the records behind it are left to the retry', async () => {
  const { records } = await completedTick()
  const faults: (BusFault | undefined)[] = [undefined, 'refused']
  const scene = await setScene({ bus: () => faults.shift() })
  const [, , last] = records
  const itemIdentifier = last?.dynamodb?.SequenceNumber ?? ''
  expect(await scene.deliver([...records, ...(await completedTick()).records])).toEqual({
    batchItemFailures: [{ itemIdentifier }],
  })
  expect(scene.bus.requests).toEqual([1, 2])
  const error = expect.objectContaining({
    name: 'EventsRefusedError',
    message: 'EventBridge refused 1 of 2 events (InternalFailure: an unexpected error occurred)',
  })
  const message = 'a change of a lease could not be announced'
  expect(scene.logged).toEqual([
    { level: 'error', message, fields: { lease: 'billing', sequenceNumber: itemIdentifier, error } },
  ])
  expect(scene.measured.map(({ name }) => name)).toEqual(['elected'])
})

test('A damaged row is told and skipped: no retry would read it better, and other leases wait behind it', async () => {
  const { records } = await completedTick()
  const [first, checkpoint, last] = records
  if (first === undefined || checkpoint?.dynamodb?.NewImage === undefined || last === undefined)
    throw new Error('no records')
  const { NewImage } = checkpoint.dynamodb
  const damaged = {
    ...checkpoint,
    dynamodb: { ...checkpoint.dynamodb, NewImage: { ...NewImage, step: { B: 'AAEC' } } },
  }
  const scene = await setScene()
  expect(await scene.deliver([damaged, first])).toEqual({ batchItemFailures: [] })
  expect(scene.bus.taken.map(({ name }) => name)).toEqual(['LeaderElected'])
  expect(scene.logged).toMatchObject([
    { level: 'error', fields: { lease: 'billing', error: { name: 'CorruptLeaseError', attribute: 'step' } } },
  ])
  expect(JSON.stringify(scene.logged)).not.toContain('SECRET')
})

test('A lease row with a time to live is announced, and a warning says what will become of it', async () => {
  const [first] = (await completedTick()).records
  if (first?.dynamodb?.NewImage === undefined) throw new Error('no record')
  const NewImage = { ...first.dynamodb.NewImage, ttl: { N: '1800000000' } }
  const scene = await setScene()
  await scene.deliver([{ ...first, dynamodb: { ...first.dynamodb, NewImage } }])
  expect(scene.bus.taken).toHaveLength(1)
  expect(scene.logged).toMatchObject([
    { level: 'warn', message: expect.stringMatching(/"billing" has an attribute ttl.*Remove the attribute/) },
  ])
})

test('A checkpoint that JavaScript cannot read hinders nobody: it is not looked at', async () => {
  const [first] = (await completedTick()).records
  if (first?.dynamodb?.NewImage === undefined) throw new Error('no record')
  const checkpoint = { M: { state: { N: '1e400' } } }
  const record = { ...first, dynamodb: { ...first.dynamodb, NewImage: { ...first.dynamodb.NewImage, checkpoint } } }
  const scene = await setScene()
  await scene.deliver([record])
  expect(scene.bus.taken).toHaveLength(1)
})

test('A deleted lease row announces nothing, and a warning says what is forgotten, what was known, and what to do', async () => {
  const leases = await completedTick()
  const scene = await setScene()
  await scene.deliver([streamRecord({ before: leases.rows.get('billing') })])
  expect(scene.bus.taken).toEqual([])
  expect(await scene.rows()).toEqual(new Map())
  const message = expect.stringMatching(/"billing".*which ticks are done.*Disable the schedules.*docs\/operations\.md/s)
  const fields = { lease: 'billing', lastFencingToken: `${Date.parse(TICK) + 401}`, lastCompletedTick: TICK }
  expect(scene.logged).toEqual([{ level: 'warn', message, fields }])
})

test('Rows that are no leases are none of its business', async () => {
  const [first] = (await completedTick()).records
  const scene = await setScene()
  const Keys = { lease: { S: 'billing' }, record: { S: 'TENURE#0000000000000042' } }
  const eventName = 'REMOVE' as const
  expect(await scene.deliver([{ ...first, eventName, dynamodb: { ...first?.dynamodb, Keys } }, {}])).toEqual({
    batchItemFailures: [],
  })
  expect([scene.operations, scene.bus.taken, scene.logged]).toEqual([[], [], []])
})

test('A pause of a lease whose last tenure is forgotten is announced, and its row does not stay for ever', async () => {
  const leases = await completedTick()
  const row = leases.rows.get('billing')
  if (row === undefined) throw new Error('no row')
  const nowMs = row.writtenAtMs + 90 * 86_400_000
  const scene = await setScene()
  await scene.deliver([
    streamRecord({ before: row, after: { ...row, pausedUntilMs: nowMs + 1 }, createdAtMs: nowMs, number: 7 }),
  ])
  expect(scene.bus.taken.map(({ detail }) => detail.id)).toEqual([
    `billing/${row.fencingToken}/LeasePaused/${'7'.padStart(21, '0')}`,
  ])
  expect([...(await scene.rows()).values()]).toMatchObject([
    { ttl: Math.floor(row.acquiredAtMs / 1_000) + 30 * 86_400 },
  ])
})

test('Of a record whose facts were announced in part, by an earlier edit of the same tenure, the rest is', async () => {
  const leases = new StreamedLeases()
  const nowMs = Date.parse(TICK) + 400
  const request = { lease: 'billing', candidate: 'ann', attempt: 'attempt-ann', nowMs, expiresAtMs: nowMs + 15_000 }
  await leases.acquire({ ...request, maxClockSkewMs: 1_000 })
  leases.edit('billing', nowMs + 5_000, (row) => ({ ...row, attempt: 'forced' }))
  leases.edit('billing', nowMs + 9_000, ({ holder: _holder, ...row }) => ({ ...row, pausedUntilMs: nowMs + 60_000 }))
  const scene = await setScene()
  await scene.deliver(leases.records)
  expect(scene.bus.taken.map(({ name }) => name)).toEqual(['LeaderElected', 'LeaseForced', 'LeasePaused'])
  expect([...(await scene.rows()).values()]).toMatchObject([{ outcome: 'forced', endedAtMs: Date.parse(TICK) + 5_000 }])
})
