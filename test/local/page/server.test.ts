import { once } from 'node:events'
import { type IncomingMessage, request as startRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Act, ActError } from '../../../infra/local/faults/acts.ts'
import type { Entry } from '../../../infra/local/observe/entries.ts'
import { createFeed } from '../../../infra/local/page/feed.ts'
import { type Console, type ConsoleOptions, startConsole } from '../../../infra/local/page/server.ts'
import { addressesOpenAt } from '../fixtures/reach.ts'

const consoles: Console[] = []
afterEach(async () => {
  vi.useRealTimers()
  await Promise.all(consoles.splice(0).map((console) => console.stop()))
})

/** A console with a feed of its own, and what was done by it. */
async function start(options: Partial<ConsoleOptions> = {}) {
  const feed = createFeed()
  const acts: Act[] = []
  const listening = { now: 0 }
  const console = await startConsole({
    port: 0,
    feed: {
      subscribe: (listener) => {
        const subscription = feed.subscribe(listener)
        listening.now += 1
        return {
          [Symbol.dispose]: () => {
            listening.now -= 1
            subscription[Symbol.dispose]()
          },
        }
      },
    },
    stories: { get: () => undefined },
    act: async (act) => void acts.push(act),
    ...options,
  })
  consoles.push(console)
  return { ...console, feed, acts, listening, origin: new URL(console.url).origin }
}

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** The answer as it begins; its body may go on for ever. */
async function open(url: string, { method = 'GET', headers = {}, body = '' }: Asked = {}): Promise<IncomingMessage> {
  const asked = startRequest(url, { method, headers, agent: false }).end(body)
  const [response] = await once(asked, 'response')
  return response
}

async function ask(url: string, asked?: Asked) {
  const response = await open(url, asked)
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** An act as the page sends it, or nearly so. */
const post = ({ url, origin }: { url: string; origin: string }, body: string, headers?: Record<string, string>) =>
  ask(`${url}acts`, { method: 'POST', headers: headers ?? { origin, ...JSON_TYPE }, body })

/** The events of an open feed, one by one; a comment is one without a name. */
function eventsOf(response: IncomingMessage): () => Promise<{ name: string | undefined; data: unknown }> {
  let rest = ''
  const chunks = response.setEncoding('utf8')[Symbol.asyncIterator]()
  return async () => {
    while (!rest.includes('\n\n')) {
      const { value, done } = await chunks.next()
      if (done === true) throw new Error('The feed has ended')
      rest += value
    }
    const end = rest.indexOf('\n\n')
    const [, name, data = ''] = /^event: (\w+)\ndata: ([^\n]*)$/.exec(rest.slice(0, end)) ?? []
    rest = rest.slice(end + 2)
    return { name, data: data === '' ? undefined : JSON.parse(data) }
  }
}

const broken = (words: string): Entry => ({ kind: 'broken', atMs: 1, words })

describe('the page', () => {
  test('is one HTML file, which a browser asks for anew each time and takes for nothing else', async () => {
    const { url } = await start()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/$/)
    const { status, headers } = await ask(url)
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    expect(headers['content-type']).toContain('text/html')
  })

  test('is reached as localhost too', async () => {
    const { url } = await start()
    expect((await ask(url, { headers: { host: `localhost:${new URL(url).port}` } })).status).toBe(200)
  })

  test.each([
    ['GET', 'favicon.ico'],
    ['GET', 'acts'],
    ['POST', 'feed'],
    ['PUT', 'acts'],
    ['GET', 'tenures/'],
    ['GET', 'tenures/x'],
    ['GET', '..%2fpackage.json'],
  ])('has nothing else to give: %s %s', async (method, path) => {
    const { url } = await start()
    expect(await ask(url + path, { method })).toMatchObject({ status: 404, body: 'There is no such thing here' })
  })
})

describe('the key in the address', () => {
  test('is another one for each run', async () => {
    const keys = [await start(), await start()].map(({ url }) => new URL(url).pathname)
    expect(new Set(keys).size).toBe(2)
  })

  test('opens the page without its last slash too', async () => {
    const { url } = await start()
    const { status, headers } = await ask(url.slice(0, -1))
    expect({ status, location: headers['location'] }).toEqual({ status: 308, location: new URL(url).pathname })
  })

  const WRONG: readonly (readonly [string, (key: string) => string])[] = [
    ['none', () => ''],
    ['that of another run', () => 'mGgFqKVWTt8xMx0Pv1RZHA/'],
    ['half of it', (key) => `${key.slice(0, 11)}/`],
    ['it and more', (key) => `${key}x/`],
    ['it in other letters', (key) => `${key.toUpperCase()}/`],
    ['it elsewhere', (key) => `?key=${key}`],
  ]

  test.each(WRONG)('%s opens nothing, and does nothing', async (_, wrong) => {
    const { url, origin, acts, listening } = await start({
      stories: { get: () => ({ steps: [], leftOut: 0, gapAt: 0 }) },
    })
    const base = `${origin}/${wrong(new URL(url).pathname.slice(1, -1))}`
    for (const path of ['', 'feed', 'tenures/1', 'package.json']) {
      const { status, headers, body } = await ask(base + path)
      expect(status).toBe(403)
      expect(body).toMatch(/^Open the whole address that npm start printed/)
      expect(headers['location']).toBeUndefined()
    }
    expect((await post({ url: base, origin }, '{"do":"killLeader"}')).status).toBe(403)
    expect(acts).toEqual([])
    expect(listening.now).toBe(0)
  })
})

