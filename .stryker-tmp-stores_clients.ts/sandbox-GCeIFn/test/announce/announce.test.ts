// @ts-nocheck
import type { DynamoDBRecord } from 'aws-lambda'
import { expect, test } from 'vitest'
import { withLease } from '../../functions/election/index.ts'
import { ManualClock } from '../../functions/election/testing/manual-clock.ts'
import { StreamedLeases, streamRecord, TABLE_ARN } from './lease-stream.ts'
import { BEGIN_MS, LEASE_MS, live } from './life.ts'
import { type BusFault, setScene } from './scene.ts'

const TICK = '2026-11-21T05:00:00.000Z'
const BEGAN_MS = Date.parse(TICK) + 400
const TOKEN = BEGAN_MS + 1

/** An election, a checkpoint and a completion. */
async function completedTick() {
  const leases = new StreamedLeases()
  const clock = new ManualClock(new Date(BEGAN_MS).toISOString())
  const options = { store: leases, lease: 'billing', candidate: 'ann', tick: TICK, clock }
  await withLease(options, async (lease) => {
    clock.freeze(700)
    await lease.saveCheckpoint({ customer: 'cus_SECRET' })
    clock.freeze(1_800)
  })
  return leases
}

type Image = NonNullable<NonNullable<DynamoDBRecord['dynamodb']>['NewImage']>

test('A completed tick becomes three events, one history row and three measurements', async () => {
  const { records } = await completedTick()
  expect(records).toHaveLength(3)
  const scene = await setScene()
  expect(await scene.deliver(records)).toEqual({ batchItemFailures: [] })

  const endedAtMs = BEGAN_MS + 2_500
  const details = [
    { id: `billing/${TOKEN}/LeaderElected`, atMs: BEGAN_MS, expiresAtMs: BEGAN_MS + 30_000 },
    { id: `billing/${TOKEN}/LeaderReleased`, atMs: endedAtMs, endedBy: 'completed', durationMs: 2_500 },
    { id: `billing/${TOKEN}/TickCompleted`, atMs: endedAtMs, durationMs: 2_500 },
  ].map((detail) => ({ version: 1, lease: 'billing', fencingToken: TOKEN, candidate: 'ann', tick: TICK, ...detail }))
  expect(scene.bus.accepted).toEqual(
    details.map((detail) => ({
      name: detail.id.split('/').at(-1),
      bus: 'tenure-bus',
      resources: [TABLE_ARN],
      atMs: detail.atMs,
      detail,
    })),
  )
  const row = {
    candidate: 'ann',
    forTick: TICK,
    beganAtMs: BEGAN_MS,
    endedAtMs,
    outcome: 'completed',
    ttl: Math.floor(endedAtMs / 1_000) + 30 * 86_400,
    announced: ['LeaderElected', 'LeaderReleased', 'TickCompleted'],
  }
  expect(Object.fromEntries(await scene.rows())).toEqual({ [`billing/${TOKEN}`]: row })
  expect(scene.measured).toEqual([
    { lease: 'billing', name: 'elected', value: 1 },
    { lease: 'billing', name: 'ticksCompleted', value: 1 },
    { lease: 'billing', name: 'tickDuration', value: 2_500 },
  ])
})

test('A fact costs one read, one request to EventBridge and one write; a repetition costs one read', async () => {
  const { records } = await completedTick()
  const scene = await setScene()
  await scene.deliver(records)
  expect(scene.operations).toEqual(['GetItemCommand', 'UpdateItemCommand', 'GetItemCommand', 'UpdateItemCommand'])
  expect(scene.bus.requests).toEqual([1, 2])
  await scene.deliver(records)
  expect(scene.operations.slice(4)).toEqual(['GetItemCommand', 'GetItemCommand'])
  expect(scene.bus.requests).toHaveLength(2)
})

test('A failed record is named and logged, and the records behind it are left to the retry', async () => {
  const { records } = await completedTick()
  const faults: (BusFault | undefined)[] = [undefined, 'refused']
  const scene = await setScene({ bus: () => faults.shift() })
  const sequenceNumber = records[2]?.dynamodb?.SequenceNumber
  expect(await scene.deliver([...records, ...records])).toEqual({
    batchItemFailures: [{ itemIdentifier: sequenceNumber }],
  })
  expect(scene.bus.requests).toEqual([1, 2])
  const error = expect.objectContaining({
    message: 'EventBridge refused 1 of 2 events (InternalFailure: an unexpected error occurred)',
  })
  const message = 'a change of a lease could not be announced'
  expect(scene.logged).toEqual([{ level: 'error', message, fields: { lease: 'billing', sequenceNumber, error } }])
  expect(scene.measured.map(({ name }) => name)).toEqual(['elected'])
})

