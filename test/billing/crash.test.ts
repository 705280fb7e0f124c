/**
 * A leader may die between any two of its effects, or after an effect whose answer it never saw. An effect is a write
 * through the lease or a request to the gateway; with one worker their order is always the same, so that every place to
 * die at can be tried in turn.
 */
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { expect, inject, test } from 'vitest'
import { type ChargeDueOptions, UnsettledChargesError } from '../../functions/billing/charge-due.ts'
import type { WriteInput } from '../../functions/election/index.ts'
import { type Changes, monthly, type Scene, setScene, TICK } from './scene.ts'

const endpoint = inject('dynamodbEndpoint')

// Paid at once; paid twice, to catch up; declined.
const SUBSCRIPTIONS = [monthly('cus_paid'), monthly('cus_late', { dueDate: '2023-12-31' }), monthly('cus_declined')]
/** begin, charge, record, advance for each of three periods paid; begin, charge, decline. */
const EFFECTS = 3 * 4 + 3

function scene(): Promise<Scene> {
  return setScene(endpoint, SUBSCRIPTIONS, {
    decide: ({ customer }) => (customer === 'cus_declined' ? 'declined' : 'charged'),
  })
}

/** A process that dies once so many effects have happened; the answer to the last of them is never seen. */
function dyingAfter(effects: number, count = { made: 0 }): (parts: ChargeDueOptions) => Changes {
  async function effect<T>(make: () => Promise<T>): Promise<T> {
    if (count.made >= effects) throw new Error('dead')
    const answer = await make()
    count.made++
    if (count.made >= effects) throw new Error('died')
    return answer
  }
  return ({ lease, gateway }) => ({
    concurrency: 1,
    lease: {
      fencingToken: lease.fencingToken,
      signal: lease.signal,
      assertHeld: () => lease.assertHeld(),
      idempotencyKey: (...unit) => lease.idempotencyKey(...unit),
      send: (input) => effect(() => lease.send(input)),
    },
    gateway: {
      find: (...find) => effect(() => gateway.find(...find)),
      charge: (...charge) => effect(() => gateway.charge(...charge)),
    },
  })
}

async function expectAllRight(stage: Scene): Promise<void> {
  expect(
    stage.gateway
      .charges()
      .map(({ customer, period }) => `${customer} ${period}`)
      .toSorted(),
  ).toEqual(['cus_late 2023-12-31', 'cus_late 2024-01-31', 'cus_paid 2024-01-31'])
  expect(stage.gateway.duplicateCharges()).toBe(0)
  expect(await stage.audit(TICK)).toEqual({ charges: 3, duplicateCharges: 0, dueNotCharged: 0 })
  for (const charge of stage.gateway.charges()) {
    const entry = await stage.ledgerEntry(charge.customer, `plus#${charge.period}`)
    expect(entry).toMatchObject({ chargeId: charge.id, amountMinor: charge.amountMinor, currency: charge.currency })
  }
  for (const customer of ['cus_paid', 'cus_late']) {
    const row = await stage.subscription(customer)
    expect(row).toMatchObject({ period: '2024-02-29', dueAt: '2024-02-29T00:00:00.000Z', dunned: 0 })
    expect(row).not.toHaveProperty('intentStartedAtMs')
  }
  expect(await stage.subscription('cus_declined')).toMatchObject({ period: '2024-01-31', dunned: 1, status: 'active' })
}

test(`A leader of this tick has ${EFFECTS} effects`, async () => {
  await using stage = await scene()
  const count = { made: 0 }
  await stage.lead(TICK, dyingAfter(Number.POSITIVE_INFINITY, count))
  expect(count.made).toBe(EFFECTS)
  await expectAllRight(stage)
})

test.each(Array.from({ length: EFFECTS }, (_, i) => i + 1))(
  'After a death behind effect %i the next leader ends right: each period charged once, the ledger complete',
  async (effects) => {
    await using stage = await scene()
    await expect(stage.lead(TICK, dyingAfter(effects))).rejects.toThrow('not settled')
    expect(await stage.lead(TICK)).toMatchObject({ status: 'completed', result: { failed: 0 } })
    await expectAllRight(stage)
  },
)

test('Leaders that all die after their fifth effect still get everything done, each a little', async () => {
  await using stage = await scene()
  let deaths = 0
  for (;;) {
    const died = await stage.lead(TICK, dyingAfter(5)).catch((error: unknown) => error)
    if (!(died instanceof UnsettledChargesError)) break
    deaths++
    expect(deaths).toBeLessThan(10)
  }
  expect(deaths).toBeGreaterThan(2)
  await expectAllRight(stage)
})

test('A write whose reply was lost, sent again by the SDK, changes nothing more', async () => {
  await using stage = await scene()
  const outcome = await stage.lead(TICK, ({ lease }) => ({
    lease: {
      fencingToken: lease.fencingToken,
      signal: lease.signal,
      assertHeld: () => lease.assertHeld(),
      idempotencyKey: (...unit) => lease.idempotencyKey(...unit),
      send: async (input) => {
        await lease.send(input)
        return lease.send(input)
      },
    },
  }))
  expect(outcome).toMatchObject({ status: 'completed', result: { due: 4, charged: 3, declined: 1, failed: 0 } })
  await expectAllRight(stage)
})

test('Delayed copies of all earlier writes of the same leader change nothing', async () => {
  await using stage = await scene()
  const outcome = await stage.lead(TICK, ({ lease }) => {
    const sent: WriteInput[] = []
    return {
      concurrency: 1,
      lease: {
        fencingToken: lease.fencingToken,
        signal: lease.signal,
        assertHeld: () => lease.assertHeld(),
        idempotencyKey: (...unit) => lease.idempotencyKey(...unit),
        send: async (input) => {
          const answer = await lease.send(input)
          for (const copy of sent) await lease.send(copy).catch(ignoreFailedCondition)
          sent.push(input)
          return answer
        },
      },
    }
  })
  expect(outcome).toMatchObject({ status: 'completed', result: { due: 4, charged: 3, declined: 1, failed: 0 } })
  await expectAllRight(stage)
})

function ignoreFailedCondition(error: unknown): void {
  if (!(error instanceof ConditionalCheckFailedException)) throw error
}
