/**
 * A process may die between any two of its requests, to DynamoDB or to the gateway. One worker makes their order
 * deterministic, so that every place to die is tried in turn: the first n requests are executed, the reply to the last
 * of them is lost, and nothing is sent after it. A network may also repeat and delay each request.
 */

import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { describe, expect, inject, test } from 'vitest'
import { UnsettledChargesError } from '../../functions/billing/charge-due.ts'
import { type Clock, systemClock } from '../../functions/election/clock.ts'
import type { WriteInput } from '../../functions/election/index.ts'
import { simulatedClient } from '../../functions/election/testing/dynamodb/client.ts'
import { CARD } from '../../functions/sandbox/cards.ts'
import { changedLease, monthly, type Scene, setScene, TICK } from './scene.ts'

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
 * The first leader: the acquire; a query of each of the 4 shards; claim, intend, charge, answer and move on for 9
 * charges and 2 declines; all but the last for 2 charges of unknown outcome; a look-up for 5 periods long due; the
 * release.
 */
const REQUESTS = 1 + 4 + 11 * 5 + 2 * 4 + 5 + 1
/** The second: the same for the 2 that are left, each looked up and one of them charged; the completion. */
const REQUESTS_IN_ALL = REQUESTS + 1 + 4 + 2 * 5 + 1 + 1

/** Counts the requests of a process, and kills it after a number of them. */
class KillSwitch {
  requests = 0
  #killAfter = Number.POSITIVE_INFINITY
  #died = Promise.withResolvers<'died'>()

  /** @returns when the process died */
  arm(killAfter: number): Promise<'died'> {
    this.requests = 0
    this.#killAfter = killAfter
    this.#died = Promise.withResolvers()
    return this.#died.promise
  }

  disarm(): void {
    this.#killAfter = Number.POSITIVE_INFINITY
  }

  /** A dead process sends and receives nothing: its promises never settle. */
  async pass<T>(request: () => Promise<T>): Promise<T> {
    if (this.requests >= this.#killAfter) return never()
    const reply = await request()
    this.requests++
    if (this.requests < this.#killAfter) return reply
    this.#died.resolve('died')
    return never()
  }
}

const never = <T>(): Promise<T> => new Promise(() => {})
/** The timers of a process die with it. */
const mortalClock: Clock = { ...systemClock, sleep: never }
const alone = () => ({ concurrency: 1 })

async function mortalScene(killSwitch: KillSwitch): Promise<Scene> {
  const intercept = <T>(_request: unknown, answer: () => Promise<T>) => killSwitch.pass(answer)
  const scene = await setScene(simulatedClient(), SUBSCRIPTIONS, { intercept })
  // 'deserialize' sees each try of a request, as it goes over the wire.
  scene.client.middlewareStack.add((next) => (args) => killSwitch.pass(() => next(args)), { step: 'deserialize' })
  killSwitch.requests = 0
  return scene
}

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

test(`The first leader of this tick makes ${REQUESTS} requests, both make ${REQUESTS_IN_ALL}`, async () => {
  const killSwitch = new KillSwitch()
  await using scene = await mortalScene(killSwitch)
  await expect(scene.lead(TICK, alone)).rejects.toThrow('2 of 13 due charges are not settled')
  expect(killSwitch.requests).toBe(REQUESTS)
  expect(await scene.lead(TICK, alone)).toMatchObject({ status: 'completed' })
  expect(killSwitch.requests).toBe(REQUESTS_IN_ALL)
  await expectAllRight(scene)
})

describe.concurrent('Everything due is charged exactly once, with the right amount, if a leader dies after', () => {
  test.each(Array.from({ length: REQUESTS_IN_ALL }, (_, i) => [i + 1]))('request %i', async (requests) => {
    const killSwitch = new KillSwitch()
    await using scene = await mortalScene(killSwitch)
    const died = killSwitch.arm(requests)
    const lead = (options = {}) => scene.lead(TICK, alone, options).catch((error: unknown) => error)
    let outcome: unknown
    while (outcome !== 'died') {
      outcome = await Promise.race([died, lead({ clock: mortalClock })])
      if (outcome !== 'died') expect(outcome).toBeInstanceOf(UnsettledChargesError)
    }
    killSwitch.disarm()
    await scene.expireLease()
    for (let retry = 0; retry < 3; retry++) {
      outcome = await lead()
      if (!(outcome instanceof UnsettledChargesError)) break
    }
    if (Reflect.get(Object(outcome), 'reason') !== 'tickDone') expect(outcome).toMatchObject({ status: 'completed' })
    await expectAllRight(scene)
  })
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
