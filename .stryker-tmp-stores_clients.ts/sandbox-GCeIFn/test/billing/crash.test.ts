/**
 * A process may die between any two of its requests, to DynamoDB, the gateway or Lambda. One worker makes their order
 * deterministic, so that every place to die is tried in turn: the first n requests are executed, the reply to the last
 * of them is lost, and nothing is sent after it. A network may also repeat and delay each request.
 */
// @ts-nocheck


import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { UnsettledChargesError } from '../../functions/billing/charge-due.ts'
import type { WriteInput } from '../../functions/election/index.ts'
import { CARD } from '../../functions/sandbox/cards.ts'
import { type Ended, invokeAll, KillSwitch, type MortalScene, mortalScene, PAGE } from './invocations.ts'
import { changedLease, monthly, type Scene, setScene, TICK } from './scene.ts'

// Some tests make thousands of requests, one after the other: seconds alone, and minutes beside a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const SUBSCRIPTIONS = [
  monthly('cus_01'),
  monthly('cus_02', { priceMinor: 1200, currency: 'JPY', interval: 'year', plan: 'pro' }),
  monthly('cus_03', { priceMinor: 3250, currency: 'KWD', interval: 'week' }),
  monthly('cus_04', { dueDate: '2023-12-31' }),
  monthly('cus_05', { dueDate: '2024-01-15', interval: 'week', priceMinor: 499 }),
  monthly('cus_06', { timeZone: 'Pacific/Kiritimati', currency: 'USD' }),
  monthly('cus_09', { paymentMethod: CARD.declined }),
  { ...monthly('cus_10', { paymentMethod: CARD.declined }), dunned: 2 },
  monthly('cus_11', { paymentMethod: CARD.toldAFailure }),
  monthly('cus_12', { paymentMethod: CARD.lostOnItsWay }),
  monthly('cus_of_tomorrow', { dueDate: '2024-02-01' }),
]
const EXPECTED = [
  'cus_01 plus 2024-01-31: 1999 EUR',
  'cus_02 pro 2024-01-31: 1200 JPY',
  'cus_03 plus 2024-01-31: 3250 KWD',
  'cus_04 plus 2023-12-31: 1999 EUR',
  'cus_04 plus 2024-01-31: 1999 EUR',
  'cus_05 plus 2024-01-15: 499 EUR',
  'cus_05 plus 2024-01-22: 499 EUR',
  'cus_05 plus 2024-01-29: 499 EUR',
  'cus_06 plus 2024-01-31: 1999 USD',
  'cus_11 plus 2024-01-31: 1999 EUR',
  'cus_12 plus 2024-01-31: 1999 EUR',
]

/**
 * Each invocation: an acquire and a query of each of the 4 shards. For each charge or decline: claim, intend, charge,
 * answer and move on; all but the last if the outcome is unknown; a look-up for 5 periods long due. The first
 * invocation charges 5, with 2 checkpoints, a hand-over and an invoke; the second 4 and 2 that stay unknown, with 1
 * checkpoint, a hand-over and an invoke; the third 2, then a checkpoint and a release, since the tick is not settled.
 * Its retry looks up both unknown ones, charges one of them, and completes the tick.
 */
const REQUESTS = [1 + 4 + 5 * 5 + 2 + 1 + 1, 1 + 4 + 4 * 5 + 4 + 2 * 4 + 1 + 1 + 1, 1 + 4 + 2 * 5 + 1 + 1 + 1] as const
const REQUESTS_OF_RETRY = 1 + 4 + 2 * 5 + 1 + 1
const REQUESTS_IN_ALL = REQUESTS.reduce<number>((sum, requests) => sum + requests, REQUESTS_OF_RETRY)

async function expectAllRight(scene: Scene): Promise<void> {
  const charges = scene.charges()
  const shown = charges.map((one) => `${one.customer} ${one.plan} ${one.period}: ${one.amountMinor} ${one.currency}`)
  expect(shown.toSorted()).toEqual(EXPECTED)
  expect(await scene.recordedCharges()).toEqual(charges)
  const statuses = (await scene.ledger()).map(({ status }) => status)
  expect(statuses.filter((status) => status !== 'charged')).toEqual(['declined', 'declined'])
  expect(await scene.subscription('cus_01')).toMatchObject({ period: '2024-02-29', dunned: 0 })
  expect(await scene.subscription('cus_02', 'pro')).toMatchObject({ period: '2025-01-31' })
  expect(await scene.subscription('cus_05')).toMatchObject({ period: '2024-02-05' })
  expect(await scene.subscription('cus_09')).toMatchObject({ period: '2024-01-31', dunned: 1, status: 'active' })
  expect(await scene.subscription('cus_10')).toMatchObject({ period: '2024-01-31', dunned: 3, status: 'suspended' })
  expect(await scene.subscription('cus_of_tomorrow')).toMatchObject({ period: '2024-02-01' })
}

