import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { GatewayOutcomeUnknownError, GatewayRefusedError, httpGateway } from '../../functions/billing/gateway.ts'

const UNIT = { customer: 'cus_1', plan: 'plus', period: '2024-01-31' }
const MONEY = { amountMinor: 1200, currency: 'JPY' }
const never = new AbortController().signal

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A gateway of the test's own making, and the client for it. */
async function serve(listener: RequestListener, timeoutMs = 2000) {
  server = createServer(listener)
  const started = server
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  const address = started.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return httpGateway({ url: `http://127.0.0.1:${address.port}/v1/`, timeoutMs })
}

function answering(statusCode: number, body: unknown, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(statusCode, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

describe('A charge', () => {
  test('sends the key and the business unit, and nothing about the person', async () => {
    const seen: unknown[] = []
    const gateway = await serve(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      seen.push([request.method, request.url, request.headers['idempotency-key'], JSON.parse(body)])
      response.writeHead(201).end('{"id":"ch_1"}')
    })
    const unit = { ...UNIT, name: 'Ada Sato' }
    expect(await gateway.charge(unit, MONEY, { key: 'k1', signal: never })).toEqual({
      status: 'charged',
      chargeId: 'ch_1',
      replayed: false,
    })
    expect(seen).toEqual([['POST', '/v1/charges', 'k1', { ...UNIT, ...MONEY }]])
  })

  test.each([
    [200, { id: 'ch_1' }, { 'idempotent-replayed': 'true' }, { status: 'charged', chargeId: 'ch_1', replayed: true }],
    [402, { error: { code: 'card_declined' } }, {}, { status: 'declined', replayed: false }],
    [402, '', { 'idempotent-replayed': 'true' }, { status: 'declined', replayed: true }],
  ])('answered %i is a result', async (statusCode, body, headers, outcome) => {
    const gateway = await serve(answering(statusCode, body, headers))
    expect(await gateway.charge(UNIT, MONEY, { key: 'k1', signal: never })).toEqual(outcome)
  })

  test.each([
    [500, { error: { code: 'internal_error' } }, 'it answered 500 (internal_error)'],
    [503, 'down', 'it answered 503'],
    [409, { error: { code: 'idempotency_key_in_use' } }, 'it answered 409 (idempotency_key_in_use)'],
    [408, '', 'it answered 408'],
    [429, '', 'it answered 429'],
    [201, 'charged!', 'its answer has no "id"'],
    [201, { id: 7 }, 'its answer has no "id"'],
    [202, { id: 'ch_1' }, 'it answered 202'],
  ])('answered %i is of unknown outcome', async (statusCode, body, message) => {
    const gateway = await serve(answering(statusCode, body))
    const charge = gateway.charge(UNIT, MONEY, { key: 'k1', signal: never })
    await expect(charge).rejects.toThrow(GatewayOutcomeUnknownError)
    await expect(charge).rejects.toThrow(message)
  })

  test.each([
    [400, { error: { code: 'parameter_invalid', param: 'currency' } }, 'with 400 (parameter_invalid, currency);'],
    [401, 'no', 'with 401;'],
    [
      422,
      { error: { code: 'idempotency_key_reused', message: 'Ada Sato paid' } },
      'with 422 (idempotency_key_reused);',
    ],
  ])('answered %i is refused for good, and the error names what', async (statusCode, body, message) => {
    const gateway = await serve(answering(statusCode, body))
    const charge = gateway.charge(UNIT, MONEY, { key: 'k1', signal: never })
    await expect(charge).rejects.toThrow(GatewayRefusedError)
    await expect(charge).rejects.toThrow(message)
    await expect(charge).rejects.toMatchObject({ statusCode })
  })

  test('does not follow a redirect with the money', async () => {
    let elsewhere = 0
    const gateway = await serve((request, response) => {
      if (request.url === '/elsewhere') elsewhere++
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    await expect(gateway.charge(UNIT, MONEY, { key: 'k1', signal: never })).rejects.toThrow(GatewayOutcomeUnknownError)
    expect(elsewhere).toBe(0)
  })

  test('is sent once more, with the same key, when the connection is lost', async () => {
    const keys: unknown[] = []
    const gateway = await serve((request, response) => {
      keys.push(request.headers['idempotency-key'])
      if (keys.length === 1) response.destroy()
      else response.writeHead(200, { 'idempotent-replayed': 'true' }).end('{"id":"ch_1"}')
    })
    expect(await gateway.charge(UNIT, MONEY, { key: 'k1', signal: never })).toMatchObject({ replayed: true })
    expect(keys).toEqual(['k1', 'k1'])
  })

  test('is of unknown outcome when the connection is lost twice', async () => {
    let requests = 0
    const gateway = await serve((_request, response) => {
      requests++
      response.destroy()
    })
    await expect(gateway.charge(UNIT, MONEY, { key: 'k1', signal: never })).rejects.toThrow(
      'the connection failed twice',
    )
    expect(requests).toBe(2)
  })

  test.each(['headers', 'body'])(
    'is of unknown outcome, and not sent again, when the %s does not come in time',
    async (part) => {
      let requests = 0
      const gateway = await serve((_request, response) => {
        requests++
        if (part === 'body') response.writeHead(200).write('{"id":')
      }, 50)
      const charge = gateway.charge(UNIT, MONEY, { key: 'k1', signal: never })
      await expect(charge).rejects.toThrow('no answer within 50 ms')
      expect(requests).toBe(1)
    },
  )

  test('ends with the reason of the signal, at once', async () => {
    const leader = new AbortController()
    const reason = new Error('no longer leading')
    const gateway = await serve(() => leader.abort(reason))
    await expect(gateway.charge(UNIT, MONEY, { key: 'k1', signal: leader.signal })).rejects.toBe(reason)
  })
})

describe('Asking for the charge of a business unit', () => {
  test('gives it, or undefined where there is none', async () => {
    const urls: unknown[] = []
    const gateway = await serve((request, response) => {
      urls.push(request.url)
      response.end(JSON.stringify({ charges: urls.length === 1 ? [{ id: 'ch_1' }] : [] }))
    })
    const unit = { ...UNIT, customer: 'a&b=c' }
    expect(await gateway.find(unit, { signal: never })).toEqual({ chargeId: 'ch_1' })
    expect(await gateway.find(unit, { signal: never })).toBeUndefined()
    expect(urls[0]).toBe('/v1/charges?customer=a%26b%3Dc&plan=plus&period=2024-01-31')
  })

  test.each(['{}', 'null', '[]', '{"charges":[{}]}', 'x'])(
    'never takes the answer %s for "not charged"',
    async (body) => {
      const gateway = await serve(answering(200, body))
      await expect(gateway.find(UNIT, { signal: never })).rejects.toThrow(GatewayOutcomeUnknownError)
    },
  )
})
