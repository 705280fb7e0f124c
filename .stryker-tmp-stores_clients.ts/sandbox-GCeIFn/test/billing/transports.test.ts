// @ts-nocheck
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ApiKey } from '../../functions/billing/api-key.ts'
import { GatewayOutcomeUnknownError } from '../../functions/billing/gateway.ts'
import { httpTransport, lambdaTransport, type Transport } from '../../functions/billing/transports.ts'
import type { GatewayRequest } from '../../functions/sandbox/message.ts'
import { type Answer, type FakeService, startFakeService, stubAws } from '../support/fake-service.ts'

const POST: GatewayRequest = {
  method: 'POST',
  path: '/v1/payment_intents',
  headers: { 'idempotency-key': 'k1', 'content-type': 'application/x-www-form-urlencoded' },
  body: 'amount=1200',
}
const RESPONSE = { statusCode: 200, headers: { 'idempotent-replayed': 'true' }, body: '{"id":"pi_1"}' }
const never = new AbortController().signal
const NOT_LEADING = new Error('no longer leading')

afterEach(() => vi.useRealTimers())

const peer = (service: FakeService, transport: Transport) => ({
  service,
  transport,
  send: () => transport(POST, { signal: never }),
})
type Peer = ReturnType<typeof peer>
type Serve = (answers: FakeService['answers'], timeoutMs?: number, apiKey?: ApiKey) => Promise<Peer>

const overHttp: Serve = async (answers, timeoutMs = 2000, apiKey = async () => 'sk_test_1') => {
  const service = await startFakeService(...answers)
  return peer(service, httpTransport({ url: `${service.url}/base/`, apiKey, timeoutMs }))
}

const byInvocation: Serve = async (answers, timeoutMs = 2000) => {
  const service = await startFakeService(...answers)
  stubAws('LAMBDA', service.url)
  return peer(service, lambdaTransport({ functionName: 'sandbox', timeoutMs }))
}

async function expectUnknown({ send }: Pick<Peer, 'send'>, message: string): Promise<unknown> {
  const error = await send().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(GatewayOutcomeUnknownError)
  expect(String(error)).toContain(`The outcome at the gateway is unknown: ${message}`)
  return error
}

const UNKNOWN_FUNCTION: Answer = { statusCode: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' } }

describe.each<[string, Serve, Answer, Answer]>([
  ['over HTTP', overHttp, { statusCode: 402 }, { statusCode: 403 }],
  ['by invocation', byInvocation, { body: RESPONSE }, UNKNOWN_FUNCTION],
])('A request %s', (_, serve, answer, refusal) => {
  test('is sent once more if the connection is lost', async () => {
    const { send, service } = await serve(['hangUp', answer])
    expect([200, 402]).toContain((await send()).statusCode) // a decline too: the key is the same
    expect(service.requests).toHaveLength(2)
  })

  test('that was lost and then refused has an unknown outcome: the first try may have charged', async () => {
    const lost = await serve(['hangUp', refusal])
    await expectUnknown(lost, '')
    expect(lost.service.requests).toHaveLength(2)
  })

  test('has an unknown outcome, and is not sent again, if no answer comes in time', async () => {
    const silent = await serve(['silent'], 500)
    await expectUnknown(silent, 'no answer within 500 ms')
    await sleep(600)
    expect(silent.service.requests).toHaveLength(1)
  })

  test('checks before each try that this leader may still send', async () => {
    const { transport, service } = await serve(['hangUp'])
    let checks = 0
    const beforeSend = () => {
      if (++checks === 2) throw NOT_LEADING
    }
    await expect(transport(POST, { signal: never, beforeSend })).rejects.toBe(NOT_LEADING)
    expect([checks, service.requests.length]).toEqual([2, 1])
  })

  test("is aborted at once, with the signal's reason, and not sent if it is aborted before", async () => {
    const leader = new AbortController()
    const aborts = () => {
      leader.abort(NOT_LEADING)
      return 'silent' as const
    }
    const { transport, service } = await serve([aborts], 60_000)
    await expect(transport(POST, { signal: leader.signal })).rejects.toBe(NOT_LEADING)
    await expect(transport(POST, { signal: leader.signal })).rejects.toBe(NOT_LEADING)
    expect(service.requests).toHaveLength(1)
  })
})

describe('Over HTTP a request', () => {
  test('is sent with everything in it and the API key, and its whole answer is returned', async () => {
    const answer = { statusCode: 402, headers: { 'Idempotent-Replayed': 'true' }, body: '{"declined":"ü"}' }
    const { transport, service } = await overHttp([answer])
    const query = { customer: 'a&b=c', 'created[gte]': '1' }
    expect(await transport({ ...POST, query }, { signal: never })).toMatchObject({
      statusCode: 402,
      headers: { 'idempotent-replayed': 'true' },
      body: answer.body,
    })
    const headers = { ...POST.headers, authorization: 'Bearer sk_test_1' }
    const url = '/base/v1/payment_intents?customer=a%26b%3Dc&created%5Bgte%5D=1'
    expect(service.requests).toMatchObject([{ method: 'POST', url, headers, body: 'amount=1200' }])
  })

  const redirect: Answer = { statusCode: 307, headers: { location: 'https://elsewhere.example/?key=secret' } }

  test.each<[FakeService['answers'], string]>([
    [['hangUp', 'hangUp'], 'the connection failed twice'],
    [['hangUp', redirect], 'the connection failed, then the request failed'],
    [['hangUp', { statusCode: 401 }], 'the connection failed, and the retry was answered 401'],
    [[redirect], 'the request failed (unexpected redirect); is the URL right?'],
    [['stalled'], 'no answer within 500 ms'],
  ])('that is answered %j has an unknown outcome, and the error contains no key', async (answers, message) => {
    const lost = await overHttp(answers, 500, async ({ renew } = {}) => (renew ? 'sk_new' : 'sk_old'))
    const error = await expectUnknown(lost, message)
    expect(lost.service.requests.map(({ headers }) => headers['idempotency-key'])).toEqual(answers.map(() => 'k1'))
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/secret|sk_old/)
  })

  test('is not sent again by a process that was frozen: the gateway may have forgotten the key', async () => {
    const frozen = await overHttp([
      () => {
        vi.setSystemTime(Date.now() + 2001)
        return 'hangUp'
      },
    ])
    vi.useFakeTimers({ toFake: ['Date'] })
    await expectUnknown(frozen, 'the connection failed while this process was frozen')
    expect(frozen.service.requests).toHaveLength(1)
  })

  test.each([
    ['is retried with the API key as it is now', ['sk_old', 'sk_right'], 200, ['sk_old', 'sk_right']],
    ['is not retried with the same API key', ['sk_wrong', 'sk_wrong'], 401, ['sk_wrong']],
    ['is retried once', ['sk_wrong', 'sk_wrong_too'], 401, ['sk_wrong', 'sk_wrong_too']],
  ] as const)('that is unauthorized %s', async (_, [cached, current], statusCode, sent) => {
    const apiKey: ApiKey = async ({ renew = false } = {}) => (renew ? current : cached)
    const answer: FakeService['answers'][number] = ({ headers }) => ({
      statusCode: headers.authorization === 'Bearer sk_right' ? 200 : 401,
    })
    const { send, service } = await overHttp([answer], 2000, apiKey)
    expect(await send()).toMatchObject({ statusCode })
    const headers = service.requests.map((one) => [one.headers.authorization, one.headers['idempotency-key']])
    expect(headers).toEqual(sent.map((key) => [`Bearer ${key}`, 'k1']))
  })
})

