/**
 * `npm run bench`: does the time per charge grow with the number of subscriptions due at a tick? Bills both sizes in
 * turn in one process, on DynamoDB Local with the sandbox in memory. Only the ratio is meaningful.
 */
import { once } from 'node:events'
import { startDynamoDBLocal } from '../../infra/programs/dynamodb-local.ts'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../infra/programs/interrupt.ts'
import { monthly, setScene, TICK } from '../billing/scene.ts'

const SIZES = [500, 5_000]
const ROUNDS = 3

using interrupt = onInterrupt()
const { endpoint, stop } = await startDynamoDBLocal({ signal: interrupt.signal, sharedDb: true })
await Promise.race([compare(), once(interrupt.signal, 'abort')])
await stop()
process.exit(interrupt.signal.aborted ? INTERRUPTED_EXIT_CODE : 0)

async function compare(): Promise<void> {
  await msPerCharge(200) // warms up
  const best = new Map<number, number>()
  for (let round = 1; round <= ROUNDS; round++) {
    for (const size of SIZES) {
      const ms = await msPerCharge(size)
      best.set(size, Math.min(ms, best.get(size) ?? ms))
      console.log(`round ${round}: ${String(size).padStart(5)} due, ${ms.toFixed(2)} ms per charge`)
    }
  }
  const [few = Number.NaN, many = Number.NaN] = SIZES.map((size) => best.get(size))
  console.log(`best of ${ROUNDS}: ${few.toFixed(2)} and ${many.toFixed(2)} ms; ratio: ${(many / few).toFixed(2)}`)
}

async function msPerCharge(size: number): Promise<number> {
  const subscriptions = Array.from({ length: size }, (_, i) => monthly(`cus_${i}`))
  await using scene = await setScene(endpoint, subscriptions)
  const startedAt = performance.now()
  const outcome = await scene.lead(TICK)
  const ms = performance.now() - startedAt
  if (outcome.status !== 'completed' || outcome.result.charged !== size) {
    throw new Error(`not everything was charged: ${JSON.stringify(outcome)}`)
  }
  return ms / size
}
