import type { Context } from 'aws-lambda'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { monthly, setScene, TICK } from './scene.ts'

const EVENT = { tick: TICK, periodMs: 3_600_000 }

afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
  vi.restoreAllMocks()
})

function invocation(awsRequestId: string): Context {
  return {
    awsRequestId,
    functionName: 'billing-1',
    functionVersion: '1',
    invokedFunctionArn: '',
    memoryLimitInMB: '256',
    logGroupName: '',
    logStreamName: '',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => 30_000,
    done() {},
    fail() {},
    succeed() {},
  }
}

function stubEnvironment(variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
}

test('The function charges what is due at the tick of its event, once, and logs JSON without names', async () => {
  await using scene = await setScene(inject('dynamodbEndpoint'), [monthly('cus_1'), monthly('cus_2')])
  stubEnvironment({
    AWS_ENDPOINT_URL_DYNAMODB: inject('dynamodbEndpoint'),
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    LEASE_TABLE: scene.tables.leaseTable,
    LEASE_NAME: 'billing',
    LEASE_MS: '5000',
    SUBSCRIPTIONS_TABLE: scene.tables.subscriptionsTable,
    CHARGES_TABLE: scene.tables.chargesTable,
    GATEWAY_URL: scene.gateway.url,
    // Makes the logger use the global console.
    POWERTOOLS_DEV: 'true',
  })
  const lines: unknown[] = []
  vi.spyOn(console, 'info').mockImplementation((line) => lines.push(JSON.parse(String(line))))
  const { handler } = await import('../../functions/billing/handler.ts')
  // As Lambda calls it, which knows nothing of the lease that the handler finds on its context.
  const invoke = (event: unknown, requestId: string) =>
    Reflect.apply(handler, undefined, [event, invocation(requestId)])

  const won = await invoke(EVENT, 'request-1')
  expect(won).toEqual({
    status: 'completed',
    fencingToken: expect.any(Number),
    result: { due: 2, charged: 2, replayed: 0, declined: 0, failed: 0, staleWritesRefused: 0 },
  })
  expect(await invoke(EVENT, 'request-2')).toMatchObject({ status: 'standby', reason: 'completed' })
  expect(scene.gateway.charges()).toHaveLength(2)
  expect(await scene.audit(TICK)).toEqual({ charges: 2, duplicateCharges: 0, dueNotCharged: 0 })
  expect(lines).toMatchObject([
    { level: 'INFO', message: 'leading', service: 'billing', tick: TICK },
    { level: 'INFO', message: 'billed', due: 2, charged: 2 },
  ])
  expect(JSON.stringify(lines)).not.toMatch(/cus_|Ada/)
  await expect(invoke({ periodMs: 3_600_000 }, 'request-3')).rejects.toThrow(/tick/i)
})

test('The function does not load in a wrong environment', async () => {
  vi.stubEnv('LEASE_TABLE', '')
  await expect(import('../../functions/billing/handler.ts')).rejects.toThrow('LEASE_TABLE is not set')
})
