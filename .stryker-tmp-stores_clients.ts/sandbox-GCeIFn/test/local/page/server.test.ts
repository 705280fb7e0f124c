// @ts-nocheck
import { once } from 'node:events'
import { type IncomingMessage, request as startRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test, vi } from 'vitest'
import { FaultError, type ManualFault } from '../../../infra/local/faults/fault.ts'
import { type PageOptions, type PageServer, startPage } from '../../../infra/local/page/server.ts'
import { CountedFeed } from '../../support/counted-feed.ts'
import { fault, OVER } from './election.ts'

const servers: PageServer[] = []
afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

/** A page with a feed of its own that counts its pages, and the faults that it injected. */
async function start(options: Partial<PageOptions> = {}) {
  const feed = new CountedFeed()
  const injected: ManualFault[] = []
  const inject = async (one: ManualFault) => void injected.push(one)
  const server = await startPage({ port: 0, feed, logs: { get: () => [] }, inject, ...options })
  servers.push(server)
  return { ...server, feed, injected, origin: new URL(server.url).origin }
}
type Started = Awaited<ReturnType<typeof start>>

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** The beginning of the answer; its body may never end. */
async function open(url: string, { method = 'GET', headers = {}, body = '' }: Asked = {}): Promise<IncomingMessage> {
  const [response] = await once(startRequest(url, { method, headers, agent: false }).end(body), 'response')
  return response
}

async function ask(url: string, asked?: Asked) {
  const response = await open(url, asked)
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const KILL = '{"do":"killLeader"}'

/** A fault as the page sends it; the headers may differ. */
const post = ({ url, origin }: Pick<Started, 'url' | 'origin'>, body: string, headers?: Record<string, string>) =>
  ask(`${url}faults`, { method: 'POST', headers: headers ?? { origin, ...JSON_TYPE }, body })

/** The messages of an open feed, one by one; undefined for a comment. */
function messagesOf(response: IncomingMessage): () => Promise<unknown> {
  let rest = ''
  const chunks = response.setEncoding('utf8')[Symbol.asyncIterator]()
  return async () => {
    while (!rest.includes('\n\n')) {
      const { value, done } = await chunks.next()
      if (done === true) throw new Error('The feed has ended')
      rest += value
    }
    const end = rest.indexOf('\n\n')
    const [, data] = /^data: ([^\n]*)$/.exec(rest.slice(0, end)) ?? []
    rest = rest.slice(end + 2)
    return data === undefined ? undefined : JSON.parse(data)
  }
}

test('the page is one HTML file, which browsers neither cache nor reinterpret', async () => {
  const { url } = await start()
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/$/)
  const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
  expect(await ask(url)).toMatchObject({ status: 200, headers })
  const ways = [{ host: `localhost:${new URL(url).port}` }, { 'sec-fetch-site': 'none' }]
  for (const headers of ways) expect((await ask(url, { headers })).status).toBe(200)
  for (const path of ['faults', '..%2fpackage.json']) {
    expect(await ask(url + path)).toMatchObject({ status: 404, body: 'Not found' })
  }
})

test('the key in the address differs for each run, and needs no slash behind it', async () => {
  const [one, other] = [await start(), await start()]
  const { pathname } = new URL(one.url)
  expect(pathname).not.toBe(new URL(other.url).pathname)
  expect(await ask(one.url.slice(0, -1))).toMatchObject({ status: 308, headers: { location: pathname } })
})

const EVIL = { host: 'evil.example' }
const WRONG_KEY = 'mGgFqKVWTt8xMx0Pv1RZHA/'
test.each<[string, (key: string) => string, Readonly<Record<string, string>>, number]>([
  ['has no key', () => '', {}, 403],
  ['has the key of another run', () => WRONG_KEY, {}, 403],
  ['has half of the key', (key) => `${key.slice(0, 11)}/`, {}, 403],
  ['names the host evil.example', (key) => key, EVIL, 421],
  ['names this host without its port', (key) => key, { host: '127.0.0.1' }, 421],
  ['comes from another site', (key) => key, { 'sec-fetch-site': 'cross-site' }, 403],
  ['comes from another port', (key) => key, { 'sec-fetch-site': 'same-site' }, 403],
])('a request that %s opens and injects nothing', async (_, keyOf, named, refused) => {
  const { url, origin, injected, feed } = await start()
  const base = `${origin}/${keyOf(new URL(url).pathname.slice(1))}`
  const headers = { origin, ...JSON_TYPE, ...named }
  for (const path of ['', 'feed', 'tenures/1']) expect((await ask(base + path, { headers })).status).toBe(refused)
  expect((await post({ url: base, origin }, KILL, headers)).status).toBe(refused)
  expect([injected, feed.listening]).toEqual([[], 0])
})

test.each(['//', 'http://[', '*', '/%'])('a request for %s is refused, and the server goes on', async (path) => {
  const { url } = await start()
  const { hostname, port } = new URL(url)
  const [response] = await once(startRequest({ hostname, port, path, agent: false }).end(), 'response')
  expect(response.statusCode).toBe(403)
  response.resume()
  expect((await ask(url)).status).toBe(200)
})

