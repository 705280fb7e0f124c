// @ts-nocheck
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import {
  type LoopbackServerOptions,
  type Received,
  startLoopbackServer,
} from '../../../infra/local/lambda-host/loopback.ts'
import { addressesOpenAt, post, signedWith } from '../fixtures/reach.ts'

const replyOf = (statusCode: number, body: string) => ({ statusCode, headers: {}, body })

/** A server that echoes, and the requests that it answered. */
async function startServer(answer?: LoopbackServerOptions['answer']) {
  const answered: Received[] = []
  const server = await startLoopbackServer({
    accessKey: 'local',
    failure: (_, type, message, statusCode) => replyOf(statusCode, `${type}: ${message}`),
    answer: async (request) => {
      answered.push(request)
      return answer === undefined ? replyOf(200, request.body) : answer(request)
    },
  })
  onTestFinished(server.stop)
  return { ...server, answered }
}

const SIGNED = signedWith('local')

/** What a page in a browser on this machine could send, even signed with the right key. */
const FOREIGN = [
  ['a page whose own name leads to this machine', { host: 'evil.example' }, 421],
  ['a name without the port', { host: '127.0.0.1' }, 421],
  ['a page elsewhere', { origin: 'http://evil.example' }, 403],
  ['a page on another port of this machine', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }, 403],
  ['a page without an origin', { origin: 'null' }, 403],
  ['a form', { 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' }, 403],
] as const

test.each([
  ...FOREIGN.map(([name, headers, status]) => [name, { ...SIGNED, ...headers }, status] as const),
  ['a request without credentials', {}, 400],
  ['a request with other credentials', signedWith('AKIAIOSFODNN7EXAMPLE'), 400],
  ['a request with the beginning of the key', signedWith('loca'), 400],
  ['a request with an empty key', signedWith(''), 400],
] as const)('%s is refused', async (_, headers, status) => {
  const { url, answered } = await startServer()
  expect(await post(url, headers, '{}')).toMatchObject({ status })
  expect(answered).toEqual([])
})

test('is reachable from this machine alone', async () => {
  const { url } = await startServer()
  expect(await addressesOpenAt(Number(new URL(url).port))).toEqual(['127.0.0.1'])
})

test('answers in any letters; clients, which may be frozen, can keep their connections forever', async () => {
  const { url } = await startServer()
  const { status, headers, body } = await post(url, SIGNED, 'Zoë 日本')
  expect([status, body, headers['content-length']]).toEqual([200, 'Zoë 日本', '11'])
  const kept = await fetch(url, { method: 'POST', headers: SIGNED })
  expect(kept.headers.get('keep-alive')).toBeNull() // else it would say how long
})

test('outlives a client that hangs up in the middle of its request', async () => {
  const { url } = await startServer()
  const client = connect(Number(new URL(url).port), '127.0.0.1')
  await once(client, 'connect')
  const headers = { Host: new URL(url).host, 'Content-Length': 100, ...SIGNED }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  client.write(`POST / HTTP/1.1\r\n${lines.join('')}\r\n{"TableName":`)
  await sleep(20)
  client.resetAndDestroy()
  expect((await post(url, SIGNED, '')).status).toBe(200)
})

test('an answer runs to its end after its client hung up, and the next request is answered', async () => {
  const [started, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let ended = 0
  const { url } = await startServer(async () => {
    started.resolve()
    await release.promise
    ended += 1
    return replyOf(200, '')
  })
  const abort = new AbortController()
  const left = fetch(url, { method: 'POST', headers: SIGNED, signal: abort.signal })
  await started.promise
  abort.abort()
  await expect(left).rejects.toMatchObject({ name: 'AbortError' })
  await sleep(50) // until the server notices
  release.resolve()
  await post(url, SIGNED, '')
  expect(ended).toBe(2)
})

test('an answer that throws is a failure with the reason, and one that hangs up has no reply', async () => {
  const failing = await startServer(() => Promise.reject(new Error('no plan')))
  expect(await post(failing.url, SIGNED, '')).toMatchObject({
    status: 500,
    body: expect.stringContaining('no plan'),
  })
  const silent = await startServer(async () => 'hangUp')
  await expect(post(silent.url, SIGNED, '')).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test('stopping closes the connection of a pending request, and the port', async () => {
  const { url, stop } = await startServer(() => new Promise(() => {}))
  const failed = expect(post(url, SIGNED, '')).rejects.toMatchObject({ code: 'ECONNRESET' })
  await sleep(50)
  await stop()
  await failed
  await expect(post(url, SIGNED, '')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
