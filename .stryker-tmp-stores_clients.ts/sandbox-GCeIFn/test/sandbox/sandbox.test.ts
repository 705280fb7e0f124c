// @ts-nocheck
import { afterAll, describe, expect, inject, test, vi } from 'vitest'
import { CARD } from '../../functions/sandbox/cards.ts'
import { type SandboxOptions, sandbox } from '../../functions/sandbox/sandbox.ts'
import { chargesOf, type SandboxStore, tableStore } from '../../functions/sandbox/store.ts'
import { memoryStore } from '../support/sandbox-memory.ts'
import { createSandboxTable, localClient } from '../support/tables.ts'
import { list, orderWith, post, read } from './orders.ts'

const DAY_MS = 86_400_000
const START_MS = Date.UTC(2024, 0, 31)
const client = localClient(inject('dynamodbEndpoint'))
afterAll(() => client.destroy())

const STORES: readonly (readonly [string, () => Promise<SandboxStore>])[] = [
  ['in memory', async () => memoryStore()],
  ['in a table', async () => tableStore(client, await createSandboxTable(client))],
]

/** A sandbox with a manual clock. */
function stage(store: SandboxStore, options: Partial<SandboxOptions> = {}) {
  const clock = { nowMs: START_MS }
  const ask = sandbox({ store, now: () => clock.nowMs, sleep: async () => undefined, ...options })
  return {
    clock,
    pay: async (key: string, card: string, changes = {}) => read(await ask(post(key, orderWith(card, changes)))),
    find: async (query: Record<string, string> = {}) => read(await ask(list({ customer: 'cus_1', ...query }))),
    ask,
    charges: async (customer = 'cus_1') => (await store.list(customer)).flatMap(chargesOf),
  }
}

/** A sleep that lasts until `wake()`. */
function pendingSleep() {
  const [started, ended] = [Promise.withResolvers<number>(), Promise.withResolvers<void>()]
  const sleep = (ms: number) => {
    started.resolve(ms)
    return ended.promise
  }
  return { sleep, started: started.promise, wake: ended.resolve }
}