const RESULT = { charged: 11, replayed: 1, declined: 2, suspended: 1, failed: 0 }

test(`Three invocations and a retry of the last make ${REQUESTS_IN_ALL} requests`, async () => {
  const killSwitch = new KillSwitch()
  await using scene = await mortalScene(SUBSCRIPTIONS, killSwitch)
  const ends = await invokeAll(scene, killSwitch, {})
  expect(ends).toMatchObject([
    { status: 'continued', result: { charged: 3, declined: 2, pages: 3 } },
    { status: 'continued', result: { charged: 7, declined: 2, failed: 2, pages: 5 } },
    {
      name: 'UnsettledChargesError',
      message: expect.stringMatching('2 of 13 due charges are not settled \\(2 × Gateway'),
    },
    { status: 'completed', result: { ...RESULT, due: 13, pages: 7 } },
  ])
  expect(killSwitch.requests).toBe(REQUESTS_IN_ALL)
  await expectAllRight(scene)
})

let undisturbed: MortalScene
beforeAll(async () => {
  const killSwitch = new KillSwitch()
  undisturbed = await mortalScene(SUBSCRIPTIONS, killSwitch)
  await invokeAll(undisturbed, killSwitch, {})
})

/** More periods than those of a page are never counted out. */
const PERIODS_OF_A_PAGE = 4

async function expectRightAfterDeath(how: Parameters<typeof invokeAll>[2]): Promise<void> {
  const killSwitch = new KillSwitch()
  await using scene = await mortalScene(SUBSCRIPTIONS, killSwitch)
  const ends = await invokeAll(scene, killSwitch, how)
  expect(ends).toContain('died')
  await expectAllRight(scene)
  expect(scene.completions).toBe(1)
  const again = [...scene.claims].filter(([customer, times]) => times > (undisturbed.claims.get(customer) ?? 0))
  expect(again.length).toBeLessThanOrEqual(PAGE)
  for (const ended of ends) {
    if (!isCompleted(ended)) continue
    expect(ended.result).toMatchObject({ failed: 0 })
    expect(ended.result.due).toBeGreaterThanOrEqual(13 - PERIODS_OF_A_PAGE)
  }
}

const isCompleted = (ended: Ended) => typeof ended === 'object' && 'status' in ended && ended.status === 'completed'

describe.concurrent('Each customer is charged once, and the tick completed once, if a leader dies', () => {
  test.each(Array.from({ length: REQUESTS_IN_ALL }, (_, i) => [i + 1]))(
    'after request %i, and each continuation is delivered twice',
    (killAfter) => expectRightAfterDeath({ killAfter, copies: 2 }),
  )

  const [first, second] = REQUESTS
  test.each([
    ['after its hand-over was written, before it invoked the next one', first - 1],
    ['after it invoked the next one', first],
    ['after the second hand-over was written', first + second - 1],
    ['after it invoked the third one', first + second],
  ])('%s, and is retried before the continuation runs', (_, killAfter) =>
    expectRightAfterDeath({ killAfter, retryFirst: true }),
  )
})

const ignoreFailedCondition = (error: unknown) => {
  if (!(error instanceof ConditionalCheckFailedException)) throw error
}

test('Requests to charge that arrive twice, and copies of each write, however late, change nothing more', async () => {
  await using scene = await setScene(inject('dynamodbEndpoint'), SUBSCRIPTIONS, {
    intercept: (_request, answer) => answer().then(answer),
  })
  const sent: WriteInput[] = []
  const lead = () =>
    scene.lead(TICK, ({ lease }) => {
      sent.length = 0
      const send: typeof lease.send = async (input) => {
        const answer = await lease.send(input)
        sent.push(input)
        for (const copy of sent) await lease.send(copy).catch(ignoreFailedCondition)
        return answer
      }
      return { concurrency: 1, lease: changedLease(lease, { send }) }
    })
  const first = await lead().catch((error: unknown) => error)
  const last = first instanceof UnsettledChargesError ? await lead() : first
  expect(last).toMatchObject({ status: 'completed' })
  await expectAllRight(scene)
})