test.each([
  ['EAI_AGAIN', 2, 'the connection failed twice; the second time, the connection failed (EAI_AGAIN)'],
  ['UND_ERR_SOCKET', 2, 'the connection failed twice'],
  ['ENOTFOUND', 1, 'the request failed (ENOTFOUND); is the URL right?'],
  ['CERT_HAS_EXPIRED', 1, 'the request failed (CERT_HAS_EXPIRED)'],
  ['HPE_INVALID_CONSTANT', 1, 'the request failed (HPE_INVALID_CONSTANT)'],
])('A fetch that fails with %s is sent %i times in all', async (code, times, message) => {
  const fetches = vi.spyOn(globalThis, 'fetch').mockRejectedValue({ cause: { code } })
  onTestFinished(() => fetches.mockRestore())
  const transport = httpTransport({ url: 'https://gateway.example', apiKey: async () => 'sk_test_1' })
  await expectUnknown({ send: () => transport(POST, { signal: never }) }, message)
  expect(fetches).toHaveBeenCalledTimes(times)
})

describe('By invocation a request', () => {
  const lambdaError = (statusCode: number, type: string): Answer => {
    return { statusCode, headers: { 'x-amzn-errortype': type } }
  }
  const UNKNOWN = 'GatewayOutcomeUnknownError: The outcome at the gateway is unknown:'
  const REFUSED = 'GatewayRefusedError: The gateway refused the charge with'

  test.each<[Answer, string]>([
    [{ body: {}, headers: { 'x-amz-function-error': 'Unhandled' } }, `${UNKNOWN} its function failed`],
    [{ body: 'null' }, `${UNKNOWN} its function did not return a response`],
    [{ body: { ...RESPONSE, statusCode: '200' } }, `${UNKNOWN} its function did not return a response`],
    [lambdaError(429, 'TooManyRequestsException'), `${UNKNOWN} the invocation failed (TooManyRequestsException)`],
    [lambdaError(500, 'ServiceException'), `${UNKNOWN} the invocation failed (ServiceException)`],
    // Lambda answers these itself: the function did not run.
    [lambdaError(403, 'AccessDeniedException'), `${REFUSED} 403 (AccessDeniedException);`],
    [lambdaError(404, 'ResourceNotFoundException'), `${REFUSED} 404 (ResourceNotFoundException);`],
  ])('that is answered %j fails: %s', async (answer, message) => {
    const { send } = await byInvocation([answer])
    expect(await send().catch(String)).toContain(message)
  })
})
