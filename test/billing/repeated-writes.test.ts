/** A network repeats and delays: every request of billing may arrive twice, immediately or much later. */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { expect, inject, test } from 'vitest'
import type { ChargeDueOptions } from '../../functions/billing/charge-due.ts'
import type { WriteInput } from '../../functions/election/index.ts'
import { CARD, changedLease, monthly, type Scene, setScene, TICK } from './scene.ts'

const endpoint = inject('dynamodbEndpoint')

// One period due, two periods due, and a declined card.
const SUBSCRIPTIONS = [
  monthly('cus_paid'),
  monthly('cus_late', { dueDate: '2023-12-31' }),
  monthly('cus_declined', { paymentMethod: CARD.declined }),
]
const COMPLETED = { status: 'completed', result: { due: 4, charged: 3, declined: 1, failed: 0 } }

async function expectAllRight(scene: Scene): Promise<void> {
  const paid = scene.charges().map(({ customer, period }) => `${customer} ${period}`)
  expect(paid.toSorted()).toEqual(['cus_late 2023-12-31', 'cus_late 2024-01-31', 'cus_paid 2024-01-31'])
  expect(await scene.recordedCharges()).toEqual(scene.charges())
  for (const customer of ['cus_paid', 'cus_late']) {
    expect(await scene.subscription(customer)).toMatchObject({ period: '2024-02-29', dunned: 0 })
  }
  expect(await scene.subscription('cus_declined')).toMatchObject({ period: '2024-01-31', dunned: 1, status: 'active' })
}

type Lead = (lease: ChargeDueOptions['lease']) => ChargeDueOptions['lease']

const sentTwice: Lead = (lease) =>
  changedLease(lease, { send: (input) => lease.send(input).then(() => lease.send(input)) })

const withDelayedCopies: Lead = (lease) => {
  const sent: WriteInput[] = []
  const ignoreFailedCondition = (error: unknown) => {
    if (!(error instanceof ConditionalCheckFailedException)) throw error
  }
  return changedLease(lease, {
    send: async (input) => {
      const answer = await lease.send(input)
      for (const copy of sent) await lease.send(copy).catch(ignoreFailedCondition)
      sent.push(input)
      return answer
    },
  })
}

test.each([
  ['A write that the SDK sends again, because its reply was lost, changes nothing more', sentTwice],
  ['Delayed copies of all earlier writes of the same leader change nothing', withDelayedCopies],
])('%s', async (_, change) => {
  await using scene = await setScene(endpoint, SUBSCRIPTIONS)
  const outcome = await scene.lead(TICK, ({ lease }) => ({ concurrency: 1, lease: change(lease) }))
  expect(outcome).toMatchObject(COMPLETED)
  await expectAllRight(scene)
})

test('A request to charge that arrives twice charges once', async () => {
  await using scene = await setScene(endpoint, SUBSCRIPTIONS, {
    intercept: (_request, answer) => answer().then(() => answer()),
  })
  expect(await scene.lead(TICK)).toMatchObject(COMPLETED)
  await expectAllRight(scene)
})