describe('a request that names another host', () => {
  test.each(['evil.example', 'evil.example:80', '127.0.0.1', '127.0.0.1:1', 'localhost'])(
    'such as %s, by which a page elsewhere would reach it, is refused everything',
    async (host) => {
      const { url, origin, acts, listening } = await start()
      for (const path of ['', 'feed', 'tenures/1']) {
        expect((await ask(url + path, { headers: { host } })).status).toBe(421)
      }
      const killed = await post({ url, origin }, '{"do":"killLeader"}', { host, origin, ...JSON_TYPE })
      expect(killed.status).toBe(421)
      expect(acts).toEqual([])
      expect(listening.now).toBe(0)
    },
  )
})

describe('an act', () => {
  test('that the page sends is carried out', async () => {
    const { url, origin, acts } = await start()
    const sent = { do: 'skewClock', candidate: 2, ms: -5_000 }
    expect(await post({ url, origin }, JSON.stringify(sent))).toMatchObject({ status: 204, body: '' })
    expect(acts).toEqual([sent])
  })

  test('is answered when it is done', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { url, origin } = await start({ act: () => promise })
    let isAnswered = false
    const answer = post({ url, origin }, '{"do":"killLeader"}').finally(() => {
      isAnswered = true
    })
    await ask(url) // goes its way meanwhile
    expect(isAnswered).toBe(false)
    resolve()
    expect((await answer).status).toBe(204)
  })

  test.each<[string, (origin: string) => Record<string, string>]>([
    ['another page', () => ({ origin: 'http://evil.example', ...JSON_TYPE })],
    ['a page on another port', (origin) => ({ origin: `${origin}0`, ...JSON_TYPE })],
    ['a page without an origin', () => ({ origin: 'null', ...JSON_TYPE })],
    ['who says no origin', () => JSON_TYPE],
    ['a form', (origin) => ({ origin, 'content-type': 'text/plain' })],
    ['who says no type', (origin) => ({ origin })],
  ])('from %s is refused', async (_, headersFor) => {
    const { url, origin, acts } = await start()
    const { status, body } = await post({ url, origin }, '{"do":"killLeader"}', headersFor(origin))
    expect({ status, body }).toEqual({ status: 403, body: 'Acts come from the page alone, as JSON' })
    expect(acts).toEqual([])
  })

  test('that is no JSON is refused', async () => {
    const { url, origin, acts } = await start()
    for (const body of ['', '{', 'killLeader']) {
      expect(await post({ url, origin }, body)).toMatchObject({ status: 400, body: 'This is no JSON' })
    }
    expect(acts).toEqual([])
  })

  test('that is none is refused with a sentence that says what it may be', async () => {
    const { url, origin, acts } = await start()
    const { status, body } = await post({ url, origin }, '{"do":"nothing"}')
    expect(status).toBe(409)
    expect(body).toMatch(/^"do" must be one of killLeader, .*, not "nothing"$/)
    expect(acts).toEqual([])
  })

  test.each([1_000, 20_000])('with %d characters too many is refused, and the page hears so', async (length) => {
    const { url, origin, acts } = await start()
    const long = JSON.stringify({ do: 'killLeader', more: 'x'.repeat(length) })
    expect(await post({ url, origin }, long)).toMatchObject({ status: 409, body: 'An act is a few words long' })
    expect(acts).toEqual([])
  })

  test('that cannot be done now is refused with the sentence that says why', async () => {
    const { url, origin } = await start({ act: () => Promise.reject(new ActError('Nobody is frozen')) })
    expect(await post({ url, origin }, '{"do":"thawLeader"}')).toMatchObject({ status: 409, body: 'Nobody is frozen' })
  })

  test('that goes wrong is told, and the console goes on', async () => {
    const { url, origin } = await start({ act: () => Promise.reject(new TypeError('a mistake')) })
    expect((await post({ url, origin }, '{"do":"thawLeader"}')).status).toBe(500)
    expect((await ask(url)).status).toBe(200)
  })
})

test('what another page asks for is refused, even where it could not read the answer', async () => {
  const { url } = await start()
  for (const path of ['', 'feed', 'tenures/1']) {
    for (const site of ['cross-site', 'same-site']) {
      expect((await ask(`${url}${path}`, { headers: { 'sec-fetch-site': site } })).status).toBe(403)
    }
  }
  for (const site of ['same-origin', 'none']) {
    expect((await ask(url, { headers: { 'sec-fetch-site': site } })).status).toBe(200)
  }
})

