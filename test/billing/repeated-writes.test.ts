/** A network repeats and delays: every request of billing may arrive twice, or once more much later. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { expect, inject, test } from 'vitest'
import type { ChargeDueOptions } from '../../functions/billing/charge-due.ts'
import type { WriteInput } from '../../functions/election/index.ts'
import { CARD, monthly, type Scene, setScene, TICK } from './scene.ts'

const endpoint = inject('dynamodbEndpoint')

// Paid at once; paid twice, to catch up; declined.
const SUBSCRIPTIONS = [
  monthly('cus_paid'),
  monthly('cus_late', { dueDate: '2023-12-31' }),
  monthly('cus_declined', { paymentMethod: CARD.declined }),
]

async function expectAllRight(scene: Scene): Promise<void> {
  const paid = scene.charges().map(({ customer, period }) => `${customer} ${period}`)
  expect(paid.toSorted()).toEqual(['cus_late 2023-12-31', 'cus_late 2024-01-31', 'cus_paid 2024-01-31'])
  expect(await scene.booked()).toEqual(scene.charges())
  for (const customer of ['cus_paid', 'cus_late']) {
    expect(await scene.subscription(customer)).toMatchObject({ period: '2024-02-29', dunned: 0 })
  }
  expect(await scene.subscription('cus_declined')).toMatchObject({ period: '2024-01-31', dunned: 1, status: 'active' })
}

/** The lease with other ways to send. */
function sending(lease: ChargeDueOptions['lease'], send: ChargeDueOptions['lease']['send']) {
  return {
    fencingToken: lease.fencingToken,
    signal: lease.signal,
    assertHeld: () => lease.assertHeld(),
    idempotencyKey: (...unit: readonly (string | number)[]) => lease.idempotencyKey(...unit),
    claim: (...key: Parameters<typeof lease.claim>) => lease.claim(...key),
    send,
  }
}

test('A write whose reply was lost, sent again by the SDK, changes nothing more', async () => {
  await using scene = await setScene(endpoint, SUBSCRIPTIONS)
  const outcome = await scene.lead(TICK, ({ lease }) => ({
    lease: sending(lease, async (input) => {
      await lease.send(input)
      return lease.send(input)
    }),
  }))
  expect(outcome).toMatchObject({ status: 'completed', result: { due: 4, charged: 3, declined: 1, failed: 0 } })
  await expectAllRight(scene)
})

test('Delayed copies of all earlier writes of the same leader change nothing', async () => {
  await using scene = await setScene(endpoint, SUBSCRIPTIONS)
  const sent: WriteInput[] = []
  const outcome = await scene.lead(TICK, ({ lease }) => ({
    concurrency: 1,
    lease: sending(lease, async (input) => {
      const answer = await lease.send(input)
      for (const copy of sent) await lease.send(copy).catch(ignoreFailedCondition)
      sent.push(input)
      return answer
    }),
  }))
  expect(outcome).toMatchObject({ status: 'completed', result: { due: 4, charged: 3, declined: 1, failed: 0 } })
  expect(sent.length).toBe(3 * 3 + 3)
  await expectAllRight(scene)
})

test('A request to charge that arrives twice charges once', async () => {
  await using scene = await setScene(endpoint, SUBSCRIPTIONS, {
    intercept: async (_request, answer) => {
      await answer()
      return answer()
    },
  })
  expect(await scene.lead(TICK)).toMatchObject({ status: 'completed' })
  await expectAllRight(scene)
})

function ignoreFailedCondition(error: unknown): void {
  if (!(error instanceof ConditionalCheckFailedException)) throw error
}
