/** Lease requests without the SDK: all that holds with it, and what is theirs alone. */
import './lean.ts'
import './store-answers.test.ts'
import './stores.test.ts'
import './unanswered-writes.test.ts'
import './wire.test.ts'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../functions/election/index.ts'
import type { Exchange } from '../../functions/election/stores/lean-http.ts'
import { signed } from '../../functions/election/stores/lean-signature.ts'
import { leanTransport } from '../../functions/election/stores/lean-wire.ts'
import { type TableRequest, Wire } from '../../functions/election/stores/wire.ts'
import { type Answer, startFakeService } from '../support/fake-service.ts'

const ROW = { lease: { S: 'billing' }, record: { S: 'LEASE' } }
const REQUEST: TableRequest = { operation: 'GetItem', input: { TableName: 'leases', Key: ROW } }
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret/+=' }
const LAMBDA = { AWS_LAMBDA_FUNCTION_NAME: 'billing', AWS_REGION: 'eu-central-1', ...KEYS }

const home = mkdtempSync(join(tmpdir(), 'tenure-home-'))
mkdirSync(join(home, '.aws'))
writeFileSync(join(home, '.aws/config'), '')
afterAll(() => rmSync(home, { recursive: true }))

/** Sends one request to a service that answers so. */
async function sendTo(
  answers: readonly Answer[] | Answer,
  { maxAttempts = 1, variables = {}, request = REQUEST } = {},
) {
  const service = await startFakeService(...[answers].flat())
  const wire = new Wire(systemClock)
  const send = leanTransport({ ...LAMBDA, AWS_ENDPOINT_URL_DYNAMODB: service.url, ...variables }, { maxAttempts })
  const stop = new AbortController()
  const outcome = send?.(request, wire, stop.signal).catch((error: unknown) => error)
  return { service, wire, stop, outcome }
}

