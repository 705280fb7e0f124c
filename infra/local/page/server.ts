/**
 * Serves the page: the page itself, the feed as server-sent events, the story of a tenure, and acts, all behind a key
 * in the path, which only the printed address has. It is not in a cookie, since a cookie goes to every port of a host:
 * another user's server on this machine would get it.
 *
 * Other pages in the same browser can send requests here too, without the key. Even with it a request has to name this
 * server as its host, and an act has to come from this page and be JSON, which no form can send.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Act, ActError, readAct } from '../faults/acts.ts'
import { isSecret } from '../lambda-host/credentials.ts'
import { isOwnHost, LOOPBACK } from '../lambda-host/loopback.ts'
import type { All } from '../observe/entries.ts'
import type { Stories } from '../observe/stories.ts'
import { bundlePage } from './bundle.ts'
import type { Feed } from './feed.ts'

export interface ConsoleOptions {
  /** 0 for any that is free. */
  readonly port: number
  /** What the path of the address begins with; letters, digits, `-` and `_`. @default a random one */
  readonly key?: string
  readonly feed: Pick<Feed, 'subscribe'>
  readonly stories: Pick<Stories, 'get'>
  /** @throws ActError */
  readonly act: (act: Act) => Promise<void>
}

export interface Console {
  /** Such as `http://127.0.0.1:40123/mGgFqKVWTt8xMx0Pv1RZHA/`. */
  readonly url: string
  /** Ends every connection, and settles when the port is free. */
  stop(): Promise<void>
}

/** An act is a few words. */
const LONGEST_BODY = 1_000
/** So that a connection that nobody reads any more is noticed. */
const HEARTBEAT_MS = 15_000
/** What a page that does not read may have waiting, in bytes: beyond it, it has to come again. */
const MOST_WAITING = 64 * 1024 * 1024
/** Each may have megabytes waiting. */
const MOST_STREAMS = 20
/** How long a page may take to hear the end. */
const MOST_PARTING_MS = 1_000

/** @throws Error that says what to do where the port is taken */
export async function startConsole(options: ConsoleOptions): Promise<Console> {
  const { port, key = newKey(), feed, stories, act } = options
  const page = await bundlePage()
  const streams = new Set<ServerResponse>()

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '/', headers } = request
    if (!isOurs(headers.host)) return reply(response, 421, 'This server is for this machine alone')
    if (!isFromHere(headers['sec-fetch-site'])) return reply(response, 403, 'This page is not for other pages')
    const asked = URL.parse(url, 'http://local')?.pathname ?? ''
    const [, given = '', pathname = ''] = /^\/([^/]*)(.*)$/.exec(asked) ?? []
    if (!isSecret(given, key)) return reply(response, 403, NO_KEY)
    // The page's own requests are relative to its address.
    if (pathname === '') return reply(response, 308, '', { location: `/${key}/` })
    if ((method === 'GET' || method === 'HEAD') && pathname === '/')
      return reply(response, 200, page.html, page.headers)
    if (method === 'GET' && pathname === '/feed') {
      if (streams.size >= MOST_STREAMS) return reply(response, 503, 'The page is open too often already')
      streams.add(response.on('close', () => streams.delete(response)))
      return stream(response, feed)
    }
    const [, tenure] = /^\/tenures\/(\d+)$/.exec(pathname) ?? []
    if (method === 'GET' && tenure !== undefined) return storyOf(Number(tenure), response)
    if (method === 'POST' && pathname === '/acts') return carryOut(request, response)
    return reply(response, 404, 'There is no such thing here')
  }

  const isOurs = (host: string | undefined) => isOwnHost(host, ownPort)

  const storyOf = (tenure: number, response: ServerResponse) => {
    const story = stories.get(tenure)
    if (story === undefined) return reply(response, 404, 'The requests of this tenure are not kept any more')
    return reply(response, 200, JSON.stringify(story), { 'content-type': 'application/json' })
  }

  const carryOut = async (request: IncomingMessage, response: ServerResponse) => {
    const { origin, 'content-type': type } = request.headers
    const isFromPage = origin !== undefined && isOurs(origin.replace(/^http:\/\//, ''))
    if (!isFromPage || type !== 'application/json')
      return reply(response, 403, 'Acts come from the page alone, as JSON')
    try {
      await act(readAct(JSON.parse(await bodyOf(request))))
      return reply(response, 204, '')
    } catch (error) {
      if (error instanceof ActError) return reply(response, 409, error.message)
      if (error instanceof SyntaxError) return reply(response, 400, 'This is no JSON')
      throw error
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else reply(response, 500, String(error))
    })
  })
  server.listen(port, LOOPBACK)
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    throw new Error(`Port ${port} is taken: choose another with --port, or leave it out for any that is free`)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The page has no port')
  const ownPort = address.port
  const closed = once(server, 'close')
  return {
    url: `http://${LOOPBACK}:${ownPort}/${key}/`,
    stop: async () => {
      server.close()
      // What is over is the last that a page hears: it is to arrive, where the page listens.
      const heard = [...streams].map((stream) => new Promise((resolve) => stream.once('close', resolve).end()))
      await Promise.race([Promise.all(heard), sleep(MOST_PARTING_MS, undefined, { ref: false })])
      server.closeAllConnections()
      await closed
    },
  }
}

const NO_KEY =
  'Open the whole address that npm start printed: its end is a key, another one for each run, that others do not have'

/** 128 random bits. */
const newKey = () => randomBytes(16).toString('base64url')

/** Browsers say where a request comes from: typed in, or from this page. What says nothing is no page. */
const isFromHere = (site: unknown) => site === undefined || site === 'same-origin' || site === 'none'

function reply(response: ServerResponse, statusCode: number, body: string, headers: Record<string, string> = {}): void {
  const all = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers }
  response.writeHead(statusCode, { ...all, 'x-content-type-options': 'nosniff' }).end(body)
}

/** Everything that is kept, then what is new. A page that lost its connection comes again by itself, and gets all again. */
function stream(response: ServerResponse, feed: Pick<Feed, 'subscribe'>): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const write = (text: string) => {
    if (response.writableEnded) return
    if (response.writableLength > MOST_WAITING) response.destroy()
    else response.write(text)
  }
  const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
  let isFirst = true
  const subscription = feed.subscribe((entries) => {
    const all: All = { nowMs: Date.now(), entries }
    write(isFirst ? event('all', all) : event('more', entries))
    isFirst = false
  })
  const heartbeat = setInterval(() => write(': still here\n\n'), HEARTBEAT_MS)
  response.on('close', () => {
    clearInterval(heartbeat)
    subscription[Symbol.dispose]()
  })
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk
    if (body.length > LONGEST_BODY) throw new ActError('An act is a few words long')
  }
  return body
}
