/** A record that is delivered twice, out of order, or after a crash changes nothing: through the shipped rules and announcer. */
import type { DynamoDBRecord } from 'aws-lambda'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BusFault, SentEvent } from './bus.ts'
import { deliverAll, type Row, setScene, type TableFault } from './scene.ts'
import { problemsOf } from './schemas.ts'
import { type ExpectedTenure, type Life, live, step } from './steps.ts'

const steps = fc.array(step, { minLength: 1, maxLength: 30, size: 'max' })
const seed = 20261121

/** How often each kind of event was seen: the properties would hold of leases that nobody acquires. */
const seen = new Map<string, number>()

function withoutMarks(rows: ReadonlyMap<string, Row>): Record<string, Row> {
  return Object.fromEntries([...rows].map(([key, { announced: _announced, ...row }]) => [key, row]))
}

function expectHistory(rows: ReadonlyMap<string, Row>, tenures: ReadonlyMap<string, ExpectedTenure>): void {
  expect(withoutMarks(rows)).toEqual(Object.fromEntries(tenures))
}

function expectAnnounced(rows: ReadonlyMap<string, Row>, sent: readonly SentEvent[]): void {
  const marks = [...rows].flatMap(([key, { announced }]) =>
    Array.isArray(announced) ? announced.map((mark) => `${key}/${mark}`) : [],
  )
  expect(marks.toSorted()).toEqual([...new Set(sent.map(({ detail }) => detail.id))].toSorted())
}

function expectValid(sent: readonly SentEvent[]): void {
  for (const { name, detail, atMs } of sent) {
    expect(problemsOf(name, detail), detail.id).toBeUndefined()
    expect(detail['atMs']).toBe(atMs)
    expect(JSON.stringify(detail)).not.toContain('SECRET')
  }
}

function countsOf(sent: readonly SentEvent[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { name } of sent) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** Some records twice or three times, all in an order that `picks` decides. */
function shuffled(records: readonly DynamoDBRecord[], picks: readonly number[]): DynamoDBRecord[] {
  const pick = (index: number) => picks[index % picks.length] ?? 0
  const pool = records.flatMap((record, index) => Array<DynamoDBRecord>(1 + (pick(index) % 3)).fill(record))
  const result: DynamoDBRecord[] = []
  while (pool.length > 0) result.push(...pool.splice(pick(result.length) % pool.length, 1))
  return result
}

function expectMeasured({ events }: Life, measured: readonly { readonly name: string }[]): void {
  const counts = Map.groupBy(measured, ({ name }) => name)
  const count = (name: string) => counts.get(name)?.length ?? 0
  expect(count('elected')).toBe(events.get('LeaderElected') ?? 0)
  expect(count('takeover')).toBe(events.get('LeaderTakenOver') ?? 0)
  expect(count('ticksCompleted')).toBe(events.get('TickCompleted') ?? 0)
  expect(count('tickDuration')).toBe(events.get('TickCompleted') ?? 0)
  expect(count('ticksFailed')).toBe(events.get('TickFailed') ?? 0)
}

test('Each fact is announced once, and the history is right, however often and in whatever order the stream delivers', async () => {
  const picks = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 200, size: 'max' })
  await fc.assert(
    fc.asyncProperty(steps, picks, async (taken, order) => {
      const life = await live(taken)
      const scene = await setScene()
      for (const record of shuffled(life.leases.records, order)) {
        expect(await scene.deliver([record])).toEqual({ batchItemFailures: [] })
      }
      const rows = await scene.rows()
      expectHistory(rows, life.tenures)
      expectAnnounced(rows, scene.bus.taken)
      expect(countsOf(scene.bus.taken)).toEqual(Object.fromEntries(life.events))
      expect(new Set(scene.bus.taken.map(({ detail }) => detail.id)).size).toBe(scene.bus.taken.length)
      expectValid(scene.bus.taken)
      expectMeasured(life, scene.measured)
      expect(scene.logged).toEqual([])
      for (const [name, count] of life.events) seen.set(name, (seen.get(name) ?? 0) + count)
    }),
    { seed, numRuns: 60 },
  )
  const names = [
    'LeaderElected',
    'LeaderReleased',
    'LeaderTakenOver',
    'TickCompleted',
    'TickFailed',
    'LeasePaused',
    'LeaseResumed',
    'LeaseForced',
  ]
  for (const name of names) expect(seen.get(name), name).toBeGreaterThan(5)
})

test('Whatever fails on the way, each fact is announced at least once under one id, and the history is right', async () => {
  const busFault = fc.option(fc.constantFrom<BusFault>('lost', 'dropped', 'refused'), { freq: 2, nil: undefined })
  const tableFault = fc.option(fc.constantFrom<TableFault>('lost', 'dropped'), { freq: 2, nil: undefined })
  const faults = fc.record({
    bus: fc.array(busFault, { maxLength: 12 }),
    table: fc.array(tableFault, { maxLength: 25 }),
  })
  let failures = 0
  await fc.assert(
    fc.asyncProperty(steps, faults, fc.integer({ min: 1, max: 9 }), async (taken, { bus, table }, batchSize) => {
      const life = await live(taken)
      const left = { bus: [...bus], table: [...table] }
      let tableIsSet = false
      const scene = await setScene({
        bus: () => left.bus.shift(),
        table: () => (tableIsSet ? left.table.shift() : undefined),
      })
      tableIsSet = true
      await deliverAll(scene.announce, life.leases.records, batchSize)
      tableIsSet = false
      const rows = await scene.rows()
      expectHistory(rows, life.tenures)
      expectAnnounced(rows, scene.bus.taken)
      const byId = Map.groupBy(scene.bus.taken, ({ detail }) => detail.id)
      for (const [id, copies] of byId) for (const copy of copies) expect(copy, id).toEqual(copies[0])
      expect(countsOf([...byId.values()].flatMap(([first]) => (first === undefined ? [] : [first])))).toEqual(
        Object.fromEntries(life.events),
      )
      expectValid(scene.bus.taken)
      failures += scene.logged.length
    }),
    { seed, numRuns: 60 },
  )
  expect(failures).toBeGreaterThan(100)
})