describe('without the SDK', () => {
  it('signs as the SDK does', async () => {
    const timeMs = Date.parse('2026-11-21T06:00:00.123Z')
    const variables = { ...KEYS, AWS_SESSION_TOKEN: 'token' }
    const unsigned = { host: 'localhost:8000', operation: 'UpdateItem', body: '{"a":"ü"}', timeMs, region: 'eu-west-3' }
    const { authorization, ...headers }: { authorization?: string } = signed({ ...unsigned, variables })
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret/+=', sessionToken: 'token' }
    const { config } = new DynamoDBClient({ region: unsigned.region, credentials })
    const signer = await Reflect.apply(Reflect.get(config, 'signer'), config, [])
    const request = {
      method: 'POST',
      protocol: 'http:',
      hostname: 'localhost',
      path: '/',
      headers,
      body: unsigned.body,
    }
    const expected = await signer.sign(request, {
      signingDate: new Date(timeMs),
      unsignableHeaders: new Set(['x-amz-content-sha256']), // the others are required
    })
    expect(authorization).toBe(expected.headers['authorization'])
  })

  it.each([
    ['outside Lambda', { AWS_LAMBDA_FUNCTION_NAME: undefined }],
    ['without keys', { AWS_SECRET_ACCESS_KEY: undefined }],
    ['without a Region', { AWS_REGION: undefined }],
    ['in a Region of another partition', { AWS_REGION: 'cn-north-1' }],
    ['in a Region of the government', { AWS_REGION: 'us-gov-west-1' }],
    ['with a profile', { AWS_PROFILE: 'ann' }],
    ['with endpoints of FIPS', { AWS_USE_FIPS_ENDPOINT: 'true' }],
    ['with endpoints of IPv6', { AWS_USE_DUALSTACK_ENDPOINT: 'true' }],
    ['with retries of its own', { AWS_RETRY_MODE: 'adaptive' }],
    ['with an endpoint that has a path', { AWS_ENDPOINT_URL: 'http://localhost/dynamodb' }],
    ['with an endpoint that is no URL', { AWS_ENDPOINT_URL: 'http://localhost:99999' }],
    ['with a file of settings', { HOME: home }],
  ])('it leaves requests to the SDK %s', (_, variables) => {
    const given = Object.entries({ ...LAMBDA, ...variables }).filter(([, value]) => value !== undefined)
    expect(leanTransport(Object.fromEntries(given))).toBeUndefined()
    expect(leanTransport(LAMBDA)).toBeDefined()
  })

  it('each try has the keys of now, and the time of DynamoDB if it refused ours', async () => {
    const variables: Record<string, string> = { AWS_SESSION_TOKEN: 'first' }
    const late = () => ({ date: new Date(Date.now() + 3_600_000).toUTCString() })
    const { service, outcome } = await sendTo(
      [{ statusCode: 400, body: { __type: 'x#InvalidSignatureException' }, headers: late() }, { body: { Item: ROW } }],
      { maxAttempts: 2, variables },
    )
    expect(await outcome).toEqual({ Item: ROW })
    const times = service.requests.map(({ headers }) => Number(String(headers['x-amz-date']).slice(9, 11)))
    expect(((times[1] ?? 0) - (times[0] ?? 0) + 24) % 24).toBe(1)
    expect(service.requests[0]?.headers).toMatchObject({ 'x-amz-security-token': 'first' })
  })

  it.each([
    ['not repeated if its signature is wrong', 'InvalidSignatureException', 'does not match', 1],
    ['repeated if its signature expired', 'InvalidSignatureException', 'Signature expired: 20261121T060000Z', 2],
    ['repeated if it came too slowly', 'RequestTimeoutException', 'timed out', 2],
  ])('a request is %s', async (_, __type, message, tries) => {
    const { service, outcome } = await sendTo({ statusCode: 400, body: { __type, message } }, { maxAttempts: 2 })
    expect(await outcome).toMatchObject({ name: __type, message })
    expect(service.requests).toHaveLength(tries)
  })

  it('an exchange of more than 15 minutes, of a frozen process, does not correct the clock', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const exchange = vi.fn<Exchange>(async ({ headCame }) => {
      vi.advanceTimersByTime(901_000)
      headCame(400, Date.now())
      return { statusCode: 400, headers: {}, text: '{"__type":"InvalidSignatureException"}' }
    })
    const sent = leanTransport(LAMBDA, { exchange })?.(REQUEST, new Wire(systemClock))
    await expect(sent).rejects.toThrow('InvalidSignatureException')
    expect(exchange).toHaveBeenCalledOnce()
  })

  it('bytes travel as base64', async () => {
    const item = { B: { B: 'AAEC' }, list: { L: [{ BS: ['AAEC'] }] }, map: { M: { b: { B: '' } } } }
    const bytes = new Uint8Array([0, 1, 2])
    const request: TableRequest = {
      operation: 'GetItem',
      input: { TableName: 'leases', Key: { lease: { B: bytes }, record: { B: Buffer.from(bytes) } } },
    }
    const { service, outcome } = await sendTo({ body: { Items: [item] } }, { request })
    const read = { B: { B: bytes }, list: { L: [{ BS: [bytes] }] }, map: { M: { b: { B: new Uint8Array() } } } }
    expect(await outcome).toStrictEqual({ Items: [read] })
    expect(JSON.parse(service.requests[0]?.body ?? '')).toMatchObject({
      Key: { lease: { B: 'AAEC' }, record: { B: 'AAEC' } },
    })
  })

  it.each<[string, Answer, object, boolean]>([
    ['is silent', 'silent', { name: 'TimeoutError' }, true],
    ['stops after the head of its answer', 'stalled', { name: 'TimeoutError' }, true],
    ['hangs up', 'hangUp', { code: 'ECONNRESET' }, true],
    ['answers with what is no JSON', { body: '<html>' }, { name: 'SyntaxError' }, true],
    ['answers with an outage', { statusCode: 503, body: '<html>' }, { $metadata: { httpStatusCode: 503 } }, true],
    ['answers without end', { body: 'x'.repeat(11_000_000) }, { message: expect.stringContaining('bytes') }, true],
    ['refuses', { statusCode: 400, body: { __type: 'a#B:c', Message: 'no' } }, { name: 'B', message: 'no' }, false],
    [
      'refuses in a header',
      { statusCode: 400, headers: { 'x-amzn-errortype': 'B,C:http://d/#e' }, body: { __type: 'a#F' } },
      { name: 'B' },
      false,
    ],
  ])('a service that %s is an error that says so', async (_, answer, error, unanswered) => {
    const { wire, outcome } = await sendTo(answer)
    expect(await outcome).toMatchObject(error)
    expect(wire).toMatchObject({ unanswered, answered: !unanswered })
  })

  it('many requests at once share as many connections as a client of the SDK has', async () => {
    const { url, requests } = await startFakeService({ body: { Item: ROW } })
    const send = leanTransport({ ...LAMBDA, AWS_ENDPOINT_URL_DYNAMODB: url })
    await Promise.all(Array.from({ length: 200 }, () => send?.(REQUEST, new Wire(systemClock))))
    expect(requests).toHaveLength(200)
    expect(new Set(requests.map(({ address }) => address)).size).toBe(50)
  })

  it('a request ends with its signal', async () => {
    const { service, stop, outcome } = await sendTo('silent', { maxAttempts: 4 })
    await vi.waitFor(() => expect(service.requests).toHaveLength(1))
    stop.abort()
    expect(await outcome).toMatchObject({ name: 'AbortError' })
    expect(service.requests).toHaveLength(1)
  })
})
