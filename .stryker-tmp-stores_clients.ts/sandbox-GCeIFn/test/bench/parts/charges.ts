// @ts-nocheck
import { monthly, setScene, TICK } from '../../billing/scene.ts'
import type { Bench } from '../bench.ts'
import { inTurns, ratioOf, show } from '../measure.ts'
import type { Result } from '../report.ts'

/** Whether the time per charge of the example grows with the number of subscriptions due at a tick. */
export async function charges(bench: Bench): Promise<Result> {
  const endpoint = await bench.dynamodbLocal()
  const [few, many] = bench.isQuick ? [50, 200] : [300, 3_000]
  const measure = async (size: number) => {
    const subscriptions = Array.from({ length: size }, (_, i) => monthly(`cus_${i}`))
    await using scene = await setScene(endpoint, subscriptions)
    const startedAtMs = performance.now()
    const outcome = await scene.lead(TICK)
    const ms = performance.now() - startedAtMs
    if (outcome.status === 'completed' && outcome.result.charged === size) return ms / size
    throw new Error(`not everything was charged: ${JSON.stringify(outcome)}`)
  }
  await measure(few) // warms up
  const samples = await inTurns(
    bench.isQuick ? 1 : 3,
    [few, many].map((size) => [size, () => measure(size)] as const),
  )
  return {
    title: 'Charges of the example',
    tables: [
      {
        about: 'Time per charge, as a ratio to that of a tick with few; DynamoDB Local, and the sandbox in memory.',
        columns: ['due at a tick', 'time per charge'],
        rows: [few, many].map((size) => [size.toLocaleString('en'), show(ratioOf(samples(size), samples(few)))]),
      },
    ],
  }
}
