/** Lease requests without the SDK: all that holds with it, and what is theirs alone. */
import './lean.ts'
import './store-answers.test.ts'
import './stores.test.ts'
import './unanswered-writes.test.ts'
import './wire.test.ts'
import crypto from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { DynamoDBLeaseStore, systemClock } from '../../functions/election/index.ts'
import type { Exchange } from '../../functions/election/stores/lean-http.ts'
import { signed } from '../../functions/election/stores/lean-signature.ts'
import { leanTransport } from '../../functions/election/stores/lean-wire.ts'
import { type TableRequest, Wire } from '../../functions/election/stores/wire.ts'
import { simulatedClient } from '../../functions/election/testing/dynamodb/client.ts'
import { acquireRequest } from '../../functions/election/testing/requests.ts'
import { type Answer, startFakeService } from '../support/fake-service.ts'
import { storeAt } from './transport.ts'

const ROW = { lease: { S: 'billing' }, record: { S: 'LEASE' } }
const REQUEST: TableRequest = { operation: 'GetItem', input: { TableName: 'leases', Key: ROW } }
const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret/+=' }
const LAMBDA = { AWS_LAMBDA_FUNCTION_NAME: 'billing', AWS_REGION: 'eu-central-1', PATH: '/usr/bin', ...KEYS }

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

/** Sends one request, each try of which has this exchange. */
function send(tried: Exchange, signal?: AbortSignal) {
  const exchange = vi.fn(tried)
  const sent = leanTransport(LAMBDA, { exchange })?.(REQUEST, new Wire(systemClock), signal)
  return { exchange, outcome: sent?.catch((error: unknown) => error) }
}