const corrupt = { lease: 'billing', error: { name: 'CorruptLeaseError', attribute: 'step' } }
const ttlWarning = expect.stringMatching(/"billing" has an attribute ttl.*Remove the attribute/)

test.each<[sentence: string, attributes: Image, logged: readonly object[]]>([
  ['A damaged row is skipped', { step: { B: 'AAEC' } }, [{ level: 'error', fields: corrupt }]],
  ['A row with a ttl is announced', { ttl: { N: '9' } }, [{ level: 'warn', message: ttlWarning }]],
  ['A checkpoint is not even read', { checkpoint: { M: { state: { N: '1e400' } } } }, []],
])('%s, the next record is announced, and no checkpoint is logged', async (_sentence, attributes, logged) => {
  const [first = {}, second = {}] = (await completedTick()).records
  const { dynamodb } = first
  const NewImage = { ...dynamodb?.NewImage, checkpoint: { S: 'SECRET' }, ...attributes }
  const scene = await setScene()
  const records = [{ ...first, dynamodb: { ...dynamodb, NewImage } }, second, first]
  expect(await scene.deliver(records)).toEqual({ batchItemFailures: [] })
  expect(scene.bus.accepted.map(({ name }) => name)).toEqual(['LeaderElected'])
  expect(scene.logged).toMatchObject(logged)
  expect(scene.logged).toHaveLength(logged.length)
  expect(JSON.stringify(scene.logged)).not.toContain('SECRET')
})

test('The deletion of a lease row is not announced; a warning says what the row held and what to do', async () => {
  const leases = await completedTick()
  const scene = await setScene()
  await scene.deliver([streamRecord(leases.read('billing'), undefined)])
  expect(scene.bus.accepted).toEqual([])
  expect(await scene.rows()).toEqual(new Map())
  const message = expect.stringMatching(/"billing".*which ticks are done.*Disable the schedules.*docs\/operations\.md/s)
  const fields = { lease: 'billing', lastFencingToken: `${TOKEN}`, lastCompletedTick: TICK }
  expect(scene.logged).toEqual([{ level: 'warn', message, fields }])
})

test('Records of other rows are ignored', async () => {
  const [first] = (await completedTick()).records
  const scene = await setScene()
  const Keys = { lease: { S: 'billing' }, record: { S: 'TENURE#0000000000000042' } }
  const removal = { ...first, eventName: 'REMOVE' as const, dynamodb: { ...first?.dynamodb, Keys } }
  expect(await scene.deliver([removal, {}])).toEqual({ batchItemFailures: [] })
  expect([scene.operations, scene.bus.accepted, scene.logged]).toEqual([[], [], []])
})

test('Facts that were announced for an earlier edit of the same tenure are not announced again', async () => {
  const leases = new StreamedLeases()
  const nowMs = BEGAN_MS
  const request = { lease: 'billing', candidate: 'ann', attempt: 'attempt-ann', nowMs, expiresAtMs: nowMs + 15_000 }
  await leases.acquire({ ...request, maxClockSkewMs: 1_000 })
  await leases.editAt(nowMs + 5_000, 'billing', { attempt: 'forced' })
  await leases.editAt(nowMs + 9_000, 'billing', { holder: undefined, pausedUntilMs: nowMs + 60_000 })
  const scene = await setScene()
  await scene.deliver(leases.records)
  expect(scene.bus.accepted.map(({ name }) => name)).toEqual(['LeaderElected', 'LeaseForced', 'LeasePaused'])
  expect([...(await scene.rows()).values()]).toMatchObject([{ outcome: 'forced', endedAtMs: Date.parse(TICK) + 5_000 }])
})

test('A tick that was handed over is measured from its first invocation, and each hand-over by its depth', async () => {
  const { records } = await live([
    { do: 'acquire', lease: 'billing', elapsedMs: 0 },
    { do: 'handOver', lease: 'billing', elapsedMs: 700 },
    { do: 'acquire', lease: 'billing', elapsedMs: 1, candidate: 'bob' },
    { do: 'complete', lease: 'billing', elapsedMs: 2_500 },
  ])
  const scene = await setScene()
  await scene.deliver(records)
  const elected = { lease: 'billing', name: 'elected', value: 1 }
  expect(scene.measured).toEqual([
    elected,
    { lease: 'billing', name: 'continuations', value: 1 },
    elected,
    { lease: 'billing', name: 'ticksCompleted', value: 1 },
    { lease: 'billing', name: 'tickDuration', value: 3_201 },
  ])
  const outcomes = [...(await scene.rows()).values()].map(({ outcome }) => outcome)
  expect(outcomes).toEqual(['continued', 'completed'])
  expect(scene.bus.accepted.map(({ detail }) => detail['endedBy']).filter(Boolean)).toEqual(outcomes)
})

