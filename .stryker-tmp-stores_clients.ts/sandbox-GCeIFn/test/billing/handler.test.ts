// @ts-nocheck
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { sandbox } from '../../functions/sandbox/sandbox.ts'
import { chargesOf } from '../../functions/sandbox/store.ts'
import { startFakeService, stubAws } from '../support/fake-service.ts'
import { memoryStore } from '../support/sandbox-memory.ts'
import { monthly, setScene, TICK } from './scene.ts'

const API_KEY = 'sk_test_51'

/** That it charges at the sandbox: see test/local/whole/faults.test.ts and test/deploy/deploy.test.ts. */
test('The billing function charges with the API key of a secret, and logs no key and no name', async () => {
  await using scene = await setScene(inject('dynamodbEndpoint'), [monthly('cus_1'), monthly('cus_2')])
  const store = memoryStore()
  const answer = sandbox({ store })
  const gateway = await startFakeService(({ url: path, headers: { 'idempotency-key': key }, body }) =>
    answer({ method: 'POST', path, headers: { 'idempotency-key': String(key) }, body }),
  )
  const secrets = await startFakeService({ body: { Name: 'gateway', SecretString: API_KEY } })
  stubAws('SECRETS_MANAGER', secrets.url)
  stubAws('DYNAMODB', inject('dynamodbEndpoint'))
  const variables = {
    LEASE_TABLE: scene.tables.leaseTable,
    LEASE_NAME: 'billing',
    LEASE_MS: '5000',
    SUBSCRIPTIONS_TABLE: scene.tables.subscriptionsTable,
    CHARGES_TABLE: scene.tables.chargesTable,
    GATEWAY_URL: gateway.url,
    GATEWAY_SECRET: 'gateway',
    POWERTOOLS_DEV: 'true', // makes the logger use the global console
  }
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  const logged: string[] = []
  vi.spyOn(console, 'info').mockImplementation((line) => logged.push(String(line)))
  onTestFinished(() => void vi.restoreAllMocks())
  const { handler } = await import('../../functions/billing/handler.ts')
  const context = { functionName: 'billing-1', functionVersion: '1', getRemainingTimeInMillis: () => 30_000 }
  // Reflect, as Lambda's context has no lease yet.
  const invoke = (event: object, awsRequestId: string) =>
    Reflect.apply(handler, undefined, [event, { ...context, awsRequestId }])

  expect(await invoke({ tick: TICK }, 'request-1')).toMatchObject({ status: 'completed', result: { charged: 2 } })
  const authorizations = gateway.requests.map(({ headers }) => headers.authorization)
  expect(authorizations).toEqual([`Bearer ${API_KEY}`, `Bearer ${API_KEY}`])
  expect(secrets.requests[0]).toMatchObject({ body: JSON.stringify({ SecretId: 'gateway' }) })
  const charged = store.rows().flatMap(chargesOf)
  expect(await scene.recordedCharges()).toEqual(charged.toSorted((a, b) => a.id.localeCompare(b.id)))
  expect(logged.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'INFO', message: 'leading', service: 'billing', tick: TICK },
    { level: 'INFO', message: 'billed', due: 2, charged: 2 },
  ])
  expect(logged.join()).not.toMatch(/cus_|Ada|sk_test/)
  await expect(invoke({}, 'request-2')).rejects.toThrow(/tick/i)
})
