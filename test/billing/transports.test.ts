import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ApiKey } from '../../functions/billing/api-key.ts'
import { GatewayOutcomeUnknownError, GatewayRefusedError } from '../../functions/billing/gateway.ts'
import {
  type GatewayRequest,
  httpTransport,
  lambdaTransport,
  type Transport,
} from '../../functions/billing/transports.ts'

const POST: GatewayRequest = {
  method: 'POST',
  path: '/v1/payment_intents',
  headers: { 'idempotency-key': 'k1', 'content-type': 'application/x-www-form-urlencoded' },
  body: 'amount=1200',
}
const never = new AbortController().signal

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

async function listen(listener: RequestListener): Promise<string> {
  const started = createServer(listener)
  server = started
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  const address = started.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return `http://127.0.0.1:${address.port}`
}

/** Where clients of the SDK find Lambda that are told nothing else. */
function stubLambda(endpoint: string): void {
  vi.stubEnv('AWS_ENDPOINT_URL_LAMBDA', endpoint)
  vi.stubEnv('AWS_REGION', 'eu-central-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local')
}

async function textOf(chunks: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const chunk of chunks) text += chunk
  return text
}

/** With a peer that always hangs up, so that there is a second try, and a leader that is replaced in between. */
async function expectEachTryToAsk(serve: (listener: RequestListener) => Promise<Transport>): Promise<void> {
  let requests = 0
  const send = await serve((_request, response) => {
    requests++
    response.destroy()
  })
  const lost = new Error('no longer leading')
  let asked = 0
  const beforeSend = () => {
    if (++asked === 2) throw lost
  }
  await expect(send(POST, { signal: never, beforeSend })).rejects.toBe(lost)
  expect([asked, requests]).toEqual([2, 1])
}

