import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { memoryStore } from '../../functions/sandbox/memory-store.ts'
import { type SandboxOptions, sandbox } from '../../functions/sandbox/sandbox.ts'
import { chargesOf, type SandboxStore } from '../../functions/sandbox/store.ts'
import { tableStore } from '../../functions/sandbox/table-store.ts'
import { localClient } from '../support/tables.ts'
import { CARD, list, orderWith, post, read } from './orders.ts'
import { createSandboxTable } from './sandbox-table.ts'

const DAY_MS = 86_400_000
const START_MS = Date.UTC(2024, 0, 31)
const client: DynamoDBClient = localClient(inject('dynamodbEndpoint'))
afterAll(() => client.destroy())

const STORES: readonly (readonly [string, () => Promise<SandboxStore>])[] = [
  ['in memory', async () => memoryStore()],
  ['in a table', async () => tableStore(client, await createSandboxTable(client))],
]

/** A sandbox at a time that stands still until it is moved. */
function stage(store: SandboxStore, options: Partial<SandboxOptions> = {}) {
  const clock = { nowMs: START_MS }
  const ask = sandbox({ store, now: () => clock.nowMs, sleep: async () => undefined, ...options })
  return {
    clock,
    pay: async (key: string, body: string) => read(await ask(post(key, body))),
    find: async (query: Record<string, string>) => read(await ask(list(query))),
    ask,
    charges: async (customer = 'cus_1') => (await store.list(customer)).flatMap(chargesOf),
  }
}