test('However many missed ticks a leader closes, each is announced once, and its history row stays small', async () => {
  const leases = new StreamedLeases()
  const [nowMs, hourMs] = [BEGAN_MS, 3_600_000]
  const request = { lease: 'billing', candidate: 'ann', attempt: 'attempt-ann', nowMs, expiresAtMs: nowMs + LEASE_MS }
  await leases.acquire({ ...request, tick: TICK, maxClockSkewMs: 1_000 })
  const ticks = [3, 2, 1].map((ago) => new Date(Date.parse(TICK) - ago * hourMs).toISOString())
  for (const [index, tick] of ticks.entries()) {
    const gaveUp = index === 1 ? { gaveUp: 'no prices' } : {}
    await leases.write({ ...request, fencingToken: TOKEN, kind: 'advance', step: index + 1, tick, ...gaveUp })
  }
  const scene = await setScene()
  await scene.deliver(leases.records.slice(0, -1))
  await scene.deliver(leases.records)
  const told = scene.bus.accepted.map(({ name, detail }) => [name, detail['tick']])
  expect(told).toEqual([
    ['LeaderElected', TICK],
    ['TickCompleted', ticks[0]],
    ['TickFailed', ticks[1]],
    ['TickCompleted', ticks[2]],
  ])
  expect(scene.measured.map(({ name }) => name)).toEqual(['elected', 'ticksCompleted', 'ticksFailed', 'ticksCompleted'])
  expect([...(await scene.rows()).values()]).toMatchObject([{ announced: ['LeaderElected'], closedTick: ticks[2] }])
})

test('Each end of a tenure has its events and its history row', async () => {
  const { records } = await live([
    { do: 'acquire', lease: 'billing', elapsedMs: 0 },
    { do: 'acquire', lease: 'billing', elapsedMs: 16_001, candidate: 'bob' },
    { do: 'force', lease: 'billing', elapsedMs: 700 },
    { do: 'pause', lease: 'billing', elapsedMs: 1, forMs: 1_500 },
    { do: 'resume', lease: 'billing', elapsedMs: 700 },
    { do: 'acquire', lease: 'billing', elapsedMs: 0 },
    { do: 'fail', lease: 'billing', elapsedMs: 2_500 },
    { do: 'acquire', lease: 'tickless', elapsedMs: 1 },
    { do: 'fail', lease: 'tickless', elapsedMs: 700 },
    { do: 'acquire', lease: 'tickless', elapsedMs: 0 },
    { do: 'giveBack', lease: 'tickless', elapsedMs: 1 },
  ])
  const scene = await setScene()
  await scene.deliver(records)
  const named = scene.bus.accepted.map(({ name, detail }) => [name, detail['candidate'], detail['errorName']].join(' '))
  expect(named.map((words) => words.trim())).toEqual([
    ...['LeaderElected ann', 'LeaderElected bob', 'LeaderTakenOver bob', 'LeaseForced bob', 'LeasePaused'],
    ...['LeaseResumed', 'LeaderElected ann', 'LeaderReleased ann', 'TickFailed ann TypeError'],
    ...['LeaderElected ann', 'LeaderReleased ann', 'LeaderElected ann', 'LeaderReleased ann'],
  ])
  const ended = (outcome: string, beganMs: number, endedMs: number, more: object = {}) => {
    const beganAtMs = BEGIN_MS + beganMs
    return { candidate: 'ann', outcome, beganAtMs, endedAtMs: BEGIN_MS + endedMs, ...more }
  }
  const rows = await scene.rows()
  const [, second = ''] = rows.keys()
  const failure = 'TypeError'
  expect([...rows.values()].map(({ announced: _, ttl: _ttl, forTick: _tick, ...row }) => row)).toEqual([
    ended('takenOver', 0, LEASE_MS, { successor: Number(second.split('/')[1]) }),
    ended('forced', 16_001, 16_701, { candidate: 'bob' }),
    ended('failed', 17_402, 19_902, { failure }),
    ended('failed', 19_903, 20_603, { failure }),
    ended('released', 20_603, 20_604),
  ])
})