const FOREIGN = /^Only the page itself may inject faults, as JSON$/
const tooLong = JSON.stringify({ do: 'killLeader', more: 'x'.repeat(1_000) })
test.each<[string, (origin: string) => Record<string, string>, string, number, RegExp]>([
  ['the page', (origin) => ({ origin, ...JSON_TYPE }), '{"do":"skewClock","candidate":2,"ms":-5000}', 204, /^$/],
  ['a page on another port', (origin) => ({ origin: `${origin}0`, ...JSON_TYPE }), KILL, 403, FOREIGN],
  ['a page with the origin null', () => ({ origin: 'null', ...JSON_TYPE }), KILL, 403, FOREIGN],
  ['a client without an origin', () => JSON_TYPE, KILL, 403, FOREIGN],
  ['a form', (origin) => ({ origin, 'content-type': 'text/plain' }), KILL, 403, FOREIGN],
  ['the page, cut short', (origin) => ({ origin, ...JSON_TYPE }), '{', 400, /^The request is not JSON$/],
  ['the page, unknown', (origin) => ({ origin, ...JSON_TYPE }), '{"do":"x"}', 409, /^"do" must be .*, but is "x"$/],
  ['the page, too long', (origin) => ({ origin, ...JSON_TYPE }), tooLong, 409, /^A fault is at most 1000 characters/],
])('a fault of %s is answered with its status', async (_, headersFor, sent, status, body) => {
  const page = await start()
  expect(await post(page, sent, headersFor(page.origin))).toMatchObject({ status, body: expect.stringMatching(body) })
  expect(page.injected).toEqual(status === 204 ? [JSON.parse(sent)] : [])
})

test.each([
  [new FaultError('No leader is frozen'), 409, 'No leader is frozen'],
  [new TypeError('a mistake'), 500, 'TypeError: a mistake'],
])('a fault that fails with %s is answered so, and the server goes on', async (error, status, body) => {
  const page = await start({ inject: () => Promise.reject(error) })
  expect(await post(page, KILL)).toMatchObject({ status, body })
  expect((await ask(page.url)).status).toBe(200)
})

test('the feed sends a snapshot, then each new entry', async () => {
  const { url, feed } = await start()
  feed.add(fault('first', 0))
  feed.add(fault('second', 1))
  const response = await open(`${url}feed`)
  expect(response.statusCode).toBe(200)
  expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const next = messagesOf(response)
  const entries = [fault('first', 0), fault('second', 1)]
  expect(await next()).toEqual({ nowMs: expect.any(Number), isSnapshot: true, entries })
  const special = fault('two\nlines, é and \u2028', 2)
  feed.add(special)
  expect(await next()).toMatchObject({ isSnapshot: false, entries: [special] })
  response.destroy()
})

test('the feed serves twenty pages at once, and no more', async () => {
  const { url } = await start()
  const pages = await Promise.all(Array.from({ length: 20 }, () => open(`${url}feed`)))
  expect(pages.map(({ statusCode }) => statusCode)).toEqual(Array(20).fill(200))
  expect((await ask(`${url}feed`)).status).toBe(503)
})

test('the feed sends a heartbeat while a page is connected, and nothing to one that has gone', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const { url, feed } = await start()
  const [first, second] = [await open(`${url}feed`), await open(`${url}feed`)]
  first.destroy()
  await vi.waitUntil(() => feed.listening === 1, { timeout: 10_000 })
  expect(vi.getTimerCount()).toBe(1)
  const next = messagesOf(second)
  expect(await next()).toMatchObject({ isSnapshot: true })
  vi.advanceTimersByTime(15_000)
  expect(await next()).toBeUndefined()
  feed.add(fault('still', 0))
  expect(await next()).toMatchObject({ entries: [fault('still', 0)] })
  second.destroy()
  await vi.waitUntil(() => feed.listening === 0, { timeout: 10_000 })
  expect(vi.getTimerCount()).toBe(0)
})

test('the feed may get entries while the server stops', async () => {
  const { url, feed, stop } = await start()
  const response = await open(`${url}feed`)
  const stopping = stop()
  feed.add(OVER)
  response.resume()
  await stopping
})

test('the log of a tenure is sent while it is kept', async () => {
  const log = [{ atMs: 1, description: 'Invoked' }]
  const { url } = await start({ logs: { get: (tenure) => (tenure === 12 ? log : []) } })
  const headers = { 'content-type': 'application/json' }
  expect(await ask(`${url}tenures/12`)).toMatchObject({ status: 200, headers, body: JSON.stringify(log) })
  const body = 'The log of this tenure is no longer kept'
  expect(await ask(`${url}tenures/7`)).toMatchObject({ status: 404, body })
})

test('a port that is in use is reported, with what to do', async () => {
  const port = Number(new URL((await start()).url).port)
  const message = `Port ${port} is in use: choose another one with --port, or omit --port for any free one`
  await expect(start({ port })).rejects.toThrow(message)
})

test('the port is free again after the stop, which connected pages receive the last entries before', async () => {
  const { url, stop, feed } = await start()
  const next = messagesOf(await open(`${url}feed`))
  await next()
  feed.add(OVER)
  const last = next()
  await stop()
  expect(await last).toMatchObject({ entries: [OVER] })
  await expect(next()).rejects.toThrow()
  expect(feed.listening).toBe(0)
  const again = await start({ port: Number(new URL(url).port), key: new URL(url).pathname.slice(1, -1) })
  expect(again.url).toBe(url)
})