describe.each(STORES)('The sandbox, %s,', (_where, newStore) => {
  test('charges once for a key and gives the same answer to its repetitions', async () => {
    const { pay, charges } = stage(await newStore())
    const first = await pay('k1', orderWith(CARD.charged))
    expect(first).toMatchObject({
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
    expect(await pay('k1', orderWith(CARD.charged))).toEqual({ ...first, replayed: true })
    expect(await charges()).toEqual([
      {
        id: first.body.id,
        key: 'k1',
        customer: 'cus_1',
        plan: 'plus',
        period: '2024-01-31',
        dunned: 0,
        amountMinor: 1999,
        currency: 'EUR',
      },
    ])
  })

  test('charges once for any number of requests with one key at the same time', async () => {
    const { pay, charges } = stage(await newStore())
    const answers = await Promise.all(Array.from({ length: 8 }, () => pay('k1', orderWith(CARD.charged))))
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(await charges()).toHaveLength(1)
  })

  test.each([CARD.lostOnItsWay, CARD.failing])(
    'charges once for many at the same time that come after a first one without a charge (%s)',
    async (card) => {
      const { pay, charges, clock } = stage(await newStore())
      await pay('k1', orderWith(card))
      if (card === CARD.failing) clock.nowMs += DAY_MS
      const answers = await Promise.all(Array.from({ length: 8 }, () => pay('k1', orderWith(card))))
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
      expect(await charges()).toHaveLength(1)
    },
  )

  test('charges again under another key, and for another customer with the same key', async () => {
    const { pay, charges } = stage(await newStore())
    const ids = [
      await pay('k1', orderWith(CARD.charged)),
      await pay('k2', orderWith(CARD.charged)),
      await pay('k1', orderWith(CARD.charged, { customer: 'cus_2' })),
    ].map(({ body }) => body.id)
    expect(new Set(ids).size).toBe(3)
    expect(await charges()).toHaveLength(2)
    expect(await charges('cus_2')).toHaveLength(1)
  })

  test.each([{ amount: '1' }, { payment_method: 'card_4000000000000002' }])(
    'refuses a key that comes again with another body, and charges nothing: %j',
    async (changes) => {
      const { pay, charges } = stage(await newStore())
      await pay('k1', orderWith(CARD.charged))
      expect(await pay('k1', orderWith(CARD.charged, changes))).toEqual({
        statusCode: 400,
        replayed: false,
        body: { error: { type: 'idempotency_error' } },
      })
      expect(await charges()).toHaveLength(1)
      expect(await pay('k1', orderWith(CARD.charged))).toMatchObject({ statusCode: 200, replayed: true })
    },
  )

  test.each([
    [CARD.declined, 'generic_decline'],
    [CARD.withoutFunds, 'insufficient_funds'],
  ])('declines card %s with %s, each time, and lists the attempt', async (card, declineCode) => {
    const { pay, find, charges } = stage(await newStore())
    const first = await pay('k1', orderWith(card))
    expect(first).toMatchObject({
      statusCode: 402,
      replayed: false,
      body: { error: { type: 'card_error', code: 'card_declined', decline_code: declineCode } },
    })
    expect(await pay('k1', orderWith(card))).toEqual({ ...first, replayed: true })
    expect(await pay('k2', orderWith(card))).toMatchObject({ statusCode: 402, replayed: false })
    expect(await charges()).toEqual([])
    expect((await find({ customer: 'cus_1' })).body.data).toMatchObject([
      { status: 'requires_payment_method' },
      { status: 'requires_payment_method' },
    ])
  })

  test('loses the first request of a key on its way, charges nothing for it, and charges for the next', async () => {
    const slept: number[] = []
    const { pay, find, charges } = stage(await newStore(), { sleep: async (ms) => slept.push(ms) })
    expect(await pay('k1', orderWith(CARD.lostOnItsWay))).toMatchObject({ statusCode: 500, replayed: false })
    expect(slept).toEqual([8000])
    expect((await find({ customer: 'cus_1' })).body.data).toEqual([])
    // The gateway never saw the first one, whatever was in it.
    const next = orderWith(CARD.lostOnItsWay, { amount: '1' })
    expect(await pay('k1', next)).toMatchObject({ statusCode: 200, replayed: false, body: { amount: 1 } })
    expect(await pay('k1', next)).toMatchObject({ statusCode: 200, replayed: true })
    expect(slept).toEqual([8000])
    expect(await charges()).toHaveLength(1)
  })

  test('charges for the second request of a lost one while the first still waits', async () => {
    const { promise: waited, resolve: wake } = Promise.withResolvers<void>()
    const { promise: waits, resolve: startsToWait } = Promise.withResolvers<void>()
    const sleep = () => {
      startsToWait()
      return waited
    }
    const { pay, charges } = stage(await newStore(), { sleep })
    const first = pay('k1', orderWith(CARD.lostOnItsWay))
    await waits
    expect(await pay('k1', orderWith(CARD.lostOnItsWay))).toMatchObject({ statusCode: 200, replayed: false })
    wake()
    expect((await first).statusCode).toBe(500)
    expect(await charges()).toHaveLength(1)
  })

  test('tells the first request of a key a failure where it has charged, and later ones the truth', async () => {
    const { pay, charges } = stage(await newStore())
    const first = await pay('k1', orderWith(CARD.toldAFailure))
    expect(first).toEqual({ statusCode: 500, replayed: false, body: { error: { type: 'api_error' } } })
    const [charge] = await charges()
    expect(await pay('k1', orderWith(CARD.toldAFailure))).toMatchObject({
      statusCode: 200,
      replayed: true,
      body: { id: charge?.id, status: 'succeeded' },
    })
    expect(await charges()).toHaveLength(1)
  })

  test('charges at once and answers late, and repetitions at once', async () => {
    const { promise: waited, resolve: wake } = Promise.withResolvers<void>()
    const { promise: waits, resolve: startsToWait } = Promise.withResolvers<number>()
    const sleep = (ms: number) => {
      startsToWait(ms)
      return waited
    }
    const { pay, charges } = stage(await newStore(), { sleep, lateMs: 1234 })
    const first = pay('k1', orderWith(CARD.answeredLate))
    expect(await waits).toBe(1234)
    expect(await charges()).toHaveLength(1)
    expect(await pay('k1', orderWith(CARD.answeredLate))).toMatchObject({ statusCode: 200, replayed: true })
    wake()
    expect(await first).toMatchObject({ statusCode: 200, replayed: false })
    expect(await charges()).toHaveLength(1)
  })

  test('repeats a stored failure until the key is forgotten, and only then charges', async () => {
    const { pay, find, charges, clock } = stage(await newStore())
    expect(await pay('k1', orderWith(CARD.failing))).toMatchObject({ statusCode: 500, replayed: false })
    clock.nowMs += DAY_MS - 1
    expect(await pay('k1', orderWith(CARD.failing))).toMatchObject({ statusCode: 500, replayed: true })
    expect((await find({ customer: 'cus_1' })).body.data).toEqual([])
    clock.nowMs += 1
    expect(await pay('k1', orderWith(CARD.failing))).toMatchObject({ statusCode: 200, replayed: false })
    expect(await charges()).toHaveLength(1)
  })

  test('forgets a key after its window and then charges again; both charges are found', async () => {
    const { pay, find, charges, clock } = stage(await newStore(), { keyWindowMs: 1000 })
    const first = await pay('k1', orderWith(CARD.charged))
    clock.nowMs += 999
    expect((await pay('k1', orderWith(CARD.charged))).replayed).toBe(true)
    clock.nowMs += 1
    const second = await pay('k1', orderWith(CARD.charged, { amount: '2' }))
    expect(second).toMatchObject({ statusCode: 200, replayed: false })
    const ids = [second.body.id, first.body.id]
    expect(new Set(ids).size).toBe(2)
    expect((await find({ customer: 'cus_1' })).body.data.map(({ id }: { id: string }) => id)).toEqual(ids)
    expect(await charges()).toMatchObject([{ amountMinor: 1999 }, { amountMinor: 2 }])
  })

  test('remembers nothing of what it refuses as invalid', async () => {
    const { pay, charges } = stage(await newStore())
    expect(await pay('k1', orderWith('4111111111111111'))).toEqual({
      statusCode: 400,
      replayed: false,
      body: { error: { type: 'invalid_request_error', code: 'resource_missing', param: 'payment_method' } },
    })
    expect(await pay('k1', orderWith(CARD.charged, { currency: 'EUR' }))).toMatchObject({ statusCode: 400 })
    expect(await pay('k1', orderWith(CARD.charged))).toMatchObject({ statusCode: 200, replayed: false })
    expect(await charges()).toHaveLength(1)
  })

  test('lists the payment intents of one customer, the newest first, from a time on', async () => {
    const { pay, find, clock } = stage(await newStore())
    await pay('k0', orderWith(CARD.charged, { customer: 'cus_2' }))
    for (const key of ['k1', 'k2', 'k3']) {
      await pay(key, orderWith(CARD.charged, { 'metadata[charge]': key }))
      clock.nowMs += 1000
    }
    const keysSince = async (second: number) => {
      const { body } = await find({ customer: 'cus_1', 'created[gte]': String(START_MS / 1000 + second) })
      return body.data.map(({ metadata }: { metadata: { charge: string } }) => metadata.charge)
    }
    expect(await keysSince(0)).toEqual(['k3', 'k2', 'k1'])
    expect(await keysSince(1)).toEqual(['k3', 'k2'])
    expect(await keysSince(3)).toEqual([])
  })

  test.each([
    [7, [3, 3, 1]],
    [6, [3, 3]],
  ])('lists %i intents of one second page by page, each once', async (count, expectedSizes) => {
    const { pay, find } = stage(await newStore())
    const ids: string[] = []
    for (let i = 0; i < count; i++) ids.push((await pay(`k${i}`, orderWith(CARD.charged))).body.id)
    const seen: string[] = []
    const sizes: number[] = []
    for (let query: Record<string, string> = {}, hasMore = true; hasMore; ) {
      const { body } = await find({ customer: 'cus_1', limit: '3', ...query })
      const page: string[] = body.data.map(({ id }: { id: string }) => id)
      seen.push(...page)
      sizes.push(page.length)
      query = { starting_after: page.at(-1) ?? '' }
      hasMore = body.has_more
    }
    expect(sizes).toEqual(expectedSizes)
    expect(seen.toSorted()).toEqual(ids.toSorted())
  })

  test('makes the same ids in the same course of events', async () => {
    const run = async () => {
      const { pay } = stage(await newStore())
      return [await pay('k1', orderWith(CARD.charged)), await pay('k2', orderWith(CARD.declined))]
    }
    expect(await run()).toEqual(await run())
  })
})

describe('What is not executed', () => {
  const { ask, pay, find } = stage(memoryStore())

  test.each([
    ['amount', undefined, 'parameter_missing'],
    ['amount', '', 'parameter_missing'],
    ['amount', '19.99', 'parameter_invalid_integer'],
    ['amount', '0', 'parameter_invalid_integer'],
    ['amount', '-1', 'parameter_invalid_integer'],
    ['amount', '9007199254740992', 'parameter_invalid_integer'],
    ['currency', undefined, 'parameter_missing'],
    ['currency', 'euro', undefined],
    ['customer', '', 'parameter_missing'],
    ['payment_method', undefined, 'parameter_missing'],
    ['payment_method', CARD.charged, 'resource_missing'],
    ['payment_method', 'card_', 'resource_missing'],
    ['confirm', 'false', undefined],
    ['confirm', undefined, 'parameter_missing'],
    ['off_session', 'false', undefined],
    ['metadata[plan]', undefined, 'parameter_missing'],
    ['metadata[period]', undefined, 'parameter_missing'],
    ['metadata[dunned]', undefined, 'parameter_missing'],
    ['metadata[dunned]', 'x', undefined],
  ])('an order with %s = %j', async (param, value, code) => {
    expect(await pay('k1', orderWith(CARD.charged, { [param]: value }))).toEqual({
      statusCode: 400,
      replayed: false,
      body: { error: { type: 'invalid_request_error', ...(code === undefined ? {} : { code }), param } },
    })
  })

  test('an order without a key of idempotency', async () => {
    expect(await pay('', orderWith(CARD.charged))).toMatchObject({
      statusCode: 400,
      body: { error: { param: 'idempotency-key' } },
    })
  })

  test.each([
    [{}, 'customer'],
    [{ customer: 'cus_1', limit: '0' }, 'limit'],
    [{ customer: 'cus_1', limit: '101' }, 'limit'],
    [{ customer: 'cus_1', 'created[gte]': 'today' }, 'created[gte]'],
    [{ customer: 'cus_1', starting_after: 'pi_unknown' }, 'starting_after'],
  ])('a search for %j', async (query: Record<string, string>, param) => {
    expect(await find(query)).toMatchObject({ statusCode: 400, body: { error: { param } } })
  })

  test('a request of something else', async () => {
    const answer = await ask({ method: 'POST', path: '/v1/refunds', headers: { 'idempotency-key': 'k1' } })
    expect(answer.statusCode).toBe(404)
  })
})

describe('The table', () => {
  /** The names of all commands sent from now on. */
  function commandsOf(own: DynamoDBClient): string[] {
    const names: string[] = []
    own.middlewareStack.add(
      (next, context) => (args) => {
        names.push(String(context.commandName))
        return next(args)
      },
      { step: 'initialize' },
    )
    return names
  }

  test('costs one request for a new charge and one for a repetition, and two where the key was forgotten', async () => {
    const own = localClient(inject('dynamodbEndpoint'))
    const { pay, clock } = stage(tableStore(own, await createSandboxTable(client)))
    const commands = commandsOf(own)
    await pay('k1', orderWith(CARD.charged))
    expect(commands.splice(0)).toEqual(['UpdateItemCommand'])
    await pay('k1', orderWith(CARD.charged))
    expect(commands.splice(0)).toEqual(['UpdateItemCommand'])
    clock.nowMs += DAY_MS
    await pay('k1', orderWith(CARD.charged))
    expect(commands.splice(0)).toEqual(['UpdateItemCommand', 'UpdateItemCommand'])
    own.destroy()
  })

  test('shows by a scan what was charged, to whoever audits it', async () => {
    const TableName = await createSandboxTable(client)
    const { pay } = stage(tableStore(client, TableName))
    await pay('k1', orderWith(CARD.charged))
    await pay('k2', orderWith(CARD.declined))
    await pay('k3', orderWith(CARD.lostOnItsWay))
    await pay('k4', orderWith(CARD.failing))
    const { Items = [] } = await DynamoDBDocumentClient.from(client).send(new ScanCommand({ TableName }))
    expect(Items).toHaveLength(4)
    expect(Items.flatMap(chargesOf)).toMatchObject([{ key: 'k1', amountMinor: 1999, currency: 'EUR' }])
  })

  test('lists a customer of more rows than one answer of DynamoDB holds', async () => {
    const { pay, find } = stage(tableStore(client, await createSandboxTable(client)))
    // The largest row is 400 KB, and one answer at most 1 MB.
    const large = { 'metadata[note]': 'x'.repeat(100_000) }
    for (let i = 0; i < 6; i++) await pay(`k${i}`, orderWith(CARD.charged, large))
    expect((await find({ customer: 'cus_1' })).body.data).toHaveLength(6)
  })

  test('reports what DynamoDB refuses', async () => {
    const { pay } = stage(tableStore(client, 'no-such-table'))
    await expect(pay('k1', orderWith(CARD.charged))).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

test.each([
  [{}, '"customer" of a sandbox row is no text'],
  [{ customer: 'cus_1', key: 'k1', plan: 'plus', period: 'p', dunned: '0' }, '"dunned" of a sandbox row is no number'],
  [{ intents: {} }, '"intents" of a sandbox row is no list'],
])('The row %j is no row of the sandbox, and whoever audits it is told so', (row, message) => {
  expect(() => chargesOf(row)).toThrow(message)
})