describe('without the SDK', () => {
  const FIRST = { timeMs: Date.parse('2026-11-21T06:00:00.123Z'), region: 'eu-west-3', secret: 'secret/+=' }
  const signedWith = ({ secret, ...more }: typeof FIRST) => {
    const variables = { ...KEYS, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: 'token' }
    return signed({ host: 'localhost:8000', operation: 'UpdateItem', body: '{"a":"ü"}', variables, ...more })
  }

  it.each([
    ['as the one before', {}],
    ['of another day', { timeMs: FIRST.timeMs + 86_400_000 }],
    ['for another Region', { region: 'eu-west-1' }],
    ['with another secret', { secret: 'secret/+=/' }],
  ])('signs a request %s as the SDK does', async (_, changed) => {
    signedWith(FIRST)
    const { timeMs, region, secret } = { ...FIRST, ...changed }
    const { authorization, ...headers }: { authorization?: string } = signedWith({ timeMs, region, secret })
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: secret, sessionToken: 'token' }
    const { config } = new DynamoDBClient({ region, credentials })
    const signer = await Reflect.apply(Reflect.get(config, 'signer'), config, [])
    const request = { method: 'POST', protocol: 'http:', hostname: 'localhost', path: '/', headers, body: '{"a":"ü"}' }
    const expected = await signer.sign(request, {
      signingDate: new Date(timeMs),
      unsignableHeaders: new Set(['x-amz-content-sha256']), // the others are required
    })
    expect(authorization).toBe(expected.headers['authorization'])
  })

  it('derives the key of a day once', () => {
    signedWith(FIRST)
    const createHmac = vi.spyOn(crypto, 'createHmac')
    onTestFinished(() => createHmac.mockRestore())
    signedWith({ ...FIRST, timeMs: FIRST.timeMs + 3_600_000 })
    expect(createHmac).toHaveBeenCalledOnce()
  })

  it('a store without a client loads it for effects, one with a client at once, one in memory never', async () => {
    const transport = vi.fn(() => ({ write: async () => ({}) }))
    const load = vi.fn(() => ({ sdkTransport: transport }))
    vi.doMock('../../functions/election/stores/sdk.ts', load)
    onTestFinished(() => void vi.doUnmock('../../functions/election/stores/sdk.ts'))
    const tableName = 'leases'
    const store = storeAt((await startFakeService()).url, { tableName })
    new DynamoDBLeaseStore({ tableName, client: simulatedClient() })
    await store.acquire(acquireRequest())
    expect(store.toRow({ id: { N: '1' } })).toEqual({ id: 1 })
    await vi.dynamicImportSettled()
    expect(load).not.toHaveBeenCalled()
    await store.send({ TableName: 'effects', Item: {} })
    expect(transport.mock.calls).toEqual([[undefined]])
    const client = new DynamoDBClient()
    new DynamoDBLeaseStore({ tableName, client })
    await vi.waitFor(() => expect(transport).toHaveBeenLastCalledWith(expect.objectContaining({ client })))
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
    ['with an endpoint of another protocol', { AWS_ENDPOINT_URL: 'unix+http://localhost' }],
  ])('it leaves requests to the SDK %s', (_, variables) => {
    const given = Object.entries({ ...LAMBDA, ...variables }).filter(([, value]) => value !== undefined)
    expect(leanTransport(Object.fromEntries(given))).toBeUndefined()
    expect(leanTransport(LAMBDA)).toBeDefined()
  })

  it.each([
    ['config', false],
    ['credentials', false],
    ['cli', true],
  ])('with a file ~/.aws/%s, it sends requests itself: %s', (file, isLean) => {
    const home = mkdtempSync(join(tmpdir(), 'tenure-home-'))
    onTestFinished(() => rmSync(home, { recursive: true }))
    mkdirSync(join(home, '.aws'))
    writeFileSync(join(home, '.aws', file), '')
    expect(leanTransport({ ...LAMBDA, HOME: home }) !== undefined).toBe(isLean)
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
    const headers = { 'x-amz-security-token': 'first', 'content-type': 'application/x-amz-json-1.0' }
    expect(service.requests[0]?.headers).toMatchObject(headers)
  })

  it.each([
    ['not repeated if its signature is wrong', 'InvalidSignatureException', 'does not match', 1],
    ['not repeated if it is refused otherwise', 'ValidationException', 'Signature expired', 1],
    ['repeated if its signature expired', 'InvalidSignatureException', 'Signature expired: 20261121T060000Z', 2],
    ['repeated if it came too slowly', 'RequestTimeoutException', 'timed out', 2],
  ])('a request is %s', async (_, __type, message, tries) => {
    const { service, outcome } = await sendTo({ statusCode: 400, body: { __type, message } }, { maxAttempts: 2 })
    expect(await outcome).toMatchObject({ name: __type, message })
    expect(service.requests).toHaveLength(tries)
  })

  it.each([
    ['if it is less than four minutes off', 1, [239_999], 0],
    ['if it is four minutes behind', 2, [240_000], 0],
    ['if it is four minutes ahead', 2, [-240_000], 0],
    ['from where it was corrected to before', 3, [360_000, -360_000], 0],
    ['after an exchange of 15 minutes', 2, [0], 900_000],
    ['after a longer one, as the process was frozen', 1, [0], 900_001],
  ])('a refusal corrects the clock %s: %i tries', async (_, tries, offsetsMs, exchangeMs) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    let sent = 0
    const { outcome } = send(async ({ headCame }) => {
      vi.advanceTimersByTime(exchangeMs)
      headCame(400, Date.now() + Number(offsetsMs[sent++] ?? offsetsMs.at(-1)))
      return { statusCode: 400, headers: {}, text: '{"__type":"InvalidSignatureException"}' }
    })
    expect(await outcome).toMatchObject({ name: 'InvalidSignatureException' })
    expect(sent).toBe(tries)
  })

  it.each([
    ['a time-out is', { name: 'TimeoutError' }, [12.5, 25, 50]],
    ['a broken connection is', { code: 'ECONNRESET' }, [12.5, 25, 50]],
    ['throttling is', { name: 'ThrottlingException' }, [500, 1_000, 2_000]],
    ['a wrong certificate is not', { code: 'CERT_HAS_EXPIRED' }, []],
  ])('%s followed by further tries', async (_, error, pausesMs) => {
    const sleep = vi.spyOn(systemClock, 'sleep').mockResolvedValue()
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    onTestFinished(() => [sleep, random].forEach((spy) => void spy.mockRestore()))
    const { outcome } = send(() => Promise.reject(Object.assign(new Error('failed'), error)))
    expect(await outcome).toMatchObject(error)
    expect(sleep.mock.calls.map(([ms]) => ms)).toEqual(pausesMs)
  })

  it('no try follows after its signal', async () => {
    const stop = new AbortController()
    const { exchange, outcome } = send(async () => {
      stop.abort()
      throw Object.assign(new Error('failed'), { code: 'ECONNRESET' })
    }, stop.signal)
    expect(await outcome).toMatchObject({ code: 'ECONNRESET' })
    expect(exchange).toHaveBeenCalledOnce()
  })

  it('bytes travel as base64', async () => {
    const item = { B: { B: 'AAEC' }, list: { L: [{ BS: ['AAEC'] }] }, map: { M: { b: { B: '' } } } }
    const bytes = new Uint8Array([0, 1, 2])
    const request: TableRequest = {
      operation: 'GetItem',
      input: { TableName: 'leases', Key: { lease: { B: bytes }, record: { B: Buffer.from(bytes) } } },
    }
    const { service, outcome } = await sendTo({ body: { Items: [item], LastEvaluatedKey: { b: item.B } } }, { request })
    const read = { B: { B: bytes }, list: { L: [{ BS: [bytes] }] }, map: { M: { b: { B: new Uint8Array() } } } }
    expect(await outcome).toStrictEqual({ Items: [read], LastEvaluatedKey: { b: read.B } })
    expect(JSON.parse(service.requests[0]?.body ?? '')).toMatchObject({
      Key: { lease: { B: 'AAEC' }, record: { B: 'AAEC' } },
    })
  })

  it.each<[string, Answer, object, boolean]>([
    ['hangs up', 'hangUp', { code: 'ECONNRESET' }, true],
    ['answers with what is no JSON', { body: '<html>' }, { name: 'SyntaxError' }, true],
    [
      'answers with an outage',
      { statusCode: 503, body: '<html>' },
      { name: 'UnknownError', $fault: 'server', $metadata: { httpStatusCode: 503 } },
      true,
    ],
    ['redirects', { statusCode: 300 }, { name: 'UnknownError', $metadata: { httpStatusCode: 300 } }, false],
    [
      'refuses',
      { statusCode: 400, body: { __type: 'a#B:c', Message: 'no', Item: ROW } },
      { name: 'B', message: 'no', $fault: 'client', Item: ROW },
      false,
    ],
    [
      'refuses in headers',
      { statusCode: 400, headers: { 'x-amzn-errortype': 'B,C:http://d/#e', 'x-amzn-requestid': '7' }, body: '{}' },
      { name: 'B', $metadata: { requestId: '7' } },
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
