/**
 * Prints the bytes that a cycle of withLease allocates, as a ratio to the bare SDK that sends the same two requests.
 * Without optimized code and with no garbage collection in between, it is the same number on every machine:
 * `node --expose-gc --no-opt --min-semi-space-size=256 --max-semi-space-size=256 test/bench/allocations.ts`
 */
// @ts-nocheck

import { UpdateItemCommand, type UpdateItemCommandInput } from '@aws-sdk/client-dynamodb'
import { DynamoDBLeaseStore, withLease } from '../../functions/election/index.ts'
import { simulatedClient } from '../../functions/election/testing/dynamodb/client.ts'

const CYCLES = 100
const requests: UpdateItemCommandInput[] = []
const client = simulatedClient((_, body) => {
  if (requests.length < 2) requests.push(JSON.parse(JSON.stringify(body)))
  return { status: 200, body: {} }
})
const store = new DynamoDBLeaseStore({ tableName: 'leases', client })
let ticks = 0

async function tenure(): Promise<void> {
  await withLease({ store, lease: 'bench', tick: Date.UTC(2020, 0, 1) + ++ticks * 1_000 }, () => {})
}

async function bare(): Promise<void> {
  for (const request of requests) await client.send(new UpdateItemCommand(structuredClone(request)))
}

async function bytesOf(cycle: () => Promise<void>): Promise<number> {
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  for (let n = 0; n < CYCLES; n++) await cycle()
  return process.memoryUsage().heapUsed - before
}

await tenure()
for (const cycle of [tenure, bare]) await bytesOf(cycle) // caches fill
const [own, floor] = [await bytesOf(tenure), await bytesOf(bare)]
console.log((own / floor).toFixed(3))
