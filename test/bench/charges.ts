/**
 * `npm run bench`: does the time per charge grow with the number of subscriptions due at a tick? Bills both sizes in
 * turn in one process, on DynamoDB Local with the sandbox in memory. Only the ratio is meaningful.
 */
import { once } from 'node:events'
import { startDynamoDBLocal } from '../../infra/programs/dynamodb-local.ts'
import { INTERRUPTED_EXIT_CODE, onInterrupt } from '../../infra/programs/interrupt.ts'
import { monthly, setScene, TICK } from '../billing/scene.ts'
import { compareSizes } from './compare.ts'

using interrupt = onInterrupt()
const { endpoint, stop } = await startDynamoDBLocal({ signal: interrupt.signal, sharedDb: true })
await Promise.race([compare(), once(interrupt.signal, 'abort')])
await stop()
process.exit(interrupt.signal.aborted ? INTERRUPTED_EXIT_CODE : 0)

async function compare(): Promise<void> {
  await msPerCharge(200) // warms up
  await compareSizes([500, 5_000], msPerCharge, 'due, per charge')
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