describe.each(STORES)('The sandbox, %s,', (_where, newStore) => {
  test('charges once for a key, and repeats the same answer', async () => {
    const { pay, charges } = stage(await newStore())
    const first = await pay('k1', CARD.charged)
    expect(first).toEqual({
      statusCode: 200,
      replayed: false,
      body: {
        object: 'payment_intent',
        id: expect.stringMatching(/^pi_[0-9a-f]{24}$/),
        status: 'succeeded',
        amount: 1999,
        currency: 'eur',
        customer: 'cus_1',
        created: START_MS / 1000,
        metadata: { charge: 'k1', plan: 'plus', period: '2024-01-31', dunned: '0' },
      },
    })
    expect(await pay('k1', CARD.charged)).toEqual({ ...first, replayed: true })
    const unit = { customer: 'cus_1', plan: 'plus', period: '2024-01-31', dunned: 0 }
    expect(await charges()).toEqual([{ id: first.body.id, key: 'k1', ...unit, amountMinor: 1999, currency: 'EUR' }])
  })

  test.each([
    ['', CARD.charged, false, 0],
    [', after one that was lost', CARD.lostOnItsWay, true, 0],
    [', after a failure that expired', CARD.failing, true, DAY_MS],
  ])('charges once for concurrent requests with one key%s', async (_, card, hasFirst, laterMs) => {
    const { pay, charges, clock } = stage(await newStore())
    if (hasFirst) await pay('k1', card)
    clock.nowMs += laterMs
    const answers = await Promise.all(Array.from({ length: 8 }, () => pay('k1', card)))
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(await charges()).toHaveLength(1)
  })

  test('charges again for another key, but not for the same key with another body', async () => {
    const { pay, charges } = stage(await newStore())
    await pay('k1', CARD.charged)
    await pay('k2', CARD.charged)
    await pay('k1', CARD.charged, { customer: 'cus_2' })
    expect([await charges(), await charges('cus_2')]).toMatchObject([[{ key: 'k1' }, { key: 'k2' }], [{ key: 'k1' }]])
    const refused = { statusCode: 400, replayed: false, body: { error: { type: 'idempotency_error' } } }
    expect(await pay('k1', CARD.charged, { amount: '1' })).toEqual(refused)
    expect(await charges()).toHaveLength(2)
  })

  const charged = [200, 'succeeded'] as const
  const failed = [500] as const
  const refused = 'requires_payment_method'

  test.each<[card: string, first: readonly unknown[], later: readonly unknown[], replayed: boolean, charges: number]>([
    [CARD.charged, charged, charged, true, 1],
    [CARD.declined, [402, refused, 'generic_decline'], [402, refused, 'generic_decline'], true, 0],
    [CARD.withoutFunds, [402, refused, 'insufficient_funds'], [402, refused, 'insufficient_funds'], true, 0],
    [CARD.lostOnItsWay, failed, charged, false, 0],
    [CARD.toldAFailure, failed, charged, true, 1],
    [CARD.answeredLate, charged, charged, true, 1],
    [CARD.failing, failed, failed, true, 0],
  ])('answers the first request with card %s by %j, later ones by %j', async (card, first, later, replayed, count) => {
    const { sleep, started, wake } = pendingSleep()
    const { pay, find, charges } = stage(await newStore(), { sleep, lateMs: 1234 })
    const shown = async (answer: ReturnType<typeof pay>) => {
      const { statusCode, body, ...rest } = await answer
      const { status, decline_code: code, payment_intent: intent } = { ...body, ...body.error }
      const parts = [statusCode, status ?? intent?.status, code].filter((part) => part !== undefined)
      return [parts, rest.replayed]
    }
    const answer = shown(pay('k1', card))
    if (card === CARD.lostOnItsWay || card === CARD.answeredLate) expect(await started).toBe(1234)
    else await answer
    expect(await charges()).toHaveLength(count)
    expect((await find()).body.data).toHaveLength(count + (first[0] === 402 ? 1 : 0))
    expect(await shown(pay('k1', card))).toEqual([later, replayed])
    expect(await shown(pay('k1', card))).toEqual([later, true])
    wake()
    expect(await answer).toEqual([first, false])
    expect(await charges()).toHaveLength(later[0] === 200 ? 1 : 0)
  })

  test('repeats a stored failure until the key expires, and charges only then', async () => {
    const { pay, find, charges, clock } = stage(await newStore())
    expect(await pay('k1', CARD.failing)).toMatchObject({ statusCode: 500, replayed: false })
    clock.nowMs += DAY_MS - 1
    expect(await pay('k1', CARD.failing)).toMatchObject({ statusCode: 500, replayed: true })
    expect((await find()).body.data).toEqual([])
    clock.nowMs += 1
    expect(await pay('k1', CARD.failing)).toMatchObject({ statusCode: 200, replayed: false })
    expect(await charges()).toHaveLength(1)
  })

  test('charges again when a key has expired, and lists both charges', async () => {
    const { pay, find, charges, clock } = stage(await newStore(), { keyWindowMs: 1000 })
    const first = await pay('k1', CARD.charged)
    clock.nowMs += 999
    expect((await pay('k1', CARD.charged)).replayed).toBe(true)
    clock.nowMs += 1
    const second = await pay('k1', CARD.charged, { amount: '2' })
    expect(second).toMatchObject({ statusCode: 200, replayed: false })
    expect(second.body.id).not.toBe(first.body.id)
    expect((await find()).body.data).toMatchObject([{ id: second.body.id }, { id: first.body.id }])
    expect(await charges()).toMatchObject([{ amountMinor: 1999 }, { amountMinor: 2 }])
  })

  test('lists the payment intents of one customer from a time on, newest first, and in pages', async () => {
    const { pay, find, clock } = stage(await newStore())
    await pay('k0', CARD.charged, { customer: 'cus_2' })
    const ids: string[] = []
    for (const key of ['k1', 'k2', 'k3']) {
      ids.unshift((await pay(key, CARD.charged)).body.id)
      clock.nowMs += 1000
    }
    const listed = async (query: Record<string, string>) => {
      const { body } = await find(query)
      return [body.data.map(({ id }: { id: string }) => id), body.has_more]
    }
    expect(await listed({})).toEqual([ids, false])
    expect(await listed({ 'created[gte]': String(START_MS / 1000 + 1) })).toEqual([ids.slice(0, 2), false])
    expect(await listed({ limit: '2' })).toEqual([ids.slice(0, 2), true])
    expect(await listed({ limit: '2', starting_after: ids[1] ?? '' })).toEqual([ids.slice(2), false])
  })
})