test.each(['//', 'http://[', '*', '/%'])('a request for %s is answered, and nothing breaks', async (path) => {
  const { url } = await start()
  const { hostname, port } = new URL(url)
  const asked = startRequest({ hostname, port, path, agent: false }).end()
  const [response] = await once(asked, 'response')
  expect(response.statusCode).toBe(403)
  response.resume()
  expect((await ask(url)).status).toBe(200)
})

describe('the feed', () => {
  test('is told to twenty pages at once, and no more', async () => {
    const { url } = await start()
    const pages = await Promise.all(Array.from({ length: 20 }, () => open(`${url}feed`)))
    expect(pages.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 20 }, () => 200))
    expect((await ask(`${url}feed`)).status).toBe(503)
  })

  test('may go on being told while the console stops, and nothing breaks', async () => {
    const { url, feed, stop } = await start()
    const response = await open(`${url}feed`)
    const stopping = stop()
    feed.add({ kind: 'over', atMs: 1, words: 'late' })
    response.resume()
    await stopping
  })

  test('tells all that is kept, and then what is new', async () => {
    const { url, feed } = await start()
    feed.add(broken('first'))
    feed.add(broken('second'))
    const response = await open(`${url}feed`)
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const next = eventsOf(response)
    const { name, data } = await next()
    expect(name).toBe('all')
    expect(data).toEqual({ nowMs: expect.any(Number), entries: [broken('first'), broken('second')] })
    expect(Object(data).nowMs).toBeLessThanOrEqual(Date.now())
    feed.add(broken('two\nlines, é and \u2028'))
    feed.add(broken('fourth'))
    expect(await next()).toEqual({ name: 'more', data: [broken('two\nlines, é and \u2028')] })
    expect(await next()).toEqual({ name: 'more', data: [broken('fourth')] })
    response.destroy()
  })

  test('tells each page all, and one that comes again', async () => {
    const { url, feed } = await start()
    const first = await open(`${url}feed`)
    await eventsOf(first)()
    feed.add(broken('meanwhile'))
    first.destroy()
    const again = await open(`${url}feed`)
    expect(await eventsOf(again)()).toMatchObject({ name: 'all', data: { entries: [broken('meanwhile')] } })
    again.destroy()
  })

  test('says now and then that it is still there, as long as somebody listens', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { url, listening } = await start()
    const response = await open(`${url}feed`)
    const next = eventsOf(response)
    expect(await next()).toMatchObject({ name: 'all' })
    vi.advanceTimersByTime(15_000)
    expect(await next()).toEqual({ name: undefined, data: undefined })
    expect(vi.getTimerCount()).toBe(1)
    response.destroy()
    await vi.waitUntil(() => listening.now === 0, { timeout: 10_000 })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is not told any more to a page that has gone', async () => {
    const { url, feed, listening } = await start()
    const [first, second] = [await open(`${url}feed`), await open(`${url}feed`)]
    expect(listening.now).toBe(2)
    first.destroy()
    await expect.poll(() => listening.now).toBe(1)
    const next = eventsOf(second)
    await next()
    feed.add(broken('still'))
    expect(await next()).toEqual({ name: 'more', data: [broken('still')] })
    second.destroy()
    await expect.poll(() => listening.now).toBe(0)
  })
})

test('the story of a tenure is told, and that it is not kept any more where it is not', async () => {
  const story = { steps: [{ atMs: 1, words: 'Woken' }], leftOut: 0, gapAt: 200 }
  const { url } = await start({ stories: { get: (token) => (token === 1_795_240_800_001 ? story : undefined) } })
  const told = await ask(`${url}tenures/1795240800001`)
  expect(told).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } })
  expect(JSON.parse(told.body)).toEqual(story)
  const forgotten = await ask(`${url}tenures/7`)
  expect(forgotten).toMatchObject({ status: 404, body: 'The requests of this tenure are not kept any more' })
})

describe('the port', () => {
  test('that is taken is told, with what to do', async () => {
    const { url } = await start()
    const { port } = new URL(url)
    await expect(start({ port: Number(port) })).rejects.toThrow(
      `Port ${port} is taken: choose another with --port, or leave it out for any that is free`,
    )
  })

  test('is free again when the console has stopped, whoever was listening', async () => {
    const { url, stop, listening, feed } = await start()
    const response = await open(`${url}feed`)
    const next = eventsOf(response)
    await next()
    feed.add({ kind: 'over', atMs: Date.now(), words: 'The run is over' })
    const last = next()
    await stop()
    expect(await last).toMatchObject({ name: 'more', data: [{ kind: 'over' }] })
    await expect(next()).rejects.toThrow()
    expect(listening.now).toBe(0)
    const again = await start({ port: Number(new URL(url).port), key: new URL(url).pathname.slice(1, -1) })
    expect(again.url).toBe(url)
  })

  test('is open on this machine alone', async () => {
    const { url } = await start()
    expect(await addressesOpenAt(Number(new URL(url).port))).toEqual(['127.0.0.1'])
  })
})
