import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import { sandbox } from '../../functions/sandbox/sandbox.ts'
import { chargesOf } from '../../functions/sandbox/store.ts'
import { startFakeService, stubAws } from '../support/fake-service.ts'
import { memoryStore } from '../support/sandbox-memory.ts'
import { monthly, type Scene, setScene, TICK } from './scene.ts'

const EVENT = { tick: TICK, periodMs: 3_600_000 }
const API_KEY = 'sk_test_51'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
  vi.restoreAllMocks()
})

/** Loads the function as Lambda does. `logged` receives what it logs. */
async function load(tables: Scene['tables'], more: Record<string, string>, logged: string[]) {
  stubAws('DYNAMODB', inject('dynamodbEndpoint'))
  const variables = {
    LEASE_TABLE: tables.leaseTable,
    LEASE_NAME: 'billing',
    LEASE_MS: '5000',
    SUBSCRIPTIONS_TABLE: tables.subscriptionsTable,
    CHARGES_TABLE: tables.chargesTable,
    POWERTOOLS_DEV: 'true', // makes the logger use the global console
    ...more,
  }
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  vi.spyOn(console, 'info').mockImplementation((line) => logged.push(String(line)))
  const { handler } = await import('../../functions/billing/handler.ts')
  const context = { functionName: 'billing-1', functionVersion: '1', getRemainingTimeInMillis: () => 30_000 }
  // Reflect, as Lambda's context has no lease yet.
  return (event: unknown, awsRequestId: string) =>
    Reflect.apply(handler, undefined, [event, { ...context, awsRequestId }])
}

describe('The billing function', () => {
  test('charges at the sandbox what is due at the tick of its event, once, and logs no names', async () => {
    await using scene = await setScene(inject('dynamodbEndpoint'), [monthly('cus_1'), monthly('cus_2')])
    const answer = sandbox({ store: memoryStore() })
    const lambda = await startFakeService(async ({ body }) => ({ body: await answer(JSON.parse(body)) }))
    stubAws('LAMBDA', lambda.url)
    const logged: string[] = []
    const invoke = await load(scene.tables, { GATEWAY_FUNCTION: 'sandbox' }, logged)

    expect(await invoke(EVENT, 'request-1')).toEqual({
      status: 'completed',
      fencingToken: expect.any(Number),
      result: {
        ...{ due: 2, charged: 2, replayed: 0, declined: 0, suspended: 0, failed: 0, pages: 1 },
        staleWritesRefused: 0,
      },
    })
    expect(await invoke(EVENT, 'request-2')).toMatchObject({ status: 'standby', reason: 'tickDone' })
    const path = '/2015-03-31/functions/sandbox/invocations'
    expect(lambda.requests.map(({ url }) => url)).toEqual([path, path])
    expect(await scene.recordedCharges()).toHaveLength(2)
    expect(logged.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'INFO', message: 'leading', service: 'billing', tick: TICK },
      { level: 'INFO', message: 'billed', due: 2, charged: 2 },
    ])
    expect(logged.join()).not.toMatch(/cus_|Ada/)
    await expect(invoke({ periodMs: 3_600_000 }, 'request-3')).rejects.toThrow(/tick/i)
  })

  test('charges at a real gateway with the API key from Secrets Manager, and never logs the key', async () => {
    await using scene = await setScene(inject('dynamodbEndpoint'), [monthly('cus_1'), monthly('cus_2')])
    const store = memoryStore()
    const answer = sandbox({ store })
    const gateway = await startFakeService(({ url: path, headers: { 'idempotency-key': key }, body }) =>
      answer({ method: 'POST', path, headers: { 'idempotency-key': String(key) }, body }),
    )
    const secrets = await startFakeService({ body: { Name: 'gateway', SecretString: API_KEY } })
    stubAws('SECRETS_MANAGER', secrets.url)
    const logged: string[] = []
    const invoke = await load(scene.tables, { GATEWAY_URL: gateway.url, GATEWAY_SECRET: 'gateway' }, logged)

    expect(await invoke(EVENT, 'request-1')).toMatchObject({ status: 'completed', result: { charged: 2 } })
    const authorizations = gateway.requests.map(({ headers }) => headers.authorization)
    expect(authorizations).toEqual([`Bearer ${API_KEY}`, `Bearer ${API_KEY}`])
    expect(secrets.requests[0]).toMatchObject({ body: JSON.stringify({ SecretId: 'gateway' }) })
    const charged = store.rows().flatMap(chargesOf)
    expect(await scene.recordedCharges()).toEqual(charged.toSorted((a, b) => a.id.localeCompare(b.id)))
    expect(logged.join()).not.toContain(API_KEY)
  })
})
