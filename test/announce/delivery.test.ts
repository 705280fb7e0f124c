/** Through the shipped rules and announcer: a record delivered twice, out of order or after a crash changes nothing. */
import type { DynamoDBRecord } from 'aws-lambda'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BusFault, SentEvent } from './bus.ts'
import { type Life, live, step } from './life.ts'
import { deliverAll, type Row, setScene, type TableFault } from './scene.ts'
import { problemsOf, schemas } from './schemas.ts'

const steps = fc.array(step, { minLength: 1, maxLength: 30, size: 'max' })
const seed = 20261121

function expectHistory(rows: ReadonlyMap<string, Row>, { tenures }: Life, sent: readonly SentEvent[]): void {
  const kept = [...rows].map(([key, { announced: _announced, ...row }]) => [key, row])
  expect(Object.fromEntries(kept)).toEqual(Object.fromEntries(tenures))
  const ids = [...rows].flatMap(([key, { announced = [] }]) => announced.map((id) => `${key}/${id}`))
  expect(ids.toSorted()).toEqual([...new Set(sent.map(({ detail }) => detail.id))].toSorted())
}

function expectValid(sent: readonly SentEvent[]): void {
  for (const { name, detail, atMs } of sent) {
    expect(problemsOf(name, detail), detail.id).toBeUndefined()
    expect(detail['atMs']).toBe(atMs)
    expect(JSON.stringify(detail)).not.toContain('SECRET')
  }
}

function countsOf(named: readonly { readonly name: string | undefined }[]): Record<string, number> {
  const groups = Map.groupBy(named, ({ name }) => name ?? '')
  return Object.fromEntries([...groups].map(([name, group]) => [name, group.length]))
}

/** Some records twice or three times, all in an order that `picks` decides. */
function shuffled(records: readonly DynamoDBRecord[], picks: readonly number[]): DynamoDBRecord[] {
  const pick = (index: number) => picks[index % picks.length] ?? 0
  const pool = records.flatMap((record, index) => Array<DynamoDBRecord>(1 + (pick(index) % 3)).fill(record))
  const result: DynamoDBRecord[] = []
  while (pool.length > 0) result.push(...pool.splice(pick(result.length) % pool.length, 1))
  return result
}

const METRICS = [
  ['elected', 'LeaderElected'],
  ['takeover', 'LeaderTakenOver'],
  ['ticksCompleted', 'TickCompleted'],
  ['tickDuration', 'TickCompleted'],
  ['ticksFailed', 'TickFailed'],
] as const

test('Whatever the order and number of deliveries, each fact is announced once, and the history is right', async () => {
  const picks = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 200, size: 'max' })
  const all: SentEvent[] = []
  await fc.assert(
    fc.asyncProperty(steps, picks, async (taken, order) => {
      const life = await live(taken)
      const scene = await setScene()
      for (const record of shuffled(life.leases.records, order)) {
        expect(await scene.deliver([record])).toEqual({ batchItemFailures: [] })
      }
      const { accepted } = scene.bus
      expectHistory(await scene.rows(), life, accepted)
      expect(countsOf(accepted)).toEqual(Object.fromEntries(life.events))
      expect(new Set(accepted.map(({ detail }) => detail.id)).size).toBe(accepted.length)
      expectValid(accepted)
      const expected = METRICS.map(([name, event]) => [name, life.events.get(event) ?? 0])
      expect(countsOf(scene.measured)).toEqual(Object.fromEntries(expected.filter(([, count]) => count !== 0)))
      expect(scene.logged).toEqual([])
      all.push(...accepted)
    }),
    { seed, numRuns: 60 },
  )
  // Otherwise the property would also hold for leases that no candidate acquires.
  expect(Object.keys(countsOf(all)).toSorted()).toEqual([...schemas.keys()].toSorted())
  expect(Math.min(...Object.values(countsOf(all)))).toBeGreaterThan(5)
})

test('Whatever fails, each fact is announced at least once under one id, and the history is right', async () => {
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
      const scene = await setScene({ bus: () => left.bus.shift(), table: () => left.table.shift() })
      await deliverAll(scene.announce, life.leases.records, batchSize)
      const { accepted } = scene.bus
      expectHistory(await scene.rows(), life, accepted)
      const copies = [...Map.groupBy(accepted, ({ detail }) => detail.id).values()]
      for (const [first, ...others] of copies) for (const other of others) expect(other).toEqual(first)
      expect(countsOf(copies.flatMap(([first]) => first ?? []))).toEqual(Object.fromEntries(life.events))
      expectValid(accepted)
      failures += scene.logged.length
    }),
    { seed, numRuns: 60 },
  )
  expect(failures).toBeGreaterThan(100)
})
