/**
 * A process may die between any two of its requests, to DynamoDB or to the gateway. With one worker their order is always the
 * same, so that every place to die at is tried in turn: the first so many requests have done their work, nobody saw the
 * reply to the last of them, and nothing is sent after it. None is left out, and none is drawn by lot.
 */
import { describe, expect, test } from 'vitest'
import { UnsettledChargesError } from '../../functions/billing/charge-due.ts'
import { type Clock, systemClock } from '../../functions/election/clock.ts'
import { simulatedClient } from '../support/simulated-client.ts'
import { CARD, monthly, type Scene, setScene, TICK } from './scene.ts'

const SUBSCRIPTIONS = [
  monthly('cus_01'),
  monthly('cus_02', { priceMinor: 1200, currency: 'JPY', interval: 'year', plan: 'pro' }),
  monthly('cus_03', { priceMinor: 3250, currency: 'KWD', interval: 'week' }),
  monthly('cus_04', { dueDate: '2023-12-31' }),
  monthly('cus_05', { dueDate: '2024-01-15', interval: 'week', priceMinor: 499 }),
  monthly('cus_06', { timeZone: 'Asia/Kathmandu', currency: 'INR' }),
  monthly('cus_07', { timeZone: 'Pacific/Kiritimati', currency: 'USD' }),
  monthly('cus_08', { timeZone: 'America/Los_Angeles', currency: 'USD' }),
  monthly('cus_09', { paymentMethod: CARD.declined }),
  { ...monthly('cus_10', { paymentMethod: CARD.declined }), dunned: 2 },
  monthly('cus_11', { paymentMethod: CARD.chargedButTold500 }),
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
  'cus_06 plus 2024-01-31: 1999 INR',
  'cus_07 plus 2024-01-31: 1999 USD',
  'cus_08 plus 2024-01-31: 1999 USD',
  'cus_11 plus 2024-01-31: 1999 EUR',
  'cus_12 plus 2024-01-31: 1999 EUR',
]

/**
 * The first leader: the acquire; a query of each of the 4 shards; claim, intend, charge, answer and move on for 11 charges
 * and 2 declines; for 2 charges of unknown outcome all but the last; a look-up for 6 periods that are due for long; the release.
 */
const REQUESTS = 1 + 4 + 13 * 5 + 2 * 4 + 6 + 1
/** The second: the same for the 2 that are left, each looked up and one of them charged; the completion. */
const REQUESTS_IN_ALL = REQUESTS + 1 + 4 + 2 * 5 + 1 + 1

/** Counts requests, and does away with whoever makes them once so many have been executed. */
class Fate {
  made = 0
  #dieAfter = Number.POSITIVE_INFINITY
  #die = () => {}

  /** @returns when that has happened */
  killAfter(requests: number): Promise<'died'> {
    this.made = 0
    this.#dieAfter = requests
    const { promise, resolve } = Promise.withResolvers<'died'>()
    this.#die = () => resolve('died')
    return promise
  }

  /** From now on somebody else is at work, whom nothing happens to. */
  spare(): void {
    this.#dieAfter = Number.POSITIVE_INFINITY
  }

