/**
 * Many candidates at once, in virtual time: the shipped code on a DynamoDB in memory whose partitions have a limit of
 * write units per second. It runs in a process of its own, because it replaces the clocks.
 */
// @ts-nocheck

import '../proof/simulation/globals.ts' // before modules that keep a clock
import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBLeaseStore, withLease } from '../../functions/election/index.ts'
import { refused } from '../../functions/election/testing/dynamodb/answer.ts'
import { simulatedClient } from '../../functions/election/testing/dynamodb/client.ts'
import { SimulatedDynamoDB } from '../../functions/election/testing/dynamodb/database.ts'
import { enter } from '../proof/simulation/globals.ts'
import { SimulatedProcess, Timeline } from '../proof/simulation/process.ts'
import { hashOf, Random } from '../proof/simulation/random.ts'

export interface Order {
  readonly seed: number
  readonly leases: number
  /** For each lease. */
  readonly candidates: number
  /** Their invocations start within this time. */
  readonly jitterMs: number
  /** A candidate reads the row first, and stands by if another leads or the tick is done. */
  readonly looksFirst: boolean
  /** Of each write, also of a refused one. */
  readonly unitsPerWrite: number
  readonly partitions: number
}

export interface Storm {
  readonly writes: number
  readonly reads: number
  readonly throttled: number
  /** Invocations that ended with an error, which Lambda retries a minute later. */
  readonly failed: number
  /** From the tick until the last lease had its leader, and until the last tick was done. */
  readonly ledMs: number
  readonly doneMs: number
  /** Ticks that were not done after all retries. */
  readonly notDone: number
}

const START_MS = Date.parse('2026-01-01T00:00:00.000Z')
const UNITS_PER_SECOND = 1_000
const TASK_MS = 1_000
const LATENCY_MS = [2, 8] as const
/** Of Lambda's retries of an asynchronous invocation. */
const RETRIES_AFTER_MS = [60_000, 120_000]
/** So few that none uses up what the SDK spends on retries for each client. */
const CANDIDATES_PER_CLIENT = 20

async function storm(order: Order): Promise<Storm> {
  const timeline = new Timeline(START_MS)
  const random = new Random(order.seed, 'storm')
  const database = new SimulatedDynamoDB()
  database.createTable({ name: 'leases', partitionKey: 'lease', sortKey: 'record' })
  const counts = { writes: 0, reads: 0, throttled: 0, failed: 0, ledMs: 0, doneMs: 0 }
  /** A second's units, refilled all the time: what a partition saved before is not counted on. */
  const buckets = Array.from({ length: order.partitions }, () => ({ units: UNITS_PER_SECOND, atMs: START_MS }))
  const isThrottled = (lease: string) => {
    const bucket = buckets[hashOf(lease) % order.partitions]
    if (bucket === undefined) return false
    const refill = ((timeline.nowMs - bucket.atMs) / 1_000) * UNITS_PER_SECOND
    bucket.units = Math.min(UNITS_PER_SECOND, bucket.units + refill)
    bucket.atMs = timeline.nowMs
    if (bucket.units < order.unitsPerWrite) return true
    bucket.units -= order.unitsPerWrite
    return false
  }
  const answer = (operation: string, body: Readonly<Record<string, unknown>>) => {
    const lease = String(Object(body['Key']).lease.S)
    if (operation === 'GetItem') counts.reads++
    else if (isThrottled(lease)) {
      counts.throttled++
      return refused('ProvisionedThroughputExceededException', 'The level of configured provisioned throughput …')
    } else counts.writes++
    return database.execute(operation, body)
  }
  const simulated = new SimulatedProcess('candidates', timeline, order.seed, 0)
  const { clock } = simulated
  const send = async (operation: string, body: Readonly<Record<string, unknown>>) => {
    await clock.sleep(random.between(...LATENCY_MS))
    const reply = { ...answer(operation, body), dateMs: timeline.nowMs }
    await clock.sleep(random.between(...LATENCY_MS))
    return reply
  }
  const invocations = order.leases * order.candidates
  const clients = Array.from({ length: Math.ceil(invocations / CANDIDATES_PER_CLIENT) }, () => {
    const client = simulatedClient(send, { maxAttempts: 3 })
    return { client, store: new DynamoDBLeaseStore({ tableName: 'leases', client, clock }) }
  })
  const tick = new Date(START_MS)
  const invoke = async (lease: string, candidate: string, place: number) => {
    const found = clients[place % clients.length]
    if (found === undefined) return
    if (order.looksFirst) {
      const Key = { lease: { S: lease }, record: { S: 'LEASE' } }
      const { Item } = await found.client.send(new GetItemCommand({ TableName: 'leases', Key }))
      if (Item?.['holder'] !== undefined || Item?.['completedTick'] !== undefined) return
    }
    const { status } = await withLease({ store: found.store, lease, candidate, tick, clock }, async () => {
      counts.ledMs = Math.max(counts.ledMs, timeline.nowMs - START_MS)
      await clock.sleep(TASK_MS)
    })
    if (status === 'completed') counts.doneMs = Math.max(counts.doneMs, timeline.nowMs - START_MS)
  }
  const attempt = (lease: string, candidate: string, place: number, retry: number) => {
    invoke(lease, candidate, place).catch(() => {
      counts.failed++
      const afterMs = RETRIES_AFTER_MS[retry]
      if (afterMs !== undefined) timeline.after(afterMs, simulated, () => attempt(lease, candidate, place, retry + 1))
    })
  }
  for (let place = 0; place < invocations; place++) {
    const start = () => attempt(`lease-${place % order.leases}`, `candidate-${place}`, place, 0)
    timeline.after(random.between(0, order.jitterMs), simulated, start)
  }
  enter(timeline)
  await timeline.run(() => true).finally(() => enter(undefined))
  const notDone = database.rows('leases').filter((row) => row['completedTick'] === undefined).length
  return { ...counts, notDone }
}

process.on('disconnect', () => process.exit())
process.on('message', async (order: Order) => {
  const result = await storm(order)
  process.send?.(result)
})
process.send?.('ready')
