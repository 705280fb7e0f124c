/** Through the shipped rules and announcer: a record delivered twice, out of order or after a crash changes nothing. */
// @ts-nocheck

import type { DynamoDBRecord } from 'aws-lambda'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { live, type Step, step } from './life.ts'
import { type BusFault, deliverAll, type SentEvent, setScene, type TableFault } from './scene.ts'
import { problemsOf, schemas } from './schemas.ts'

const steps = fc.array(step, { minLength: 1, maxLength: 30, size: 'max' })
const seed = 20261121

/** What a life looks like if each record is delivered once, in order; announce.test.ts says what that is. */
async function inOrder(taken: readonly Step[]) {
  const { records } = await live(taken)
  const scene = await setScene()
  await scene.deliver(records)
  const { bus, measured } = scene
  expectValid(bus.accepted)
  expect(new Set(bus.accepted.map(({ detail }) => detail.id)).size).toBe(bus.accepted.length)
  const counts = countsOf(bus.accepted)
  const handOvers = bus.accepted.filter(({ detail }) => detail['endedBy'] === 'continued').length
  const expected = [...METRICS.map(([name, event]) => [name, counts[event] ?? 0]), ['continuations', handOvers]]
  expect(countsOf(measured)).toEqual(Object.fromEntries(expected.filter(([, count]) => count !== 0)))
  return { records, rows: await scene.rows(), accepted: byId(bus.accepted), measured }
}

const byId = (sent: readonly SentEvent[]) => sent.toSorted((a, b) => (a.detail.id < b.detail.id ? -1 : 1))

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

test('Events, metrics and history are sent once, whatever the order and number of deliveries', async () => {
  const picks = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 200, size: 'max' })
  const all: SentEvent[] = []
  await fc.assert(
    fc.asyncProperty(steps, picks, async (taken, order) => {
      const expected = await inOrder(taken)
      const scene = await setScene()
      for (const record of shuffled(expected.records, order)) {
        expect(await scene.deliver([record])).toEqual({ batchItemFailures: [] })
      }
      expect(await scene.rows()).toEqual(expected.rows)
      expect(byId(scene.bus.accepted)).toEqual(expected.accepted)
      expect(countsOf(scene.measured)).toEqual(countsOf(expected.measured))
      expect(scene.logged).toEqual([])
      all.push(...expected.accepted)
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
      const expected = await inOrder(taken)
      const left = { bus: [...bus], table: [...table] }
      const scene = await setScene({ bus: () => left.bus.shift(), table: () => left.table.shift() })
      await deliverAll(scene.announce, expected.records, batchSize)
      expect(await scene.rows()).toEqual(expected.rows)
      const copies = [...Map.groupBy(scene.bus.accepted, ({ detail }) => detail.id).values()]
      for (const [first, ...others] of copies) for (const other of others) expect(other).toEqual(first)
      expect(byId(copies.flatMap(([first]) => first ?? []))).toEqual(expected.accepted)
      failures += scene.logged.length
    }),
    { seed, numRuns: 60 },
  )
  expect(failures).toBeGreaterThan(100)
})