  /** A dead process neither sends nor hears anything: its promises never settle. */
  async meet<T>(request: () => Promise<T>): Promise<T> {
    if (this.made >= this.#dieAfter) return never()
    const reply = await request()
    this.made++
    if (this.made < this.#dieAfter) return reply
    this.#die()
    return never()
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const never = <T>(): Promise<T> => new Promise(() => {})

/** The timers of a process die with it. */
const mortalClock: Clock = { ...systemClock, sleep: never }

async function fatefulScene(fate: Fate): Promise<Scene> {
  const scene = await setScene(simulatedClient(), SUBSCRIPTIONS, { intercept: (_request, answer) => fate.meet(answer) })
  scene.client.middlewareStack.add((next) => (args) => fate.meet(() => next(args)), {
    step: 'deserialize', // each try of a request, as it goes over the wire
    name: 'fate',
  })
  return scene
}

const alone = () => ({ concurrency: 1 })

/** Whoever comes next, as often as Lambda and the schedule let them try. */
async function leadUntilDone(scene: Scene): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    const outcome = await scene.lead(TICK, alone).catch((error: unknown) => error)
    if (outcome instanceof UnsettledChargesError) continue
    if (!isObject(outcome) || outcome['reason'] !== 'tickDone') expect(outcome).toMatchObject({ status: 'completed' })
    return
  }
  throw new Error('The tick is still not settled after three tries')
}

async function expectAllRight(scene: Scene): Promise<void> {
  const charges = scene.charges()
  expect(
    charges
      .map((charge) => `${charge.customer} ${charge.plan} ${charge.period}: ${charge.amountMinor} ${charge.currency}`)
      .toSorted(),
  ).toEqual(EXPECTED)
  expect(await scene.booked()).toEqual(charges)
  const statuses = (await scene.ledger()).map(({ status }) => status)
  expect(statuses.filter((status) => status !== 'charged')).toEqual(['declined', 'declined'])
  expect(await scene.subscription('cus_01')).toMatchObject({ period: '2024-02-29', dunned: 0 })
  expect(await scene.subscription('cus_02', 'pro')).toMatchObject({ period: '2025-01-31' })
  expect(await scene.subscription('cus_05')).toMatchObject({ period: '2024-02-05' })
  expect(await scene.subscription('cus_09')).toMatchObject({ period: '2024-01-31', dunned: 1, status: 'active' })
  expect(await scene.subscription('cus_10')).toMatchObject({ period: '2024-01-31', dunned: 3, status: 'suspended' })
  expect(await scene.subscription('cus_of_tomorrow')).toMatchObject({ period: '2024-02-01' })
}

test(`The run of this tick makes ${REQUESTS} requests under its first leader and ${REQUESTS_IN_ALL} in all`, async () => {
  const fate = new Fate()
  await using scene = await fatefulScene(fate)
  fate.made = 0
  await expect(scene.lead(TICK, alone)).rejects.toThrow('2 of 15 due charges are not settled')
  expect(fate.made).toBe(REQUESTS)
  expect(await scene.lead(TICK, alone)).toMatchObject({ status: 'completed' })
  expect(fate.made).toBe(REQUESTS_IN_ALL)
  await expectAllRight(scene)
})

describe.concurrent('Each due subscription is charged exactly once, with the right amount, though a leader dies behind', () => {
  test.each(Array.from({ length: REQUESTS_IN_ALL }, (_, i) => [i + 1]))('request %i', async (requests) => {
    const fate = new Fate()
    await using scene = await fatefulScene(fate)
    const died = fate.killAfter(requests)
    const lead = () => scene.lead(TICK, alone, { clock: mortalClock }).catch((error: unknown) => error)
    let outcome: unknown
    while (outcome !== 'died') {
      outcome = await Promise.race([died, lead()])
      if (outcome !== 'died') expect(outcome).toBeInstanceOf(UnsettledChargesError)
    }
    fate.spare()
    await scene.expireLease()
    await leadUntilDone(scene)
    await expectAllRight(scene)
  })
})

test('Leaders that all die behind their twentieth request still get everything done, each a little', async () => {
  const fate = new Fate()
  await using scene = await fatefulScene(fate)
  let deaths = 0
  for (let isDone = false; !isDone; ) {
    const died = fate.killAfter(20)
    const lead = scene.lead(TICK, alone, { clock: mortalClock }).catch((error: unknown) => error)
    const outcome = await Promise.race([died, lead])
    fate.spare()
    await scene.expireLease()
    isDone = outcome !== 'died' && !(outcome instanceof UnsettledChargesError)
    if (outcome === 'died') deaths++
    expect(deaths).toBeLessThan(12)
  }
  expect(deaths).toBeGreaterThan(3)
  await expectAllRight(scene)
})