describe('The sandbox refuses', () => {
  const { ask, pay, find, charges } = stage(memoryStore())

  test.each<[param: string, value: string | undefined, code: string]>([
    ['amount', undefined, 'parameter_missing'],
    ['amount', '19.99', 'parameter_invalid'],
    ['amount', '0', 'parameter_invalid'],
    ['amount', '9007199254740992', 'parameter_invalid'],
    ['currency', 'euro', 'parameter_invalid'],
    ['payment_method', '4242424242424242', 'resource_missing'],
    ['confirm', 'false', 'parameter_invalid'],
    ['metadata[dunned]', 'x', 'parameter_invalid'],
  ])('an order with %s = %j, and stores nothing', async (param, value, code) => {
    expect(await pay('k1', CARD.charged, { [param]: value })).toEqual({
      statusCode: 400,
      replayed: false,
      body: { error: { type: 'invalid_request_error', code, param } },
    })
    expect(await charges()).toEqual([])
  })

  test.each([
    ['customer', ''],
    ['limit', '101'],
    ['created[gte]', 'today'],
    ['starting_after', 'pi_unknown'],
  ])('a search with %s = %j', async (param, value) => {
    expect(await find({ [param]: value })).toMatchObject({ statusCode: 400, body: { error: { param } } })
  })

  test('an order without an idempotency key, and a request for something else', async () => {
    const withoutKey = { statusCode: 400, body: { error: { param: 'idempotency-key' } } }
    expect(await pay('', CARD.charged)).toMatchObject(withoutKey)
    const refund = await ask({ method: 'POST', path: '/v1/refunds', headers: { 'idempotency-key': 'k1' } })
    expect(refund.statusCode).toBe(404)
  })
})

describe('The table', () => {
  test('lists more rows of a customer than one page of DynamoDB holds, by consistent reads', async () => {
    const { pay, find } = stage(tableStore(client, await createSandboxTable(client)))
    const large = { 'metadata[note]': 'x'.repeat(100_000) } // a page is 1 MB, and each row has the note twice
    for (let i = 0; i < 6; i++) await pay(`k${i}`, CARD.charged, large)
    const send = vi.spyOn(client, 'send')
    expect((await find()).body.data).toHaveLength(6)
    for (const [{ input }] of send.mock.calls) expect(input).toMatchObject({ ConsistentRead: true })
  })
})

const ROW = { customer: 'c', key: 'k', plan: 'p', period: 'p', dunned: 0, request: '', sinceMs: 0, intents: [] }

test.each([
  [{ dunned: '0' }, 'dunned'],
  [{ intents: [{ id: 'pi_1', status: 'succeeded', amount: '1' }] }, 'intents.0.amount'],
])('A row with %j is not a row of the sandbox', (change, attribute) => {
  expect(chargesOf(ROW)).toEqual([])
  expect(() => chargesOf({ ...ROW, ...change })).toThrow(`"${attribute}" of a sandbox row is not what it writes`)
})

test('Without its table the function does not load', async () => {
  const message = 'The environment of the sandbox is wrong: SANDBOX_TABLE is not set'
  await expect(import('../../functions/sandbox/handler.ts')).rejects.toThrow(message)
})
