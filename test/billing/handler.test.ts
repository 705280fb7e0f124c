import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Context } from 'aws-lambda'
import { afterEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import { memoryStore } from '../../functions/sandbox/memory-store.ts'
import { sandbox } from '../../functions/sandbox/sandbox.ts'
import { startHttpGateway } from '../support/http-gateway.ts'
import { monthly, type Scene, setScene, TICK } from './scene.ts'

const EVENT = { tick: TICK, periodMs: 3_600_000 }
const API_KEY = 'sk_test_51'

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

function stubEnvironment({ tables }: Scene, gateway: Record<string, string>): void {
  const variables = {
    AWS_ENDPOINT_URL_DYNAMODB: inject('dynamodbEndpoint'),
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    LEASE_TABLE: tables.leaseTable,
    LEASE_NAME: 'billing',
    LEASE_MS: '5000',
    SUBSCRIPTIONS_TABLE: tables.subscriptionsTable,
    CHARGES_TABLE: tables.chargesTable,
    // Makes the logger use the global console.
    POWERTOOLS_DEV: 'true',
    ...gateway,
  }
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => server.closeAllConnections())
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return `http://127.0.0.1:${address.port}`
}

/** Lambda's Invoke API, behind which there is only the sandbox. */
function lambdaService(paths: string[]): Promise<string> {
  const answer = sandbox({ store: memoryStore() })
  return listen(
    createServer(async (request, response) => {
      paths.push(request.url ?? '')
      response.end(JSON.stringify(await answer(JSON.parse(await text(request)))))
    }),
  )
}

/** Secrets Manager, with one secret. */
function secretsService(asked: unknown[]): Promise<string> {
  return listen(
    createServer(async (request, response) => {
      asked.push([request.headers['x-amz-target'], JSON.parse(await text(request))])
      response.setHeader('content-type', 'application/x-amz-json-1.1')
      response.end(JSON.stringify({ Name: 'gateway', SecretString: API_KEY }))
    }),
  )
}

/** As Lambda calls it, which knows nothing of the lease that the handler finds on its context. */
async function load() {
  const { handler } = await import('../../functions/billing/handler.ts')
  return (event: unknown, requestId: string) => Reflect.apply(handler, undefined, [event, invocation(requestId)])
}

describe('The function', () => {
  test('charges what is due at the tick of its event, once, at the sandbox, and logs JSON without names', async () => {
    await using scene = await setScene(inject('dynamodbEndpoint'), [monthly('cus_1'), monthly('cus_2')])
    const paths: string[] = []
    stubEnvironment(scene, { GATEWAY_FUNCTION: 'sandbox', AWS_ENDPOINT_URL_LAMBDA: await lambdaService(paths) })
    const lines: unknown[] = []
    vi.spyOn(console, 'info').mockImplementation((line) => lines.push(JSON.parse(String(line))))
    const invoke = await load()

    expect(await invoke(EVENT, 'request-1')).toEqual({
      status: 'completed',
      fencingToken: expect.any(Number),
      result: { due: 2, charged: 2, replayed: 0, declined: 0, suspended: 0, failed: 0, staleWritesRefused: 0 },
    })
    expect(await invoke(EVENT, 'request-2')).toMatchObject({ status: 'standby', reason: 'tickDone' })
    const path = '/2015-03-31/functions/sandbox/invocations'
    expect(paths).toEqual([path, path])
    expect(await scene.booked()).toHaveLength(2)
    expect(lines).toMatchObject([
      { level: 'INFO', message: 'leading', service: 'billing', tick: TICK },
      { level: 'INFO', message: 'billed', due: 2, charged: 2 },
    ])
    expect(JSON.stringify(lines)).not.toMatch(/cus_|Ada/)
    await expect(invoke({ periodMs: 3_600_000 }, 'request-3')).rejects.toThrow(/tick/i)
  })

  test('charges at a real gateway with the key from Secrets Manager, which is never logged', async () => {
    await using scene = await setScene(inject('dynamodbEndpoint'), [monthly('cus_1'), monthly('cus_2')])
    const secretReads: unknown[] = []
    const seen: unknown[] = []
    const gateway = await startHttpGateway({
      intercept: (request, answer) => {
        seen.push(request.headers['authorization'])
        return answer()
      },
    })
    onTestFinished(() => gateway.stop())
    stubEnvironment(scene, {
      GATEWAY_URL: gateway.url,
      GATEWAY_SECRET: 'gateway',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: await secretsService(secretReads),
    })
    const lines: string[] = []
    vi.spyOn(console, 'info').mockImplementation((line) => lines.push(String(line)))
    const invoke = await load()

    expect(await invoke(EVENT, 'request-1')).toMatchObject({ status: 'completed', result: { charged: 2 } })
    expect(seen).toEqual([`Bearer ${API_KEY}`, `Bearer ${API_KEY}`])
    expect(secretReads[0]).toEqual(['secretsmanager.GetSecretValue', { SecretId: 'gateway' }])
    expect(await scene.booked()).toEqual(gateway.charges().toSorted((a, b) => a.id.localeCompare(b.id)))
    expect(lines.join()).not.toContain(API_KEY)
  })

  test('does not load in a wrong environment', async () => {
    vi.stubEnv('LEASE_TABLE', '')
    await expect(import('../../functions/billing/handler.ts')).rejects.toThrow('LEASE_TABLE is not set')
  })
})