describe('Over HTTP a request', () => {
  /** A gateway of the test's own making, and the transport to it. */
  async function serve(listener: RequestListener, timeoutMs = 2000, apiKey: ApiKey = async () => 'sk_test_1') {
    return httpTransport({ url: `${await listen(listener)}/base/`, apiKey, timeoutMs })
  }

  test('arrives with everything in it and the API key, and its answer comes back whole', async () => {
    const seen: unknown[] = []
    const send = await serve(async (request, response) => {
      const { authorization, 'idempotency-key': key, 'content-type': type } = request.headers
      seen.push([request.method, request.url, authorization, key, type, await textOf(request)])
      response.writeHead(402, { 'Idempotent-Replayed': 'true' }).end('{"declined":"ü"}')
    })
    expect(await send(POST, { signal: never })).toMatchObject({
      statusCode: 402,
      headers: { 'idempotent-replayed': 'true' },
      body: '{"declined":"ü"}',
    })
    const form = 'application/x-www-form-urlencoded'
    expect(seen).toEqual([['POST', '/base/v1/payment_intents', 'Bearer sk_test_1', 'k1', form, 'amount=1200']])
  })

  test('has its query encoded', async () => {
    const urls: unknown[] = []
    const send = await serve((request, response) => {
      urls.push(request.url)
      response.end()
    })
    await send(
      { method: 'GET', path: '/v1', query: { customer: 'a&b=c', 'created[gte]': '1' }, headers: {} },
      { signal: never },
    )
    expect(urls).toEqual(['/base/v1?customer=a%26b%3Dc&created%5Bgte%5D=1'])
  })

  test.each([301, 302, 303, 307, 308])('answered %i does not follow the redirect with the money', async (status) => {
    const urls: unknown[] = []
    const send = await serve((request, response) => {
      urls.push(request.url)
      response.writeHead(status, { location: '/elsewhere' }).end('<html>')
    })
    await expect(send(POST, { signal: never })).rejects.toThrow(GatewayOutcomeUnknownError)
    expect(urls).toEqual(['/base/v1/payment_intents'])
  })

  test.each([
    ['https://login.example/session?key=secret', ' to https://login.example, which'],
    ['//user:secret@elsewhere.example:8443/x', ' to http://elsewhere.example:8443, which'],
    ['http://[', ', which'],
    ['javascript:alert("secret")', ', which'],
    ['data:text/html,secret', ', which'],
    ['mailto:secret@elsewhere.example', ', which'],
    ['blob:https://elsewhere.example/secret', ', which'],
    [undefined, ', which'],
  ])('redirected to %s says so, by the host alone', async (location, words) => {
    const send = await serve((_request, response) => {
      response.writeHead(302, location === undefined ? {} : { location }).end()
    })
    const error = await send(POST, { signal: never }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(GatewayOutcomeUnknownError)
    expect(String(error)).toContain(`it answered 302, a redirect${words} is not followed; is the URL right?`)
    expect(inspect(error, { depth: 10 })).not.toContain('secret')
  })

  test('that was lost and then redirected says what the second answer was', async () => {
    let requests = 0
    const send = await serve((_request, response) => {
      if (++requests === 1) response.destroy()
      else response.writeHead(307, { location: 'https://elsewhere.example/' }).end()
    })
    await expect(send(POST, { signal: never })).rejects.toThrow('a redirect to https://elsewhere.example')
    expect(requests).toBe(2)
  })

  describe('that can never arrive is sent once, and says why: ', () => {
    /** A server that is no gateway, and how many connections it got. */
    async function answering(bytes: string) {
      const connections: Socket[] = []
      const peer = createTcpServer((socket) => {
        connections.push(socket.on('error', () => {}))
        socket.once('data', () => socket.end(bytes))
      }).listen(0, '127.0.0.1')
      await once(peer, 'listening')
      onTestFinished(() => void peer.close())
      const address = peer.address()
      if (address === null || typeof address === 'string') throw new Error('No port')
      return { host: `127.0.0.1:${address.port}`, connections }
    }

    const failureAt = (url: string) =>
      httpTransport({ url, apiKey: async () => 'sk_test_1' })(POST, { signal: never }).catch(
        (thrown: unknown) => thrown,
      )

    test.each([
      ['http', 'SSH-2.0-OpenSSH_9.2\r\n', 'what answered does not speak HTTP'],
      ['https', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'it does not speak TLS as asked (ERR_SSL_'],
      ['http', 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n{}', 'its answer could not be unpacked (Z_'],
    ])('a peer asked by %s that answers %j', async (scheme, bytes, words) => {
      const { host, connections } = await answering(bytes)
      const error = await failureAt(`${scheme}://${host}`)
      expect(error).toBeInstanceOf(GatewayOutcomeUnknownError)
      expect(String(error)).toContain(words)
      expect(connections).toHaveLength(1)
    })

    test.each([
      ['http://[', 'its URL is not valid (ERR_INVALID_URL)'],
      ['ftp://gateway.example', 'could not be sent (unknown scheme)'],
    ])('the URL %s', async (url, words) => {
      const error = await failureAt(url)
      expect(error).toBeInstanceOf(GatewayOutcomeUnknownError)
      expect(String(error)).toContain(words)
    })
  })

  test('is sent once more, with the same key, when the connection is lost', async () => {
    const keys: unknown[] = []
    const send = await serve((request, response) => {
      keys.push(request.headers['idempotency-key'])
      if (keys.length === 1) response.destroy()
      else response.end('charged')
    })
    expect(await send(POST, { signal: never })).toMatchObject({ statusCode: 200, body: 'charged' })
    expect(keys).toEqual(['k1', 'k1'])
  })

  test('is of unknown outcome when the connection is lost twice', async () => {
    let requests = 0
    const send = await serve((_request, response) => {
      requests++
      response.destroy()
    })
    const answer = send(POST, { signal: never })
    await expect(answer).rejects.toThrow(GatewayOutcomeUnknownError)
    await expect(answer).rejects.toThrow('the connection failed twice')
    expect(requests).toBe(2)
  })

  test('is not sent again by a process that slept meanwhile: the gateway may have forgotten its key', async () => {
    let requests = 0
    const send = await serve((_request, response) => {
      requests++
      vi.setSystemTime(Date.now() + 2001)
      response.destroy()
    })
    vi.useFakeTimers({ toFake: ['Date'] })
    await expect(send(POST, { signal: never })).rejects.toThrow('the connection failed while this process slept')
    expect(requests).toBe(1)
  })

  test.each([400, 401, 403])(
    'that was lost and then refused with %i is of unknown outcome: the lost one may have charged',
    async (statusCode) => {
      let requests = 0
      const apiKey: ApiKey = async ({ renew = false } = {}) => (renew ? 'sk_new' : 'sk_old')
      const send = await serve(
        (_request, response) => {
          if (++requests === 1) response.destroy()
          else response.writeHead(statusCode).end()
        },
        2000,
        apiKey,
      )
      const answer = send(POST, { signal: never })
      await expect(answer).rejects.toThrow(GatewayOutcomeUnknownError)
      await expect(answer).rejects.toThrow(`the connection failed, and another try was answered ${statusCode}`)
      expect(requests).toBe(2)
    },
  )

  test('that was lost and then declined is declined: the second answer is that of the key', async () => {
    let requests = 0
    const send = await serve((_request, response) => {
      if (++requests === 1) response.destroy()
      else response.writeHead(402).end()
    })
    expect(await send(POST, { signal: never })).toMatchObject({ statusCode: 402 })
  })

  test.each(['headers', 'body'])(
    'is of unknown outcome, and not sent again, when the %s of its answer do not come in time',
    async (part) => {
      let requests = 0
      const send = await serve((_request, response) => {
        requests++
        if (part === 'body') response.writeHead(200).write('{"id":')
      }, 50)
      const answer = send(POST, { signal: never })
      await expect(answer).rejects.toThrow(GatewayOutcomeUnknownError)
      await expect(answer).rejects.toThrow('no answer within 50 ms')
      expect(requests).toBe(1)
    },
  )

  test('asks before each try whether this leader may still send', () => expectEachTryToAsk(serve))

  test('ends with the reason of the signal, at once', async () => {
    const leader = new AbortController()
    const reason = new Error('no longer leading')
    const send = await serve(() => leader.abort(reason), 60_000)
    await expect(send(POST, { signal: leader.signal })).rejects.toBe(reason)
  })

  test('is not sent where leadership was lost while the API key was looked up', async () => {
    const leader = new AbortController()
    const reason = new Error('no longer leading')
    let requests = 0
    const apiKey = async () => {
      leader.abort(reason)
      return 'sk_test_1'
    }
    const send = await serve(() => void requests++, 2000, apiKey)
    await expect(send(POST, { signal: leader.signal })).rejects.toBe(reason)
    expect(requests).toBe(0)
  })

  describe('that is unauthorized', () => {
    /** Takes the last of these keys only. */
    async function rotated(...keys: readonly string[]) {
      const seen: unknown[] = []
      const renewals: unknown[] = []
      const apiKey: ApiKey = async ({ renew = false } = {}) => {
        renewals.push(renew)
        return keys[renew ? 1 : 0] ?? 'none'
      }
      const send = await serve(
        (request, response) => {
          seen.push([request.headers.authorization, request.headers['idempotency-key']])
          response.writeHead(request.headers.authorization === `Bearer ${keys.at(-1)}` ? 200 : 401).end()
        },
        2000,
        apiKey,
      )
      return { send, seen, renewals }
    }

    test('is sent once more with the API key as it is now: it may have been rotated', async () => {
      const { send, seen, renewals } = await rotated('sk_old', 'sk_new')
      expect(await send(POST, { signal: never })).toMatchObject({ statusCode: 200 })
      expect(seen).toEqual([
        ['Bearer sk_old', 'k1'],
        ['Bearer sk_new', 'k1'],
      ])
      expect(renewals).toEqual([false, true])
    })

    test('is not sent again with the same API key', async () => {
      const { send, seen } = await rotated('sk_wrong', 'sk_wrong', 'sk_right')
      expect(await send(POST, { signal: never })).toMatchObject({ statusCode: 401 })
      expect(seen).toHaveLength(1)
    })

    test('with the new API key too is answered so', async () => {
      const { send, seen } = await rotated('sk_wrong', 'sk_wrong_too', 'sk_right')
      expect(await send(POST, { signal: never })).toMatchObject({ statusCode: 401 })
      expect(seen).toHaveLength(2)
    })
  })

  test('that fails shows the API key nowhere', async () => {
    const send = await serve((_request, response) => void response.destroy())
    const error = await send(POST, { signal: never }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(GatewayOutcomeUnknownError)
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('sk_test_1')
  })
})

describe('By invocation a request', () => {
  const RESPONSE = { statusCode: 200, headers: { 'idempotent-replayed': 'true' }, body: '{"id":"pi_1"}' }
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }

  /** Lambda, as far as it is asked, and the transport to a function there. */
  async function serve(listener: RequestListener, timeoutMs = 2000) {
    const endpoint = await listen(listener)
    const client = new LambdaClient({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 2 })
    return lambdaTransport({ functionName: 'sandbox', client, timeoutMs })
  }

  function answering(statusCode: number, body: unknown, headers: Record<string, string> = {}): RequestListener {
    return (_request, response) => {
      response.writeHead(statusCode, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
    }
  }

  test('is the event, waited for, and what the function returns is the answer', async () => {
    const seen: unknown[] = []
    const send = await serve(async (request, response) => {
      seen.push([
        request.method,
        request.url,
        request.headers['x-amz-invocation-type'],
        JSON.parse(await textOf(request)),
      ])
      response.end(JSON.stringify(RESPONSE))
    })
    expect(await send(POST, { signal: never })).toEqual(RESPONSE)
    expect(seen).toEqual([['POST', '/2015-03-31/functions/sandbox/invocations', 'RequestResponse', POST]])
  })

  test('needs no client: its own finds Lambda as every SDK client does', async () => {
    stubLambda(await listen(answering(200, RESPONSE)))
    expect(await lambdaTransport({ functionName: 'sandbox' })(POST, { signal: never })).toEqual(RESPONSE)
  })

  test.each([
    [200, { errorMessage: 'Task timed out' }, { 'x-amz-function-error': 'Unhandled' }, 'its function failed'],
    [200, 'null', {}, 'its function answered something else than a response'],
    [200, '', {}, 'its function answered something else than a response'],
    [200, { ...RESPONSE, statusCode: '200' }, {}, 'its function answered something else than a response'],
    [200, { ...RESPONSE, body: {} }, {}, 'its function answered something else than a response'],
    [200, { ...RESPONSE, headers: null }, {}, 'its function answered something else than a response'],
    [429, { Reason: 'x' }, { 'x-amzn-errortype': 'TooManyRequestsException' }, '(TooManyRequestsException)'],
    [413, {}, { 'x-amzn-errortype': 'RequestTooLargeException' }, '(RequestTooLargeException)'],
    [409, {}, { 'x-amzn-errortype': 'ResourceConflictException' }, '(ResourceConflictException)'],
    [500, {}, { 'x-amzn-errortype': 'ServiceException' }, '(ServiceException)'],
    [502, {}, { 'x-amzn-errortype': 'EC2UnexpectedException' }, '(EC2UnexpectedException)'],
  ])('answered %i %j %j is of unknown outcome', async (statusCode, body, headers, message) => {
    const answer = (await serve(answering(statusCode, body, headers)))(POST, { signal: never })
    await expect(answer).rejects.toThrow(GatewayOutcomeUnknownError)
    await expect(answer).rejects.toThrow(message)
  })

  test.each([
    [403, 'AccessDeniedException'],
    [404, 'ResourceNotFoundException'],
  ])('that Lambda refuses with %i %s never reached the function', async (statusCode, type) => {
    const answer = (await serve(answering(statusCode, {}, { 'x-amzn-errortype': type })))(POST, { signal: never })
    await expect(answer).rejects.toThrow(GatewayRefusedError)
    await expect(answer).rejects.toThrow(`with ${statusCode} (${type});`)
    await expect(answer).rejects.toMatchObject({ statusCode })
  })

  test('is sent once more when the connection is lost', async () => {
    let requests = 0
    const send = await serve((_request, response) => {
      if (++requests === 1) response.destroy()
      else response.end(JSON.stringify(RESPONSE))
    })
    expect(await send(POST, { signal: never })).toEqual(RESPONSE)
  })

  test('that was lost and then refused is of unknown outcome: the lost one may have charged', async () => {
    let requests = 0
    const send = await serve((_request, response) => {
      if (++requests === 1) response.destroy()
      else response.writeHead(403, { 'x-amzn-errortype': 'AccessDeniedException' }).end('{}')
    })
    await expect(send(POST, { signal: never })).rejects.toThrow(GatewayOutcomeUnknownError)
    expect(requests).toBe(2)
  })

  test('is of unknown outcome, and not sent again, when no answer comes in time', async () => {
    let requests = 0
    stubLambda(await listen(() => void requests++))
    const answer = lambdaTransport({ functionName: 'sandbox', timeoutMs: 100 })(POST, { signal: never })
    await expect(answer).rejects.toThrow(GatewayOutcomeUnknownError)
    await expect(answer).rejects.toThrow('no answer within 100 ms')
    await sleep(200)
    expect(requests).toBe(1)
  })

  test('ends with the reason of the signal, at once', async () => {
    const leader = new AbortController()
    const reason = new Error('no longer leading')
    const send = await serve(() => leader.abort(reason), 60_000)
    await expect(send(POST, { signal: leader.signal })).rejects.toBe(reason)
  })

  test('is not sent where leadership is lost already', async () => {
    let requests = 0
    const send = await serve(() => void requests++)
    const reason = new Error('no longer leading')
    await expect(send(POST, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(requests).toBe(0)
  })

  test('asks before each try whether this leader may still send', () => expectEachTryToAsk(serve))
})
